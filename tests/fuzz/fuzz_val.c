/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a list of changes to arrays, objects and strings, each made to any version that was made
 * before. A plain model that copies everything does the same: all versions must show what the model
 * has, in whatever order they are looked at, and elements that are pinned stay where they lie.
 */
#include "expr/val.h"

#include <stdio.h>
#include <stdlib.h>

enum { VERSIONS = 64, MOST = 96, NAMES = 48, PINS = 4, ARENA_BYTES = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct model {
    enum lt_val_kind kind;
    size_t n;
    int name[MOST];
    int64_t value[MOST];
};

struct version {
    struct lt_val v;
    struct model model;
};

struct pin {
    void *pin;
    const struct lt_val *items;
    struct model model;
};

struct state {
    struct lt_heap heap;
    struct version versions[VERSIONS];
    size_t n;
    struct pin pins[PINS];
    int64_t next; /* each value is another */
};

static void must(bool holds) {
    if (!holds)
        abort();
}

static struct lt_val name_of(struct state *s, int id) {
    char text[16];
    int len = snprintf(text, sizeof(text), "name%d", id);
    return lt_val_copy_string(&s->heap, lt_slice(text, (size_t)len));
}

static int find(const struct model *m, int name) {
    for (size_t i = 0; i < m->n; i++)
        if (m->name[i] == name)
            return (int)i;
    return -1;
}

static int64_t whole(struct lt_val v) {
    v = lt_val_number(v);
    must(v.kind == LT_VAL_NUMBER && v.form == LT_VAL_INT);
    return v.i;
}

static void check_object(struct state *s, const struct version *x) {
    size_t n;
    const struct lt_member *members = lt_val_members(&s->heap, x->v, &n);
    must(n == x->model.n);
    for (size_t i = 0; i < n; i++) {
        struct lt_slice name = lt_val_bytes(&s->heap, name_of(s, x->model.name[i]));
        must(lt_slice_eq(lt_slice(members[i].name.s, members[i].name.n), name));
        must(whole(members[i].value) == x->model.value[i]);
    }
    for (int id = 0; id < NAMES; id++) {
        struct lt_val got;
        int at = find(&x->model, id);
        struct lt_slice name = lt_val_bytes(&s->heap, name_of(s, id));
        must(lt_val_object_get(&s->heap, x->v, name, &got) == (at >= 0));
        must(at < 0 || whole(got) == x->model.value[at]);
    }
}

static void check(struct state *s, const struct version *x) {
    const struct model *m = &x->model;
    must(x->v.kind == m->kind);
    if (m->kind == LT_VAL_ARRAY) {
        must(lt_val_array_len(&s->heap, x->v) == m->n);
        for (size_t i = 0; i < m->n; i++)
            must(whole(lt_val_array_get(&s->heap, x->v, i)) == m->value[i]);
    } else if (m->kind == LT_VAL_OBJECT) {
        check_object(s, x);
    } else {
        struct lt_slice bytes = lt_val_bytes(&s->heap, x->v);
        must(bytes.len == m->n);
        for (size_t i = 0; i < m->n; i++)
            must(bytes.data[i] == (char)('a' + m->value[i] % 26));
    }
}

static void change_array(struct state *s, struct version *to, unsigned op, unsigned arg,
                         const struct version *other) {
    struct model *m = &to->model;
    size_t at = arg % MOST, until = m->n;
    switch (op % 4) {
    case 0: /* behind the last one: nulls would fill the gap */
        at = m->n ? at % (m->n + 1) : 0;
        if (at == MOST)
            return;
        to->v = at == m->n && arg & 1 ? lt_val_array_append(&s->heap, to->v, lt_val_int(s->next))
                                      : lt_val_array_set(&s->heap, to->v, at, lt_val_int(s->next));
        m->n += at == m->n;
        m->value[at] = s->next++;
        return;
    case 1:
        at = m->n ? at % m->n : 0;
        until = arg & 1 ? m->n : at + (m->n - at) / 2;
        to->v = lt_val_array_slice(&s->heap, to->v, at, until);
        memmove(m->value, m->value + at, (until - at) * sizeof(*m->value));
        m->n = until - at;
        return;
    case 2:
        to->v = lt_val_array_slice(&s->heap, to->v, 0, at);
        m->n = at < m->n ? at : m->n;
        return;
    default:
        if (other->model.kind != LT_VAL_ARRAY || m->n + other->model.n > MOST)
            return;
        size_t n;
        const struct lt_val *items = lt_val_items(&s->heap, other->v, &n);
        to->v = lt_val_array_extend(&s->heap, to->v, items, n);
        memcpy(m->value + m->n, other->model.value, n * sizeof(*m->value));
        m->n += n;
    }
}

static void change_object(struct state *s, struct version *to, unsigned op, unsigned arg) {
    struct model *m = &to->model;
    int id = (int)(arg % NAMES), at = find(m, id);
    struct lt_val name = name_of(s, id);
    if (op % 4) {
        to->v = lt_val_object_set(&s->heap, to->v, name, lt_val_int(s->next));
        if (at < 0)
            m->name[at = (int)m->n++] = id;
        m->value[at] = s->next++;
        return;
    }
    to->v = lt_val_object_delete(&s->heap, to->v, lt_val_bytes(&s->heap, name));
    if (at < 0)
        return;
    m->n--;
    for (size_t i = (size_t)at; i < m->n; i++) {
        m->name[i] = m->name[i + 1];
        m->value[i] = m->value[i + 1];
    }
}

static void change_string(struct state *s, struct version *to, const struct version *other) {
    struct model *m = &to->model;
    if (other->model.kind != LT_VAL_STRING || m->n + other->model.n > MOST)
        return;
    to->v = lt_val_concat(&s->heap, to->v, other->v);
    memcpy(m->value + m->n, other->model.value, other->model.n * sizeof(*m->value));
    m->n += other->model.n;
}

/* What was pinned lies as it lay. Then another is pinned. */
static void change_pin(struct state *s, const struct version *x, size_t which) {
    struct pin *pin = &s->pins[which];
    if (pin->pin) {
        for (size_t i = 0; i < pin->model.n; i++)
            must(whole(pin->items[i]) == pin->model.value[i]);
        lt_val_unpin(pin->pin);
        pin->pin = NULL;
    }
    if (x->model.kind != LT_VAL_ARRAY)
        return;
    size_t n;
    pin->items = lt_val_items(&s->heap, x->v, &n);
    pin->pin = lt_val_pin(&s->heap, x->v);
    pin->model = x->model;
    must(n == x->model.n);
}

static void start(struct state *s, struct lt_slice text, enum lt_val_kind kind) {
    struct version *x = &s->versions[s->n++];
    struct leat_error err;
    *x = (struct version){.model = {.kind = kind}};
    must(lt_val_parse(&s->heap, text, &x->v, &err) == LEAT_OK);
    if (kind == LT_VAL_ARRAY)
        for (; x->model.n < 5; x->model.n++)
            x->model.value[x->model.n] = (int64_t)x->model.n;
    if (kind == LT_VAL_STRING)
        for (; x->model.n < 3; x->model.n++)
            x->model.value[x->model.n] = (int64_t)x->model.n;
    if (kind == LT_VAL_OBJECT)
        for (; x->model.n < 3; x->model.n++) {
            x->model.name[x->model.n] = (int)x->model.n;
            x->model.value[x->model.n] = (int64_t)x->model.n + 1;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct state s;
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_BYTES);
    s = (struct state){.heap = {.arena = &arena}, .next = 100};
    start(&s, LT_LIT("[0,1, 2,3,4]"), LT_VAL_ARRAY);
    start(&s, LT_LIT("{\"name0\":9,\"name1\":2,\"nam\\u00652\":3,\"name0\":1}"), LT_VAL_OBJECT);
    start(&s, LT_LIT("\"a\\u0062c\""), LT_VAL_STRING);
    for (size_t i = 0; i + 3 <= len && i < 600; i += 3) {
        const struct version *from = &s.versions[data[i + 1] % s.n];
        const struct version *other = &s.versions[data[i + 2] % s.n];
        unsigned op = data[i];
        if (op >= 0xf0) {
            change_pin(&s, from, op % PINS);
            continue;
        }
        if (op >= 0xe0) {
            check(&s, from);
            continue;
        }
        struct version made = *from;
        if (op >= 0xd8)
            made.v = lt_val_freeze(&s.heap, made.v);
        else if (made.model.kind == LT_VAL_ARRAY)
            change_array(&s, &made, op, data[i + 2], other);
        else if (made.model.kind == LT_VAL_OBJECT)
            change_object(&s, &made, op, data[i + 2]);
        else
            change_string(&s, &made, other);
        s.versions[s.n < VERSIONS ? s.n++ : 3 + i / 3 % (VERSIONS - 3)] = made;
    }
    for (size_t i = 0; i < s.n; i++)
        check(&s, &s.versions[i]);
    for (size_t i = s.n; i-- > 0;)
        check(&s, &s.versions[i]);
    for (size_t i = 0; i < PINS; i++)
        change_pin(&s, &s.versions[2], i);
    must(!s.heap.full);
    lt_arena_deinit(&arena);
    return 0;
}
