/* SPDX-License-Identifier: Apache-2.0 */
/* The walk's life: its start, its turns, its end. */
#include "rest/walk.h"

#include "rest/walk_parts.h"

#include <stdlib.h>

enum { DEFAULT_MAX_HELD = 64 << 20, TEXT_MAX = 1 << 30 };

/* What ends it: a status to tell, or LEAT_OK for the whole end. */
static bool is_over(struct lt_rest_walk *walk, leat_status *status, struct leat_error *err) {
    bool is_complete = true, waits = false;

    for (size_t i = 0; i < walk->n_resources; i++) {
        const struct lt_walk_resource *res = &walk->resources[i];
        const struct lt_walk_page *head = res->give ? res->give->first : NULL;
        is_complete &= !res->first;
        waits |= head && head->state == LT_WALK_ASKED;
    }
    *status = LEAT_OK;
    if (is_complete)
        return true;
    if (walk->n_given)
        return false;
    if (walk->broken || (walk->n_failed && (walk->stopping || !waits))) {
        *status = walk->failure.status;
        *err = walk->failure;
        return true;
    }
    if (walk->stopping)
        *status = lt_fail(err, LEAT_E_CANCELLED, 0, "stopped");
    return walk->stopping;
}

void lt_walk_drop_all(struct lt_rest_walk *walk) {
    struct lt_rest_fetcher *fetcher = walk->fetcher;

    for (size_t i = 0; i < walk->n_resources; i++)
        for (struct lt_walk_task *task = walk->resources[i].first; task; task = task->next)
            lt_walk_drop_pages(task, NULL);
    walk->fetcher = NULL;
    walk->depth++;
    lt_rest_fetcher_free(fetcher); /* what was awaited comes back now, and is freed */
    walk->depth--;
}

static void end(struct lt_rest_walk *walk, leat_status status, const struct leat_error *err) {
    walk->ended = true;
    if (status == LEAT_OK)
        for (size_t i = 0; i < walk->n_resources; i++) {
            struct lt_walk_resource *res = &walk->resources[i];
            res->complete = res->stat.complete = res->needed;
        }
    lt_walk_drop_all(walk);
    if (walk->opt.on_progress)
        walk->opt.on_progress(walk->opt.ctx);
    if (!walk->freed)
        walk->opt.on_end(walk->opt.ctx, status, status == LEAT_OK ? NULL : err);
}

static void read_all(struct lt_rest_walk *walk) {
    for (size_t i = 0; i < walk->n_resources; i++) {
        struct lt_walk_resource *res = &walk->resources[i];
        struct lt_walk_task *task = res->give;
        /* Those with pages outstanding are the first ones; all others have none. */
        for (size_t left = res->n_outstanding; walk->n_answered && task && left;
             task = task->next) {
            for (struct lt_walk_page *page = task->first; page && left; page = page->next)
                left--;
            lt_walk_read(task);
        }
    }
}

static void close_handle(uv_handle_t *handle) {
    free(handle->data);
}

static void destroy(struct lt_rest_walk *walk) {
    struct lt_walk_page *page;

    lt_walk_drop_all(walk);
    for (size_t i = 0; i < walk->n_resources; i++) {
        struct lt_walk_resource *res = &walk->resources[i];
        while ((page = res->ledger)) {
            res->ledger = page->next;
            page->user_has = false;
            lt_walk_page_free(page);
        }
        while (res->first)
            lt_walk_task_remove_first(res);
        lt_walk_resource_deinit(res);
    }
    free(walk->resources);
    lt_rest_mask_free(walk->mask);
    lt_arena_deinit(&walk->scratch);
    lt_buf_deinit(&walk->text);
    if (walk->has_timer)
        uv_close((uv_handle_t *)&walk->timer, close_handle);
    else
        free(walk);
}

static void take_turn(struct lt_rest_walk *walk) {
    struct leat_error err;
    leat_status status;

    if (!walk->ended && !walk->stopping) {
        read_all(walk);
        lt_walk_give(walk);
    }
    if (!walk->freed && !walk->ended)
        lt_walk_ask(walk);
    if (!walk->freed && !walk->ended && is_over(walk, &status, &err)) {
        end(walk, status, &err);
        return;
    }
    if (!walk->freed && walk->moved) {
        walk->moved = false;
        if (walk->opt.on_progress)
            walk->opt.on_progress(walk->opt.ctx);
    }
    if (!walk->freed && walk->stopping && walk->fetcher)
        lt_walk_drop_all(walk);
}

static void on_turn(uv_timer_t *timer) {
    struct lt_rest_walk *walk = timer->data;

    walk->depth++;
    if (!walk->freed)
        take_turn(walk);
    walk->depth--;
    if (walk->freed && !walk->depth)
        destroy(walk);
}

void lt_walk_wake(struct lt_rest_walk *walk) {
    if (walk->has_timer && !walk->ended && !uv_is_closing((uv_handle_t *)&walk->timer))
        uv_timer_start(&walk->timer, on_turn, 0, 0);
}

void lt_walk_break(struct lt_rest_walk *walk) {
    if (!walk->broken && !walk->n_failed)
        lt_fail(&walk->failure, LEAT_E_NOMEM, 0, "no memory for the walk through an API");
    walk->broken = true;
    lt_walk_wake(walk);
}

static void on_note(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms) {
    struct lt_rest_walk *walk = ctx;

    if (walk->freed || !walk->opt.on_note)
        return;
    walk->depth++;
    walk->opt.on_note(walk->opt.ctx, note, text, until_ms);
    walk->depth--;
}

/* The needed ones are the selected ones and their parents; a parent stands before its children. */
static leat_status link_resources(struct lt_rest_walk *walk, struct leat_error *err) {
    for (size_t i = walk->n_resources; i > 0; i--) {
        struct lt_walk_resource *res = &walk->resources[i - 1];
        size_t parent = walk->api->resources[i - 1].parent;
        if (parent == SIZE_MAX)
            continue;
        if (parent >= i - 1)
            return lt_fail(err, LEAT_E_CONFIG, 0, "resource %s stands before its parent",
                           walk->api->resources[i - 1].name);
        res->parent = &walk->resources[parent];
        res->parent->needed |= res->needed;
    }
    for (size_t i = 0; i < walk->n_resources; i++) {
        struct lt_walk_resource *res = &walk->resources[i];
        struct lt_walk_resource *parent = res->parent;
        if (!parent || !res->needed)
            continue;
        res->depth = parent->depth + 1;
        struct lt_walk_resource **children = reallocarray(parent->children, parent->n_children + 1,
                                                          sizeof(struct lt_walk_resource *));
        if (!children)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the resources of an API");
        parent->children = children;
        parent->children[parent->n_children++] = res;
    }
    return LEAT_OK;
}

static leat_status set_up(struct lt_rest_walk *walk, struct leat_error *err) {
    const struct lt_rest_api *api = walk->api;
    leat_status status = lt_rest_mask_new(&walk->mask, api, err);

    walk->resources = calloc(api->n_resources + 1, sizeof(*walk->resources));
    if (status == LEAT_OK && !walk->resources)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the resources of an API");
    for (size_t i = 0; i < api->n_resources && status == LEAT_OK; i++) {
        struct lt_walk_resource *res = &walk->resources[i];
        walk->n_resources++;
        status = lt_walk_resource_init(res, api, i, err);
        res->walk = walk;
        res->selected = res->needed = walk->opt.selected[i];
    }
    if (status == LEAT_OK)
        status = link_resources(walk, err);
    if (status == LEAT_OK)
        status = lt_walk_restore(walk, err);
    return status;
}

leat_status lt_rest_walk_start(struct lt_rest_walk **out, const struct lt_rest_walk_options *opt,
                               struct leat_error *err) {
    struct lt_rest_walk *walk = calloc(1, sizeof(*walk));

    *out = NULL;
    if (!walk)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the walk through an API");
    walk->opt = *opt;
    walk->api = opt->api;
    if (!walk->opt.max_held_bytes)
        walk->opt.max_held_bytes = DEFAULT_MAX_HELD;
    lt_arena_init(&walk->scratch, SIZE_MAX);
    lt_buf_init(&walk->text, TEXT_MAX);
    leat_status status = set_up(walk, err);
    if (status == LEAT_OK) {
        const struct lt_rest_fetcher_options fetcher = {
            .api = opt->api, .loop = opt->loop, .ctx = walk, .on_note = on_note};
        status = lt_rest_fetcher_new(&walk->fetcher, &fetcher, err);
    }
    if (status != LEAT_OK) {
        destroy(walk);
        return status;
    }
    walk->opt.selected = NULL; /* the caller's, who may free them now */
    walk->opt.positions = NULL;
    uv_timer_init(opt->loop, &walk->timer);
    walk->timer.data = walk;
    walk->has_timer = true;
    lt_walk_wake(walk);
    *out = walk;
    return LEAT_OK;
}

void lt_rest_walk_stop(struct lt_rest_walk *walk) {
    walk->stopping = true;
    lt_walk_wake(walk);
}

void lt_rest_walk_stat(const struct lt_rest_walk *walk, size_t resource, struct lt_rest_stat *out) {
    *out = walk->resources[resource].stat;
}

void lt_rest_walk_free(struct lt_rest_walk *walk) {
    if (!walk || walk->freed)
        return;
    walk->freed = true;
    if (!walk->depth)
        destroy(walk);
    else
        uv_timer_start(&walk->timer, on_turn, 0, 0); /* once nobody stands in a call of ours */
}
