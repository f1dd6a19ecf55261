/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_SYSTEM_H
#define LT_PIPELINE_SYSTEM_H

#include "base/arena.h"
#include "deliver/delivery.h"
#include "expr/expr.h"
#include "rest/api.h"

/*
 * What a file describes, checked. Every string lives in the system's arena.
 */

/** Where something stands in the file. */
struct lt_place {
    unsigned line, column;
};

struct lt_system_stream {
    const char *name;
    unsigned n_shards;
    unsigned retention_hours;
    bool dead_letters; /**< some pipeline's dead letters go here: made with a larger record limit */
    struct lt_place place;
};

struct lt_system_bucket {
    const char *name;
    struct lt_place place;
};

struct lt_system_delivery {
    const char *name;
    const char *from; /**< a stream */
    const char *bucket;
    const char *prefix; /**< "" or as after s3://BUCKET/ */
    const char *error_prefix;
    const char *suffix;
    uint64_t buffer_bytes;
    int64_t buffer_ms;
    enum lt_compression compression;
    bool newline;
    const char *role; /**< ARN for real Firehose, or NULL */
    struct lt_place place;
};

enum lt_route_kind { LT_ROUTE_STREAM, LT_ROUTE_OBJECTS };

struct lt_system_route {
    struct lt_expr_text when; /**< text.data NULL: always */
    enum lt_route_kind kind;
    const char *to;     /**< as written: the label in metrics and summaries */
    const char *stream; /**< STREAM */
    const char *bucket; /**< OBJECTS */
    const char *prefix;
    enum lt_compression compression; /**< OBJECTS, and the next two */
    uint64_t object_bytes;           /**< an object is written when this much is there… */
    int64_t object_ms;               /**< …or after this long; 0: not said */
    struct lt_place place;
};

/** One example of `tests:`. */
struct lt_system_test {
    struct lt_slice in;   /**< the record's text */
    struct lt_slice out;  /**< JSON; `data` NULL: not checked */
    const char *resource; /**< of the source's API; NULL in a pipeline that reads a stream */
    const char *to;       /**< a route's `to`, or NULL: not checked */
    const char *dead;     /**< a part of the reason for which it must be a dead letter, or NULL */
    const char *name;     /**< or NULL */
    struct lt_place place;
};

struct lt_system_pipeline {
    const char *name;
    const char *source_stream;      /**< or NULL: it pulls from `source_api` */
    struct lt_rest_api *source_api; /**< of lt_system.apis */
    const char **source_resources;  /**< only these, or NULL: all that are not on request */
    size_t n_source_resources;
    bool from_latest; /**< without a checkpoint start at LATEST; else TRIM_HORIZON */
    struct lt_expr_text *defs, *sets;
    size_t n_defs, n_sets;
    struct lt_expr_text *key; /**< or NULL: the source record's key */
    struct lt_system_route *routes;
    size_t n_routes;
    const char *dead_stream; /**< or NULL: a record that cannot be processed stops the pipeline */
    const char *dead_bucket; /**< instead of a stream, with a source_api only; or NULL */
    const char *dead_prefix;
    uint64_t buffer_bytes; /**< a route may hold this much that its sink has not acknowledged */
    struct lt_expr_limits limits;
    struct lt_system_test *tests;
    size_t n_tests;
    struct lt_place place;
};

/** How an expression of the file is run. */
struct lt_system_expression {
    const char *pipeline; /**< or NULL: it is asked of an API's page or of a record of it */
    const char *name; /**< "set.NAME", "key", "route[0].when"; of an API "records", "next", … */
    enum lt_expr_tier tier;
    const char *why; /**< for what is left to libjq, or not fused; else NULL */
    struct lt_place place;
};

struct lt_system {
    struct lt_arena arena;
    const char *path;
    struct lt_slice text; /**< the file's bytes without a byte order mark */
    struct lt_system_stream *streams;
    size_t n_streams;
    struct lt_system_bucket *buckets;
    size_t n_buckets;
    struct lt_system_delivery *deliveries;
    size_t n_deliveries;
    struct lt_rest_api *apis;
    size_t n_apis;
    struct lt_system_pipeline *pipelines;
    size_t n_pipelines;
    struct lt_system_expression *expressions; /**< plain paths of APIs are not among them */
    size_t n_expressions;
};

/** One thing that is wrong in a file. */
struct lt_problem {
    struct lt_place place;
    bool warning;
    const char *text;       /**< what, what was expected, the nearest valid word */
    const char *suggestion; /**< the nearest valid word alone, or NULL */
};
struct lt_problems {
    struct lt_problem *list; /**< in the order of the file; in the system's arena */
    size_t n;
    size_t n_untold; /**< problems beyond the first 50 */
};

/**
 * Reads and checks a file whole; all its problems are in `problems` (its memory is the system's).
 * `out` is filled as far as it could be, and released with lt_system_deinit() in any case.
 *
 * Errors: LEAT_E_CONFIG when there is a problem that is no warning (`err` is the first one);
 * LEAT_E_IO, LEAT_E_NOT_FOUND.
 */
LEAT_MUST_CHECK leat_status lt_system_load(struct lt_system *out, const char *path,
                                           struct lt_problems *problems, struct leat_error *err);
void lt_system_deinit(struct lt_system *system);

enum { LT_ROUTE_DELIVERY_BYTES = 128 };

/** The name under which a route into objects keeps its positions; false for a route to a stream. */
bool lt_system_route_delivery(const struct lt_system_pipeline *pipeline, size_t route,
                              char name[LT_ROUTE_DELIVERY_BYTES]);

/** Compiles a pipeline's expressions (sets, routes, key). Release with lt_expr_free(). Where the
 * source is a REST API, for records of the resource of that name: `$resource`. */
LEAT_MUST_CHECK leat_status lt_system_compile_for(const struct lt_system_pipeline *pipeline,
                                                  const char *resource, struct lt_expr **out,
                                                  struct leat_error *err);
/** As above for a pipeline that reads a stream. */
LEAT_MUST_CHECK leat_status lt_system_compile(const struct lt_system_pipeline *pipeline,
                                              struct lt_expr **out, struct leat_error *err);

#endif
