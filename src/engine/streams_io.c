/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records in and out: a partition key's MD5, as an unsigned number of 128 bits, is the hash key,
 * whose shard takes the record; all records of a put are one unit in the journal.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "engine/streams_parts.h"

#include <stdlib.h>

enum { ROUTED_AT_ONCE = 64 };

static leat_status explicit_key(const struct lt_streams_put *record, unsigned __int128 *key,
                                struct leat_error *err) {
    if (lt_hash_key_parse(record->hash, key))
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException",
                        "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: "
                        "[0, 2^128-1]. Specified value was %.*s",
                        LT_FMT(record->hash));
}

/* Finds the shards of up to ROUTED_AT_ONCE records. */
static leat_status route(const struct lt_stream_entry *entry, struct lt_streams_put *records,
                         size_t n, struct leat_error *err) {
    struct lt_slice keys[ROUTED_AT_ONCE];
    uint8_t digests[ROUTED_AT_ONCE][LT_MD5_BYTES];
    size_t n_keys = 0;

    for (size_t i = 0; i < n; i++)
        if (!records[i].hash.len)
            keys[n_keys++] = records[i].key;
    lt_md5_all(keys, digests, n_keys);
    n_keys = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned __int128 key = 0;
        if (records[i].hash.len) {
            leat_status status = explicit_key(&records[i], &key, err);
            if (status != LEAT_OK)
                return status;
        } else {
            for (size_t k = 0; k < LT_MD5_BYTES; k++)
                key = key << 8 | digests[n_keys][k];
            n_keys++;
        }
        const struct lt_streams_shard *shard = lt_stream_entry_route(entry, key);
        records[i].shard_index = shard->index;
        records[i].shard_uid = shard->uid;
    }
    return LEAT_OK;
}

/* Under `lock`, so that a stream cannot be removed between its shards and the append. */
static leat_status append(struct lt_streams *s, const struct lt_stream_entry *entry,
                          struct lt_streams_put *records, size_t n,
                          struct lt_journal_append *appends, lt_journal_done *done, void *ctx,
                          struct leat_error *err) {
    size_t n_bytes = 0;
    int64_t time_ms;
    leat_status status;

    for (size_t i = 0, part; i < n; i += part) {
        part = n - i < ROUTED_AT_ONCE ? n - i : ROUTED_AT_ONCE;
        status = route(entry, records + i, part, err);
        if (status != LEAT_OK)
            return status;
    }
    for (size_t i = 0; i < n; i++) {
        appends[i] = (struct lt_journal_append){.shard = records[i].shard_uid,
                                                .key = records[i].key,
                                                .hash = records[i].hash,
                                                .data = records[i].data};
        n_bytes += records[i].data.len;
    }
    status = lt_journal_append(s->journal, appends, n, &time_ms, done, ctx, err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        records[i].seq = appends[i].seq;
    lt_metric_add(entry->records_in, (double)n);
    lt_metric_add(entry->bytes_in, (double)n_bytes);
    return LEAT_OK;
}

leat_status lt_streams_put(struct lt_streams *s, const char *name, struct lt_streams_put *records,
                           size_t n, lt_journal_done *done, void *ctx, struct leat_error *err) {
    struct lt_journal_append *appends = calloc(n, sizeof(*appends));
    struct lt_stream_entry *entry;
    leat_status status;

    if (!appends)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to put %zu records", n);
    pthread_rwlock_rdlock(&s->lock);
    status = lt_streams_find(s, name, &entry, err);
    if (status == LEAT_OK)
        status = append(s, entry, records, n, appends, done, ctx, err);
    pthread_rwlock_unlock(&s->lock);
    free(appends);
    return status;
}

leat_status lt_streams_seek(struct lt_streams *s, const struct lt_streams_shard *shard,
                            enum lt_streams_from from, uint64_t seq, int64_t time_ms,
                            uint64_t *first, struct leat_error *err) {
    struct lt_journal_shard stat;

    lt_journal_stat(s->journal, shard->uid, &stat);
    switch (from) {
    case LT_STREAMS_TRIM_HORIZON:
        *first = stat.first;
        return LEAT_OK;
    case LT_STREAMS_LATEST:
        *first = stat.next;
        return LEAT_OK;
    case LT_STREAMS_AT_SEQUENCE:
        *first = seq;
        return LEAT_OK;
    case LT_STREAMS_AFTER_SEQUENCE:
        *first = seq + 1;
        return LEAT_OK;
    case LT_STREAMS_AT_TIME:
        return lt_journal_seek_time(s->journal, shard->uid, time_ms, first, err);
    }
    return lt_fail(err, LEAT_E_INVALID, 0, "no such starting position");
}

static void count_out(struct lt_streams *s, const char *name,
                      const struct lt_streams_batch *batch) {
    struct lt_stream_entry *entry;
    size_t n_bytes = 0;

    for (size_t i = 0; i < batch->n; i++)
        n_bytes += batch->records[i].data.len;
    pthread_rwlock_rdlock(&s->lock);
    if (lt_streams_find(s, name, &entry, NULL) == LEAT_OK) {
        lt_metric_add(entry->records_out, (double)batch->n);
        lt_metric_add(entry->bytes_out, (double)n_bytes);
    }
    pthread_rwlock_unlock(&s->lock);
}

leat_status lt_streams_read(struct lt_streams *s, const char *name,
                            const struct lt_streams_shard *shard, uint64_t from, size_t max_records,
                            size_t max_bytes, struct lt_arena *arena, struct lt_streams_batch *out,
                            struct leat_error *err) {
    struct lt_journal_shard stat;
    leat_status status;

    *out = (struct lt_streams_batch){.next = from};
    status = lt_journal_read(s->journal, shard->uid, from, max_records, max_bytes, arena,
                             &out->records, &out->n, err);
    if (status != LEAT_OK)
        return status;
    lt_journal_stat(s->journal, shard->uid, &stat);
    if (out->n > 0) {
        const struct lt_journal_record *last = &out->records[out->n - 1];
        int64_t behind_ms = lt_clock_wall_ms() - last->time_ms;

        out->next = last->seq + 1;
        if (out->next < stat.next)
            out->behind_ms = behind_ms > 0 ? behind_ms : 1;
        count_out(s, name, out);
    }
    out->end = shard->closed && out->next > shard->closed_after;
    return LEAT_OK;
}
