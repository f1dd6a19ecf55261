/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks, and which page is asked for next. Children go before their parents, older tasks before
 * younger ones, so that what waits stays little; but a parent goes first whose children would have
 * nothing to ask for while its page is on its way.
 *
 * The page that a resource gives out next may always be asked for, however much is held ahead of
 * it, as long as the user is not the one who holds it: without it nothing would ever move.
 */
#include "rest/walk_parts.h"

#include <stdlib.h>

/* Times `concurrency`: pages of a resource ahead of the one to give out; tasks of a child that do
 * until another page of its parent is there. */
enum { AHEAD = 4, ENOUGH = 2 };

struct lt_walk_task *lt_walk_task_new(struct lt_walk_resource *res, struct lt_slice values,
                                      struct lt_walk_page *origin) {
    struct lt_walk_task *task = calloc(1, sizeof(*task) + values.len);

    if (!task)
        return NULL;
    char *bytes = (char *)(task + 1);
    memcpy(bytes, values.data, values.len);
    task->values = lt_slice(bytes, values.len);
    task->resource = res;
    task->origin = origin;
    task->can_ask = true;
    task->n_told = -1;
    return task;
}

void lt_walk_task_free(struct lt_walk_task *task) {
    lt_walk_place_free(&task->ask);
    lt_walk_place_free(&task->base);
    lt_walk_place_free(&task->counted_at);
    lt_walk_guard_deinit(&task->guard);
    free(task);
}

void lt_walk_task_append(struct lt_walk_task *task) {
    struct lt_walk_resource *res = task->resource;

    task->next = NULL;
    if (res->last)
        res->last->next = task;
    else
        res->first = task;
    res->last = task;
    if (!res->give)
        res->give = task;
    if (task->origin && !res->settle)
        res->settle = task;
    res->n_waiting++;
    res->stat.n_tasks++;
    res->walk->held_bytes += sizeof(*task) + task->values.len;
}

void lt_walk_task_remove_first(struct lt_walk_resource *res) {
    struct lt_walk_task *task = res->first;

    res->first = task->next;
    if (!res->first)
        res->last = NULL;
    res->stat.n_tasks_done++;
    res->walk->held_bytes -= sizeof(*task) + task->values.len;
    lt_walk_task_free(task);
}

static bool has_limit(const struct lt_walk_task *task) {
    return task->resource->walk->opt.limit && !task->resource->parent;
}

/* Steps `ask` on to the next page ahead, as far as one is known and wanted. */
static void step_ahead(struct lt_walk_task *task) {
    const struct lt_rest_pager *pager = &task->resource->pager;
    struct lt_rest_place place;

    task->can_ask = false;
    if (!task->is_ahead)
        return;
    if (has_limit(task) && task->n_kept_base + (task->n_ahead - 1) * (uint64_t)task->page_len >=
                               task->resource->walk->opt.limit)
        return;
    if (!pager->row->ahead(pager, &task->base, task->n_ahead, task->page_len, &task->told, &place))
        return;
    task->ask = place;
    task->can_ask = true;
    task->n_ahead++;
}

/* Newest first, down to what is known: where that is, only the pages themselves say. */
static bool goes_down_to_cursor(const struct lt_walk_resource *res) {
    return res->incremental && res->resource->incremental.order == LT_REST_DESCENDING &&
           res->base.value.raw.data;
}

/* Sets out anew from a page that was read. */
static bool set_out(struct lt_walk_page *page, const struct lt_rest_told *told) {
    struct lt_walk_task *task = page->task;
    const struct lt_rest_pager *pager = &task->resource->pager;
    struct lt_rest_place ahead;

    if (!lt_walk_place_copy(&task->ask, &page->follows))
        return false;
    task->can_ask = true;
    task->is_ahead = false;
    if (!pager->row->ahead || page->at.kind == LT_REST_TOKEN || page->at.kind == LT_REST_URL ||
        goes_down_to_cursor(task->resource))
        return true;
    task->base = (struct lt_rest_place){.kind = page->at.kind, .number = page->at.number};
    task->told = *told;
    task->page_len = (int64_t)page->n_raw;
    task->n_kept_base = task->n_kept;
    task->n_ahead = 2;
    task->is_ahead = pager->row->ahead(pager, &task->base, 1, task->page_len, told, &ahead) &&
                     lt_walk_place_eq(&ahead, &page->follows);
    return true;
}

bool lt_walk_task_go_on(struct lt_walk_page *page, const struct lt_rest_told *told) {
    struct lt_walk_task *task = page->task;

    if (page->follows.kind == LT_REST_END) {
        lt_walk_drop_pages(task, page);
        task->can_ask = task->is_ahead = false;
        return true;
    }
    if (page->next && lt_walk_place_eq(&page->next->at, &page->follows))
        return true; /* as it was foreseen */
    if (!page->next && task->can_ask && lt_walk_place_eq(&task->ask, &page->follows))
        return true;
    lt_walk_drop_pages(task, page);
    return set_out(page, told);
}

static struct lt_walk_page *append_page(struct lt_walk_task *task, const struct lt_rest_place *at) {
    struct lt_walk_resource *res = task->resource;
    struct lt_walk_page *page = calloc(1, sizeof(*page));

    if (!page)
        return NULL;
    page->walk = res->walk;
    page->task = task;
    page->public.resource = res->resource;
    page->public.resource_index = res->index;
    lt_arena_init(&page->arena, 8 * res->api->max_page_bytes + (1 << 20));
    lt_buf_init(&page->answer.body, SIZE_MAX);
    lt_buf_init(&page->answer.headers, SIZE_MAX);
    if (!lt_walk_place_copy(&page->at, at)) {
        free(page);
        return NULL;
    }
    if (task->last)
        task->last->next = page;
    else
        task->first = page;
    task->last = page;
    res->n_outstanding++;
    if (!task->begun)
        res->n_waiting--;
    task->begun = true;
    return page;
}

void lt_walk_task_fail_at(struct lt_walk_task *task, const struct lt_rest_place *at,
                          const struct leat_error *err) {
    struct lt_walk_page *page = append_page(task, at);

    task->can_ask = task->is_ahead = false;
    if (page)
        lt_walk_page_fail(page, err);
    else
        lt_walk_break(task->resource->walk);
}

static leat_status send_page(struct lt_walk_page *page, struct leat_error *err) {
    struct lt_rest_walk *walk = page->walk;
    struct lt_walk_resource *res = page->task->resource;
    struct lt_walk_request made;
    struct lt_json values, *list;
    size_t n = 0;

    lt_arena_reset(&walk->scratch);
    leat_status status =
        lt_json_parse(&values, page->task->values, LT_JSON_MAX_DEPTH, err); /* our own text */
    if (status != LEAT_OK)
        return status;
    list = lt_arena_calloc(&walk->scratch, res->n_values + 1, sizeof(*list));
    if (!list)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    struct lt_json_iter iter = lt_json_iter(values);
    while (n < res->n_values && lt_json_next(&iter, &list[n]))
        n++;
    status = lt_walk_request(res, list, &page->at, &walk->scratch, &made, err);
    if (status != LEAT_OK)
        return status;
    page->limit = made.limit;
    page->url = strdup(made.url);
    struct lt_slice body = made.body.data ? lt_arena_dup(&page->arena, made.body) : made.body;
    if (!page->url || (made.body.data && !body.data))
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");
    const struct lt_rest_request request = {.resource = res->resource,
                                            .method = made.method,
                                            .url = made.url,
                                            .headers = made.headers,
                                            .body = body};
    return lt_rest_fetch(walk->fetcher, &request, lt_walk_on_fetched, page, err);
}

static void ask(struct lt_walk_task *task) {
    struct lt_walk_resource *res = task->resource;
    struct lt_rest_walk *walk = res->walk;
    struct leat_error err;

    if (task->loop) {
        lt_fail(&err, LEAT_E_PARSE, 0,
                "resource %s: the last run ended because its list leads back to where it had been; "
                "when that is mended, start over",
                res->resource->name);
        lt_walk_task_fail_at(task, &task->ask, &err);
        return;
    }
    struct lt_walk_page *page = append_page(task, &task->ask);
    if (!page) {
        lt_walk_break(walk);
        return;
    }
    step_ahead(task);
    if (send_page(page, &err) != LEAT_OK) {
        lt_walk_page_fail(page, &err);
        return;
    }
    lt_walk_page_hold(page, res->page_bytes); /* foreseen */
    walk->n_in_flight++;
    res->n_in_flight++;
    res->stat.n_requests++;
}

/* Whether the children of a resource take the tasks that one more of its pages makes. */
static bool has_room_for_tasks(const struct lt_walk_resource *res) {
    size_t foreseen = res->n_outstanding * res->page_len;

    for (size_t i = 0; i < res->n_children; i++) {
        size_t waiting = res->children[i]->n_waiting;
        if (waiting > LT_WALK_MAX_WAITING ||
            (res->n_outstanding && waiting + foreseen + res->page_len > LT_WALK_MAX_WAITING))
            return false;
    }
    return true;
}

/* The oldest task that may ask now, or NULL. All before it have pages outstanding, so that the
 * search is as short as that window. */
static struct lt_walk_task *choose(struct lt_walk_resource *res) {
    struct lt_rest_walk *walk = res->walk;
    struct lt_walk_task *task = res->give;
    size_t max_held = walk->opt.max_held_bytes;

    if (!task || walk->given_bytes >= max_held || !has_room_for_tasks(res))
        return NULL;
    if (task->can_ask && !task->first)
        return task; /* what is given out next */
    if (res->n_outstanding >= (size_t)AHEAD * walk->api->concurrency ||
        walk->held_bytes + res->page_bytes > max_held)
        return NULL;
    while (task && !task->can_ask)
        task = task->next;
    return task;
}

/* Whether a child is about to run out of tasks, and none are on their way. */
static bool runs_low(const struct lt_walk_resource *res) {
    size_t enough = (size_t)ENOUGH * res->walk->api->concurrency;

    for (size_t i = 0; i < res->n_children && !res->n_in_flight; i++)
        if (res->children[i]->n_waiting < enough)
            return true;
    return false;
}

/* Whether `a` is asked for before `b`, if both have something to ask for. */
static bool goes_first(const struct lt_walk_resource *a, const struct lt_walk_resource *b) {
    bool a_is_low = runs_low(a), b_is_low = runs_low(b);

    if (a_is_low != b_is_low)
        return a_is_low;
    return a->depth > b->depth || (a->depth == b->depth && a->n_in_flight < b->n_in_flight);
}

void lt_walk_ask(struct lt_rest_walk *walk) {
    while (!walk->n_failed && !walk->broken && !walk->stopping &&
           walk->n_in_flight < walk->api->concurrency) {
        struct lt_walk_resource *best = NULL;
        struct lt_walk_task *chosen = NULL;
        for (size_t i = 0; i < walk->n_resources; i++) {
            struct lt_walk_resource *res = &walk->resources[i];
            if (!res->needed || (best && !goes_first(res, best)))
                continue;
            struct lt_walk_task *task = choose(res);
            if (task) {
                best = res;
                chosen = task;
            }
        }
        if (!chosen)
            return;
        ask(chosen);
    }
}
