/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record through the fuse: copied to where its result will be, walked there once, and then each
 * expression's diagram says what it gives; the fields are written behind the record's last member.
 */
#include "expr/fuse.h"

#include "expr/fuse_run.h"
#include "expr/val.h"

#include <stdlib.h>

enum {
    MAX_PLAN_BYTES = 8 << 20,
    NUMBER_BYTES = 40,   /* room for any number and a comma */
    HEAD_BYTES = 64,     /* copied at once */
    TRAIN_EVERY = 16384, /* records */
    TRAIN_FOR = 256,
    FORGET_AFTER = 4096, /* gaps that no site had, since there was room for more */
    PATIENCE = 64,       /* records in a row that did not fit; then only one in PATIENCE is tried */
};

struct lt_fuse {
    struct lt_arena arena; /* owns the plan and the sites */
    struct lt_fuse_plan plan;
    struct lt_fuse_walk walk;
    lt_fuse_walker *walker;
    struct lt_json_field *fields; /* of the sets: names; values of the record at work */
    struct lt_slice *heads;       /* `,"name":` of each */
    size_t n_sets, n_routes;
    size_t head_bytes;
    char *copy; /* of a record whose result is not written over it */
    size_t copy_cap;
    struct lt_buf number; /* a double's text */
    uint32_t n_records;
    uint32_t n_misfits; /* in a row */
};

static const char *forced;

static bool has_avx2(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

const char *lt_fuse_walker_name(void) {
    return forced ? forced : has_avx2() ? "avx2" : "portable";
}

bool lt_fuse_walker_use(const char *name) {
    bool avx2 = strcmp(name, "avx2") == 0;

    if (avx2 ? !has_avx2() : strcmp(name, "portable") != 0)
        return false;
    forced = avx2 ? "avx2" : "portable";
    return true;
}

static lt_fuse_walker *choose_walker(void) {
#if defined(__x86_64__)
    if (strcmp(lt_fuse_walker_name(), "avx2") == 0)
        return lt_fuse_walk_avx2;
#endif
    return lt_fuse_walk_portable;
}

/* The text before a field's value, made once. */
static bool make_heads(struct lt_fuse *fuse, const struct lt_expr_source *source) {
    struct lt_buf buf;
    bool ok = true;

    fuse->n_sets = source->n_sets;
    fuse->n_routes = source->n_routes;
    fuse->fields = lt_arena_calloc(&fuse->arena, source->n_sets, sizeof(*fuse->fields));
    fuse->heads = lt_arena_calloc(&fuse->arena, source->n_sets, sizeof(*fuse->heads));
    if (!fuse->fields || !fuse->heads)
        return false;
    lt_buf_init(&buf, MAX_PLAN_BYTES);
    for (size_t i = 0; ok && i < source->n_sets; i++) {
        lt_buf_clear(&buf);
        lt_buf_append_byte(&buf, ',');
        lt_json_write_string(&buf, source->sets[i].name);
        lt_buf_append_byte(&buf, ':');
        char *head = lt_arena_calloc(&fuse->arena, 1, buf.len + HEAD_BYTES);
        if (head && !buf.failed)
            memcpy(head, buf.data, buf.len);
        fuse->heads[i] = lt_slice(head, buf.len);
        fuse->fields[i].name = lt_arena_dup(&fuse->arena, source->sets[i].name);
        fuse->head_bytes += fuse->heads[i].len + NUMBER_BYTES;
        ok = !buf.failed && fuse->heads[i].data && fuse->fields[i].name.data;
    }
    lt_buf_deinit(&buf);
    return ok;
}

leat_status lt_fuse_new(struct lt_fuse **out, const struct lt_fuse_parts *parts, char why[160],
                        struct leat_error *err) {
    leat_status status = LEAT_OK;
    struct lt_fuse *fuse = calloc(1, sizeof(*fuse));

    *out = NULL;
    why[0] = '\0';
    if (!fuse)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    lt_arena_init(&fuse->arena, MAX_PLAN_BYTES);
    lt_buf_init(&fuse->number, 64);
    fuse->walker = choose_walker();
    bool fits = lt_fuse_recognise(&fuse->plan, parts, &fuse->arena, why);
    if (fits)
        status = lt_fuse_walk_init(&fuse->walk, &fuse->plan, &fuse->arena, err);
    if (status == LEAT_OK && ((!fits && !why[0]) || (fits && !make_heads(fuse, parts->source))))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a pipeline's expressions");
    if (status == LEAT_OK && fits)
        *out = fuse;
    else
        lt_fuse_free(fuse);
    return status;
}

void lt_fuse_free(struct lt_fuse *fuse) {
    if (!fuse)
        return;
    lt_fuse_walk_deinit(&fuse->walk);
    lt_arena_deinit(&fuse->arena);
    lt_buf_deinit(&fuse->number);
    free(fuse->copy);
    free(fuse);
}

/* --- values as text ----------------------------------------------------------------------- */

/* At most NUMBER_BYTES. */
static char *write_int(char *to, int64_t value) {
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[20];
    unsigned at = sizeof(digits);

    if (value < 0)
        *to++ = '-';
    if (rest < 100) { /* without a branch on the number of digits */
        unsigned tens = (unsigned)rest / 10;
        to[0] = (char)('0' + (tens ? tens : rest));
        to[1] = (char)('0' + rest % 10);
        return to + 1 + (tens > 0);
    }
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    memcpy(to, digits + at, sizeof(digits) - at);
    return to + sizeof(digits) - at;
}

static char *write_bytes(char *to, struct lt_slice bytes) {
    if (bytes.data)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* For what has HEAD_BYTES readable behind it, as the room has them to write to. */
static char *write_head(char *to, struct lt_slice head) {
    memcpy(to, head.data, HEAD_BYTES);
    if (head.len > HEAD_BYTES)
        memcpy(to + HEAD_BYTES, head.data + HEAD_BYTES, head.len - HEAD_BYTES);
    return to + head.len;
}

/* The bytes that a leaf's value takes at most; SIZE_MAX when it is for the evaluator to write. */
static size_t room_for(const struct lt_fuse_walk *w, const struct lt_fuse_leaf *leaf) {
    if (leaf->what == LT_FUSE_CONST)
        return leaf->text.len + NUMBER_BYTES;
    if (leaf->what == LT_FUSE_CELL && w->cells[leaf->column].at)
        return w->cells[leaf->column].len + NUMBER_BYTES;
    return leaf->what == LT_FUSE_DEOPT || leaf->what == LT_FUSE_EMPTY ? SIZE_MAX : NUMBER_BYTES;
}

static char *write_number(struct lt_fuse *fuse, char *to, const struct lt_fuse_number *n) {
    struct lt_heap heap = {.arena = &fuse->arena}; /* a number takes nothing of it */

    if (n->at)
        return write_bytes(to, lt_slice(n->at, n->len));
    if (n->is_int)
        return write_int(to, n->i);
    lt_buf_clear(&fuse->number);
    lt_val_write(&heap, &fuse->number, lt_val_double(n->d));
    return fuse->number.failed || fuse->number.len > NUMBER_BYTES
               ? NULL
               : write_bytes(to, lt_buf_slice(&fuse->number));
}

/* A leaf's value as JSON; NULL when the evaluator is asked. */
static char *write_leaf(struct lt_fuse *fuse, const struct lt_fuse_leaf *leaf, char *to) {
    const struct lt_fuse_walk *w = &fuse->walk;
    struct lt_fuse_number n;

    if (leaf->what == LT_FUSE_CONST)
        return write_bytes(to, leaf->text);
    if (leaf->what == LT_FUSE_CELL) {
        const struct lt_fuse_cell *cell = &w->cells[leaf->column];
        enum lt_fuse_class type =
            lt_fuse_type(&w->plan->columns[leaf->column], w->class[leaf->column]);
        if (type == LT_FUSE_INT)
            return write_int(to, cell->i);
        if (type == LT_FUSE_STRING) {
            if (memchr(cell->at, 0x7f, cell->len))
                return NULL; /* jq prints it as an escape */
            *to++ = '"';
            to = write_bytes(to, lt_slice(cell->at, cell->len));
            *to++ = '"';
            return to;
        }
    }
    return lt_fuse_leaf_number(w, leaf, &n) ? write_number(fuse, to, &n) : NULL;
}

/* --- a record ----------------------------------------------------------------------------- */

struct job {
    struct lt_fuse *fuse;
    struct lt_slice record;
    struct lt_arena *arena;
    char *copy;
    size_t room; /* bytes from `copy` on */
    bool in_arena;
};

static const struct lt_fuse_leaf *find_leaf(const struct lt_fuse *fuse, uint16_t node) {
    const struct lt_fuse_plan *plan = &fuse->plan;
    node = lt_fuse_decide(plan->diagram.words, node, fuse->walk.class);
    return &plan->leaves[node & ~LT_FUSE_LEAF];
}

/* The copy stands where the result will be, if fields are to be added. */
static bool make_copy(struct job *job) {
    struct lt_fuse *fuse = job->fuse;

    if (job->record.len > UINT32_MAX - 4096)
        return false;
    job->room = job->record.len + fuse->head_bytes + HEAD_BYTES + LT_FUSE_PADDING;
    job->in_arena = fuse->n_sets != 0;
    if (job->in_arena) {
        job->copy = lt_arena_alloc(job->arena, job->room);
        if (!job->copy)
            return false;
    } else {
        if (job->room > fuse->copy_cap) {
            free(fuse->copy);
            fuse->copy_cap = job->room < 4096 ? 4096 : job->room * 2;
            fuse->copy = malloc(fuse->copy_cap);
            if (!fuse->copy)
                fuse->copy_cap = 0;
        }
        job->copy = fuse->copy;
        if (!job->copy)
            return false;
    }
    memcpy(job->copy, job->record.data, job->record.len);
    memset(job->copy + job->record.len, 0, LT_FUSE_PADDING);
    fuse->walk.end = job->copy + job->record.len;
    return true;
}

/* More room than fields usually take: a copy of the copy, in which cells still point into the old
 * one. */
static bool make_room(struct job *job, size_t more, char **tail) {
    size_t before = (size_t)(*tail - job->copy);
    char *copy = lt_arena_alloc(job->arena, job->room + more);

    if (!copy)
        return false;
    memcpy(copy, job->copy, before);
    job->copy = copy;
    job->room += more;
    *tail = copy + before;
    return true;
}

/* Fields behind the last member. What stands there (a brace, white space) goes behind them. */
static bool add_fields(struct job *job, struct lt_slice *data) {
    struct lt_fuse *fuse = job->fuse;
    struct lt_fuse_walk *w = &fuse->walk;
    char rest[LT_FUSE_MAX_GAP];
    size_t n_rest = (size_t)(w->end - w->tail);
    char *to = job->copy + (w->tail - job->copy);
    size_t free_bytes = job->room - (size_t)(to - job->copy);

    memcpy(rest, w->tail, sizeof(rest)); /* the padding is readable */
    for (size_t i = 0; i < fuse->n_sets; i++) {
        const struct lt_fuse_leaf *leaf = find_leaf(fuse, fuse->plan.sets[i]);
        struct lt_slice head = lt_slice_from(fuse->heads[i], i == 0 && w->is_empty);
        size_t room = room_for(w, leaf);
        if (room == SIZE_MAX)
            return false;
        if (head.len + HEAD_BYTES + room + sizeof(rest) > free_bytes) {
            if (!make_room(job, head.len + room + fuse->head_bytes + LT_FUSE_PADDING, &to))
                return false;
            free_bytes = job->room - (size_t)(to - job->copy);
        }
        char *start = to;
        to = write_leaf(fuse, leaf, write_head(to, head));
        if (!to)
            return false;
        free_bytes -= (size_t)(to - start);
    }
    memcpy(to, rest, sizeof(rest));
    *data = lt_slice(job->copy, (size_t)(to - job->copy) + n_rest);
    return true;
}

/* The record has one of the fields already: its value is replaced. */
static bool replace_fields(struct job *job, struct lt_slice *data) {
    struct lt_fuse *fuse = job->fuse;
    struct lt_json object;
    struct lt_buf out;

    if (lt_json_parse(&object, job->record, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return false;
    for (size_t i = 0; i < fuse->n_sets; i++) {
        const struct lt_fuse_leaf *leaf = find_leaf(fuse, fuse->plan.sets[i]);
        size_t room = room_for(&fuse->walk, leaf);
        char *text = room == SIZE_MAX ? NULL : lt_arena_alloc(job->arena, room);
        char *end = text ? write_leaf(fuse, leaf, text) : NULL;
        if (!end)
            return false;
        fuse->fields[i].value = lt_slice(text, (size_t)(end - text));
    }
    size_t before = (size_t)(object.raw.data - job->record.data);
    lt_buf_init(&out, SIZE_MAX);
    lt_buf_append(&out, lt_slice(job->record.data, before));
    lt_json_splice(object, fuse->fields, fuse->n_sets, &out);
    lt_buf_append(&out, lt_slice_from(job->record, before + object.raw.len));
    *data = out.failed ? lt_slice(NULL, 0) : lt_arena_dup(job->arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    return data->data != NULL;
}

static bool find_route(const struct lt_fuse *fuse, struct lt_expr_result *result) {
    for (size_t i = 0; i < fuse->n_routes; i++) {
        const struct lt_fuse_leaf *leaf;
        if (fuse->plan.routes[i] == LT_FUSE_NO_NODE) {
            result->route = i;
            return true;
        }
        leaf = find_leaf(fuse, fuse->plan.routes[i]);
        if (leaf->what == LT_FUSE_DEOPT)
            return false;
        if (leaf->what == LT_FUSE_CONST && leaf->type == LT_FUSE_TRUE) {
            result->route = i;
            return true;
        }
    }
    if (fuse->n_routes)
        *result = (struct lt_expr_result){.outcome = LT_EXPR_NO_ROUTE,
                                          .reason = LT_LIT("no route's condition holds")};
    return true;
}

/* A string is its own bytes, null is no key, other things are their JSON. */
static bool find_key(struct job *job, struct lt_slice *key) {
    struct lt_fuse *fuse = job->fuse;
    const struct lt_fuse_walk *w = &fuse->walk;
    const struct lt_fuse_leaf *leaf = find_leaf(fuse, fuse->plan.key);

    if (leaf->what == LT_FUSE_EMPTY || (leaf->what == LT_FUSE_CONST && leaf->type == LT_FUSE_NULL))
        return true;
    size_t room = room_for(w, leaf);
    char *text = room == SIZE_MAX ? NULL : lt_arena_alloc(job->arena, room);
    char *end = text ? write_leaf(fuse, leaf, text) : NULL;
    if (!end)
        return false;
    bool quoted = *text == '"';
    *key = lt_slice(text + quoted, (size_t)(end - text) - 2 * quoted);
    return true;
}

static bool run(struct job *job, struct lt_expr_result *result) {
    struct lt_fuse *fuse = job->fuse;
    struct lt_fuse_walk *w = &fuse->walk;

    *result = (struct lt_expr_result){.outcome = LT_EXPR_OK, .data = job->record};
    if (!make_copy(job))
        return false;
    lt_fuse_begin(w);
    if (!fuse->walker(w, job->copy))
        return false;
    lt_fuse_finish(w);
    if (!find_route(fuse, result) || (fuse->plan.has_key && !find_key(job, &result->key)))
        return false;
    if (fuse->n_sets == 0)
        return true;
    bool ok = w->class[LT_FUSE_REPLACED] == LT_FUSE_TRUE ? replace_fields(job, &result->data)
                                                         : add_fields(job, &result->data);
    if (ok && result->outcome != LT_EXPR_OK) {
        result->data = lt_slice(NULL, 0);
        result->key = lt_slice(NULL, 0);
    }
    return ok;
}

/* Now and then what comes often is counted anew; and where records changed for good, or there are
 * so many kinds that there is no room for them, all begins again. */
static void tend(struct lt_fuse *fuse) {
    uint32_t at = fuse->n_records++ % TRAIN_EVERY;

    if (at == 0) {
        fuse->walker = lt_fuse_walk_portable;
    } else if (at == TRAIN_FOR) {
        fuse->walker = choose_walker();
        lt_fuse_settle_sites(&fuse->walk);
        if (fuse->walk.n_sites == LT_FUSE_MAX_SITES && fuse->walk.n_unknown > FORGET_AFTER)
            lt_fuse_init_sites(&fuse->walk);
    }
}

bool lt_fuse_run(struct lt_fuse *fuse, struct lt_slice record, struct lt_expr_result *result,
                 struct lt_arena *arena) {
    struct job job = {.fuse = fuse, .record = record, .arena = arena};

    tend(fuse);
    if (fuse->n_misfits > PATIENCE && fuse->n_records % PATIENCE)
        return false;
    if (run(&job, result)) {
        fuse->n_misfits = 0;
        return true;
    }
    fuse->n_misfits++;
    return false;
}
