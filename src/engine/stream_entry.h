/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_STREAM_ENTRY_H
#define LT_ENGINE_STREAM_ENTRY_H

#include "base/buf.h"
#include "base/metrics.h"
#include "engine/streams.h"

/*
 * A stream as the catalogue keeps it, and its document in state.db:
 * {"id","created_ms","retention_hours","max_record_bytes","hidden","on_demand","shards":[{"uid",
 * "parent","adjacent_parent","first","last","created_ms","closed","closed_after","closed_ms"}]}.
 * Hash keys are decimal strings; a shard's index is its place.
 */
struct lt_stream_entry {
    struct lt_streams_info info;
    struct lt_streams_shard *shards; /**< by index */
    size_t n_shards;
    uint32_t *open; /**< indexes of the open shards, by first hash key; they cover all keys */
    size_t n_open;
    struct lt_metric_series *records_in, *bytes_in, *records_out, *bytes_out;
};

/** A stream of `n_shards` equal shards with the uids `first_uid`, `first_uid` + 1, … */
LEAT_MUST_CHECK leat_status lt_stream_entry_new(struct lt_stream_entry **out,
                                                const struct lt_streams_info *info, size_t n_shards,
                                                uint64_t first_uid, struct leat_error *err);
/** From its document. Errors: LEAT_E_CORRUPT naming the stream. */
LEAT_MUST_CHECK leat_status lt_stream_entry_parse(struct lt_stream_entry **out,
                                                  struct lt_slice name, struct lt_slice body,
                                                  struct leat_error *err);
void lt_stream_entry_write(const struct lt_stream_entry *entry, struct lt_buf *out);
void lt_stream_entry_free(struct lt_stream_entry *entry); /**< NULL is fine */

/** The open shard that a hash key goes to. */
const struct lt_streams_shard *lt_stream_entry_route(const struct lt_stream_entry *entry,
                                                     unsigned __int128 key);

#endif
