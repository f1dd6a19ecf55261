/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan is a list of items in the order in which they can be done: up makes buckets, streams, then
 * the deliveries between them; down removes deliveries, streams, buckets, then the positions of
 * pipelines. Looking changes nothing. One table says for each kind how to look, make and remove.
 */
#include "pipeline/plan.h"

#include "pipeline/checkpoint.h"
#include "pipeline/listing.h"
#include "pipeline/plan_delivery.h"
#include "pipeline/plan_hands.h"

#include <stdio.h>

enum { MAX_MEMORY_BYTES = 64 << 20, DEFAULT_RETENTION_HOURS = 24 };

struct kind_row {
    size_t (*count)(const struct lt_system *system);
    void (*name)(struct lt_plan *plan, struct lt_plan_item *item);
    /** Sets action and difference as for up: CREATE, KEEP, DIFFER, LOCAL. */
    leat_status (*look)(struct lt_plan *plan, struct lt_plan_hands *hands,
                        struct lt_plan_item *item, struct leat_error *err);
    leat_status (*create)(struct lt_plan *plan, struct lt_plan_hands *hands,
                          const struct lt_plan_item *item, struct leat_error *err);
    leat_status (*remove)(struct lt_plan *plan, struct lt_plan_hands *hands,
                          const struct lt_plan_item *item, struct leat_error *err);
};

/* ---- buckets ---- */

static size_t count_buckets(const struct lt_system *system) {
    return system->n_buckets;
}

static void name_bucket(struct lt_plan *plan, struct lt_plan_item *item) {
    item->name = plan->system->buckets[item->index].name;
}

static leat_status look_bucket(struct lt_plan *plan, struct lt_plan_hands *hands,
                               struct lt_plan_item *item, struct leat_error *err) {
    leat_status status = hands->objects->ops->stat_bucket(hands->objects, item->name,
                                                          &item->n_records, &item->n_bytes, err);

    (void)plan;
    item->action = status == LEAT_E_NOT_FOUND ? LT_PLAN_CREATE : LT_PLAN_KEEP;
    item->counted = status == LEAT_OK;
    return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
}

static leat_status create_bucket(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 const struct lt_plan_item *item, struct leat_error *err) {
    (void)plan;
    return hands->objects->ops->create_bucket(hands->objects, item->name, err);
}

static leat_status remove_bucket(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 const struct lt_plan_item *item, struct leat_error *err) {
    (void)plan;
    return hands->objects->ops->remove_bucket(hands->objects, item->name, true, err);
}

/* ---- streams ---- */

static size_t count_streams(const struct lt_system *system) {
    return system->n_streams;
}

static void name_stream(struct lt_plan *plan, struct lt_plan_item *item) {
    const struct lt_system_stream *stream = &plan->system->streams[item->index];

    item->name = stream->name;
    item->detail = lt_arena_printf(&plan->arena, "%u shard%s", stream->n_shards,
                                   stream->n_shards == 1 ? "" : "s");
}

/* The account in "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME". */
static void take_account(struct lt_plan *plan, const char *arn) {
    struct lt_slice account = lt_slice_str(arn);

    for (int i = 0; i < 4; i++) {
        const char *colon = account.len ? memchr(account.data, ':', account.len) : NULL;
        if (!colon)
            return;
        account = lt_slice_from(account, (size_t)(colon - account.data) + 1);
    }
    const char *end = account.len ? memchr(account.data, ':', account.len) : NULL;
    if (end && end > account.data && !plan->account)
        plan->account =
            lt_arena_str(&plan->arena, lt_slice(account.data, (size_t)(end - account.data)));
}

/* NULL when the stream is as the file says. */
static const char *stream_difference(struct lt_plan *plan, const struct lt_system_stream *wanted,
                                     const struct lt_stream_summary *found) {
    const char *shards = "", *retention = "";

    if (found->n_open_shards != wanted->n_shards)
        shards = lt_arena_printf(&plan->arena, "shards is %u, the file says %u",
                                 found->n_open_shards, wanted->n_shards);
    if (found->retention_hours && found->retention_hours != wanted->retention_hours)
        retention = lt_arena_printf(&plan->arena, "retention is %uh, the file says %uh",
                                    found->retention_hours, wanted->retention_hours);
    if (!shards || !retention || (!*shards && !*retention))
        return NULL;
    return lt_arena_printf(&plan->arena, "%s%s%s", shards, *shards && *retention ? "; " : "",
                           retention);
}

static leat_status look_stream(struct lt_plan *plan, struct lt_plan_hands *hands,
                               struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_stream *stream = &plan->system->streams[item->index];
    struct lt_stream_summary found;
    leat_status status = hands->streams->ops->describe(hands->streams, stream->name, &found, err);

    if (status == LEAT_E_NOT_FOUND) {
        item->action = LT_PLAN_CREATE;
        return LEAT_OK;
    }
    if (status != LEAT_OK)
        return status;
    if (!lt_target_streams_embedded(plan->target))
        take_account(plan, found.arn);
    item->action = LT_PLAN_KEEP;
    item->difference = stream_difference(plan, stream, &found);
    if (item->difference)
        item->action = LT_PLAN_DIFFER;
    return LEAT_OK;
}

static leat_status create_stream(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 const struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_stream *stream = &plan->system->streams[item->index];
    const struct lt_stream_ops *ops = hands->streams->ops;
    leat_status status = ops->create(hands->streams, item->name, stream->n_shards, err);

    if (status == LEAT_OK && stream->retention_hours != DEFAULT_RETENTION_HOURS)
        status = ops->set_retention(hands->streams, item->name, stream->retention_hours, err);
    return status;
}

static leat_status remove_stream(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 const struct lt_plan_item *item, struct leat_error *err) {
    (void)plan;
    return hands->streams->ops->remove(hands->streams, item->name, err);
}

/* ---- deliveries ---- */

static size_t count_deliveries(const struct lt_system *system) {
    return system->n_deliveries;
}

static void name_delivery(struct lt_plan *plan, struct lt_plan_item *item) {
    const struct lt_system_delivery *delivery = &plan->system->deliveries[item->index];

    item->name = delivery->name;
    item->detail = lt_arena_printf(&plan->arena, "%s to s3://%s/%s", delivery->from,
                                   delivery->bucket, delivery->prefix);
}

static leat_status look_delivery(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_delivery *delivery = &plan->system->deliveries[item->index];

    item->action = LT_PLAN_LOCAL;
    if (lt_plan_is_local(hands, delivery))
        return LEAT_OK;
    if (!hands->firehose) {
        item->action = LT_PLAN_DIFFER;
        item->difference = "it has a role, and there is no Firehose here; without `role` it would "
                           "run inside `leat run`";
        return LEAT_OK;
    }
    leat_status status =
        lt_plan_delivery_look(hands->firehose, delivery, &plan->arena, &item->difference, err);
    item->action = status == LEAT_E_NOT_FOUND ? LT_PLAN_CREATE
                   : item->difference         ? LT_PLAN_DIFFER
                                              : LT_PLAN_KEEP;
    return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
}

static leat_status create_delivery(struct lt_plan *plan, struct lt_plan_hands *hands,
                                   const struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_delivery *delivery = &plan->system->deliveries[item->index];
    struct lt_stream_summary stream;
    leat_status status =
        hands->streams->ops->describe(hands->streams, delivery->from, &stream, err);

    if (status != LEAT_OK)
        return status;
    return lt_plan_delivery_create(hands->firehose, delivery, stream.arn, err);
}

/* A delivery that ran inside `leat run` has left its positions here. */
static leat_status remove_delivery(struct lt_plan *plan, struct lt_plan_hands *hands,
                                   const struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_delivery *delivery = &plan->system->deliveries[item->index];
    struct lt_state *state;

    if (!lt_plan_is_local(hands, delivery))
        return hands->firehose ? lt_plan_delivery_remove(hands->firehose, item->name, err)
                               : LEAT_OK;
    leat_status status = lt_target_state(plan->target, &state, err);
    return status == LEAT_OK ? lt_delivery_forget(state, item->name, err) : status;
}

/* ---- pipelines: their positions ---- */

static size_t count_pipelines(const struct lt_system *system) {
    return system->n_pipelines;
}

static void name_pipeline(struct lt_plan *plan, struct lt_plan_item *item) {
    const struct lt_system_pipeline *pipeline = &plan->system->pipelines[item->index];

    item->name = pipeline->name;
    item->detail = pipeline->source_api ? "its positions" : "its checkpoints";
}

/* What `leat pull` keeps of a pipeline: documents of the kinds "pull/NAME" and "schema/NAME". */
static const char *const pull_kinds[] = {"pull", "schema"};
enum { N_PULL_KINDS = sizeof(pull_kinds) / sizeof(pull_kinds[0]), KIND_BYTES = 80 };

static leat_status count_positions(struct lt_state *state, const char *name, size_t *n,
                                   struct leat_error *err) {
    leat_status status = LEAT_OK;
    char kind[KIND_BYTES];

    *n = 0;
    for (size_t i = 0; i < N_PULL_KINDS && status == LEAT_OK; i++) {
        uint64_t one = 0;
        snprintf(kind, sizeof(kind), "%s/%.64s", pull_kinds[i], name);
        status = lt_state_count(state, kind, &one, err);
        *n += (size_t)one;
    }
    return status;
}

static leat_status forget_positions(struct lt_state *state, const char *name,
                                    struct leat_error *err) {
    leat_status status = LEAT_OK;
    char kind[KIND_BYTES];

    for (size_t i = 0; i < N_PULL_KINDS && status == LEAT_OK; i++) {
        snprintf(kind, sizeof(kind), "%s/%.64s", pull_kinds[i], name);
        status = lt_state_remove_kind(state, kind, err);
    }
    return status;
}

static leat_status look_pipeline(struct lt_plan *plan, struct lt_plan_hands *hands,
                                 struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = &plan->system->pipelines[item->index];
    struct lt_checkpoint *list;
    struct lt_state *state;
    size_t n = 0;

    (void)hands;
    leat_status status = lt_target_state(plan->target, &state, err);
    if (status == LEAT_OK && pipeline->source_api)
        status = count_positions(state, pipeline->name, &n, err);
    else if (status == LEAT_OK)
        status = lt_checkpoint_load(state, pipeline->name, pipeline->source_stream, &plan->arena,
                                    &list, &n, err);
    item->action = n ? LT_PLAN_KEEP : LT_PLAN_CREATE;
    return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
}

/* Routes into objects are deliveries inside `leat run`, named as runner_objects.c does. */
static leat_status forget_object_routes(struct lt_state *state,
                                        const struct lt_system_pipeline *pipeline,
                                        struct leat_error *err) {
    leat_status status = LEAT_OK;
    char name[LT_ROUTE_DELIVERY_BYTES];

    for (size_t i = 0; i < pipeline->n_routes && status == LEAT_OK; i++)
        if (lt_system_route_delivery(pipeline, i, name))
            status = lt_delivery_forget(state, name, err);
    return status;
}

static leat_status remove_pipeline(struct lt_plan *plan, struct lt_plan_hands *hands,
                                   const struct lt_plan_item *item, struct leat_error *err) {
    const struct lt_system_pipeline *pipeline = &plan->system->pipelines[item->index];
    struct lt_state *state;
    leat_status status = lt_target_state(plan->target, &state, err);

    (void)hands;
    if (status == LEAT_OK && pipeline->source_api)
        return forget_positions(state, item->name, err);
    if (status == LEAT_OK)
        status = lt_checkpoint_forget(state, item->name, err);
    if (status == LEAT_OK)
        status = forget_object_routes(state, pipeline, err);
    return status;
}

/* ---- plans ---- */

static const struct kind_row kinds[] = {
    [LT_PLAN_BUCKET] = {count_buckets, name_bucket, look_bucket, create_bucket, remove_bucket},
    [LT_PLAN_STREAM] = {count_streams, name_stream, look_stream, create_stream, remove_stream},
    [LT_PLAN_DELIVERY] = {count_deliveries, name_delivery, look_delivery, create_delivery,
                          remove_delivery},
    [LT_PLAN_PIPELINE] = {count_pipelines, name_pipeline, look_pipeline, NULL, remove_pipeline},
};

static const enum lt_plan_kind up_order[] = {LT_PLAN_BUCKET, LT_PLAN_STREAM, LT_PLAN_DELIVERY};
static const enum lt_plan_kind down_order[] = {LT_PLAN_DELIVERY, LT_PLAN_STREAM, LT_PLAN_BUCKET,
                                               LT_PLAN_PIPELINE};

static leat_status init_plan(struct lt_plan *out, const struct lt_system *system,
                             struct lt_target *target, struct leat_error *err) {
    size_t max = system->n_buckets + system->n_streams + system->n_deliveries + system->n_pipelines;

    *out = (struct lt_plan){.system = system, .target = target};
    lt_arena_init(&out->arena, MAX_MEMORY_BYTES);
    out->items = lt_arena_calloc(&out->arena, max + 1, sizeof(*out->items));
    if (!out->items)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a plan of %zu items", max);
    return LEAT_OK;
}

static leat_status look(struct lt_plan *plan, struct lt_plan_hands *hands,
                        const enum lt_plan_kind *order, size_t n, struct leat_error *err) {
    for (size_t k = 0; k < n; k++) {
        const struct kind_row *row = &kinds[order[k]];
        for (size_t i = 0; i < row->count(plan->system); i++) {
            struct lt_plan_item *item = &plan->items[plan->n];
            *item = (struct lt_plan_item){.kind = order[k], .index = i, .detail = ""};
            row->name(plan, item);
            item->detail = item->detail ? item->detail : "";
            leat_status status = row->look(plan, hands, item, err);
            if (status != LEAT_OK)
                return status;
            plan->n++;
        }
    }
    return LEAT_OK;
}

leat_status lt_plan_up(struct lt_plan *out, const struct lt_system *system,
                       struct lt_target *target, struct leat_error *err) {
    struct lt_plan_hands hands = {0};
    leat_status status = init_plan(out, system, target, err);

    if (status == LEAT_OK)
        status = lt_plan_hands_open(&hands, system, target, err);
    if (status == LEAT_OK)
        status = look(out, &hands, up_order, sizeof(up_order) / sizeof(up_order[0]), err);
    lt_plan_hands_close(&hands);
    return status;
}

/* What is there goes; what the engine counts is told with it. */
static void turn_to_removal(struct lt_plan *plan, const struct lt_listing *listing) {
    for (size_t i = 0; i < plan->n; i++) {
        struct lt_plan_item *item = &plan->items[i];
        item->action = item->action == LT_PLAN_CREATE ? LT_PLAN_ABSENT : LT_PLAN_REMOVE;
        item->difference = NULL;
        const struct lt_listing_stream *stream =
            item->kind == LT_PLAN_STREAM ? lt_listing_stream(listing, item->name) : NULL;
        if (!stream || !stream->counted)
            continue;
        item->counted = true;
        item->n_records = stream->n_records;
        item->n_bytes = stream->n_bytes;
    }
}

leat_status lt_plan_down(struct lt_plan *out, const struct lt_system *system,
                         struct lt_target *target, struct leat_error *err) {
    struct lt_plan_hands hands = {0};
    struct lt_listing listing = {0};
    leat_status status = init_plan(out, system, target, err);

    if (status == LEAT_OK)
        status = lt_plan_hands_open(&hands, system, target, err);
    if (status == LEAT_OK)
        status = look(out, &hands, down_order, sizeof(down_order) / sizeof(down_order[0]), err);
    if (status == LEAT_OK && lt_target_streams_embedded(target) && system->n_streams)
        status = lt_listing_load(&listing, target, err);
    if (status == LEAT_OK)
        turn_to_removal(out, &listing);
    lt_listing_deinit(&listing);
    lt_plan_hands_close(&hands);
    return status;
}

/* Somebody else may have been faster: what should be there is, or what should be gone is. */
static leat_status apply_item(struct lt_plan *plan, struct lt_plan_hands *hands,
                              struct lt_plan_item *item, struct leat_error *err) {
    const struct kind_row *row = &kinds[item->kind];

    if (item->action == LT_PLAN_CREATE && row->create) {
        leat_status status = row->create(plan, hands, item, err);
        return status == LEAT_E_EXISTS ? LEAT_OK : status;
    }
    if (item->action == LT_PLAN_REMOVE) {
        leat_status status = row->remove(plan, hands, item, err);
        return status == LEAT_E_NOT_FOUND ? LEAT_OK : status;
    }
    return LEAT_OK;
}

leat_status lt_plan_apply(struct lt_plan *plan,
                          void (*on_done)(void *ctx, const struct lt_plan_item *item), void *ctx,
                          struct leat_error *err) {
    static const char *const nouns[] = {"bucket", "stream", "delivery", "pipeline"};
    struct lt_plan_hands hands = {0};
    leat_status status = lt_plan_hands_open(&hands, plan->system, plan->target, err);

    for (size_t i = 0; i < plan->n && status == LEAT_OK; i++) {
        struct lt_plan_item *item = &plan->items[i];
        status = apply_item(plan, &hands, item, err);
        if (status != LEAT_OK) {
            lt_error_prefix(err, "%s %s", nouns[item->kind], item->name);
            break;
        }
        item->done = true;
        if (on_done)
            on_done(ctx, item);
    }
    lt_plan_hands_close(&hands);
    return status;
}

void lt_plan_deinit(struct lt_plan *plan) {
    if (plan)
        lt_arena_deinit(&plan->arena);
}

size_t lt_plan_count(const struct lt_plan *plan, enum lt_plan_action action) {
    size_t n = 0;
    for (size_t i = 0; i < plan->n; i++)
        n += plan->items[i].action == action;
    return n;
}

leat_status lt_plan_create_missing(const struct lt_system *system, struct lt_target *target,
                                   struct leat_error *err) {
    struct lt_plan plan = {0};
    leat_status status = lt_plan_up(&plan, system, target, err);

    if (status == LEAT_OK && lt_plan_count(&plan, LT_PLAN_CREATE))
        status = lt_plan_apply(&plan, NULL, NULL, err);
    lt_plan_deinit(&plan);
    return status;
}
