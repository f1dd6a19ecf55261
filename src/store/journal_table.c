/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole index of one segment in memory, while it is built, written or
 * recovered: a row a shard, ordered by shard, and each row's runs in the order of
 * their sequence numbers. A segment holds a shard's records without a gap.
 */
#include "store/journal_internal.h"

#include <inttypes.h>
#include <stdlib.h>

void lt_table_deinit(struct lt_table *table) {
    free(table->rows);
    free(table->runs);
    *table = (struct lt_table){0};
}

void lt_table_builder_deinit(struct lt_table_builder *builder) {
    free(builder->entries);
    *builder = (struct lt_table_builder){0};
}

bool lt_table_add(struct lt_table_builder *builder, const struct lt_table_entry *entry) {
    if (builder->entries && builder->n) {
        struct lt_table_entry *last = &builder->entries[builder->n - 1];
        if (last->shard == entry->shard && lt_run_merge(&last->run, &entry->run)) {
            last->last_time_ms = entry->last_time_ms;
            return true;
        }
    }
    if (!builder->entries || builder->n == builder->cap) {
        size_t cap = builder->cap ? builder->cap * 2 : 64;
        struct lt_table_entry *entries = reallocarray(builder->entries, cap, sizeof(*entries));
        if (!entries)
            return false;
        builder->entries = entries;
        builder->cap = cap;
    }
    builder->entries[builder->n++] = *entry;
    return true;
}

static int order(const void *a, const void *b) {
    const struct lt_table_entry *x = a, *y = b;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return x->run.seq < y->run.seq ? -1 : x->run.seq > y->run.seq;
}

/* Adds the entry to `row`, the last one of the table. */
static leat_status extend_row(struct lt_index_row *row, const struct lt_table_entry *entry,
                              struct leat_error *err) {
    if (row->n_runs && entry->run.seq != row->last + 1)
        return lt_fail(err, LEAT_E_CORRUPT, 0,
                       "shard %" PRIu64 ": record %" PRIu64 " at offset %" PRIu64
                       " follows record %" PRIu64,
                       row->shard, entry->run.seq, entry->run.offset, row->last);
    if (!row->n_runs) {
        row->first = entry->run.seq;
        row->first_time_ms = entry->run.time_ms;
    }
    row->last = entry->run.seq + entry->run.n_records - 1;
    row->last_time_ms = entry->last_time_ms;
    row->n_bytes += lt_run_payload(&entry->run);
    row->n_runs++;
    return LEAT_OK;
}

leat_status lt_table_finish(struct lt_table_builder *builder, struct lt_table *out,
                            struct leat_error *err) {
    size_t n_rows = 0;

    *out = (struct lt_table){0};
    if (builder->n)
        qsort(builder->entries, builder->n, sizeof(*builder->entries), order);
    for (size_t i = 0; i < builder->n; i++)
        n_rows += !i || builder->entries[i].shard != builder->entries[i - 1].shard;
    out->rows = calloc(n_rows ? n_rows : 1, sizeof(*out->rows));
    out->runs = calloc(builder->n ? builder->n : 1, sizeof(*out->runs));
    if (!out->rows || !out->runs) {
        lt_table_deinit(out);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the index of a journal's segment");
    }
    for (size_t i = 0; i < builder->n; i++) {
        const struct lt_table_entry *entry = &builder->entries[i];
        if (!i || entry->shard != entry[-1].shard) {
            struct lt_index_row *row = &out->rows[out->n_rows++];
            row->shard = entry->shard;
            row->run = i;
        }
        leat_status status = extend_row(&out->rows[out->n_rows - 1], entry, err);
        if (status != LEAT_OK) {
            lt_table_deinit(out);
            return status;
        }
        out->runs[out->n_runs++] = entry->run;
    }
    return LEAT_OK;
}
