/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a segment from its start and tells a torn tail from damage. A bad
 * group is damage, never cut:
 *   - before the length to which an index proves that all was synced;
 *   - in a segment that is not the last;
 *   - when a whole group header stands after it (that one was written only after the bad one's
 *     sync), or the trailer of a later group does;
 *   - when its own trailer is there and no sector of it reads as zeros: everything was written, and
 *     then changed. Files are preallocated, so what a crash left unwritten reads as zeros.
 * Anything else at the end of the last segment is what a crash left of a group that nobody was
 * told of; it goes as a whole, so no part of an append is ever served.
 */
#include "store/journal_internal.h"

#include "base/hash.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_BYTES = 1 << 20, SECTOR_BYTES = 512 };

struct window {
    const struct lt_scan *scan;
    char *bytes;
    uint64_t start;
    size_t len;
};

/* `len` bytes (at most a window's) at `offset`, or NULL when the file is shorter or fails. */
static const char *view(struct window *w, uint64_t offset, size_t len, struct leat_error *err) {
    if (offset > w->scan->size || w->scan->size - offset < len) {
        lt_fail(err, LEAT_E_CORRUPT, 0, "%s ends at %" PRIu64 ", within what starts at %" PRIu64,
                w->scan->name, w->scan->size, offset);
        return NULL;
    }
    if (offset < w->start || offset + len > w->start + w->len) {
        uint64_t rest = w->scan->size - offset;
        size_t want = rest < WINDOW_BYTES ? (size_t)rest : WINDOW_BYTES;
        w->len = 0;
        if (lt_pread_all(w->scan->fd, w->bytes, want, offset, w->scan->name, err) != LEAT_OK)
            return NULL;
        w->start = offset;
        w->len = want;
    }
    return w->bytes + (offset - w->start);
}

static bool open_window(struct window *w, const struct lt_scan *scan, struct leat_error *err) {
    *w = (struct window){.scan = scan, .bytes = malloc(WINDOW_BYTES)};
    if (!w->bytes)
        lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read %s", scan->name);
    return w->bytes != NULL;
}

static leat_status damaged(struct leat_error *err, const struct lt_scan *scan, uint64_t offset,
                           const char *what) {
    return lt_fail(err, LEAT_E_CORRUPT, 0, "%s: %s at offset %" PRIu64, scan->name, what, offset);
}

static leat_status check_payload(struct window *w, uint64_t offset, uint32_t len, uint32_t want,
                                 struct leat_error *err) {
    uint32_t crc = 0;

    for (uint32_t done = 0; done < len;) {
        uint32_t part = len - done < WINDOW_BYTES / 2 ? len - done : WINDOW_BYTES / 2;
        const char *bytes = view(w, offset + done, part, err);
        if (!bytes)
            return err->status;
        crc = lt_crc32c(crc, bytes, part);
        done += part;
    }
    if (crc != want)
        return damaged(err, w->scan, offset, "a record fails its checksum");
    return LEAT_OK;
}

/* One record at `*offset`, which moves behind it; `end` is where the group's records end. */
static leat_status check_record(struct window *w, uint64_t *offset, uint64_t end,
                                struct lt_table_builder *builder, struct leat_error *err) {
    struct lt_record_header header;
    const char *bytes;

    if (end - *offset < LT_RECORD_HEADER_BYTES)
        return damaged(err, w->scan, *offset, "a group ends within a record");
    bytes = view(w, *offset, LT_RECORD_HEADER_BYTES, err);
    if (!bytes)
        return err->status;
    if (!lt_record_header_get(bytes, &header))
        return damaged(err, w->scan, *offset, "a record's header fails its checksum");
    uint32_t payload = lt_record_payload_len(&header);
    if (payload > end - *offset - LT_RECORD_HEADER_BYTES)
        return damaged(err, w->scan, *offset, "a record is longer than its group");
    leat_status status =
        check_payload(w, *offset + LT_RECORD_HEADER_BYTES, payload, header.payload_crc, err);
    if (status != LEAT_OK)
        return status;
    struct lt_table_entry entry = {.shard = header.shard,
                                   .run = {.seq = header.seq,
                                           .time_ms = header.time_ms,
                                           .offset = *offset,
                                           .len = LT_RECORD_HEADER_BYTES + payload,
                                           .n_records = 1},
                                   .last_time_ms = header.time_ms};
    if (builder && !lt_table_add(builder, &entry))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the index of %s", w->scan->name);
    *offset += entry.run.len;
    return LEAT_OK;
}

/* A whole group. On LEAT_E_CORRUPT `*bad` is where the first bad byte range starts. */
static leat_status check_group(struct window *w, uint64_t offset, uint64_t number,
                               struct lt_table_builder *builder, uint64_t *end, uint64_t *bad,
                               struct leat_error *err) {
    struct lt_group_header header, trailer;
    const char *bytes = view(w, offset, LT_GROUP_HEADER_BYTES, err);

    *bad = offset;
    if (!bytes)
        return err->status;
    if (!lt_group_header_get(bytes, &header) || header.salt != w->scan->salt ||
        header.offset != offset || (number != UINT64_MAX && header.number != number))
        return damaged(err, w->scan, offset, "a group's header fails its checksum");
    if (header.len > w->scan->size - offset)
        return damaged(err, w->scan, w->scan->size, "the file ends within a group");
    uint64_t records_end = offset + header.len - LT_GROUP_TRAILER_BYTES;
    uint64_t at = offset + LT_GROUP_HEADER_BYTES;
    for (uint32_t i = 0; i < header.n_records; i++) {
        *bad = at;
        leat_status status = check_record(w, &at, records_end, builder, err);
        if (status != LEAT_OK)
            return status;
    }
    *bad = at;
    if (at != records_end)
        return damaged(err, w->scan, at, "a group has bytes after its records");
    bytes = view(w, at, LT_GROUP_TRAILER_BYTES, err);
    if (!bytes)
        return err->status;
    if (!lt_group_trailer_get(bytes, &trailer) || trailer.salt != header.salt ||
        trailer.offset != offset || trailer.number != header.number)
        return damaged(err, w->scan, at, "a group's trailer fails its checksum");
    *end = offset + header.len;
    return LEAT_OK;
}

static bool is_zero(const char *bytes, size_t len) {
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Are all bytes from `offset` to the file's end zeros: room that was never written? */
static leat_status is_room(struct window *w, uint64_t offset, bool *room, struct leat_error *err) {
    *room = true;
    while (*room && offset < w->scan->size) {
        uint64_t rest = w->scan->size - offset;
        size_t part = rest < SECTOR_BYTES * 64 ? (size_t)rest : SECTOR_BYTES * 64;
        const char *bytes = view(w, offset, part, err);
        if (!bytes)
            return err->status;
        *room = is_zero(bytes, part);
        offset += part;
    }
    return LEAT_OK;
}

/* Does a sector that starts in [from, end), or the rest of the one that holds `from`, read as
 * zeros? Then the device had not written it when the power went. */
static leat_status has_hole(struct window *w, uint64_t from, uint64_t end, bool *hole,
                            struct leat_error *err) {
    *hole = false;
    while (!*hole && from < end) {
        uint64_t next = (from / SECTOR_BYTES + 1) * SECTOR_BYTES;
        if (next > end)
            break;
        const char *bytes = view(w, from, (size_t)(next - from), err);
        if (!bytes)
            return err->status;
        *hole = is_zero(bytes, (size_t)(next - from));
        from = next;
    }
    return LEAT_OK;
}

/* What a header or trailer that stands at `at`, after the bad group at `offset`, says of it. */
static leat_status weigh(struct window *w, uint64_t at, uint64_t offset, uint64_t bad,
                         bool *is_damage, struct leat_error *err) {
    struct lt_group_header found;
    const char *bytes;

    if (w->scan->size - at >= LT_GROUP_HEADER_BYTES) {
        bytes = view(w, at, LT_GROUP_HEADER_BYTES, err);
        if (!bytes)
            return err->status;
        if (lt_group_header_get(bytes, &found) && found.salt == w->scan->salt &&
            found.offset == at) {
            *is_damage = at > offset;
            return LEAT_OK;
        }
    }
    if (w->scan->size - at < LT_GROUP_TRAILER_BYTES)
        return LEAT_OK;
    bytes = view(w, at, LT_GROUP_TRAILER_BYTES, err);
    if (!bytes)
        return err->status;
    if (!lt_group_trailer_get(bytes, &found) || found.salt != w->scan->salt || found.offset >= at)
        return LEAT_OK;
    if (found.offset > offset) {
        *is_damage = true;
    } else if (found.offset == offset) {
        bool hole;
        leat_status status = has_hole(w, bad, at, &hole, err);
        *is_damage = status == LEAT_OK && !hole;
        return status;
    }
    return LEAT_OK;
}

/* Looks through the rest of the file for proof that the bad group at `offset` was once whole. */
static leat_status find_proof(struct window *w, uint64_t offset, uint64_t bad, bool *is_damage,
                              struct leat_error *err) {
    *is_damage = false;
    for (uint64_t at = offset; !*is_damage && at < w->scan->size;) {
        uint64_t rest = w->scan->size - at;
        size_t part = rest < WINDOW_BYTES / 4 ? (size_t)rest : WINDOW_BYTES / 4;
        const char *bytes = view(w, at, part, err);
        if (!bytes)
            return err->status;
        const char *hit = memchr(bytes, LT_GROUP_FIRST_BYTE, part);
        if (!hit) {
            at += part;
            continue;
        }
        at += (uint64_t)(hit - bytes);
        leat_status status = weigh(w, at, offset, bad, is_damage, err);
        if (status != LEAT_OK)
            return status;
        at++;
    }
    return LEAT_OK;
}

/* A group could not be read at `offset`; `err` says why. LEAT_OK: the good part ends there. */
static leat_status judge(struct window *w, uint64_t offset, uint64_t bad, struct leat_error *err) {
    const struct lt_scan *scan = w->scan;
    struct leat_error io;
    bool room, is_damage = true;

    leat_status status = is_room(w, offset, &room, &io);
    if (status == LEAT_OK && room && offset >= scan->synced)
        return LEAT_OK;
    if (status == LEAT_OK && offset < scan->synced)
        return lt_fail(err, LEAT_E_CORRUPT, 0,
                       "%s: synced records are damaged or missing at offset %" PRIu64
                       " (its index shows that %" PRIu64 " bytes were safe)",
                       scan->name, bad, scan->synced);
    if (status == LEAT_OK && scan->last)
        status = find_proof(w, offset, bad, &is_damage, &io);
    if (status != LEAT_OK) {
        if (err)
            *err = io;
        return status;
    }
    if (is_damage)
        return LEAT_E_CORRUPT;
    lt_log(LT_LOG_WARN, "journal",
           "%s: cut a torn tail of %" PRIu64 " bytes at offset %" PRIu64
           " (an append that was never acknowledged)",
           scan->name, scan->size - offset, offset);
    return LEAT_OK;
}

leat_status lt_scan_segment(const struct lt_scan *scan, struct lt_table *out,
                            struct leat_error *err) {
    struct lt_table_builder builder = {0};
    struct window w;
    uint64_t offset = LT_SEGMENT_HEADER_BYTES, number = 0, bad = 0, last_group = 0;
    leat_status status = LEAT_OK;

    *out = (struct lt_table){0};
    if (!open_window(&w, scan, err))
        return LEAT_E_NOMEM;
    while (offset < scan->size) {
        size_t n_before = builder.n;
        struct lt_table_entry before = {0};
        uint64_t end = offset;

        if (n_before)
            before = builder.entries[n_before - 1]; /* a group may have grown this one */
        status = check_group(&w, offset, number, &builder, &end, &bad, err);
        if (status == LEAT_OK) {
            last_group = offset;
            offset = end;
            number++;
            continue;
        }
        builder.n = n_before;
        if (n_before)
            builder.entries[n_before - 1] = before;
        if (status == LEAT_E_CORRUPT)
            status = judge(&w, offset, bad, err);
        break;
    }
    if (status == LEAT_OK && offset < scan->synced)
        status = judge(&w, offset, offset, err);
    if (status == LEAT_OK) {
        status = lt_table_finish(&builder, out, err);
        if (status == LEAT_E_CORRUPT)
            lt_error_prefix(err, "%s", scan->name);
    }
    out->n_groups = (uint32_t)number;
    out->end = offset;
    out->last_group = last_group;
    lt_table_builder_deinit(&builder);
    free(w.bytes);
    return status;
}

leat_status lt_scan_group(const struct lt_scan *scan, uint64_t offset, struct leat_error *err) {
    struct window w;
    uint64_t end, bad;

    if (!open_window(&w, scan, err))
        return LEAT_E_NOMEM;
    leat_status status = check_group(&w, offset, UINT64_MAX, NULL, &end, &bad, err);
    free(w.bytes);
    return status;
}

leat_status lt_scan_has_group(const struct lt_scan *scan, bool *has, struct leat_error *err) {
    struct window w;
    struct lt_group_header found;
    leat_status status = LEAT_OK;

    *has = false;
    if (!open_window(&w, scan, err))
        return LEAT_E_NOMEM;
    for (uint64_t at = 0; !*has && at + LT_GROUP_HEADER_BYTES <= scan->size; at++) {
        const char *bytes = view(&w, at, LT_GROUP_HEADER_BYTES, err);
        if (!bytes) {
            status = err->status;
            break;
        }
        *has = bytes[0] == (char)LT_GROUP_FIRST_BYTE &&
               (lt_group_trailer_get(bytes, &found) ||
                (lt_group_header_get(bytes, &found) && found.offset == at));
    }
    free(w.bytes);
    return status;
}
