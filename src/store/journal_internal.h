/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_JOURNAL_INTERNAL_H
#define LT_STORE_JOURNAL_INTERNAL_H

#include "base/metrics.h"
#include "store/journal.h"
#include "store/journal_format.h"

#include <pthread.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * Shared by the journal's files and its tests, by nobody else.
 *
 * Locks, in the order in which they are taken: collect_mu, gather_mu, mu, cache.mu. The writer's
 * thread holds none while it writes and syncs. The map of shards changes under gather_mu
 * and mu together, so that either is enough to look into it.
 */

/** The calls that change files; a test puts failing ones in their place before it opens a journal.
 */
struct lt_journal_io {
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int n, off_t offset);
    int (*fdatasync)(int fd);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t len);
    int (*fallocate)(int fd, int mode, off_t offset, off_t len);
    int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
};
extern struct lt_journal_io lt_journal_io;

/* ---- segments ---- */

/** A file of the journal. The active one has no rows: its index is in the shards' runs. */
struct lt_segment {
    /* immutable */
    uint64_t number;
    uint64_t covers;
    uint64_t salt;
    /* guarded by mu */
    uint64_t len; /**< header and durable groups */
    uint32_t n_groups;
    unsigned refs; /**< readers, and one for the journal's own list */
    int fd;        /**< -1: closed for want of use */
    int idx_fd;
    uint64_t last_use;
    struct lt_index_row *rows; /**< immutable once sealed */
    size_t n_rows;
};

enum { LT_SEGMENT_NAME_BYTES = 32, LT_OPEN_SEGMENTS = 64 };

/** "000000000007" and the suffix (".log", ".idx", ".log.tmp"). Returns `out`. */
char *lt_segment_name(char out[LT_SEGMENT_NAME_BYTES], uint64_t number, const char *suffix);

/* ---- groups, as they gather ---- */

/** Memory for records on their way; 256 KiB, or as large as one record. */
struct lt_chunk {
    struct lt_chunk *next;
    size_t len;
    size_t cap;
    char data[];
};

/** Records of one shard that lie together in a chunk and came in one append. */
struct lt_piece {
    struct lt_shard *shard;
    char *data;
    uint64_t seq;
    int64_t time_ms;
    uint32_t len;
    uint32_t n_records;
};

struct lt_unit {
    lt_journal_done *done;
    void *ctx;
};

struct lt_group {
    struct lt_chunk *chunks; /**< first; records are put into `tail` */
    struct lt_chunk *tail;
    struct lt_piece *pieces;
    size_t n_pieces, cap_pieces;
    struct lt_unit *units;
    size_t n_units, cap_units;
    uint64_t n_bytes;
    uint32_t n_records;
};

/* ---- shards ---- */

/** A sealed segment's row for a shard. */
struct lt_extent {
    struct lt_segment *segment;
    const struct lt_index_row *row;
};

struct lt_shard {
    uint64_t id;
    /* guarded by gather_mu */
    uint64_t assigned; /**< the next number to give */
    int64_t assigned_time_ms;
    bool closed; /**< forgotten: takes no more records */
    uint32_t chain_head, chain_tail;
    struct lt_shard *touched; /**< next in the append under way */
    bool is_touched;
    /* guarded by mu */
    bool forgotten;
    uint64_t first;
    uint64_t next;
    int64_t last_time_ms;
    uint64_t hidden_bytes; /**< payload of records before `first` in the extent that holds it */
    bool hidden_known;
    struct lt_extent *extents; /**< by sequence number */
    size_t n_extents, cap_extents;
    struct lt_run *runs; /**< of the active segment */
    size_t n_runs, cap_runs;
    uint64_t run_bytes; /**< their payload */
};

struct lt_shard_map {
    struct lt_shard **slots;
    size_t n, cap; /**< cap is a power of two, at most 3/4 used */
};

/** NULL when there is none. Thread: holds gather_mu or mu. */
struct lt_shard *lt_shard_find(const struct lt_shard_map *map, uint64_t id);
/** NULL: no memory. Thread: holds gather_mu and mu. */
struct lt_shard *lt_shard_make(struct lt_shard_map *map, uint64_t id);
void lt_shard_map_deinit(struct lt_shard_map *map);
/** Room for `n` more runs, so that lt_shard_add_run() cannot fail. */
bool lt_shard_reserve_runs(struct lt_shard *shard, size_t n);
void lt_shard_add_run(struct lt_shard *shard, const struct lt_run *run);
bool lt_shard_reserve_extent(struct lt_shard *shard);
/** Puts the row where its sequence numbers belong. Needs room. */
void lt_shard_add_extent(struct lt_shard *shard, struct lt_segment *segment,
                         const struct lt_index_row *row);
void lt_shard_remove_extent(struct lt_shard *shard, const struct lt_segment *segment);
/** Adds `run` to the end of `last` when they touch and stay small. */
bool lt_run_merge(struct lt_run *last, const struct lt_run *run);

/* ---- the index of one segment, whole ---- */

struct lt_table {
    struct lt_index_row *rows; /**< by shard; `crc` is set when it is written */
    size_t n_rows;
    struct lt_run *runs;
    size_t n_runs;
    uint32_t n_groups;
    uint64_t end;        /**< of the last good group */
    uint64_t last_group; /**< where that starts; 0 without a group */
};
void lt_table_deinit(struct lt_table *table);

/** Collects runs in any order and makes a table of them. */
struct lt_table_entry {
    uint64_t shard;
    struct lt_run run;
    int64_t last_time_ms;
};
struct lt_table_builder {
    struct lt_table_entry *entries;
    size_t n, cap;
};
bool lt_table_add(struct lt_table_builder *builder, const struct lt_table_entry *entry);
/** Errors: LEAT_E_NOMEM; LEAT_E_CORRUPT (without a file's name) when a shard's numbers have a gap.
 */
LEAT_MUST_CHECK leat_status lt_table_finish(struct lt_table_builder *builder, struct lt_table *out,
                                            struct leat_error *err);
void lt_table_builder_deinit(struct lt_table_builder *builder);

/* ---- a small cache of runs of sealed segments ---- */

enum { LT_CACHE_SLOTS = 128, LT_CACHE_BYTES = 4 << 20 };
struct lt_cache_slot {
    uint64_t salt; /**< of the segment */
    uint64_t shard;
    struct lt_run *runs;
    size_t n;
    uint64_t last_use;
};
struct lt_runs_cache {
    pthread_mutex_t mu;
    struct lt_cache_slot slots[LT_CACHE_SLOTS];
    size_t bytes;
    uint64_t tick;
};

/* ---- the journal ---- */

struct lt_watch {
    lt_journal_wake *wake;
    void *ctx;
};

struct lt_journal {
    /* immutable after open */
    char *dir;
    int dir_fd;
    uint64_t segment_bytes;
    uint64_t group_max_bytes;
    pthread_t writer;
    bool has_writer;
    struct lt_metric_series *syncs, *sync_seconds, *disk_bytes;

    /* guarded by gather_mu */
    pthread_mutex_t gather_mu;
    pthread_cond_t work;
    pthread_cond_t rolled;
    struct lt_group *open; /**< what gathers; the other one of `groups` is being written */
    struct lt_group groups[2];
    uint64_t pending_bytes;
    uint32_t *chain; /**< scratch of an append */
    size_t cap_chain;
    bool stop;
    bool roll_wanted;

    /* guarded by mu */
    pthread_mutex_t mu;
    struct lt_shard_map shards; /**< changes under gather_mu too */
    struct lt_segment **sealed; /**< by number */
    size_t n_sealed, cap_sealed;
    struct lt_segment *active; /**< NULL before the first append; only the writer changes it */
    unsigned n_open;
    uint64_t use_tick;
    bool marks_dirty; /**< trims or forgets that no file knows */

    struct lt_runs_cache cache;

    /* writer's thread only */
    struct {
        uint64_t next_number;
        uint64_t preallocated; /**< the active file's length */
        uint64_t last_group;   /**< where its last good group starts, 0 without one */
        bool fresh;            /**< its header is not written yet */
        bool torn;             /**< bytes of a failed group may stand after its end */
        bool suspect;          /**< a sync failed: nothing is added to it any more */
        bool unsynced_dir;     /**< the folder itself is new */
        bool indexed;          /**< its `.idx` on disk is up to date */
        bool trimmed;          /**< nothing was written since memory was given back */
        int64_t complained_us; /**< when a failure was last logged */
        size_t n_runs;
        struct iovec *iov;
        size_t cap_iov;
    } tail;

    /* guarded by watch_mu */
    pthread_mutex_t watch_mu;
    struct lt_watch *watches;
    size_t n_watches, cap_watches;

    pthread_mutex_t collect_mu; /**< one collect at a time */
};

/* journal_writer.c */
void *lt_journal_write_loop(void *arg); /* the journal */
/** Empties a group but keeps its room for pieces and units. */
void lt_group_clear(struct lt_group *group);
void lt_group_deinit(struct lt_group *group);

/* journal_segment.c. Errors name file and offset. */
struct lt_segment *lt_segment_new(uint64_t number, uint64_t covers, uint64_t salt);
/** Takes the segment's files for reading. Thread: holds mu. */
LEAT_MUST_CHECK leat_status lt_segment_ref(struct lt_journal *journal, struct lt_segment *segment,
                                           struct leat_error *err);
/** Closes the files of the segment that was not used for the longest time, if many are open.
 * Thread: holds mu. */
void lt_segment_make_way(struct lt_journal *journal);
/** Thread: holds mu. */
void lt_segment_unref(struct lt_journal *journal, struct lt_segment *segment);
/** Reads exactly `len` bytes. Errors: LEAT_E_CORRUPT when the file is shorter. */
LEAT_MUST_CHECK leat_status lt_pread_all(int fd, void *to, size_t len, uint64_t offset,
                                         const char *name, struct leat_error *err);
/** Writes all of it; changes `iov`. */
LEAT_MUST_CHECK leat_status lt_pwrite_all(int fd, struct iovec *iov, size_t n, uint64_t offset,
                                          const char *name, struct leat_error *err);
/** Writes a small file whole: a temporary one, synced, renamed. The folder is not synced. */
LEAT_MUST_CHECK leat_status lt_journal_write_file(struct lt_journal *journal, const char *name,
                                                  const char *data, size_t len,
                                                  struct leat_error *err);
/** Adds to the list in the order of numbers. Thread: holds mu; room is there
 * (lt_journal_reserve_sealed). */
void lt_journal_add_sealed(struct lt_journal *journal, struct lt_segment *segment);
bool lt_journal_reserve_sealed(struct lt_journal *journal);

/* journal_scan.c */
struct lt_scan {
    int fd;
    const char *name;
    uint64_t salt;
    uint64_t size;   /**< of the file */
    uint64_t synced; /**< up to here an index proves that all was synced */
    bool last;       /**< no later segment exists: a torn tail may be cut */
};
/**
 * Reads all groups of a segment and checks every sum. With `last`, what a crash
 * left half written is cut from the result (not from the file) and logged.
 * Errors: LEAT_E_CORRUPT with file and offset; LEAT_E_IO; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_scan_segment(const struct lt_scan *scan, struct lt_table *out,
                                            struct leat_error *err);
/** One group, read from the file. */
LEAT_MUST_CHECK leat_status lt_scan_group(const struct lt_scan *scan, uint64_t offset,
                                          struct leat_error *err);
/** True when a whole group header or trailer stands anywhere in the file. */
LEAT_MUST_CHECK leat_status lt_scan_has_group(const struct lt_scan *scan, bool *has,
                                              struct leat_error *err);

/* journal_index.c */
/** Writes `.idx` (or another suffix) for a segment and gives its rows their sums. */
LEAT_MUST_CHECK leat_status lt_index_write(struct lt_journal *journal, uint64_t number,
                                           uint64_t salt, struct lt_table *table,
                                           struct leat_error *err);
/** Reads head and rows of a segment's index. `*valid` is false when it is missing or damaged. */
LEAT_MUST_CHECK leat_status lt_index_load(struct lt_journal *journal, uint64_t number,
                                          uint64_t salt, bool *valid, struct lt_index_header *head,
                                          struct lt_index_row **rows, struct leat_error *err);
/** Copies up to `max` runs of a sealed row, from the one that holds `seq`. The segment is taken. */
LEAT_MUST_CHECK leat_status lt_index_runs(struct lt_journal *journal, struct lt_segment *segment,
                                          const struct lt_index_row *row, uint64_t seq,
                                          struct lt_run *runs, size_t max, size_t *n,
                                          struct leat_error *err);
/** The last of `n` runs (which start in order) whose first number is <= `seq`. */
size_t lt_run_holding(const struct lt_run *runs, size_t n, uint64_t seq);
void lt_runs_cache_deinit(struct lt_runs_cache *cache);
/** The active segment's index as a table. Thread: the writer, or none runs; holds mu. */
LEAT_MUST_CHECK leat_status lt_journal_active_table(struct lt_journal *journal,
                                                    struct lt_table *out, struct leat_error *err);

/* journal_open.c */
LEAT_MUST_CHECK leat_status lt_journal_recover(struct lt_journal *journal, struct leat_error *err);

/* journal_seal.c */
/** Writes the active segment's index, cuts the file to its length, and moves it to the sealed ones.
 * Thread: the writer, or none runs. */
LEAT_MUST_CHECK leat_status lt_journal_seal(struct lt_journal *journal, struct leat_error *err);

/* journal_read.c */

/** Going through the records of some runs. */
struct lt_visit {
    uint64_t shard;
    uint64_t from;      /**< records before it are skipped */
    size_t want_bytes;  /**< about this much will be asked for */
    bool check_payload; /**< when it is looked at */
    /** The record's header, as bytes, stands before `payload`. False: enough. */
    bool (*record)(void *ctx, const struct lt_record_header *header, const char *payload);
    /** Where `len` bytes of records are read to, which then stay; NULL (or no such function): to
     * memory that is gone after the call. */
    char *(*room)(void *ctx, size_t len);
    void *ctx;
};
/** `more` turns false when the visitor had enough. The segment is taken.
 * Errors: LEAT_E_CORRUPT with file and offset; LEAT_E_IO; LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_journal_visit(struct lt_journal *journal,
                                             const struct lt_segment *segment,
                                             const struct lt_run *runs, size_t n,
                                             const struct lt_visit *visit, bool *more,
                                             struct leat_error *err);
/** Payload bytes of records before `seq` in the extent (or the runs) that holds it. */
LEAT_MUST_CHECK leat_status lt_journal_hidden_bytes(struct lt_journal *journal, uint64_t shard,
                                                    uint64_t seq, uint64_t *bytes,
                                                    struct leat_error *err);

/* journal_marks.c */
LEAT_MUST_CHECK leat_status lt_marks_load(struct lt_journal *journal, struct lt_mark **marks,
                                          size_t *n, struct leat_error *err);
/** Writes what is trimmed and forgotten, synced. */
LEAT_MUST_CHECK leat_status lt_marks_save(struct lt_journal *journal, struct leat_error *err);

#endif
