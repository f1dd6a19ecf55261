/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_OUTLET_H
#define LT_PIPELINE_OUTLET_H

#include "base/retry.h"
#include "stream/stream.h"

/*
 * The way into a stream, for the runner's routes and for the producer: a queue, sent in order, with
 * what was not taken sent again alone.
 */

/** As often as it takes: for what a later attempt may mend. */
extern const struct lt_retry_policy lt_retry_for_ever;

/** One record on its way to a sink. Its bytes are its owner's. */
struct lt_item {
    struct lt_slice key;
    struct lt_slice data;
    void *owner;                           /**< the user's own: whose the bytes are */
    const struct lt_stream_record *source; /**< the record it was made from, or NULL */
    int64_t arrival_ms;
    uint64_t ordinal; /**< of the source record */
};

/** Items in order: [head, tail) of a growing array. */
struct lt_queue {
    struct lt_item *items;
    size_t head, tail, cap;
    size_t n_bytes; /**< of keys and data */
};
LEAT_MUST_CHECK leat_status lt_queue_push(struct lt_queue *queue, const struct lt_item *item,
                                          struct leat_error *err);
void lt_queue_deinit(struct lt_queue *queue);

/** What an outlet says of an item. */
struct lt_outlet_events {
    void (*acknowledged)(void *ctx, size_t route, const struct lt_item *items, size_t n);
    void (*refused)(void *ctx, size_t route, const struct lt_item *item,
                    const struct leat_error *err);
    void (*failed)(void *ctx,
                   const struct leat_error *err); /**< for good; nothing more will be sent */
    void (*retried)(void *ctx, size_t route, size_t n);
};

/** A bounded queue into one stream, sent in order, failed records alone again. Worker thread only.
 */
struct lt_outlet {
    struct lt_stream_service *service;
    uv_loop_t *loop;
    const char *stream;
    size_t route;
    const struct lt_outlet_events *events;
    void *ctx;
    struct lt_queue queue;
    size_t n_sent;   /**< items of the call under way, from head */
    size_t n_single; /**< so many items are sent one by one, to find the one that is refused */
    bool busy, waiting, stopped;
    struct lt_retry retry;
    uv_timer_t timer;
    bool timer_open;
    struct lt_stream_put *puts; /**< room for a call */
};

/** Whether a stream takes such a partition key: 1 to 256 characters. */
bool lt_outlet_takes_key(struct lt_slice key);

LEAT_MUST_CHECK leat_status lt_outlet_init(struct lt_outlet *outlet,
                                           struct lt_stream_service *service, uv_loop_t *loop,
                                           const char *stream, size_t route,
                                           const struct lt_outlet_events *events, void *ctx,
                                           struct leat_error *err);
/** Adds an item; sending starts with lt_outlet_send(). */
LEAT_MUST_CHECK leat_status lt_outlet_push(struct lt_outlet *outlet, const struct lt_item *item,
                                           struct leat_error *err);
void lt_outlet_send(struct lt_outlet *outlet);
/** Sends nothing more; closes its timer. The call under way may still come back. */
void lt_outlet_stop(struct lt_outlet *outlet);
void lt_outlet_deinit(struct lt_outlet *outlet); /**< after its loop has run out */

#endif
