/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating and removing delivery streams. What waits for the disk runs on a worker; the entry is in
 * the list from the start, in a state that hides it. The document is written last and removed
 * first, so that a crash leaves at most a hidden stream or positions without a delivery, which
 * the next creation of that name clears away.
 */
#include "base/clock.h"
#include "engine/deliveries_parts.h"

#include <stdlib.h>

enum { MAX_DELIVERIES = 5000, MAX_RECORD_BYTES = 1024000, SHARDS_ARENA_BYTES = 64 << 20 };

/* A ':' is in no name that the API takes. */
#define HIDDEN_PREFIX "firehose:"

struct lt_delivery_change {
    struct lt_work work;
    struct lt_deliveries *deliveries;
    struct lt_delivery_entry *entry;
    lt_deliveries_done *done;
    void *ctx;
    leat_status status;
    struct leat_error err;
    struct lt_delivery_change *next;
};

static void release(void *ctx) {
    free(ctx);
}

static void unlink_change(struct lt_delivery_change *change) {
    struct lt_delivery_change **at = &change->deliveries->changes;
    while (*at != change)
        at = &(*at)->next;
    *at = change->next;
}

/* Tells the caller, and ends the change. */
static void finish(struct lt_delivery_change *change) {
    lt_deliveries_done *done = change->done;
    void *ctx = change->ctx;
    leat_status status = change->status;
    struct leat_error err = change->err;

    unlink_change(change);
    lt_work_abandon(&change->work, release, change);
    done(ctx, status, status == LEAT_OK ? NULL : &err);
}

void lt_deliveries_cancel_changes(struct lt_deliveries *d) {
    struct lt_delivery_change *change;

    while ((change = d->changes)) {
        lt_deliveries_done *done = change->done;
        void *ctx = change->ctx;
        struct leat_error err;
        d->changes = change->next;
        lt_work_abandon(&change->work, release, change);
        done(ctx, lt_fail(&err, LEAT_E_CANCELLED, 0, "the engine stops"), &err);
    }
}

static struct lt_delivery_change *begin(struct lt_deliveries *d, struct lt_delivery_entry *entry,
                                        lt_deliveries_done *done, void *ctx) {
    struct lt_delivery_change *change = calloc(1, sizeof(*change));

    if (!change)
        return NULL;
    lt_work_init(&change->work);
    change->deliveries = d;
    change->entry = entry;
    change->done = done;
    change->ctx = ctx;
    change->next = d->changes;
    d->changes = change;
    return change;
}

static leat_status create_hidden(struct lt_streams *streams, const char *name,
                                 struct leat_error *err) {
    leat_status status = lt_streams_create(streams, name, 1, true, false, MAX_RECORD_BYTES, err);
    if (status != LEAT_E_EXISTS)
        return status;
    status = lt_streams_remove(streams, name, err); /* of a creation that a crash cut off */
    if (status != LEAT_OK)
        return status;
    return lt_streams_create(streams, name, 1, true, false, MAX_RECORD_BYTES, err);
}

/* Notes where the source's shards end now. */
static leat_status find_starts(const struct lt_deliveries_options *env,
                               struct lt_delivery_document *doc, struct leat_error *err) {
    struct lt_streams_shard *shards;
    struct lt_arena arena;
    size_t n;

    lt_arena_init(&arena, SHARDS_ARENA_BYTES);
    leat_status status =
        lt_streams_shards(env->streams, doc->config.stream, &arena, &shards, &n, err);
    if (status != LEAT_OK)
        goto out;
    doc->starts = lt_arena_calloc(&doc->arena, n + 1, sizeof(doc->starts[0]));
    if (!doc->starts) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu shards", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        struct lt_journal_shard stat;
        lt_journal_stat(env->journal, shards[i].uid, &stat);
        doc->starts[doc->n_starts++] =
            (struct lt_pump_start){.shard_uid = shards[i].uid, .seq = stat.next - 1};
    }
out:
    lt_arena_deinit(&arena);
    return status;
}

/* On a worker. */
static void create(void *ctx) {
    struct lt_delivery_change *change = ctx;
    const struct lt_deliveries_options *env = &change->deliveries->env;
    struct lt_delivery_document *doc = change->entry->doc;
    struct leat_error *err = &change->err;
    struct lt_buf body;

    change->status = lt_delivery_forget(env->state, doc->config.name, err);
    if (change->status == LEAT_OK)
        change->status = doc->config.direct_put
                             ? create_hidden(env->streams, doc->config.stream, err)
                             : find_starts(env, doc, err);
    if (change->status != LEAT_OK)
        return;
    lt_buf_init(&body, 16 << 20);
    lt_delivery_document_write(doc, &body);
    change->status = lt_buf_status(&body, err);
    if (change->status == LEAT_OK)
        change->status = lt_state_set(env->state, "delivery", lt_slice_str(doc->config.name),
                                      lt_buf_slice(&body), err);
    lt_buf_deinit(&body);
}

static void on_created(void *ctx) {
    struct lt_delivery_change *change = ctx;

    if (change->status == LEAT_OK)
        change->status = lt_deliveries_start(change->entry, &change->err);
    if (change->status != LEAT_OK)
        lt_deliveries_drop(change->deliveries, change->entry);
    finish(change);
}

static leat_status check(struct lt_deliveries *d, const struct lt_delivery_config *config,
                         struct leat_error *err) {
    struct lt_streams_info info;
    leat_status status;

    if (lt_deliveries_entry(d, config->name, NULL))
        return lt_fail(err, LEAT_E_EXISTS, 0,
                       "Firehose %s under accountId 000000000000 already exists", config->name);
    if (d->n >= MAX_DELIVERIES)
        return lt_fail(err, LEAT_E_LIMIT, 0,
                       "You have already consumed your firehose quota of %d hoses.",
                       MAX_DELIVERIES);
    status = lt_delivery_check_prefix(lt_slice_str(config->prefix), false, err);
    if (status == LEAT_OK && *config->error_prefix)
        status = lt_delivery_check_prefix(lt_slice_str(config->error_prefix), true, err);
    if (status == LEAT_OK && !config->direct_put)
        status = lt_streams_info(d->env.streams, config->stream, &info, err);
    return status;
}

leat_status lt_deliveries_create(struct lt_deliveries *d, const struct lt_delivery_config *config,
                                 lt_deliveries_done *done, void *ctx, struct leat_error *err) {
    struct lt_delivery_document *doc;
    struct lt_delivery_change *change;
    struct lt_delivery_entry *entry;
    leat_status status = check(d, config, err);

    if (status != LEAT_OK)
        return status;
    doc = lt_delivery_document_new(config);
    if (!doc)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", config->name);
    doc->config.created_ms = lt_clock_wall_ms();
    if (config->direct_put)
        doc->config.stream = lt_arena_printf(&doc->arena, HIDDEN_PREFIX "%s", config->name);
    status = lt_deliveries_insert(d, doc, &entry, err);
    if (status != LEAT_OK) {
        lt_delivery_document_free(doc);
        return status;
    }
    change = doc->config.stream ? begin(d, entry, done, ctx) : NULL;
    if (!change) {
        lt_deliveries_drop(d, entry);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", config->name);
    }
    lt_work_start(&change->work, d->env.loop, create, on_created, change);
    return LEAT_OK;
}

/* On a worker. */
static void remove_all(void *ctx) {
    struct lt_delivery_change *change = ctx;
    const struct lt_deliveries_options *env = &change->deliveries->env;
    const struct lt_delivery_config *config = &change->entry->doc->config;
    struct leat_error *err = &change->err;

    change->status = lt_state_remove(env->state, "delivery", lt_slice_str(config->name), err);
    if (change->status == LEAT_OK)
        change->status = lt_delivery_forget(env->state, config->name, err);
    if (change->status == LEAT_OK && config->direct_put) {
        change->status = lt_streams_remove(env->streams, config->stream, err);
        if (change->status == LEAT_E_NOT_FOUND)
            change->status = LEAT_OK;
    }
}

static void on_removed(void *ctx) {
    struct lt_delivery_change *change = ctx;

    if (change->status == LEAT_OK)
        lt_deliveries_drop(change->deliveries, change->entry);
    else if (lt_deliveries_start(change->entry, &change->entry->error) != LEAT_OK)
        change->entry->state = LT_DELIVERY_ACTIVE; /* shown with its error, to be removed again */
    finish(change);
}

leat_status lt_deliveries_remove(struct lt_deliveries *d, const char *name,
                                 lt_deliveries_done *done, void *ctx, struct leat_error *err) {
    struct lt_delivery_entry *entry = lt_deliveries_entry(d, name, NULL);
    struct lt_delivery_change *change;

    if (!entry)
        return lt_fail(err, LEAT_E_NOT_FOUND, 0,
                       "Firehose %s under account 000000000000 not found.", name);
    if (entry->state != LT_DELIVERY_ACTIVE)
        return lt_fail(err, LEAT_E_BUSY, 0,
                       "Firehose %s under account 000000000000 is being created or deleted.", name);
    change = begin(d, entry, done, ctx);
    if (!change)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to delete %s", name);
    entry->state = LT_DELIVERY_REMOVING;
    lt_pump_free(entry->pump);
    entry->pump = NULL;
    lt_work_start(&change->work, d->env.loop, remove_all, on_removed, change);
    return LEAT_OK;
}
