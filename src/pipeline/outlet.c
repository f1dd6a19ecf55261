/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue into one stream. One call is under way at a time, so that a key's records keep their
 * order; where a service may take a later record and refuse an earlier one, a call holds each key
 * once. Records that a service did not take are sent again alone, with backoff, for as long as it
 * takes.
 */
#include "pipeline/outlet.h"

#include <stdlib.h>

enum { KEY_SLOTS = 2048, KEY_MAX_CHARACTERS = 256, KEY_MAX_BYTES = 1024 };

const struct lt_retry_policy lt_retry_for_ever = {
    .max_attempts = 0, .base_ms = 50, .cap_ms = 10000, .retry_after_cap_ms = 60000};

bool lt_outlet_takes_key(struct lt_slice key) {
    size_t n_characters = 0;
    if (!key.len || key.len > KEY_MAX_BYTES)
        return false;
    if (key.len <= KEY_MAX_CHARACTERS)
        return true;
    for (size_t i = 0; i < key.len; i++)
        n_characters += ((unsigned char)key.data[i] & 0xC0) != 0x80;
    return n_characters <= KEY_MAX_CHARACTERS;
}

/* Records of a call. */
static size_t most_records(const struct lt_outlet *outlet) {
    return outlet->service->ops->put_bulk ? LT_STREAM_BULK_MAX_RECORDS : LT_STREAM_PUT_MAX_RECORDS;
}

leat_status lt_outlet_init(struct lt_outlet *outlet, struct lt_stream_service *service,
                           uv_loop_t *loop, const char *stream, size_t route,
                           const struct lt_outlet_events *events, void *ctx,
                           struct leat_error *err) {
    *outlet = (struct lt_outlet){.service = service,
                                 .loop = loop,
                                 .stream = stream,
                                 .route = route,
                                 .events = events,
                                 .ctx = ctx,
                                 .retry = {.policy = &lt_retry_for_ever}};
    outlet->puts = calloc(most_records(outlet), sizeof(*outlet->puts));
    if (!outlet->puts)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for records on their way to %s", stream);
    int rc = uv_timer_init(loop, &outlet->timer);
    if (rc)
        return lt_fail(err, LEAT_E_INTERNAL, -rc, "cannot make a timer");
    outlet->timer.data = outlet;
    outlet->timer_open = true;
    return LEAT_OK;
}

leat_status lt_outlet_push(struct lt_outlet *outlet, const struct lt_item *item,
                           struct leat_error *err) {
    leat_status status = lt_queue_push(&outlet->queue, item, err);
    return status == LEAT_OK ? LEAT_OK : lt_error_prefix(err, "on the way to %s", outlet->stream);
}

static uint64_t hash_key(struct lt_slice key) {
    uint64_t h = 1469598103934665603ull;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.data[i]) * 1099511628211ull;
    return h | 1;
}

/* True when the key was not in the set; it is then. */
static bool add_key(uint64_t *slots, struct lt_slice key) {
    uint64_t h = hash_key(key);
    size_t at = h % KEY_SLOTS;
    while (slots[at]) {
        if (slots[at] == h)
            return false;
        at = (at + 1) % KEY_SLOTS;
    }
    slots[at] = h;
    return true;
}

/* Fills outlet->puts with the next call's records. */
static size_t gather(struct lt_outlet *outlet) {
    uint64_t slots[KEY_SLOTS];
    size_t n_bytes = 0;
    size_t n = 0;
    size_t max = outlet->n_single ? 1 : most_records(outlet);

    if (!outlet->service->atomic_put)
        memset(slots, 0, sizeof(slots));

    while (n < max && outlet->queue.head + n < outlet->queue.tail) {
        const struct lt_item *item = &outlet->queue.items[outlet->queue.head + n];
        size_t len = item->data.len + item->key.len;
        if (n && n_bytes + len > LT_STREAM_PUT_MAX_BYTES)
            break;
        if (!outlet->service->atomic_put && !add_key(slots, item->key))
            break;
        outlet->puts[n++] = (struct lt_stream_put){.key = item->key, .data = item->data};
        n_bytes += len;
    }
    return n;
}

static void on_timer(uv_timer_t *timer) {
    struct lt_outlet *outlet = timer->data;
    outlet->waiting = false;
    lt_outlet_send(outlet);
}

static void wait_and_retry(struct lt_outlet *outlet, const struct leat_error *err) {
    int64_t wait_ms = 0;
    if (!lt_retry_next(&outlet->retry, err, &wait_ms)) {
        outlet->stopped = true;
        outlet->events->failed(outlet->ctx, err);
        return;
    }
    outlet->waiting = true;
    uv_timer_start(&outlet->timer, on_timer, (uint64_t)wait_ms, 0);
}

static bool is_of_the_record(leat_status status) {
    return status == LEAT_E_INVALID || status == LEAT_E_LIMIT || status == LEAT_E_PARSE;
}

/* Takes an item's bytes off the count; the caller tells the owner. */
static void leave(struct lt_outlet *outlet, const struct lt_item *item) {
    outlet->queue.n_bytes -= item->data.len + item->key.len;
}

/* The whole call failed: none of its records was taken for sure. */
static void on_call_failed(struct lt_outlet *outlet, const struct leat_error *err) {
    if (leat_status_is_retryable(err->status)) {
        outlet->events->retried(outlet->ctx, outlet->route, outlet->n_sent);
        wait_and_retry(outlet, err);
        return;
    }
    if (!is_of_the_record(err->status)) {
        outlet->stopped = true;
        outlet->events->failed(outlet->ctx, err);
        return;
    }
    if (outlet->n_sent > 1) {
        outlet->n_single = outlet->n_sent;
        return;
    }
    struct lt_item item = outlet->queue.items[outlet->queue.head++];
    leave(outlet, &item);
    if (outlet->n_single)
        outlet->n_single--;
    outlet->events->refused(outlet->ctx, outlet->route, &item, err);
}

static void refuse(struct lt_outlet *outlet, const struct lt_item *item,
                   const struct lt_stream_put_result *result) {
    struct leat_error err;
    lt_fail_code(&err, result->status, result->code, "the stream %s refused the record: %s",
                 outlet->stream, result->code[0] ? result->code : leat_status_text(result->status));
    outlet->events->refused(outlet->ctx, outlet->route, item, &err);
}

/* Some records may have failed: acknowledge the others, keep these at the head, in order. */
static void on_call_answered(struct lt_outlet *outlet, const struct lt_stream_put_result *results,
                             size_t n) {
    struct lt_item *items = outlet->queue.items + outlet->queue.head;
    struct lt_item refused[LT_STREAM_PUT_MAX_RECORDS];
    size_t refused_at[LT_STREAM_PUT_MAX_RECORDS];
    struct lt_item again[LT_STREAM_PUT_MAX_RECORDS];
    size_t n_refused = 0, n_again = 0, n_done = 0;
    struct leat_error err = {.status = LEAT_OK};

    for (size_t i = 0; i < n; i++) {
        if (results[i].status == LEAT_OK) {
            leave(outlet, &items[i]);
            items[n_done++] = items[i];
        } else if (is_of_the_record(results[i].status)) {
            leave(outlet, &items[i]);
            refused_at[n_refused] = i;
            refused[n_refused++] = items[i];
        } else {
            again[n_again++] = items[i];
            lt_fail_code(&err, results[i].status, results[i].code, "the stream %s: %s",
                         outlet->stream, results[i].code);
        }
    }
    if (outlet->n_single)
        outlet->n_single--;
    /* the done ones were moved to the front; those to send again go right before what follows */
    outlet->queue.head += n - n_again;
    outlet->events->acknowledged(outlet->ctx, outlet->route, items, n_done);
    for (size_t i = 0; i < n_again; i++)
        /* cppcheck-suppress uninitvar; the first n_again were set above */
        outlet->queue.items[outlet->queue.head + i] = again[i];
    for (size_t i = 0; i < n_refused; i++)
        refuse(outlet, &refused[i], &results[refused_at[i]]);
    if (n_again) {
        err.status = LEAT_E_THROTTLED; /* per-record failures are the service's to get over */
        outlet->events->retried(outlet->ctx, outlet->route, n_again);
        if (n_done)
            outlet->retry.n_attempts = 0; /* it takes some: a first wait is enough */
        wait_and_retry(outlet, &err);
    } else {
        outlet->retry.n_attempts = 0;
    }
}

static void on_all_taken(struct lt_outlet *outlet, size_t n) {
    const struct lt_item *items = outlet->queue.items + outlet->queue.head;

    for (size_t i = 0; i < n; i++)
        leave(outlet, &items[i]);
    outlet->n_single -= outlet->n_single < n ? outlet->n_single : n;
    outlet->queue.head += n;
    outlet->retry.n_attempts = 0;
    outlet->events->acknowledged(outlet->ctx, outlet->route, items, n);
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    struct lt_outlet *outlet = ctx;

    outlet->busy = false;
    if (status == LEAT_OK && !results)
        on_all_taken(outlet, n);
    else if (status == LEAT_OK)
        on_call_answered(outlet, results, n);
    else if (status != LEAT_E_CANCELLED)
        on_call_failed(outlet, err);
    lt_outlet_send(outlet);
}

void lt_outlet_send(struct lt_outlet *outlet) {
    const struct lt_stream_ops *ops = outlet->service->ops;
    struct leat_error err;

    /* a call that fails before it begins has no answer from which the next one would be sent */
    while (!outlet->busy && !outlet->waiting && !outlet->stopped &&
           outlet->queue.head != outlet->queue.tail) {
        outlet->n_sent = gather(outlet);
        outlet->busy = true;
        if ((ops->put_bulk ? ops->put_bulk : ops->put)(outlet->service, outlet->stream,
                                                       outlet->puts, outlet->n_sent, on_put, outlet,
                                                       &err) == LEAT_OK)
            return;
        outlet->busy = false;
        on_call_failed(outlet, &err);
    }
}

void lt_outlet_stop(struct lt_outlet *outlet) {
    outlet->stopped = true;
    if (outlet->timer_open) {
        outlet->timer_open = false;
        uv_close((uv_handle_t *)&outlet->timer, NULL);
    }
}

void lt_outlet_deinit(struct lt_outlet *outlet) {
    lt_queue_deinit(&outlet->queue);
    free(outlet->puts);
    outlet->puts = NULL;
}
