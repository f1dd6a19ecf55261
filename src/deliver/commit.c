/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps in a table, each of which either succeeds and names the next, or fails and stays. Exactly
 * once rests on their order: the intent is on disk before the object can appear, and the positions
 * move only after it appeared. An object that a crash may have left is looked for first: its key
 * is a hash of what it holds, so one that is there is the one.
 */
#include "deliver/commit.h"

#include "deliver/compress.h"
#include "deliver/work.h"

#include <stdlib.h>

enum step { STEP_PROBE, STEP_NAME, STEP_INTEND, STEP_BUILD, STEP_PUT, STEP_SETTLE, STEP_END };

struct lt_commit {
    struct lt_work work;
    const struct lt_commit_target *target; /* immutable */

    /* the worker's while one runs, else the loop's */
    enum step step;
    struct lt_intent *intent;
    struct lt_gather gather;
    struct lt_slice *pieces; /* of the gather's bytes, until they are packed or put */
    size_t n_pieces;
    struct lt_buf packed;
    bool given;                     /* a resumed one has its records again */
    bool absent;                    /* the resumed one's object is surely not there */
    enum lt_commit_outcome outcome; /* when the last step succeeded */
    leat_status status;
    struct leat_error err;

    /* loop thread only */
    lt_commit_done *done;
    void *ctx;
};

/* Is the resumed object there? Not to know is no failure as long as all its records are. */
static leat_status probe(struct lt_commit *c, struct leat_error *err) {
    struct lt_object_store *objects = c->target->objects;
    struct lt_object_info info;
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 20);
    leat_status status = objects->ops->head(objects, c->target->bucket,
                                            lt_slice_str(c->intent->key), &arena, &info, err);
    lt_arena_deinit(&arena);
    if (status == LEAT_OK) {
        c->step = STEP_SETTLE;
        return LEAT_OK;
    }
    c->absent = status == LEAT_E_NOT_FOUND;
    if (!c->given) {
        c->outcome = LT_COMMIT_ABSENT;
        c->step = STEP_END;
        return LEAT_OK;
    }
    c->step = c->gather.n_records ? STEP_BUILD : STEP_SETTLE;
    if (c->absent || c->gather.n_records == c->intent->n_records)
        return LEAT_OK;
    c->step = STEP_PROBE;
    lt_error_prefix(err, "looking for the object %s, some of whose records have expired",
                    c->intent->key);
    return status;
}

static leat_status name(struct lt_commit *c, struct leat_error *err) {
    leat_status status = lt_intent_new(&c->intent, &c->target->naming, &c->gather, err);
    if (status == LEAT_OK)
        c->step = STEP_INTEND;
    return status;
}

static leat_status intend(struct lt_commit *c, struct leat_error *err) {
    leat_status status = lt_book_intend(c->target->book, c->intent, err);
    if (status == LEAT_OK)
        c->step = STEP_BUILD;
    return status;
}

/* Compression wants its input in one piece. */
static leat_status pack(struct lt_commit *c, const struct lt_compressor *compressor,
                        struct leat_error *err) {
    const struct lt_object_put object = {.rest = c->pieces, .n_rest = c->n_pieces};
    struct lt_buf whole;

    lt_buf_init(&whole, PTRDIFF_MAX);
    leat_status status = lt_object_put_join(&object, &whole, err);
    if (status == LEAT_OK)
        status = compressor->run(lt_buf_slice(&whole), &c->packed, err);
    lt_buf_deinit(&whole);
    if (status != LEAT_OK) {
        lt_buf_deinit(&c->packed);
        return status;
    }
    c->n_pieces = 0;
    lt_gather_free_bytes(&c->gather);
    return LEAT_OK;
}

static leat_status build(struct lt_commit *c, struct leat_error *err) {
    const struct lt_compressor *compressor = lt_compressor_of(c->intent->compression);
    leat_status status = LEAT_OK;

    if (!c->pieces)
        status = lt_gather_pieces(&c->gather, &c->pieces, &c->n_pieces, err);
    if (status == LEAT_OK && compressor->run)
        status = pack(c, compressor, err);
    if (status == LEAT_OK)
        c->step = STEP_PUT;
    return status;
}

static leat_status put(struct lt_commit *c, struct leat_error *err) {
    struct lt_object_store *objects = c->target->objects;
    struct lt_object_put object = {
        .key = lt_slice_str(c->intent->key),
        .data = lt_buf_slice(&c->packed),
        .rest = c->pieces,
        .n_rest = c->n_pieces,
        .content_type = "application/octet-stream",
        .content_encoding = lt_compressor_of(c->intent->compression)->content_encoding,
    };
    leat_status status = objects->ops->put(objects, c->target->bucket, &object, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_deinit(&c->packed);
    c->n_pieces = 0;
    lt_gather_free_bytes(&c->gather);
    c->step = STEP_SETTLE;
    return LEAT_OK;
}

static leat_status settle(struct lt_commit *c, struct leat_error *err) {
    leat_status status = lt_book_settle(c->target->book, c->intent, err);
    if (status == LEAT_OK) {
        c->outcome = LT_COMMIT_DONE;
        c->step = STEP_END;
    }
    return status;
}

static leat_status (*const steps[STEP_END])(struct lt_commit *, struct leat_error *) = {
    [STEP_PROBE] = probe, [STEP_NAME] = name, [STEP_INTEND] = intend,
    [STEP_BUILD] = build, [STEP_PUT] = put,   [STEP_SETTLE] = settle,
};

static void free_commit(void *ctx) {
    struct lt_commit *c = ctx;

    lt_intent_free(c->intent);
    lt_gather_deinit(&c->gather);
    free(c->pieces);
    lt_buf_deinit(&c->packed);
    free(c);
}

static void run(void *ctx) {
    struct lt_commit *c = ctx;

    do
        c->status = steps[c->step](c, &c->err);
    while (c->status == LEAT_OK && c->step != STEP_END);
}

static void on_run(void *ctx) {
    struct lt_commit *c = ctx;
    c->done(c->ctx, c->status == LEAT_OK ? c->outcome : LT_COMMIT_FAILED, &c->err);
}

static struct lt_commit *new_commit(const struct lt_commit_target *target) {
    struct lt_commit *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    lt_work_init(&c->work);
    c->target = target;
    lt_buf_init(&c->packed, PTRDIFF_MAX);
    return c;
}

struct lt_commit *lt_commit_new(const struct lt_commit_target *target, struct lt_gather *gather) {
    struct lt_commit *c = new_commit(target);

    if (c) {
        c->step = STEP_NAME;
        c->gather = *gather;
        *gather = (struct lt_gather){0};
    }
    return c;
}

struct lt_commit *lt_commit_resume(const struct lt_commit_target *target,
                                   struct lt_intent *intent) {
    struct lt_commit *c = new_commit(target);

    if (c) {
        c->step = STEP_PROBE;
        c->intent = intent;
    }
    return c;
}

void lt_commit_give(struct lt_commit *c, struct lt_gather *gather) {
    c->gather = *gather;
    *gather = (struct lt_gather){0};
    c->given = true;
    c->step = STEP_PROBE;
    if (c->absent)
        c->step = c->gather.n_records ? STEP_BUILD : STEP_SETTLE;
}

void lt_commit_start(struct lt_commit *c, lt_commit_done *done, void *ctx) {
    c->done = done;
    c->ctx = ctx;
    lt_work_start(&c->work, c->target->loop, run, on_run, c);
}

const struct lt_intent *lt_commit_intent(const struct lt_commit *c) {
    return c->intent;
}

void lt_commit_cancel(struct lt_commit *c) {
    if (c)
        lt_work_abandon(&c->work, free_commit, c);
}
