/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_STREAMS_H
#define LT_ENGINE_STREAMS_H

#include "base/arena.h"
#include "base/error.h"
#include "store/journal.h"
#include "store/state.h"

/*
 * The engine's streams and shards: the catalogue in state.db, the records in the journal. Both the
 * Kinesis operations and stream/engine.c stand on it, so the semantics are here once.
 *
 * Thread: any (one mutex for the catalogue; the journal has its own).
 */
struct lt_streams;

/** A shard as callers see it: a copy. Hash keys are unsigned 128-bit. */
struct lt_streams_shard {
    uint64_t uid;   /**< the journal's shard number; never used twice */
    unsigned index; /**< shardId-%012u */
    int parent;     /**< index of the parent, or -1 */
    int adjacent_parent;
    unsigned __int128 hash_first, hash_last;
    uint64_t closed_after; /**< last sequence number of a closed shard; 0 while open */
    bool closed;
    int64_t created_ms;
    int64_t closed_ms;
};

struct lt_streams_info {
    char name[129];
    uint64_t id;
    int64_t created_ms;
    unsigned retention_hours;
    unsigned max_record_bytes;
    bool hidden; /**< made for a Direct PUT delivery: not listed */
    bool on_demand;
    unsigned n_shards, n_open_shards;
};

LEAT_MUST_CHECK leat_status lt_streams_open(struct lt_streams **out, struct lt_state *state,
                                            struct lt_journal *journal, struct leat_error *err);
void lt_streams_close(struct lt_streams *streams);

/** Errors: LEAT_E_EXISTS, LEAT_E_INVALID, LEAT_E_LIMIT. Durable when it returns. Blocks. */
LEAT_MUST_CHECK leat_status lt_streams_create(struct lt_streams *streams, const char *name,
                                              unsigned n_shards, bool hidden, bool on_demand,
                                              unsigned max_record_bytes, struct leat_error *err);
LEAT_MUST_CHECK leat_status lt_streams_remove(struct lt_streams *streams, const char *name,
                                              struct leat_error *err);
/** 24 to 8,760 hours. Errors: LEAT_E_INVALID, LEAT_E_NOT_FOUND. Durable when it returns. Blocks. */
LEAT_MUST_CHECK leat_status lt_streams_set_retention(struct lt_streams *streams, const char *name,
                                                     unsigned hours, struct leat_error *err);
LEAT_MUST_CHECK leat_status lt_streams_info(struct lt_streams *streams, const char *name,
                                            struct lt_streams_info *out, struct leat_error *err);
/** All shards, closed ones whose records are past retention left out, in order of index. */
LEAT_MUST_CHECK leat_status lt_streams_shards(struct lt_streams *streams, const char *name,
                                              struct lt_arena *arena,
                                              struct lt_streams_shard **shards, size_t *n,
                                              struct leat_error *err);
/** Names in order, after `after` (may be NULL), hidden ones only with `hidden`. */
LEAT_MUST_CHECK leat_status lt_streams_list(struct lt_streams *streams, const char *after,
                                            bool hidden, size_t max, struct lt_arena *arena,
                                            const char ***names, size_t *n, bool *more,
                                            struct leat_error *err);

/** One record to put. `shard_index` and `seq` are filled in. */
struct lt_streams_put {
    struct lt_slice key, hash, data;
    unsigned shard_index;
    uint64_t shard_uid;
    uint64_t seq;
};
/** Puts `n` valid records (limits are checked by the caller, the explicit hash key here) durably;
 * `done` as lt_journal_append(). */
LEAT_MUST_CHECK leat_status lt_streams_put(struct lt_streams *streams, const char *name,
                                           struct lt_streams_put *records, size_t n,
                                           lt_journal_done *done, void *ctx,
                                           struct leat_error *err);

/** Where in a shard reading starts. */
enum lt_streams_from {
    LT_STREAMS_TRIM_HORIZON,
    LT_STREAMS_LATEST,
    LT_STREAMS_AT_SEQUENCE,
    LT_STREAMS_AFTER_SEQUENCE,
    LT_STREAMS_AT_TIME
};

/** The journal's number of the first record to read. `seq` and `time_ms` where `from` needs them.
 */
LEAT_MUST_CHECK leat_status lt_streams_seek(struct lt_streams *streams,
                                            const struct lt_streams_shard *shard,
                                            enum lt_streams_from from, uint64_t seq,
                                            int64_t time_ms, uint64_t *first,
                                            struct leat_error *err);

/** What a read gave; all memory is the arena's. */
struct lt_streams_batch {
    struct lt_journal_record *records;
    size_t n;
    uint64_t next;     /**< read on from here */
    int64_t behind_ms; /**< how far the last record is behind now; 0 when nothing is left */
    bool end;          /**< the shard is closed and read to its end */
};

/** One shard by its index. Errors: LEAT_E_NOT_FOUND: code ResourceNotFoundException. Cheap. */
LEAT_MUST_CHECK leat_status lt_streams_shard(struct lt_streams *streams, const char *name,
                                             unsigned index, struct lt_streams_shard *out,
                                             struct leat_error *err);

/** Reads durable records from the journal's number `from`; as lt_journal_read(). Blocks: on the
 * disk. */
LEAT_MUST_CHECK leat_status lt_streams_read(struct lt_streams *streams, const char *name,
                                            const struct lt_streams_shard *shard, uint64_t from,
                                            size_t max_records, size_t max_bytes,
                                            struct lt_arena *arena, struct lt_streams_batch *out,
                                            struct leat_error *err);

/** Lets go of records past their stream's retention, and of the disk they took. Called now and
 * then by the engine. Blocks. Thread: any but two at a time. */
LEAT_MUST_CHECK leat_status lt_streams_maintain(struct lt_streams *streams, struct leat_error *err);

/** Number of open shards over all streams. */
size_t lt_streams_count_shards(struct lt_streams *streams);

/** A hash key in decimal. */
enum { LT_HASH_KEY_TEXT = 40 };
void lt_hash_key_format(unsigned __int128 key, char out[LT_HASH_KEY_TEXT]);
/** False when it is not a decimal number within 128 bits, or has a leading zero. */
bool lt_hash_key_parse(struct lt_slice text, unsigned __int128 *key);

/* Sequence numbers on the wire: "49", the shard's uid in 12 digits, the journal's number in 20: 34
 * digits that rise within a shard, and from a parent to its children. */
enum { LT_SEQUENCE_DIGITS = 34 };
void lt_sequence_format(uint64_t shard_uid, uint64_t seq, char out[LT_SEQUENCE_DIGITS + 1]);
/** The text that follows `before` in its shard: for records that stand together. */
void lt_sequence_next(const char before[LT_SEQUENCE_DIGITS + 1], char out[LT_SEQUENCE_DIGITS + 1]);
/** False when it is not such a number. */
bool lt_sequence_parse(struct lt_slice text, uint64_t *shard_uid, uint64_t *seq);

/** "shardId-000000000000" to 0; false when malformed. */
bool lt_shard_id_parse(struct lt_slice text, unsigned *index);
void lt_shard_id_format(unsigned index, char out[32]);

struct lt_engine;
struct lt_streams *lt_engine_streams(struct lt_engine *engine);

#endif
