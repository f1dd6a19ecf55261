/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds records by number or time, and reads them. Every record that leaves
 * here had both its sums checked and is the one that was asked for. The locks
 * are held only to look into the index; the disk is read without any, for a
 * segment that was taken stays readable whatever a collect does meanwhile.
 */
#include "store/journal_internal.h"

#include "base/hash.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS_AT_ONCE = 64, READ_BYTES = LT_ARENA_SHARED_BYTES };

/* Runs of one segment, which is taken while `segment` is set. */
struct stretch {
    struct lt_segment *segment;
    size_t n;
    struct lt_run runs[RUNS_AT_ONCE];
};

static void release(struct lt_journal *journal, struct stretch *stretch) {
    if (!stretch->segment)
        return;
    pthread_mutex_lock(&journal->mu);
    lt_segment_unref(journal, stretch->segment);
    pthread_mutex_unlock(&journal->mu);
    stretch->segment = NULL;
    stretch->n = 0;
}

static size_t extent_holding(const struct lt_shard *shard, uint64_t seq) {
    size_t low = 0, high = shard->n_extents;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (shard->extents[mid].row->last < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Copies runs of the active segment, or takes the sealed one. Holds mu. */
static leat_status look_up(struct lt_journal *journal, const struct lt_shard *shard, uint64_t seq,
                           size_t max, struct stretch *out, const struct lt_index_row **row,
                           struct leat_error *err) {
    struct lt_segment *segment;
    leat_status status;

    *row = NULL;
    if (shard->n_runs && shard->runs[0].seq <= seq) {
        size_t at = lt_run_holding(shard->runs, shard->n_runs, seq);
        out->n = shard->n_runs - at < max ? shard->n_runs - at : max;
        memcpy(out->runs, shard->runs + at, out->n * sizeof(*out->runs));
        segment = journal->active;
    } else {
        size_t at = extent_holding(shard, seq);
        if (at == shard->n_extents || shard->extents[at].row->first > seq)
            return lt_fail(err, LEAT_E_CORRUPT, 0,
                           "%s: record %" PRIu64 " of shard %" PRIu64 " is in no segment",
                           journal->dir, seq, shard->id);
        *row = shard->extents[at].row;
        segment = shard->extents[at].segment;
    }
    status = lt_segment_ref(journal, segment, err);
    if (status == LEAT_OK)
        out->segment = segment;
    return status;
}

/*
 * The runs from the one that holds `*seq` on, up to `max` and to the end of their segment;
 * none when `*seq` is not written yet. Below the oldest in view, `*seq` is raised to it,
 * unless `hidden`.
 */
static leat_status locate(struct lt_journal *journal, uint64_t shard_id, uint64_t *seq, bool hidden,
                          size_t max, struct stretch *out, struct leat_error *err) {
    const struct lt_index_row *row = NULL;
    leat_status status = LEAT_OK;

    out->segment = NULL;
    out->n = 0;
    pthread_mutex_lock(&journal->mu);
    const struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
    bool some = shard && !shard->forgotten;
    if (some && *seq < shard->first && !hidden)
        *seq = shard->first;
    if (some && *seq < shard->next)
        status = look_up(journal, shard, *seq, max, out, &row, err);
    pthread_mutex_unlock(&journal->mu);
    if (status == LEAT_OK && row)
        status = lt_index_runs(journal, out->segment, row, *seq, out->runs, max, &out->n, err);
    if (status != LEAT_OK)
        release(journal, out);
    return status;
}

/* ---- going through records ---- */

static leat_status damaged(struct lt_journal *journal, const struct lt_segment *segment,
                           uint64_t offset, const char *what, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];

    return lt_fail(err, LEAT_E_CORRUPT, 0, "%s/%s: %s at offset %" PRIu64, journal->dir,
                   lt_segment_name(name, segment->number, ".log"), what, offset);
}

/* The records of one run, whose bytes are there. */
static leat_status visit_run(struct lt_journal *journal, const struct lt_segment *segment,
                             const struct lt_run *run, const char *bytes,
                             const struct lt_visit *visit, bool *more, struct leat_error *err) {
    uint32_t at = 0;

    for (uint32_t i = 0; i < run->n_records && *more; i++) {
        struct lt_record_header header;
        const uint64_t offset = run->offset + at;
        if (run->len - at < LT_RECORD_HEADER_BYTES || !lt_record_header_get(bytes + at, &header))
            return damaged(journal, segment, offset, "a record's header fails its checksum", err);
        if (header.shard != visit->shard || header.seq != run->seq + i)
            return damaged(journal, segment, offset, "another record than expected", err);
        const char *payload = bytes + at + LT_RECORD_HEADER_BYTES;
        uint32_t len = lt_record_payload_len(&header);
        if (len > run->len - at - LT_RECORD_HEADER_BYTES)
            return damaged(journal, segment, offset, "a record longer than its run", err);
        at += LT_RECORD_HEADER_BYTES + len;
        if (header.seq < visit->from)
            continue;
        if (visit->check_payload && lt_crc32c(0, payload, len) != header.payload_crc)
            return damaged(journal, segment, offset, "a record fails its checksum", err);
        *more = visit->record(visit->ctx, &header, payload);
    }
    return LEAT_OK;
}

leat_status lt_journal_visit(struct lt_journal *journal, const struct lt_segment *segment,
                             const struct lt_run *runs, size_t n, const struct lt_visit *visit,
                             bool *more, struct leat_error *err) {
    char name[LT_SEGMENT_NAME_BYTES];
    char *own = NULL;
    size_t cap = 0;
    leat_status status = LEAT_OK;

    lt_segment_name(name, segment->number, ".log");
    for (size_t i = 0, part; i < n && *more && status == LEAT_OK; i += part) {
        const struct lt_run *run = &runs[i];
        size_t len = run[0].len;
        /* runs that lie together are read with one call */
        for (part = 1; i + part < n && len < visit->want_bytes && len < READ_BYTES &&
                       run[part].len <= READ_BYTES - len &&
                       run[part - 1].offset + run[part - 1].len == run[part].offset;)
            len += run[part++].len;
        char *bytes = visit->room ? visit->room(visit->ctx, len) : NULL;
        if (!bytes && len > cap) {
            free(own);
            cap = len;
            own = malloc(cap);
            if (!own)
                return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read %zu bytes of %s", len,
                               name);
        }
        if (!bytes)
            bytes = own;
        status = lt_pread_all(segment->fd, bytes, len, run[0].offset, name, err);
        for (size_t k = 0; k < part && *more && status == LEAT_OK; k++)
            status = visit_run(journal, segment, &run[k], bytes + (run[k].offset - run[0].offset),
                               visit, more, err);
    }
    free(own);
    return status;
}

static leat_status visit_stretch(struct lt_journal *journal, const struct stretch *stretch,
                                 const struct lt_visit *visit, bool *more, struct leat_error *err) {
    return lt_journal_visit(journal, stretch->segment, stretch->runs, stretch->n, visit, more, err);
}

/* ---- reading ---- */

struct collected {
    struct lt_arena *arena;
    struct lt_journal_record *records;
    size_t n, cap;
    size_t max_records, max_bytes, bytes;
    bool stays; /* what is read now lies in the arena already */
    bool no_memory;
};

/* What runs hold beside the records that are taken must not fill a small arena. */
static char *read_into_arena(void *ctx, size_t len) {
    struct collected *to = ctx;
    const size_t room = to->arena->max - to->arena->used;
    char *bytes = len <= room / 4 ? lt_arena_alloc(to->arena, len) : NULL;

    to->stays = bytes != NULL;
    return bytes;
}

static bool grow(struct collected *to) {
    size_t cap = to->cap ? to->cap * 2 : 64;
    struct lt_journal_record *records = reallocarray(to->records, cap, sizeof(*records));

    if (!records)
        return false;
    to->records = records;
    to->cap = cap;
    return true;
}

static bool take_record(void *ctx, const struct lt_record_header *header, const char *payload) {
    struct collected *to = ctx;
    const size_t len = lt_record_payload_len(header);
    const size_t room = to->arena->max - to->arena->used;
    /* the array itself goes into the arena at the end */
    const size_t need =
        (to->stays ? 0 : len) + (to->n + 2) * (sizeof(struct lt_journal_record) + 16);
    const char *at = NULL;

    if (to->n && (len > to->max_bytes - to->bytes || need > room))
        return false;
    if (to->n < to->cap || grow(to))
        at = to->stays ? payload : lt_arena_dup(to->arena, lt_slice(payload, len)).data;
    if (!at) {
        to->no_memory = true;
        return false;
    }
    to->records[to->n++] = (struct lt_journal_record){
        .seq = header->seq,
        .time_ms = header->time_ms,
        .key = lt_slice(at, header->key_len),
        .hash = lt_slice(at + header->key_len, header->hash_len),
        .data = lt_slice(at + header->key_len + header->hash_len, header->data_len)};
    to->bytes = len > to->max_bytes - to->bytes ? to->max_bytes : to->bytes + len;
    return to->n < to->max_records && to->bytes < to->max_bytes;
}

leat_status lt_journal_read(struct lt_journal *journal, uint64_t shard, uint64_t from,
                            size_t max_records, size_t max_bytes, struct lt_arena *arena,
                            struct lt_journal_record **records, size_t *n, struct leat_error *err) {
    struct collected to = {.arena = arena, .max_records = max_records, .max_bytes = max_bytes};
    struct lt_visit visit = {.shard = shard,
                             .check_payload = true,
                             .record = take_record,
                             .room = read_into_arena,
                             .ctx = &to};
    struct leat_error local;
    leat_status status = LEAT_OK;
    bool more = max_records > 0;

    if (!err)
        err = &local;
    *n = 0;
    *records = NULL;
    while (more && status == LEAT_OK) {
        struct stretch stretch;
        const uint64_t want = from;
        status = locate(journal, shard, &from, false, RUNS_AT_ONCE, &stretch, err);
        if (status != LEAT_OK || !stretch.n)
            break;
        if (from != want && to.n) { /* trimmed meanwhile: what one call gives has no gap */
            release(journal, &stretch);
            break;
        }
        const struct lt_run *last = &stretch.runs[stretch.n - 1];
        visit.from = from;
        visit.want_bytes = max_bytes - to.bytes;
        from = last->seq + last->n_records;
        status = visit_stretch(journal, &stretch, &visit, &more, err);
        release(journal, &stretch);
    }
    if (to.n)
        status = LEAT_OK; /* what is good comes first; the next call meets the error again */
    if (to.n)
        *records = lt_arena_alloc(arena, to.n * sizeof(**records));
    if (*records) {
        memcpy(*records, to.records, to.n * sizeof(**records));
        *n = to.n;
    } else if (to.n || to.no_memory) {
        status = lt_fail(err, LEAT_E_NOMEM, 0,
                         "no memory for records of shard %" PRIu64 " in an arena of %zu bytes",
                         shard, arena->max);
    }
    free(to.records);
    return status;
}

/* ---- times ---- */

struct wanted {
    int64_t time_ms; /* the first record at or after it */
    uint64_t seq;    /* 0: none found */
    int64_t found_ms;
};

static bool is_late_enough(void *ctx, const struct lt_record_header *header, const char *payload) {
    struct wanted *wanted = ctx;

    (void)payload;
    if (header->time_ms < wanted->time_ms)
        return true;
    wanted->seq = header->seq;
    wanted->found_ms = header->time_ms;
    return false;
}

/* Halves [*low, *high], which holds the answer; `*found` when it is `*low`. */
static leat_status narrow(struct lt_journal *journal, uint64_t shard, int64_t time_ms,
                          uint64_t *low, uint64_t *high, struct leat_error *err) {
    struct stretch stretch;
    uint64_t mid = *low + (*high - *low) / 2, seq = mid;
    leat_status status = locate(journal, shard, &seq, false, 2, &stretch, err);
    const struct lt_run *run = stretch.runs;

    if (status != LEAT_OK)
        return status;
    if (seq != mid) {
        *low = seq; /* trimmed meanwhile */
        *high = seq > *high ? seq : *high;
    } else if (!stretch.n) {
        *low = *high; /* forgotten meanwhile */
    } else if (run->time_ms >= time_ms) {
        *high = run->seq > *low ? run->seq : *low;
    } else if (stretch.n == 2 && run[1].time_ms < time_ms) {
        *low = run[1].seq;
    } else { /* in this run, or the first one after it */
        struct wanted wanted = {.time_ms = time_ms};
        struct lt_visit visit = {.shard = shard, .record = is_late_enough, .ctx = &wanted};
        bool more = true;
        stretch.n = 1;
        status = visit_stretch(journal, &stretch, &visit, &more, err);
        if (wanted.seq) {
            *high = wanted.seq > *low ? wanted.seq : *low;
            *low = *high;
        } else {
            uint64_t after = run->seq + run->n_records;
            *low = after > *low ? after : *low;
        }
    }
    release(journal, &stretch);
    return status;
}

leat_status lt_journal_seek_time(struct lt_journal *journal, uint64_t shard, int64_t time_ms,
                                 uint64_t *seq, struct leat_error *err) {
    struct lt_journal_shard at;
    struct leat_error local;
    leat_status status = LEAT_OK;

    lt_journal_stat(journal, shard, &at);
    uint64_t low = at.first, high = at.next;
    if (at.last_time_ms < time_ms)
        low = high; /* by far the most frequent question */
    while (low < high && status == LEAT_OK)
        status = narrow(journal, shard, time_ms, &low, &high, err ? err : &local);
    *seq = low;
    return status;
}

leat_status lt_journal_time_of(struct lt_journal *journal, uint64_t shard, uint64_t seq,
                               int64_t *time_ms, struct leat_error *err) {
    struct stretch stretch;
    struct wanted wanted = {.time_ms = INT64_MIN};
    struct lt_visit visit = {.shard = shard, .from = seq, .record = is_late_enough, .ctx = &wanted};
    struct leat_error local;
    uint64_t at = seq;
    bool more = true;

    if (!err)
        err = &local;
    leat_status status = locate(journal, shard, &at, false, 1, &stretch, err);
    if (status != LEAT_OK)
        return status;
    if (stretch.n && at == seq && stretch.runs[0].seq == seq)
        wanted = (struct wanted){.seq = seq, .found_ms = stretch.runs[0].time_ms};
    else if (stretch.n && at == seq)
        status = visit_stretch(journal, &stretch, &visit, &more, err);
    release(journal, &stretch);
    if (status == LEAT_OK && !wanted.seq)
        return lt_fail(err, LEAT_E_NOT_FOUND, 0, "record %" PRIu64 " is not kept", seq);
    *time_ms = wanted.found_ms;
    return status;
}

/* ---- trimming ---- */

struct hidden {
    uint64_t until;
    uint64_t bytes;
};

static bool add_hidden(void *ctx, const struct lt_record_header *header, const char *payload) {
    struct hidden *hidden = ctx;

    (void)payload;
    if (header->seq >= hidden->until)
        return false;
    hidden->bytes += lt_record_payload_len(header);
    return true;
}

/* Where the extent that holds `seq` starts. */
static uint64_t extent_start(struct lt_journal *journal, uint64_t shard_id, uint64_t seq) {
    uint64_t start = seq;

    pthread_mutex_lock(&journal->mu);
    const struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
    if (shard && shard->n_runs && shard->runs[0].seq <= seq) {
        start = shard->runs[0].seq;
    } else if (shard) {
        size_t at = extent_holding(shard, seq);
        if (at < shard->n_extents && shard->extents[at].row->first < seq)
            start = shard->extents[at].row->first;
    }
    pthread_mutex_unlock(&journal->mu);
    return start;
}

leat_status lt_journal_hidden_bytes(struct lt_journal *journal, uint64_t shard, uint64_t seq,
                                    uint64_t *bytes, struct leat_error *err) {
    struct hidden hidden = {.until = seq};
    struct lt_visit visit = {.shard = shard, .record = add_hidden, .ctx = &hidden};
    uint64_t at = extent_start(journal, shard, seq);
    leat_status status = LEAT_OK;

    while (at < seq && status == LEAT_OK) {
        struct stretch stretch;
        status = locate(journal, shard, &at, true, RUNS_AT_ONCE, &stretch, err);
        if (status != LEAT_OK || !stretch.n)
            break;
        for (size_t i = 0; i < stretch.n && at < seq && status == LEAT_OK; i++) {
            const struct lt_run run = stretch.runs[i];
            at = run.seq + run.n_records;
            if (at <= seq) {
                hidden.bytes += lt_run_payload(&run);
                continue;
            }
            bool more = true;
            stretch.runs[0] = run;
            stretch.n = 1;
            status = visit_stretch(journal, &stretch, &visit, &more, err);
        }
        release(journal, &stretch);
    }
    *bytes = hidden.bytes;
    return status;
}

void lt_journal_trim(struct lt_journal *journal, uint64_t shard_id, int64_t time_ms) {
    struct leat_error err;
    uint64_t first;

    if (lt_journal_seek_time(journal, shard_id, time_ms, &first, &err) != LEAT_OK) {
        lt_log(LT_LOG_WARN, "journal", "shard %" PRIu64 " is not trimmed: %s", shard_id, err.text);
        return;
    }
    pthread_mutex_lock(&journal->mu);
    struct lt_shard *shard = lt_shard_find(&journal->shards, shard_id);
    if (shard && first > shard->first && first <= shard->next) {
        shard->first = first;
        shard->hidden_known = false;
        journal->marks_dirty = true;
    }
    pthread_mutex_unlock(&journal->mu);
}
