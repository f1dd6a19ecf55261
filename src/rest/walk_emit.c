/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving pages out in order, and counting those that are done. Both go over the same row of pages;
 * between the two ends of it stands what the user has, and what is done too early.
 */
#include "rest/walk_parts.h"

#include <stdlib.h>

/* The tasks that a page makes, before they stand in their rows. */
struct brood {
    struct lt_walk_task *first, *last;
};

static void free_brood(struct brood *brood) {
    while (brood->first) {
        struct lt_walk_task *task = brood->first;
        brood->first = task->next;
        lt_walk_task_free(task);
    }
}

static leat_status add_task(struct brood *brood, struct lt_walk_resource *child,
                            struct lt_walk_page *page, struct lt_json record,
                            struct leat_error *err) {
    struct lt_rest_walk *walk = page->walk;

    lt_arena_reset(&walk->scratch);
    lt_buf_clear(&walk->text);
    leat_status status = lt_walk_ask_values(child, record, &walk->scratch, &walk->text, err);
    if (status != LEAT_OK)
        return status;
    struct lt_walk_task *task = lt_walk_task_new(child, lt_buf_slice(&walk->text), page);
    if (!task)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the lists of resource %s",
                       child->resource->name);
    if (brood->last)
        brood->last->next = task;
    else
        brood->first = task;
    brood->last = task;
    return LEAT_OK;
}

/* A task in each child for each record; all, or none and an error. */
static leat_status make_tasks(struct lt_walk_page *page, struct leat_error *err) {
    struct lt_walk_resource *res = page->task->resource;
    struct brood brood = {NULL, NULL};
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < res->n_children && status == LEAT_OK; i++)
        for (size_t j = 0; j < page->public.n_records && status == LEAT_OK; j++)
            status = add_task(&brood, res->children[i], page, page->public.records[j], err);
    if (status != LEAT_OK) {
        free_brood(&brood);
        return lt_error_prefix(err, "%.300s", page->public.url);
    }
    while (brood.first) {
        struct lt_walk_task *task = brood.first;
        brood.first = task->next;
        lt_walk_task_append(task);
    }
    return LEAT_OK;
}

/* From its task's list into its resource's ledger. */
static void move_to_ledger(struct lt_walk_page *page) {
    struct lt_walk_task *task = page->task;
    struct lt_walk_resource *res = task->resource;

    task->first = page->next;
    if (!task->first)
        task->last = NULL;
    page->next = NULL;
    res->n_outstanding--;
    if (res->ledger_last)
        res->ledger_last->next = page;
    else
        res->ledger = page;
    res->ledger_last = page;
    if (page->public.last_of_task)
        res->give = task->next;
}

static void count_given(struct lt_walk_page *page) {
    struct lt_walk_resource *res = page->task->resource;

    page->public.ordinal = res->next_ordinal;
    res->next_ordinal += page->public.n_records;
    res->stat.n_pages++;
    res->stat.n_records += page->public.n_records;
    res->stat.n_skipped += page->n_skipped;
    res->stat.n_bytes += page->n_bytes;
}

/* False when nothing of this resource can be given out for now. */
static bool give_one(struct lt_walk_resource *res) {
    struct lt_rest_walk *walk = res->walk;
    struct lt_walk_page *page = res->give ? res->give->first : NULL;
    struct leat_error err;

    if (!page || page->state != LT_WALK_READ)
        return false;
    if (make_tasks(page, &err) != LEAT_OK) {
        lt_walk_page_fail(page, &err);
        return false;
    }
    move_to_ledger(page);
    count_given(page);
    page->state = LT_WALK_GIVEN;
    page->user_has = true;
    walk->n_given++;
    walk->given_bytes += page->held_bytes;
    if (res->selected)
        walk->opt.on_page(walk->opt.ctx, &page->public);
    else
        lt_rest_walk_done(walk, &page->public);
    return true;
}

void lt_walk_give(struct lt_rest_walk *walk) {
    for (size_t i = 0; i < walk->n_resources; i++)
        while (!walk->freed && !walk->stopping && !walk->broken && give_one(&walk->resources[i]))
            ;
}

void lt_rest_walk_done(struct lt_rest_walk *walk, struct lt_rest_page *page) {
    struct lt_walk_page *own = (struct lt_walk_page *)page;
    struct lt_walk_resource *res = own->task->resource;

    walk->n_given--;
    walk->given_bytes -= own->held_bytes;
    own->user_has = false;
    own->state = LT_WALK_DONE;
    lt_walk_page_empty(own);
    lt_walk_count(res);
    lt_walk_wake(walk);
}

/* The tasks that a page made are those of their resources whose origin is the first not counted. */
static void release_tasks(struct lt_walk_page *page) {
    struct lt_walk_resource *res = page->task->resource;

    for (size_t i = 0; i < res->n_children; i++) {
        struct lt_walk_resource *child = res->children[i];
        while (child->settle && child->settle->origin == page) {
            child->settle->origin = NULL;
            child->settle = child->settle->next;
        }
    }
}

static void count_page(struct lt_walk_page *page) {
    struct lt_walk_task *task = page->task;
    struct lt_walk_resource *res = task->resource;

    release_tasks(page);
    lt_walk_place_free(&task->counted_at);
    task->counted_at = page->follows; /* with its text */
    page->follows = (struct lt_rest_place){.kind = LT_REST_END};
    task->counted_n += page->n_raw;
    task->counted_body = page->body_hash;
    task->counted_loop = page->loops;
    res->counted_ordinal += page->public.n_records;
    if (!lt_walk_mark_merge(&res->high, page->mark))
        lt_walk_break(res->walk);
    if (page->public.last_of_task)
        lt_walk_task_remove_first(res);
    lt_walk_page_free(page);
    res->walk->moved = true;
}

void lt_walk_count(struct lt_walk_resource *res) {
    bool counted = false;

    while (res->ledger && res->ledger->state == LT_WALK_DONE && !res->ledger->task->origin) {
        struct lt_walk_page *page = res->ledger;
        res->ledger = page->next;
        if (!res->ledger)
            res->ledger_last = NULL;
        count_page(page);
        counted = true;
    }
    for (size_t i = 0; counted && i < res->n_children; i++)
        lt_walk_count(res->children[i]);
}
