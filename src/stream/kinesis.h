/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STREAM_KINESIS_H
#define LT_STREAM_KINESIS_H

#include "aws/client.h"
#include "base/retry.h"
#include "stream/stream.h"

/*
 * The parts of the Kinesis body, for themselves: kinesis.c (the service, puts, shards),
 * kinesis_call.c (a call on the loop with its retries), kinesis_read.c (readers), kinesis_admin.c
 * (what blocks).
 */
struct lt_kinesis_call;

struct lt_kinesis {
    struct lt_stream_service base;
    uv_loop_t *loop;
    struct lt_http_client *client;
    struct lt_arena arena; /* owns what `endpoint` points to */
    struct lt_aws_endpoint endpoint;
    struct lt_kinesis_call *calls; /* not ended yet */
    size_t n_refs;                 /* the owner's, and one a call until its handles are closed */
    bool closed;
};

static inline struct lt_kinesis *lt_kinesis_of(struct lt_stream_service *service) {
    return (struct lt_kinesis *)service;
}

/** The answer lives during the callback. */
typedef void lt_kinesis_done(void *ctx, leat_status status, struct lt_json answer,
                             const struct leat_error *err);

/** How a call is made. */
struct lt_kinesis_how {
    const char *operation;                /**< "GetRecords"; NULL: no request, the answer is {} */
    int64_t delay_ms;                     /**< before it is sent */
    const struct lt_retry_policy *policy; /**< NULL: no retry */
    bool only_throttles;                  /**< other errors are not retried */
};

/**
 * Starts a call; takes the bytes of `body` over, also on failure. `done` comes once, from the loop,
 * or from lt_kinesis_close_calls(). `*out` (may be NULL) is good for lt_kinesis_cancel() until
 * then.
 */
LEAT_MUST_CHECK leat_status lt_kinesis_start(struct lt_kinesis *service,
                                             const struct lt_kinesis_how *how, struct lt_buf *body,
                                             lt_kinesis_done *done, void *ctx,
                                             struct lt_kinesis_call **out, struct leat_error *err);
/** Its callback comes from the loop's next turn, with LEAT_E_CANCELLED. */
void lt_kinesis_cancel(struct lt_kinesis_call *call);
/** Ends all calls with LEAT_E_CANCELLED, now. */
void lt_kinesis_close_calls(struct lt_kinesis *service);
void lt_kinesis_unref(struct lt_kinesis *service);

/* readers */
leat_status lt_kinesis_open_shard(struct lt_stream_service *base, const char *stream,
                                  const char *shard, const struct lt_stream_start *start,
                                  struct lt_stream_reader **out, struct leat_error *err);
leat_status lt_kinesis_read(struct lt_stream_reader *reader, size_t max_records, size_t max_bytes,
                            int64_t idle_ms, lt_stream_read_done *done, void *ctx,
                            struct leat_error *err);
void lt_kinesis_close_shard(struct lt_stream_reader *reader);

/* what blocks */
leat_status lt_kinesis_create(struct lt_stream_service *base, const char *stream, unsigned n_shards,
                              struct leat_error *err);
leat_status lt_kinesis_set_retention(struct lt_stream_service *base, const char *stream,
                                     unsigned hours, struct leat_error *err);
leat_status lt_kinesis_remove(struct lt_stream_service *base, const char *stream,
                              struct leat_error *err);
leat_status lt_kinesis_describe(struct lt_stream_service *base, const char *stream,
                                struct lt_stream_summary *out, struct leat_error *err);
leat_status lt_kinesis_list(struct lt_stream_service *base, struct lt_arena *arena,
                            const char *const **out, size_t *n, struct leat_error *err);

/** Copies a STRING of an answer, cut to the room there is; "" when it is none. */
void lt_kinesis_copy(struct lt_json value, char *out, size_t cap);
/** True for an error that says that the service does not know the operation. */
bool lt_kinesis_is_unknown(leat_status status, const struct leat_error *err);

#endif
