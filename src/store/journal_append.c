/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on their way in. An append copies each record once, with its header
 * and sums, into the chunks of the group that gathers; records of a shard lie
 * together, each such stretch a piece. Nothing is given away before all the
 * memory is there, so an append that fails has changed nothing.
 */
#include "store/journal_internal.h"

#include "base/block.h"
#include "base/clock.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>

/* A chunk is a block that the process shares, unless a record is larger. */
enum { CHUNK_BYTES = LT_BLOCK_BYTES - sizeof(struct lt_chunk) };

static uint64_t record_bytes(const struct lt_journal_append *record) {
    return LT_RECORD_HEADER_BYTES + record->key.len + record->hash.len + record->data.len;
}

static leat_status check_sizes(const struct lt_journal_append *records, size_t n, uint64_t *total,
                               struct leat_error *err) {
    *total = 0;
    if (!n || n >= UINT32_MAX)
        return lt_fail(err, LEAT_E_INVALID, 0, "an append of %zu records", n);
    for (size_t i = 0; i < n; i++) {
        const struct lt_journal_append *r = &records[i];
        if (r->key.len > LT_RECORD_KEY_MAX_BYTES || r->hash.len > LT_RECORD_HASH_MAX_BYTES ||
            r->data.len > LT_RECORD_MAX_BYTES ||
            r->key.len + r->hash.len + r->data.len > LT_RECORD_MAX_BYTES)
            return lt_fail(err, LEAT_E_LIMIT, 0,
                           "a record of %zu bytes with a key of %zu (at most %d and %d)",
                           r->data.len, r->key.len, LT_RECORD_MAX_BYTES, LT_RECORD_KEY_MAX_BYTES);
        *total += record_bytes(r);
    }
    return LEAT_OK;
}

/* ---- the group's memory ---- */

static struct lt_chunk *take_chunk(size_t len) {
    size_t cap = len > CHUNK_BYTES ? len : CHUNK_BYTES;
    struct lt_chunk *chunk = cap == CHUNK_BYTES ? lt_block_take() : malloc(sizeof(*chunk) + cap);

    if (chunk)
        *chunk = (struct lt_chunk){.cap = cap};
    return chunk;
}

static void free_chunks(struct lt_chunk *chunk) {
    while (chunk) {
        struct lt_chunk *next = chunk->next;
        if (chunk->cap == CHUNK_BYTES)
            lt_block_give(chunk);
        else
            free(chunk);
        chunk = next;
    }
}

void lt_group_clear(struct lt_group *group) {
    free_chunks(group->chunks);
    group->chunks = NULL;
    group->tail = NULL;
    group->n_pieces = group->n_units = 0;
    group->n_bytes = 0;
    group->n_records = 0;
}

void lt_group_deinit(struct lt_group *group) {
    free_chunks(group->chunks);
    free(group->pieces);
    free(group->units);
    *group = (struct lt_group){0};
}

static bool reserve(struct lt_group *group, size_t n_pieces) {
    if (group->cap_pieces - group->n_pieces < n_pieces) {
        size_t cap = group->cap_pieces ? group->cap_pieces * 2 : 64;
        while (cap - group->n_pieces < n_pieces)
            cap *= 2;
        struct lt_piece *pieces = reallocarray(group->pieces, cap, sizeof(*pieces));
        if (!pieces)
            return false;
        group->pieces = pieces;
        group->cap_pieces = cap;
    }
    if (group->n_units == group->cap_units) {
        size_t cap = group->cap_units ? group->cap_units * 2 : 64;
        struct lt_unit *units = reallocarray(group->units, cap, sizeof(*units));
        if (!units)
            return false;
        group->units = units;
        group->cap_units = cap;
    }
    return true;
}

/* ---- one append ---- */

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for records on their way into the journal");
}

static bool reserve_chain(struct lt_journal *journal, size_t n) {
    if (journal->cap_chain >= n)
        return true;
    uint32_t *chain = reallocarray(journal->chain, n, sizeof(*chain));
    if (!chain)
        return false;
    journal->chain = chain;
    journal->cap_chain = n;
    return true;
}

static struct lt_shard *shard_for(struct lt_journal *journal, uint64_t id) {
    struct lt_shard *shard = lt_shard_find(&journal->shards, id);

    if (shard)
        return shard;
    pthread_mutex_lock(&journal->mu);
    shard = lt_shard_make(&journal->shards, id);
    pthread_mutex_unlock(&journal->mu);
    return shard;
}

static void forget_touched(struct lt_shard *touched) {
    for (; touched; touched = touched->touched)
        touched->is_touched = false;
}

/* Strings the records of each shard together, in their order. */
static leat_status chain_by_shard(struct lt_journal *journal,
                                  const struct lt_journal_append *records, size_t n,
                                  struct lt_shard **touched, struct leat_error *err) {
    struct lt_shard *shard = NULL, **end = touched;

    *touched = NULL;
    if (!reserve_chain(journal, n))
        return no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        if (!shard || shard->id != records[i].shard)
            shard = shard_for(journal, records[i].shard);
        if (!shard || shard->closed) {
            forget_touched(*touched);
            return shard ? lt_fail(err, LEAT_E_NOT_FOUND, 0, "shard %" PRIu64 " was deleted",
                                   shard->id)
                         : no_memory(err);
        }
        journal->chain[i] = UINT32_MAX;
        if (shard->is_touched) {
            journal->chain[shard->chain_tail] = i;
        } else {
            shard->is_touched = true;
            shard->chain_head = i;
            shard->touched = NULL;
            *end = shard;
            end = &shard->touched;
        }
        shard->chain_tail = i;
    }
    return LEAT_OK;
}

static void put_record(char *to, const struct lt_journal_append *record, int64_t time_ms) {
    struct lt_record_header header = {.data_len = (uint32_t)record->data.len,
                                      .key_len = (uint32_t)record->key.len,
                                      .hash_len = (uint32_t)record->hash.len,
                                      .shard = record->shard,
                                      .seq = record->seq,
                                      .time_ms = time_ms};
    char *payload = to + LT_RECORD_HEADER_BYTES, *at = payload;

    if (record->key.len)
        memcpy(at, record->key.data, record->key.len);
    at += record->key.len;
    if (record->hash.len)
        memcpy(at, record->hash.data, record->hash.len);
    at += record->hash.len;
    if (record->data.len)
        memcpy(at, record->data.data, record->data.len);
    at += record->data.len;
    header.payload_crc = lt_crc32c(0, payload, (size_t)(at - payload));
    lt_record_header_put(to, &header);
}

/* Where the next record goes, and whether a new piece starts with it. */
struct place {
    struct lt_chunk *chunk;
    size_t used;
    uint32_t piece_len;
};

static bool next_place(struct place *place, struct lt_chunk *chunk, size_t len, bool new_shard) {
    bool starts = new_shard || place->piece_len >= LT_RUN_BYTES;

    if (chunk != place->chunk) {
        place->chunk = chunk;
        place->used = chunk->len;
        starts = true;
    }
    place->piece_len = (starts ? 0 : place->piece_len) + (uint32_t)len;
    place->used += len;
    return starts;
}

static bool fits(const struct place *place, size_t len) {
    return place->chunk && place->chunk->cap - place->used >= len;
}

/* Gets all the memory that put_all() will need, which walks the same way. */
static bool make_room(struct lt_journal *journal, const struct lt_journal_append *records,
                      const struct lt_shard *touched) {
    struct lt_group *group = journal->open;
    struct place place = {.chunk = group->tail, .used = group->tail ? group->tail->len : 0};
    struct lt_chunk **end = group->tail ? &group->tail->next : &group->chunks;
    size_t n_pieces = 0;

    for (const struct lt_shard *shard = touched; shard; shard = shard->touched) {
        for (uint32_t i = shard->chain_head; i != UINT32_MAX; i = journal->chain[i]) {
            size_t len = (size_t)record_bytes(&records[i]);
            struct lt_chunk *chunk = place.chunk;
            if (!fits(&place, len)) {
                chunk = take_chunk(len);
                if (!chunk)
                    goto fail;
                *end = chunk;
                end = &chunk->next;
            }
            n_pieces += next_place(&place, chunk, len, i == shard->chain_head);
        }
    }
    if (reserve(group, n_pieces))
        return true;
fail:
    end = group->tail ? &group->tail->next : &group->chunks;
    free_chunks(*end);
    *end = NULL;
    return false;
}

static void put_all(struct lt_journal *journal, struct lt_journal_append *records,
                    struct lt_shard *touched, int64_t time_ms) {
    struct lt_group *group = journal->open;
    struct place place = {.chunk = group->tail, .used = group->tail ? group->tail->len : 0};

    for (struct lt_shard *shard = touched; shard; shard = shard->touched) {
        for (uint32_t i = shard->chain_head; i != UINT32_MAX; i = journal->chain[i]) {
            size_t len = (size_t)record_bytes(&records[i]);
            struct lt_chunk *chunk = place.chunk;
            if (!fits(&place, len))
                chunk = chunk ? chunk->next : group->chunks;
            bool starts = next_place(&place, chunk, len, i == shard->chain_head);
            char *to = chunk->data + chunk->len;
            records[i].seq = shard->assigned++;
            put_record(to, &records[i], time_ms);
            if (starts)
                group->pieces[group->n_pieces++] = (struct lt_piece){
                    .shard = shard, .data = to, .seq = records[i].seq, .time_ms = time_ms};
            struct lt_piece *piece = &group->pieces[group->n_pieces - 1];
            piece->len += (uint32_t)len;
            piece->n_records++;
            chunk->len += len;
        }
        shard->assigned_time_ms = time_ms;
        shard->is_touched = false;
    }
    group->tail = place.chunk;
}

/* The wall clock, but never before a record that one of the shards has. */
static int64_t time_for(const struct lt_shard *touched) {
    int64_t time_ms = lt_clock_wall_ms();

    for (; touched; touched = touched->touched)
        if (touched->assigned_time_ms > time_ms)
            time_ms = touched->assigned_time_ms;
    return time_ms;
}

leat_status lt_journal_append(struct lt_journal *journal, struct lt_journal_append *records,
                              size_t n, int64_t *time_ms, lt_journal_done *done, void *ctx,
                              struct leat_error *err) {
    struct lt_shard *touched = NULL;
    uint64_t total;
    leat_status status = check_sizes(records, n, &total, err);

    if (status != LEAT_OK)
        return status;
    pthread_mutex_lock(&journal->gather_mu);
    struct lt_group *group = journal->open;
    if (journal->stop) {
        status = lt_fail(err, LEAT_E_CANCELLED, 0, "the journal is closing");
    } else if (journal->pending_bytes &&
               total > journal->group_max_bytes - journal->pending_bytes) {
        status = lt_fail(err, LEAT_E_THROTTLED, 0, "%" PRIu64 " bytes wait for the disk",
                         journal->pending_bytes);
        if (err)
            err->retry_after_ms = 10;
    } else {
        status = chain_by_shard(journal, records, n, &touched, err);
    }
    if (status == LEAT_OK && !make_room(journal, records, touched)) {
        forget_touched(touched);
        status = no_memory(err);
    }
    if (status == LEAT_OK) {
        int64_t now_ms = time_for(touched);
        put_all(journal, records, touched, now_ms);
        group->units[group->n_units++] = (struct lt_unit){done, ctx};
        group->n_records += (uint32_t)n;
        group->n_bytes += total;
        journal->pending_bytes += total;
        if (time_ms)
            *time_ms = now_ms;
        if (group->n_units == 1)
            pthread_cond_signal(&journal->work);
    }
    pthread_mutex_unlock(&journal->gather_mu);
    return status;
}
