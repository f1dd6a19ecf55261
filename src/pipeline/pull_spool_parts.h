/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PULL_SPOOL_PARTS_H
#define LT_PIPELINE_PULL_SPOOL_PARTS_H

#include "base/buf.h"
#include "base/retry.h"
#include "deliver/work.h"
#include "pipeline/pull_spool.h"

/* The spools' own parts: what they hold (pull_spool.c), their documents (pull_spool_doc.c), and
 * what happens on libuv's pool (pull_spool_work.c). */

enum lt_spool_stage {
    LT_SPOOL_OPEN,
    LT_SPOOL_SEALED, /**< grows no more; to be put once a document says so */
    LT_SPOOL_READY,  /**< a document says that it is sealed */
    LT_SPOOL_PUTTING,
    LT_SPOOL_GONE, /**< its object is there (or it is dropped): to be forgotten */
};

/** One file of a spool. Loop thread only, but for what a job copied. */
struct lt_spool_file {
    struct lt_spool_file *next; /**< in order */
    struct lt_pull_spool *spool;
    enum lt_spool_stage stage;
    uint64_t number; /**< its name on the disk: NUMBER.jsonl */
    uint64_t len;    /**< with `pending` */
    uint64_t n_records;
    uint64_t first;        /**< ordinal of its first record */
    int64_t started_ms;    /**< wall clock, of its first record: what timestamps in keys are */
    bool forgetting;       /**< a commit under way forgets it */
    bool sealing;          /**< a commit under way says that it is sealed */
    struct lt_buf pending; /**< its last bytes, not written yet */
    bool unsynced;         /**< written, but not all of it synced */
    struct lt_retry retry;
    int64_t retry_at_ms; /**< wall clock */
};

struct lt_pull_spool {
    struct lt_pull_spool *next;
    struct lt_pull_spools *spools;
    char *name; /**< of its document: "spool/TO/RESOURCE" */
    char *to, *resource;
    char *bucket, *prefix;
    enum lt_compression compression;
    uint64_t object_bytes;
    int64_t object_ms;
    struct lt_spool_file *first, *last;
    bool dirty; /**< its document is not as it is here */
};

struct lt_spool_commit;
struct lt_spool_put;

enum { LT_SPOOL_N_PUTS = 2 };

/* Loop thread only; immutable are `opt` and what it points to. */
struct lt_pull_spools {
    struct lt_pull_spools_options opt;
    char *dir, *kind, *pipeline;
    struct lt_pull_spool *list;
    uint64_t next_number;
    size_t n_pending;  /**< bytes not written */
    size_t n_waiting;  /**< files sealed and not yet gone */
    size_t n_unsealed; /**< of those, such of which no document says so */
    bool failed;       /**< a write or the state: nothing is written any more */
    bool put_failed;
    struct leat_error error;
    struct lt_spool_commit *commit;
    struct lt_spool_put *puts[LT_SPOOL_N_PUTS];
};

/* pull_spool.c */
LEAT_MUST_CHECK leat_status lt_spool_new(struct lt_pull_spools *spools,
                                         const struct lt_pull_place *place, const char *resource,
                                         struct lt_pull_spool **out, struct leat_error *err);
/** Adds an empty file at the end. NULL without memory. */
struct lt_spool_file *lt_spool_add_file(struct lt_pull_spool *spool);
void lt_spool_remove_gone(struct lt_pull_spool *spool); /**< frees those that are forgotten */
void lt_spool_path(const struct lt_pull_spools *spools, uint64_t number, struct lt_buf *out);

/* pull_spool_doc.c */
/** The document as it is to be after the commit that is made now; nothing for an empty spool. */
void lt_spool_doc_write(const struct lt_pull_spool *spool, struct lt_buf *out);
/** Makes the spool of a document. */
LEAT_MUST_CHECK leat_status lt_spool_doc_read(struct lt_pull_spools *spools, struct lt_slice name,
                                              struct lt_slice body, struct leat_error *err);

/* pull_spool_work.c */
/** Takes all pending bytes and writes them; with `changes` not NULL (n may be 0) syncs them and
 * sets the documents. */
LEAT_MUST_CHECK leat_status lt_spool_commit_start(struct lt_pull_spools *spools,
                                                  const struct lt_state_change *changes, size_t n,
                                                  struct leat_error *err);
void lt_spool_commit_abandon(struct lt_pull_spools *spools);
/** Starts puts, as many as may be. */
void lt_spool_puts_start(struct lt_pull_spools *spools);
void lt_spool_puts_abandon(struct lt_pull_spools *spools);

#endif
