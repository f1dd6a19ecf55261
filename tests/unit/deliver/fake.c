/* SPDX-License-Identifier: Apache-2.0 */
/* The state is an array of (kind, name, body) in order; the objects are an array in order of first
 * put. One mutex for both. */
#include "fake.h"

#include <pthread.h>
#include <stdlib.h>

_Thread_local int fake_inside;

struct row {
    char *kind;
    struct lt_buf name, body;
};

struct lt_state {
    struct fake_world *world;
};

struct fake_world {
    struct lt_object_store objects_base; /* first */
    struct lt_state state;
    pthread_mutex_t mu;
    pthread_cond_t released;

    /* guarded by mu */
    struct row *rows;
    size_t n_rows;
    struct fake_object *objects;
    size_t n_objects;
    unsigned n_calls, fail_from;
    bool fail_after;
    leat_status put_status, head_status;
    bool hang, hanging;
};

static void lock(struct fake_world *world) {
    fake_inside++;
    pthread_mutex_lock(&world->mu);
}

static void unlock(struct fake_world *world) {
    pthread_mutex_unlock(&world->mu);
    fake_inside--;
}

/* Counts a call; *apply: it has its effect. */
static leat_status enter(struct fake_world *world, bool *apply, struct leat_error *err) {
    world->n_calls++;
    *apply = !world->fail_from || world->n_calls < world->fail_from;
    if (*apply)
        return LEAT_OK;
    *apply = world->fail_after && world->n_calls == world->fail_from;
    return lt_fail(err, LEAT_E_IO, 0, "the test's disk is gone at call %u", world->n_calls);
}

static int compare(const struct row *row, const char *kind, struct lt_slice name) {
    int c = strcmp(row->kind, kind);
    return c ? c : lt_slice_cmp(lt_buf_slice(&row->name), name);
}

static void drop_row(struct fake_world *world, size_t i) {
    free(world->rows[i].kind);
    lt_buf_deinit(&world->rows[i].name);
    lt_buf_deinit(&world->rows[i].body);
    memmove(&world->rows[i], &world->rows[i + 1], (world->n_rows - i - 1) * sizeof(struct row));
    world->n_rows--;
}

static void change(struct fake_world *world, const struct lt_state_change *c) {
    size_t i = 0;
    while (i < world->n_rows && compare(&world->rows[i], c->kind, c->name) < 0)
        i++;
    bool found = i < world->n_rows && compare(&world->rows[i], c->kind, c->name) == 0;
    if (!c->body.data) {
        if (found)
            drop_row(world, i);
        return;
    }
    if (!found) {
        world->rows = realloc(world->rows, (world->n_rows + 1) * sizeof(struct row));
        memmove(&world->rows[i + 1], &world->rows[i], (world->n_rows - i) * sizeof(struct row));
        world->n_rows++;
        world->rows[i].kind = strdup(c->kind);
        lt_buf_init(&world->rows[i].name, 1 << 20);
        lt_buf_init(&world->rows[i].body, 1 << 24);
        lt_buf_append(&world->rows[i].name, c->name);
    }
    lt_buf_clear(&world->rows[i].body);
    lt_buf_append(&world->rows[i].body, c->body);
}

leat_status lt_state_apply(struct lt_state *state, const struct lt_state_change *changes, size_t n,
                           struct leat_error *err) {
    struct fake_world *world = state->world;
    bool apply;

    lock(world);
    leat_status status = enter(world, &apply, err);
    for (size_t i = 0; apply && i < n; i++)
        change(world, &changes[i]);
    unlock(world);
    return status;
}

leat_status lt_state_set(struct lt_state *state, const char *kind, struct lt_slice name,
                         struct lt_slice body, struct leat_error *err) {
    struct lt_state_change one = {kind, name, body};
    return lt_state_apply(state, &one, 1, err);
}

leat_status lt_state_remove_kind(struct lt_state *state, const char *kind, struct leat_error *err) {
    struct fake_world *world = state->world;
    bool apply;

    lock(world);
    leat_status status = enter(world, &apply, err);
    for (size_t i = world->n_rows; apply && i-- > 0;)
        if (!strcmp(world->rows[i].kind, kind))
            drop_row(world, i);
    unlock(world);
    return status;
}

leat_status lt_state_get(struct lt_state *state, const char *kind, struct lt_slice name,
                         struct lt_arena *arena, struct lt_slice *body, struct leat_error *err) {
    struct fake_world *world = state->world;
    leat_status status = LEAT_E_NOT_FOUND;

    lock(world);
    for (size_t i = 0; i < world->n_rows; i++)
        if (compare(&world->rows[i], kind, name) == 0) {
            *body = lt_arena_dup(arena, lt_buf_slice(&world->rows[i].body));
            status = LEAT_OK;
        }
    unlock(world);
    return status == LEAT_OK ? status : lt_fail(err, status, 0, "no such document");
}

leat_status lt_state_count(struct lt_state *state, const char *kind, uint64_t *n,
                           struct leat_error *err) {
    struct fake_world *world = state->world;
    (void)err;
    lock(world);
    *n = 0;
    for (size_t i = 0; i < world->n_rows; i++)
        *n += !strcmp(world->rows[i].kind, kind);
    unlock(world);
    return LEAT_OK;
}

leat_status lt_state_list(struct lt_state *state, const char *kind, struct lt_slice from,
                          bool after, size_t max, struct lt_arena *arena,
                          struct lt_state_row **rows, size_t *n, struct leat_error *err) {
    struct fake_world *world = state->world;
    (void)err;
    lock(world);
    *rows = lt_arena_calloc(arena, max, sizeof(**rows));
    *n = 0;
    for (size_t i = 0; i < world->n_rows && *n < max; i++) {
        if (strcmp(world->rows[i].kind, kind))
            continue;
        int c = lt_slice_cmp(lt_buf_slice(&world->rows[i].name), from);
        if (c < 0 || (after && c == 0))
            continue;
        (*rows)[*n].name = lt_arena_dup(arena, lt_buf_slice(&world->rows[i].name));
        (*rows)[(*n)++].body = lt_arena_dup(arena, lt_buf_slice(&world->rows[i].body));
    }
    unlock(world);
    return LEAT_OK;
}

static struct fake_object *find_object(struct fake_world *world, struct lt_slice key) {
    for (size_t i = 0; i < world->n_objects; i++)
        if (lt_slice_eq_str(key, world->objects[i].key))
            return &world->objects[i];
    return NULL;
}

static void store(struct fake_world *world, const struct lt_object_put *put) {
    struct fake_object *object = find_object(world, put->key);
    struct leat_error err;
    struct lt_buf data;

    lt_buf_init(&data, 1 << 28);
    if (lt_object_put_join(put, &data, &err) != LEAT_OK)
        abort();
    if (!object) {
        world->objects =
            realloc(world->objects, (world->n_objects + 1) * sizeof(world->objects[0]));
        object = &world->objects[world->n_objects++];
        *object = (struct fake_object){.same_each_put = true};
        object->key = strndup(put->key.data, put->key.len);
        object->encoding = put->content_encoding ? strdup(put->content_encoding) : NULL;
    } else if (!lt_slice_eq(lt_buf_slice(&object->data), lt_buf_slice(&data))) {
        object->same_each_put = false;
    }
    object->n_puts++;
    lt_buf_deinit(&object->data);
    object->data = data;
}

static leat_status put(struct lt_object_store *base, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    struct fake_world *world = (struct fake_world *)base;
    bool apply;

    lock(world);
    while (world->hang) {
        world->hanging = true;
        pthread_cond_wait(&world->released, &world->mu);
    }
    leat_status status = enter(world, &apply, err);
    if (world->put_status != LEAT_OK) {
        apply = false;
        status = lt_fail(err, world->put_status, 0, "bucket %s: no", bucket);
    }
    if (apply)
        store(world, object);
    unlock(world);
    return status;
}

static leat_status head(struct lt_object_store *base, const char *bucket, struct lt_slice key,
                        struct lt_arena *arena, struct lt_object_info *info,
                        struct leat_error *err) {
    struct fake_world *world = (struct fake_world *)base;
    leat_status status;

    (void)bucket, (void)arena;
    lock(world);
    status = world->head_status;
    if (status == LEAT_OK && world->fail_from && world->n_calls + 1 >= world->fail_from)
        status = LEAT_E_NETWORK;
    if (status == LEAT_OK && !find_object(world, key))
        status = LEAT_E_NOT_FOUND;
    unlock(world);
    if (status != LEAT_OK)
        return lt_fail(err, status, 0, "no object %.*s", LT_FMT(key));
    *info = (struct lt_object_info){.key = key};
    return LEAT_OK;
}

static const struct lt_object_ops ops = {.put = put, .head = head};

struct fake_world *fake_new(void) {
    struct fake_world *world = calloc(1, sizeof(*world));
    world->objects_base.ops = &ops;
    world->state.world = world;
    pthread_mutex_init(&world->mu, NULL);
    pthread_cond_init(&world->released, NULL);
    return world;
}

void fake_free(struct fake_world *world) {
    while (world->n_rows)
        drop_row(world, world->n_rows - 1);
    while (world->n_objects)
        fake_remove_object(world, world->n_objects - 1);
    free(world->rows);
    free(world->objects);
    pthread_cond_destroy(&world->released);
    pthread_mutex_destroy(&world->mu);
    free(world);
}

struct lt_object_store *fake_objects(struct fake_world *world) {
    return &world->objects_base;
}

struct lt_state *fake_state(struct fake_world *world) {
    return &world->state;
}

void fake_fail_from(struct fake_world *world, unsigned n, bool after) {
    lock(world);
    world->fail_from = n;
    world->fail_after = after;
    unlock(world);
}

unsigned fake_n_calls(struct fake_world *world) {
    lock(world);
    unsigned n = world->n_calls;
    unlock(world);
    return n;
}

void fake_put_status(struct fake_world *world, leat_status status) {
    lock(world);
    world->put_status = status;
    unlock(world);
}

void fake_head_status(struct fake_world *world, leat_status status) {
    lock(world);
    world->head_status = status;
    unlock(world);
}

void fake_hang(struct fake_world *world) {
    lock(world);
    world->hang = true;
    unlock(world);
}

void fake_release(struct fake_world *world) {
    lock(world);
    world->hang = world->hanging = false;
    pthread_cond_broadcast(&world->released);
    unlock(world);
}

bool fake_is_hanging(struct fake_world *world) {
    lock(world);
    bool hanging = world->hanging;
    unlock(world);
    return hanging;
}

size_t fake_n_objects(struct fake_world *world) {
    lock(world);
    size_t n = world->n_objects;
    unlock(world);
    return n;
}

const struct fake_object *fake_object(struct fake_world *world, size_t i) {
    return i < world->n_objects ? &world->objects[i] : NULL;
}

char *fake_all_bytes(struct fake_world *world, size_t *len) {
    struct lt_buf all;
    lt_buf_init(&all, 1 << 30);
    for (size_t i = 0; i < world->n_objects; i++)
        lt_buf_append(&all, lt_buf_slice(&world->objects[i].data));
    *len = all.len;
    lt_buf_cstr(&all);
    return all.data;
}

void fake_remove_object(struct fake_world *world, size_t i) {
    free(world->objects[i].key);
    free(world->objects[i].encoding);
    lt_buf_deinit(&world->objects[i].data);
    memmove(&world->objects[i], &world->objects[i + 1],
            (world->n_objects - i - 1) * sizeof(world->objects[0]));
    world->n_objects--;
}

size_t fake_n_documents(struct fake_world *world) {
    lock(world);
    size_t n = world->n_rows;
    unlock(world);
    return n;
}
