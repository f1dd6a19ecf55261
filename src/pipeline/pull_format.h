/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PULL_FORMAT_H
#define LT_PIPELINE_PULL_FORMAT_H

#include "pipeline/pull.h"
#include "json/schema.h"

/*
 * How records look on standard output: a table of rows, one file each. A formatter appends to a
 * buffer that its user writes out; what it appends are whole lines.
 *
 * Source: the Singer specification 0.3.0 (SCHEMA, RECORD, STATE); the Airbyte protocol v0 (RECORD,
 *         STATE of type STREAM, LOG, TRACE).
 */
struct lt_pull_formatter;

struct lt_pull_formatter_options {
    enum lt_pull_format format;
    const struct lt_rest_api *api;
    const bool *selected; /**< one a resource */
    const bool *walked;   /**< selected, or fetched for a child's sake: these have positions */
    struct lt_buf *out;
    void *ctx;
    /** Appends the position of a resource. NULL: there are none (--limit), and no STATE. */
    void (*position)(void *ctx, size_t resource, struct lt_buf *out);
    int64_t (*now_ms)(void); /**< NULL: the wall clock */
};

/** Grouped output takes one resource (lt_pull_check()). Errors: LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_pull_formatter_new(struct lt_pull_formatter **out,
                                                  const struct lt_pull_formatter_options *opt,
                                                  struct leat_error *err);
void lt_pull_formatter_free(struct lt_pull_formatter *f); /**< NULL is fine */

/** What stands before all records. */
LEAT_MUST_CHECK leat_status lt_pull_format_begin(struct lt_pull_formatter *f,
                                                 struct leat_error *err);
/** The records of a page, validated JSON without line ends; also of an empty one. */
LEAT_MUST_CHECK leat_status lt_pull_format_page(struct lt_pull_formatter *f,
                                                const struct lt_rest_page *page,
                                                const struct lt_slice *records, size_t n,
                                                struct leat_error *err);
/** All pages given so far are done: where that is, if the format has a way to say so and it
 * changed.
 */
LEAT_MUST_CHECK leat_status lt_pull_format_state(struct lt_pull_formatter *f,
                                                 struct leat_error *err);
/** A line for people, where the format has a place for it. */
void lt_pull_format_note(struct lt_pull_formatter *f, const char *level, const char *text);
/** What stands after all: pulled to its end (`complete`), stopped, or with `failure` not NULL
 * failed. */
LEAT_MUST_CHECK leat_status lt_pull_format_end(struct lt_pull_formatter *f, bool complete,
                                               const struct leat_error *failure,
                                               struct leat_error *err);

/* ---- the rows ---- */

/** What a formatter keeps of a resource. */
struct lt_pull_formatted {
    struct lt_json_schema *schema;   /**< singer: of what was written */
    struct lt_buf text, last_schema; /**< singer */
    struct lt_buf last_state;
    uint64_t n_records, n_records_in_state;
    bool started, running;
};

struct lt_pull_formatter {
    struct lt_pull_formatter_options opt;
    const struct lt_pull_format_row *row;
    struct lt_pull_formatted *resources;
    struct lt_buf group; /**< grouped: the one that is open, or empty */
    size_t n_groups, n_in_group;
    struct lt_buf last_state; /**< singer */
};

struct lt_pull_format_row {
    const char *name;
    leat_status (*begin)(struct lt_pull_formatter *f, struct leat_error *err); /**< or NULL */
    leat_status (*page)(struct lt_pull_formatter *f, const struct lt_rest_page *page,
                        const struct lt_slice *records, size_t n, struct leat_error *err);
    leat_status (*state)(struct lt_pull_formatter *f, struct leat_error *err);      /**< or NULL */
    void (*note)(struct lt_pull_formatter *f, const char *level, const char *text); /**< or NULL */
    leat_status (*end)(struct lt_pull_formatter *f, bool complete, const struct leat_error *failure,
                       struct leat_error *err); /**< or NULL */
};

extern const struct lt_pull_format_row lt_pull_format_json, lt_pull_format_singer,
    lt_pull_format_airbyte, lt_pull_format_grouped;
int64_t lt_pull_format_now(const struct lt_pull_formatter *f);

#endif
