/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_JOURNAL_H
#define LT_STORE_JOURNAL_H

#include "base/arena.h"
#include "base/error.h"

/*
 * One append-only journal for all shards, in segment files. A shard is a 64-bit
 * number that its owner chose and never uses again; its records have dense
 * sequence numbers 1, 2, 3 … A record is visible to readers, and its append is
 * acknowledged, only once its group is synced to disk.
 *
 * Thread: all calls from any thread, unless said otherwise.
 */
struct lt_journal;

struct lt_journal_options {
    const char *dir;          /**< made when absent */
    uint64_t segment_bytes;   /**< a segment is closed when it reaches this; 0: 64 MiB */
    uint64_t group_max_bytes; /**< appends wait (LEAT_E_THROTTLED) over this many bytes not yet
                                 synced; 0: 64 MiB */
};

/**
 * Opens the journal. A torn tail of the last segment is cut (and logged); all
 * that was acknowledged before it is kept. Missing indexes are rebuilt.
 * The folder's lock (store/folder.h) must be held.
 *
 * Owns:   on LEAT_OK release it with lt_journal_close().
 * Errors: LEAT_E_IO, LEAT_E_FULL; LEAT_E_CORRUPT with file and offset for damage before the tail.
 */
LEAT_MUST_CHECK leat_status lt_journal_open(struct lt_journal **out,
                                            const struct lt_journal_options *opt,
                                            struct leat_error *err);

/** Syncs what was appended, calls the callbacks still due, writes the indexes, and frees. NULL is
 * fine. */
void lt_journal_close(struct lt_journal *journal);

/** A record as it goes in. The bytes are copied during the call. */
struct lt_journal_append {
    uint64_t shard;
    struct lt_slice key;  /**< partition key, up to 64 KiB */
    struct lt_slice hash; /**< explicit hash key as given, or empty */
    struct lt_slice data;
    uint64_t seq; /**< out: its sequence number */
};

/** Called on the journal's own thread when the group is on disk, or failed: be short, wake your
 * loop. */
typedef void lt_journal_done(void *ctx, leat_status status, const struct leat_error *err);

/**
 * Appends `n` records as one unit (all or none acknowledged, in one group; records of
 * a shard lie together in it), stamped with the wall clock, never earlier than the
 * shard's last record. Returns at once; `done` is called exactly once when this
 * returns LEAT_OK, and not otherwise.
 *
 * Errors: LEAT_E_THROTTLED when too much waits for the disk; LEAT_E_FULL or LEAT_E_IO when the
 *         journal cannot be written (it tries again with the next group); LEAT_E_LIMIT for a record
 * over 64 MiB.
 */
LEAT_MUST_CHECK leat_status lt_journal_append(struct lt_journal *journal,
                                              struct lt_journal_append *records, size_t n,
                                              int64_t *time_ms, lt_journal_done *done, void *ctx,
                                              struct leat_error *err);

/** A record as it comes out; the bytes live in the reader's arena. */
struct lt_journal_record {
    uint64_t seq;
    int64_t time_ms; /**< arrival, since 1970 */
    struct lt_slice key;
    struct lt_slice hash;
    struct lt_slice data;
};

/**
 * Reads durable records of a shard from sequence number `from` (or the oldest
 * kept, if that is later), up to `max_records` and `max_bytes` of data and keys (but
 * at least one record, and no more than `arena` has room for). `*n` is 0 at the end. What one call
 * gives has no gap. An error is met only at the first record asked for.
 *
 * Blocks: on the disk.
 * Errors: LEAT_E_CORRUPT with file and offset; LEAT_E_IO; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_journal_read(struct lt_journal *journal, uint64_t shard,
                                            uint64_t from, size_t max_records, size_t max_bytes,
                                            struct lt_arena *arena,
                                            struct lt_journal_record **records, size_t *n,
                                            struct leat_error *err);

struct lt_journal_shard {
    uint64_t first;       /**< oldest kept sequence number; equals `next` when it is empty */
    uint64_t next;        /**< the number after the last durable record */
    uint64_t n_bytes;     /**< data and keys of what is kept */
    int64_t last_time_ms; /**< arrival of the last durable record, or 0 */
};

/** Where a shard stands. A shard never written has first = next = 1. */
void lt_journal_stat(struct lt_journal *journal, uint64_t shard, struct lt_journal_shard *out);

/** The first durable sequence number that arrived at or after `time_ms`; `next` if none did. */
LEAT_MUST_CHECK leat_status lt_journal_seek_time(struct lt_journal *journal, uint64_t shard,
                                                 int64_t time_ms, uint64_t *seq,
                                                 struct leat_error *err);

/** Arrival of the record with that number; LEAT_E_NOT_FOUND when it is not kept. */
LEAT_MUST_CHECK leat_status lt_journal_time_of(struct lt_journal *journal, uint64_t shard,
                                               uint64_t seq, int64_t *time_ms,
                                               struct leat_error *err);

/** Drops records of a shard that arrived before `time_ms` from view, at once. */
void lt_journal_trim(struct lt_journal *journal, uint64_t shard, int64_t time_ms);

/** Drops all of a shard. Its number must not be used again. */
void lt_journal_forget(struct lt_journal *journal, uint64_t shard);

/**
 * Deletes segments without a record in view, and writes what is left of neighbours mostly dead
 * together into one; numbers and times stay. Trims and forgets last across a restart only after
 * this, so call lt_journal_trim again on start.
 *
 * Thread: any but the journal's own. Blocks: on the disk.
 * Errors: LEAT_E_IO, LEAT_E_FULL, LEAT_E_NOMEM; LEAT_E_CORRUPT. Nothing is lost, and the next call
 *         goes on.
 */
LEAT_MUST_CHECK leat_status lt_journal_collect(struct lt_journal *journal, struct leat_error *err);

/** Called on the journal's thread after each group became durable: wake your loop. One per `ctx`.
 */
typedef void lt_journal_wake(void *ctx);
LEAT_MUST_CHECK leat_status lt_journal_watch(struct lt_journal *journal, lt_journal_wake *wake,
                                             void *ctx, struct leat_error *err);
/** After it returns, `wake` is not called any more. Not from within `wake`. */
void lt_journal_unwatch(struct lt_journal *journal, void *ctx);

/** Bytes of all segments on disk. */
uint64_t lt_journal_disk_bytes(struct lt_journal *journal);

#endif
