/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PULL_PARTS_H
#define LT_PIPELINE_PULL_PARTS_H

#include "deliver/work.h"
#include "pipeline/outlet.h"
#include "pipeline/pull.h"
#include "pipeline/pull_format.h"
#include "pipeline/pull_spool.h"

/*
 * The pull's own parts. lt_pull() (pull.c) pulls one pipeline after another; each is a run
 * (pull_run.c) with a loop of its own:
 *
 *     walk ─on_page─▶ page: schema, transform, routes (pull_page.c) ─▶ line of pages
 *                        └─ to streams at once                        │ head: all acknowledged?
 *                                                                     ▼
 *                                     sinks take the rest in order (pull_sink.c), walk_done
 *
 * Pages leave the line in the order in which the walk gave them. So what the sinks took and what
 * the walk's positions say is the same set of pages at any moment, and a commit of both together
 * (pull_state.c) is exact.
 */

struct lt_pull_run;
struct lt_pull_sink;

/** A record on its way. */
struct lt_pull_record {
    struct lt_pull_sink *sink;
    struct lt_slice data; /**< the walk's page's, or the page's arena's */
    struct lt_slice key;  /**< partition key, for streams */
    size_t index;         /**< in the walk's page */
};

/** A page in line. */
struct lt_pull_page {
    struct lt_pull_page *next;
    struct lt_pull_run *run;
    struct lt_rest_page *page;
    struct lt_arena arena;
    struct lt_slice *texts;         /**< its records, each on one line */
    struct lt_pull_record *records; /**< what came of them, in order */
    size_t n_records, cap;
    size_t n_unacknowledged; /**< on their way into streams */
    bool ready;              /**< its records have their sinks; those behind it may be raw */
    bool failed;             /**< the run ends before it */
};

/** A row of the table of sinks. */
struct lt_pull_sink_ops {
    const char *kind;
    leat_status (*open)(struct lt_pull_sink *sink, struct leat_error *err); /**< or NULL */
    /** Sends a record at once; lt_pull_page.n_unacknowledged counts it. NULL: settle() takes it. */
    leat_status (*send)(struct lt_pull_sink *sink, struct lt_pull_page *page,
                        const struct lt_pull_record *record, struct leat_error *err);
    void (*push)(struct lt_pull_sink *sink); /**< what was sent goes out; or NULL */
    /** Takes its records of a page, pages in order. Or NULL. */
    leat_status (*settle)(struct lt_pull_sink *sink, struct lt_pull_page *page,
                          struct leat_error *err);
    void (*close)(struct lt_pull_sink *sink); /**< or NULL */
};
extern const struct lt_pull_sink_ops lt_pull_sink_objects, lt_pull_sink_stream, lt_pull_sink_out;

struct lt_pull_sink {
    const struct lt_pull_sink_ops *ops;
    struct lt_pull_run *run;
    const char *to;
    size_t stat; /**< index in lt_pull_stat.routes, or SIZE_MAX: the dead letters' */
    /* objects */
    struct lt_pull_place place;
    struct lt_pull_spool **spools; /**< one a resource, NULL until one is needed */
    /* stream */
    const char *stream;
    struct lt_outlet *outlet;
};

/** What is written to standard output, by libuv's pool. */
struct lt_pull_out {
    struct lt_work work;
    struct lt_pull_run *run;
    struct lt_buf buf;     /**< loop thread only */
    struct lt_buf writing; /**< the worker's while one runs */
    int fd;
    int sys;           /**< the worker's: errno */
    bool open, closed; /**< `closed`: its reader has gone */
};

/** Schema of one resource (pull_schema.c). */
struct lt_pull_schema {
    struct lt_json_schema *last; /**< of the last complete pass, or NULL */
    struct lt_json_schema *seen; /**< that one, and all that came in this pass */
    struct lt_buf kept;          /**< as it stands in the state, of this pass */
};

/** Whether records of a resource went to a sink, and the schema that was put beside them. */
struct lt_pull_schema_mark {
    bool used, changed; /**< `changed`: the state does not say so yet */
    char hash[17];      /**< of the schema's text; "": none was put */
};

enum lt_pull_phase {
    LT_PULL_WALKING,
    LT_PULL_ENDING,  /**< the walk has ended: what is spooled becomes durable, or objects */
    LT_PULL_SCHEMAS, /**< objects of schemas are put */
    LT_PULL_LAST,    /**< the last commit */
    LT_PULL_DONE
};

/** One pipeline while it is pulled. Loop thread only. */
struct lt_pull_run {
    /* immutable after open */
    const struct lt_pull_options *opt;
    const struct lt_system_pipeline *system;
    const struct lt_rest_api *api;
    struct lt_pull_stat *stat;
    size_t stat_at; /**< of its first resource in stat->resources */
    int64_t started_us;
    struct lt_arena arena;
    bool *selected, *walked; /**< one a resource */
    bool with_positions;     /**< they are read and kept */
    const char *scope;       /**< names what is kept: the pipeline, or what `to` makes of it */
    const char *kind;        /**< of positions and spools in the state */
    const char *schema_kind;
    struct lt_state *state;          /**< or NULL */
    struct lt_object_store *objects; /**< or NULL */
    bool own_objects;                /**< a folder's: closed by the run */
    struct lt_stream_service *streams;
    struct lt_expr **exprs; /**< one a resource; NULL: records pass as they are, by route 0 */

    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t sigint, sigterm;
    unsigned n_ticks;
    struct lt_rest_walk *walk;
    struct lt_slice *positions; /**< of the earlier run: one a resource; data NULL: none */
    struct lt_buf *saved;       /**< as they stand in the state: one a resource */
    bool *new_pass;             /**< one a resource: its last pass came to its end */
    bool *forget;               /**< one a resource: what is kept is of another selection */
    bool forgotten;             /**< the state knows that */

    struct lt_pull_sink *sinks; /**< distinct places of routes, then the dead letters' */
    size_t n_sinks;
    size_t *route_sinks;            /**< one a route */
    struct lt_pull_sink *dead_sink; /**< or NULL */
    struct lt_pull_spools *spools;  /**< or NULL */
    struct lt_pull_out out;
    struct lt_pull_formatter *formatter;
    struct lt_pull_schema *schemas;    /**< one a resource */
    struct lt_pull_schema_mark *marks; /**< one a sink and resource */
    struct lt_pull_schema_put *schema_put;
    int claim; /**< a descriptor, or -1 */

    struct lt_pull_page *first, *last;
    struct lt_pull_page *next_raw; /**< the first that is not ready */
    size_t n_ready;                /**< in line */
    bool advancing;
    bool dirty; /**< positions moved since the last commit */
    enum lt_pull_phase phase;
    bool walk_ended, complete, interrupted;
    bool sealed;        /**< at the end of a complete pass */
    bool out_ended;     /**< the format's last words are in the buffer */
    bool ending_commit; /**< the first commit after the walk's end was begun */
    int64_t give_up_ms; /**< after a stop: when streams have had their time, in the loop's time */
    bool failed;
    struct leat_error error;
};

/* pull_run.c */
LEAT_MUST_CHECK leat_status lt_pull_run(struct lt_pull_run *run, struct leat_error *err);
void lt_pull_run_fail(struct lt_pull_run *run,
                      const struct leat_error *err); /**< the first counts */
void lt_pull_run_advance(struct lt_pull_run *run);   /**< something moved: goes on */
void lt_pull_run_note(struct lt_pull_run *run, enum lt_rest_note note, const char *text,
                      int64_t until_ms);

/* pull_open.c: what a run needs, and its end */
LEAT_MUST_CHECK leat_status lt_pull_open(struct lt_pull_run *run, struct leat_error *err);
void lt_pull_close(struct lt_pull_run *run);
/** Which resources: named ones, the pipeline's, or all that are not on request. */
LEAT_MUST_CHECK leat_status lt_pull_select(struct lt_pull_run *run, struct leat_error *err);
/** The resource at the top of its chain of parents. */
size_t lt_pull_root(const struct lt_rest_api *api, size_t resource);

/* pull_page.c */
/** Lines up a page. Without memory the run fails and the page is not done. */
void lt_pull_page_take(struct lt_pull_run *run, struct lt_rest_page *page);
/** Makes the next pages ready, so many that memory stays bounded while a sink is slow. */
void lt_pull_pages_process(struct lt_pull_run *run);
void lt_pull_page_free(struct lt_pull_page *page);
/** A record becomes a dead letter. Errors: LEAT_E_INVALID where the pipeline has no place for it.
 */
LEAT_MUST_CHECK leat_status lt_pull_page_kill(struct lt_pull_page *page, size_t index,
                                              const char *code, struct lt_slice expression,
                                              struct lt_slice reason, struct leat_error *err);

/* pull_sink.c */
LEAT_MUST_CHECK leat_status lt_pull_sinks_open(struct lt_pull_run *run, struct leat_error *err);
void lt_pull_sinks_close(struct lt_pull_run *run);
void lt_pull_sinks_deinit(struct lt_pull_run *run); /**< after the loop has run out */
/** False while pages should wait at the head of the line. */
bool lt_pull_sinks_have_room(const struct lt_pull_run *run);
/** False while streams have enough that they did not acknowledge. */
bool lt_pull_streams_have_room(const struct lt_pull_run *run);

/* pull_out.c */
void lt_pull_out_open(struct lt_pull_out *out, struct lt_pull_run *run, int fd);
void lt_pull_out_write(struct lt_pull_out *out); /**< starts to write what is there */
bool lt_pull_out_is_idle(const struct lt_pull_out *out);
void lt_pull_out_close(struct lt_pull_out *out);

/* pull_state.c */
/** Reads what an earlier run kept; with a file of --state, that. Blocks. */
LEAT_MUST_CHECK leat_status lt_pull_state_open(struct lt_pull_run *run, struct leat_error *err);
/** Starts a commit of all that changed. */
void lt_pull_state_commit(struct lt_pull_run *run);

/* pull_state_file.c */
/** The positions in a file with Singer's or Airbyte's state. Blocks. */
LEAT_MUST_CHECK leat_status lt_pull_state_read(struct lt_pull_run *run, const char *path,
                                               struct leat_error *err);

/* pull_schema.c */
LEAT_MUST_CHECK leat_status lt_pull_schemas_open(struct lt_pull_run *run, struct leat_error *err);
void lt_pull_schemas_close(struct lt_pull_run *run);
/** Learns from a page's records; one that does not fit is killed (`killed[i]`), or ends the run. */
LEAT_MUST_CHECK leat_status lt_pull_schema_take(struct lt_pull_page *page, bool *killed,
                                                struct leat_error *err);
/** The changes of the state that keep the schemas, at most two a resource; their memory is the
 * arena's. With `whole` those of a pass that is complete. */
LEAT_MUST_CHECK leat_status lt_pull_schema_changes(struct lt_pull_run *run, bool whole,
                                                   struct lt_arena *arena,
                                                   struct lt_state_change *changes, size_t *n,
                                                   struct leat_error *err);
/** Tells the changes of a complete pass, and starts to put the objects of schemas that changed;
 * false when there is nothing to put. Its end calls lt_pull_run_advance(). */
bool lt_pull_schemas_put(struct lt_pull_run *run);
bool lt_pull_schemas_putting(const struct lt_pull_run *run);
void lt_pull_schemas_put_close(struct lt_pull_run *run); /**< waits for it; the loop frees it */

#endif
