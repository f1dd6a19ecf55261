/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of chunks a shard. Objects hold records by shard, in order within a shard, whatever the
 * order in which shards were read: only so a second try after a crash gives the same bytes. A
 * shard's first chunks are small, since an object may hold little of many shards; then they are
 * blocks that the process shares. A record may lie across two.
 */
#include "deliver/gather.h"

#include "base/block.h"
#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

struct lt_gather_chunk {
    struct lt_gather_chunk *next;
    size_t len, cap;
    char data[];
};

enum {
    POSITION_MAX_BYTES = 4096,
    FIRST_CHUNK_BYTES = 2048,
    LAST_CHUNK_BYTES = LT_BLOCK_BYTES - sizeof(struct lt_gather_chunk)
};

static void free_chunks(struct lt_gather_chunk *chunk) {
    while (chunk) {
        struct lt_gather_chunk *next = chunk->next;
        if (chunk->cap == LAST_CHUNK_BYTES)
            lt_block_give(chunk);
        else
            free(chunk);
        chunk = next;
    }
}

static void free_part(struct lt_gather_part *part) {
    lt_buf_deinit(&part->position);
    free_chunks(part->chunks);
    part->chunks = part->tail = NULL;
    part->n_chunks = 0;
}

void lt_gather_deinit(struct lt_gather *gather) {
    for (size_t i = 0; i < gather->n_parts; i++)
        free_part(&gather->parts[i]);
    free(gather->parts);
    *gather = (struct lt_gather){0};
}

/* The index of the shard's part, or where it belongs. */
static size_t find(const struct lt_gather *gather, const char *shard, bool *found) {
    size_t low = 0, high = gather->n_parts;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(gather->parts[mid].shard, shard);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct lt_gather_part *part_of(struct lt_gather *gather, const char *shard) {
    bool found;
    size_t at = find(gather, shard, &found);

    if (found)
        return &gather->parts[at];
    if (gather->n_parts == gather->cap) {
        size_t cap = gather->cap ? gather->cap * 2 : 4;
        struct lt_gather_part *parts = reallocarray(gather->parts, cap, sizeof(*parts));
        if (!parts)
            return NULL;
        gather->parts = parts;
        gather->cap = cap;
    }
    memmove(&gather->parts[at + 1], &gather->parts[at],
            (gather->n_parts - at) * sizeof(gather->parts[0]));
    gather->parts[at] = (struct lt_gather_part){.shard = shard};
    lt_buf_init(&gather->parts[at].position, POSITION_MAX_BYTES);
    gather->n_parts++;
    return &gather->parts[at];
}

static void drop_part(struct lt_gather *gather, struct lt_gather_part *part) {
    size_t after = (size_t)(&gather->parts[gather->n_parts] - part) - 1;
    free_part(part);
    memmove(part, part + 1, after * sizeof(*part));
    gather->n_parts--;
}

/* The next chunk is four times the one before, up to a block. */
static struct lt_gather_chunk *new_chunk(const struct lt_gather_chunk *before) {
    size_t cap = before ? before->cap * 4 : FIRST_CHUNK_BYTES;
    bool shared = cap >= LAST_CHUNK_BYTES / 2;
    struct lt_gather_chunk *chunk = shared ? lt_block_take() : malloc(sizeof(*chunk) + cap);

    if (chunk)
        *chunk = (struct lt_gather_chunk){.cap = shared ? LAST_CHUNK_BYTES : cap};
    return chunk;
}

/* Chunks for `len` more bytes behind the last one; `*n` counts them. NULL also when it has room. */
static bool reserve(const struct lt_gather_part *part, size_t len, struct lt_gather_chunk **more,
                    size_t *n) {
    const struct lt_gather_chunk *last = part->tail;
    size_t room = last ? last->cap - last->len : 0;
    struct lt_gather_chunk **end = more;

    *more = NULL;
    for (*n = 0; room < len; ++*n) {
        *end = new_chunk(last);
        if (!*end) {
            free_chunks(*more);
            return false;
        }
        room += (*end)->cap;
        last = *end;
        end = &(*end)->next;
    }
    return true;
}

/* Into the tail and the chunks behind it, which have the room. */
static void append(struct lt_gather_part *part, struct lt_slice bytes) {
    for (;;) {
        struct lt_gather_chunk *to = part->tail;
        assert(to); /* reserve() has seen to it */
        size_t n = bytes.len < to->cap - to->len ? bytes.len : to->cap - to->len;
        if (n)
            memcpy(to->data + to->len, bytes.data, n);
        to->len += n;
        bytes = lt_slice_from(bytes, n);
        if (!bytes.len)
            return;
        part->tail = to->next;
    }
}

leat_status lt_gather_add(struct lt_gather *gather, const char *shard,
                          const struct lt_delivery_record *record, bool newline,
                          struct leat_error *err) {
    struct lt_gather_part *part = part_of(gather, shard);
    size_t held = record->data.len + newline, n_more = 0;
    struct lt_gather_chunk *more = NULL;

    if (!part)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to buffer shard %s", shard);
    /* both have room before either changes */
    if (!lt_buf_reserve(&part->position, record->position.len + part->position.len + 1) ||
        !reserve(part, held, &more, &n_more)) {
        part->position.failed = false;
        if (!part->first)
            drop_part(gather, part);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to buffer %zu bytes of shard %s", held,
                       shard);
    }
    if (part->tail)
        part->tail->next = more;
    else
        part->chunks = part->tail = more;
    part->n_chunks += n_more;
    if (held) {
        append(part, record->data);
        if (newline)
            append(part, LT_LIT("\n"));
    }
    lt_buf_clear(&part->position);
    lt_buf_append(&part->position, record->position);
    if (!part->first)
        part->first = record->seq;
    part->last = record->seq;

    if (!gather->n_records) {
        gather->oldest_ms = record->time_ms;
        gather->since_us = lt_clock_mono_us();
    } else if (record->time_ms < gather->oldest_ms) {
        gather->oldest_ms = record->time_ms;
    }
    gather->n_records++;
    gather->n_bytes += record->data.len;
    gather->n_held += held;
    return LEAT_OK;
}

leat_status lt_gather_pieces(const struct lt_gather *gather, struct lt_slice **pieces, size_t *n,
                             struct leat_error *err) {
    size_t most = 1;

    *n = 0;
    for (size_t i = 0; i < gather->n_parts; i++)
        most += gather->parts[i].n_chunks;
    *pieces = calloc(most, sizeof(**pieces));
    if (!*pieces)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an object of %zu pieces", most);
    for (size_t i = 0; i < gather->n_parts; i++)
        for (struct lt_gather_chunk *c = gather->parts[i].chunks; c; c = c->next)
            (*pieces)[(*n)++] = lt_slice(c->data, c->len);
    return LEAT_OK;
}

void lt_gather_free_bytes(struct lt_gather *gather) {
    for (size_t i = 0; i < gather->n_parts; i++) {
        struct lt_gather_part *part = &gather->parts[i];
        free_chunks(part->chunks);
        part->chunks = part->tail = NULL;
        part->n_chunks = 0;
    }
}
