/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain paths, read by jq 1.6's own grammar and walked over the text of a value: nothing is
 * parsed into values or printed again, so bytes come out as they stand. What this
 * reader does not know (`..`, slices, `??`, "\(…)", comments) is left to jq.
 */
#include "expr/path.h"

#include "expr/lex.h"
#include "json/scan.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_DIGITS = 9, DUMP_BYTES = 14, MIN_VIEWS = 16 };

/* ---- reading ---- */

struct reader {
    const char *at;
    const char *end;
    struct lt_arena *arena;
    struct lt_expr_path *path;
    bool no_memory;
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* jq 1.6 does not count a carriage return as white space. */
static const char *over_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t'))
        at++;
    return at;
}

static void skip_space(struct reader *r) {
    r->at = over_space(r->at, r->end);
}

static bool take(struct reader *r, char c) {
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static void add_step(struct reader *r, struct lt_expr_step step) {
    r->path->steps[r->path->n_steps++] = step;
}

static bool add_key(struct reader *r, struct lt_slice key) {
    struct lt_slice kept = lt_arena_dup(r->arena, key);

    r->no_memory |= !kept.data;
    add_step(r, (struct lt_expr_step){.kind = LT_EXPR_STEP_KEY, .key = kept});
    return true;
}

static bool read_name(struct reader *r) {
    const char *start = r->at;

    while (r->at < r->end && lt_expr_is_name(*r->at))
        r->at++;
    return add_key(r, lt_slice(start, (size_t)(r->at - start)));
}

/* A string that is JSON too means the same to both. */
static bool read_string(struct reader *r) {
    const char *start = r->at;
    struct lt_json string;

    r->at = lt_json_scan_quote(start + 1, r->end);
    while (r->end - r->at > 1 && *r->at == '\\')
        r->at = lt_json_scan_quote(r->at + 2, r->end);
    if (!take(r, '"'))
        return false;
    struct lt_slice text = lt_slice(start, (size_t)(r->at - start));
    if (lt_json_parse(&string, text, 0, NULL) != LEAT_OK)
        return false;
    struct lt_slice key = lt_json_string(string, r->arena);
    if (!key.data)
        r->no_memory = true;
    return add_key(r, key.data ? key : LT_LIT(""));
}

static bool read_index(struct reader *r) {
    bool negative = take(r, '-');
    const char *start = r->at;
    int value = 0;

    for (; r->at < r->end && is_digit(*r->at); r->at++) {
        if (r->at - start == MAX_DIGITS)
            return false;
        value = value * 10 + (*r->at - '0');
    }
    if (r->at == start)
        return false;
    add_step(r,
             (struct lt_expr_step){.kind = LT_EXPR_STEP_INDEX, .index = negative ? -value : value});
    return true;
}

/* Behind "[". */
static bool read_bracket(struct reader *r) {
    skip_space(r);
    if (take(r, ']')) {
        add_step(r, (struct lt_expr_step){.kind = LT_EXPR_STEP_EACH});
        return true;
    }
    if (r->at == r->end || !(*r->at == '"' ? read_string(r) : read_index(r)))
        return false;
    skip_space(r);
    return take(r, ']');
}

/* Behind ".": a name stands right behind it, a string may stand off. */
static bool read_key(struct reader *r) {
    if (r->at < r->end && lt_expr_is_name_start(*r->at))
        return read_name(r);
    skip_space(r);
    return r->at < r->end && *r->at == '"' && read_string(r);
}

/* One step with its "?". */
static bool read_step(struct reader *r) {
    bool read = take(r, '[') ? read_bracket(r) : take(r, '.') && read_key(r);

    if (!read)
        return false;
    skip_space(r);
    if (take(r, '?')) {
        r->path->steps[r->path->n_steps - 1].optional = true;
        skip_space(r);
    }
    return true;
}

static bool read_path(struct reader *r) {
    skip_space(r);
    if (r->at == r->end || *r->at != '.')
        return false;
    const char *next = over_space(r->at + 1, r->end);
    if (next == r->end || *next == '[' || (*next == '.' && next > r->at + 1))
        r->at = next; /* the first "." is a value of its own */
    while (r->at < r->end)
        if (!read_step(r))
            return false;
    return true;
}

leat_status lt_expr_path_parse(struct lt_expr_path *path, bool *is_path, struct lt_slice text,
                               struct lt_arena *arena, struct leat_error *err) {
    struct reader r = {.at = text.data, .end = text.data + text.len, .arena = arena, .path = path};
    size_t max_steps = 0;

    *path = (struct lt_expr_path){0};
    *is_path = false;
    if (text.len == 0 || text.len > LT_EXPR_MAX_TEXT_BYTES)
        return LEAT_OK;
    for (size_t i = 0; i < text.len; i++)
        max_steps += text.data[i] == '.' || text.data[i] == '[';
    path->steps = lt_arena_calloc(arena, max_steps, sizeof(*path->steps));
    if (path->steps)
        *is_path = read_path(&r);
    if (!path->steps || r.no_memory)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a path of %zu bytes", text.len);
    return LEAT_OK;
}

/* ---- walking ---- */

static const struct lt_json nothing = {LT_JSON_NULL, {"null", 4}};

static const char *kind_name(enum lt_json_type type) {
    static const char *const names[] = {"null",   "boolean", "boolean", "number",
                                        "string", "array",   "object"};
    return names[type];
}

/* jq's messages; the parts that come from data as one line, for people. */
static leat_status fail_with(struct leat_error *err, const char *what, enum lt_json_type type,
                             const char *between, struct lt_slice part, const char *after) {
    char text[256];
    size_t nul = part.len ? strnlen(part.data, part.len) : 0;
    size_t n = nul < sizeof(text) ? nul : sizeof(text) - 1;

    while (n < nul && n && (part.data[n] & 0xc0) == 0x80)
        n--; /* not within a character */
    for (size_t i = 0; i < n; i++)
        text[i] = (unsigned char)part.data[i] < 0x20 || part.data[i] == 0x7f ? ' ' : part.data[i];
    return lt_fail(err, LEAT_E_INVALID, 0, "the expression failed: Cannot %s %s%s%.*s%s", what,
                   kind_name(type), between, (int)n, text, after);
}

/* The value as jq prints it in a message: at most 14 bytes, then cut to 11 and "...". */
static leat_status fail_to_iterate(struct lt_json value, struct leat_error *err) {
    char number[32];
    double read;
    struct lt_slice shown = value.raw;
    struct lt_buf text;

    lt_buf_init(&text, 1024);
    if (lt_json_double(value, &read)) {
        shown = lt_slice(number, lt_json_format_double(read, number));
    } else if (value.type == LT_JSON_STRING) {
        char start[64];
        struct lt_arena arena;
        lt_arena_init(&arena, SIZE_MAX);
        struct lt_slice string = lt_json_string(value, &arena);
        size_t n = string.len < sizeof(start) ? string.len : sizeof(start);
        if (n)
            memcpy(start, string.data, n);
        lt_arena_deinit(&arena);
        lt_json_write_string(&text, lt_slice(start, n));
        shown = lt_buf_slice(&text);
    }
    bool cut = shown.len > DUMP_BYTES;
    if (cut)
        shown.len = DUMP_BYTES - 3;
    while (cut && shown.len && (shown.data[shown.len] & 0xc0) == 0x80)
        shown.len--;
    leat_status status =
        fail_with(err, "iterate over", value.type, " (", shown, cut ? "...)" : ")");
    lt_buf_deinit(&text);
    return status;
}

static bool find_member(struct lt_json object, struct lt_slice name, struct lt_json *value) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, member;
    bool found = false;

    while (lt_json_next_member(&iter, &key, &member)) {
        if (lt_json_string_is(key, name)) {
            *value = member;
            found = true;
        }
    }
    return found;
}

static bool find_element(struct lt_json array, int index, struct lt_json *value) {
    struct lt_json_iter iter = lt_json_iter(array);
    size_t left = (size_t)index;

    if (index < 0) {
        size_t n = lt_json_count(array);
        size_t back = (size_t)-index;
        if (back > n)
            return false;
        left = n - back;
    }
    while (lt_json_next(&iter, value))
        if (left-- == 0)
            return true;
    return false;
}

/* One step to one value. False where the step does not fit the value. */
static bool step_in(const struct lt_expr_step *step, struct lt_json *value) {
    bool key = step->kind == LT_EXPR_STEP_KEY;
    struct lt_json found;

    if (value->type == LT_JSON_NULL)
        return true;
    if (value->type != (key ? LT_JSON_OBJECT : LT_JSON_ARRAY))
        return false;
    bool there =
        key ? find_member(*value, step->key, &found) : find_element(*value, step->index, &found);
    *value = there ? found : nothing;
    return true;
}

struct walk {
    const struct lt_expr_path *path;
    struct lt_expr_views *views;
    struct leat_error *err;
};

static leat_status walk_from(struct walk *w, size_t at, struct lt_json value);

struct member {
    struct lt_slice key; /* without escapes */
    size_t place;
    struct lt_json value;
    bool dropped;
};

static int compare_members(const void *a, const void *b) {
    const struct member *const *x = a;
    const struct member *const *y = b;
    int order = lt_slice_cmp((*x)->key, (*y)->key);

    return order ? order : ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

/* Of members with the same name the value of the last stands at the place of the first. */
static void resolve(struct member *members, const struct member **sorted, size_t n) {
    for (size_t i = 0; i < n; i++)
        sorted[i] = &members[i];
    qsort(sorted, n, sizeof(*sorted), compare_members);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && lt_slice_eq(sorted[next]->key, sorted[i]->key); next++)
            members[sorted[next]->place].dropped = true;
        members[sorted[i]->place].value = sorted[next - 1]->value;
    }
}

static leat_status walk_members(struct walk *w, size_t step, struct lt_json object) {
    struct lt_json_iter iter = lt_json_iter(object);
    size_t n = lt_json_count(object);
    struct member *members = calloc(n + 1, sizeof(*members));
    const struct member **sorted = calloc(n + 1, sizeof(*sorted));
    leat_status status = LEAT_OK;
    struct lt_arena keys;
    struct lt_json key;
    bool no_memory = !members || !sorted;

    lt_arena_init(&keys, SIZE_MAX);
    for (size_t i = 0; !no_memory && i < n; i++) {
        lt_json_next_member(&iter, &key, &members[i].value);
        members[i].key = lt_json_string(key, &keys);
        members[i].place = i;
        no_memory = !members[i].key.data;
    }
    if (no_memory)
        status = lt_fail(w->err, LEAT_E_NOMEM, 0, "no memory for %zu members", n);
    else
        resolve(members, sorted, n);
    lt_arena_deinit(&keys);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        if (!members[i].dropped)
            status = walk_from(w, step, members[i].value);
    free(members);
    free(sorted);
    return status;
}

static leat_status walk_elements(struct walk *w, size_t step, struct lt_json array) {
    struct lt_json_iter iter = lt_json_iter(array);
    leat_status status = LEAT_OK;
    struct lt_json value;

    while (status == LEAT_OK && lt_json_next(&iter, &value))
        status = walk_from(w, step, value);
    return status;
}

leat_status lt_expr_views_add(struct lt_expr_views *views, struct lt_json value,
                              struct leat_error *err) {
    if (views->n == views->cap) {
        size_t cap = views->cap ? 2 * views->cap : MIN_VIEWS;
        struct lt_json *items = reallocarray(views->items, cap, sizeof(*items));
        if (!items)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu outputs", cap);
        views->items = items;
        views->cap = cap;
    }
    views->items[views->n++] = value;
    return LEAT_OK;
}

static leat_status fail_to_step(const struct lt_expr_step *step, struct lt_json value,
                                struct leat_error *err) {
    if (step->kind == LT_EXPR_STEP_KEY)
        return fail_with(err, "index", value.type, " with string \"", step->key, "\"");
    return fail_with(err, "index", value.type, " with number", lt_slice(NULL, 0), "");
}

/* Calls itself only where the value is a container within the one before: the text's depth bounds
 * it. */
static leat_status walk_from(struct walk *w, size_t at, struct lt_json value) {
    for (; at < w->path->n_steps; at++) {
        const struct lt_expr_step *step = &w->path->steps[at];
        if (step->kind == LT_EXPR_STEP_EACH) {
            if (value.type == LT_JSON_ARRAY)
                return walk_elements(w, at + 1, value);
            if (value.type == LT_JSON_OBJECT)
                return walk_members(w, at + 1, value);
            return step->optional ? LEAT_OK : fail_to_iterate(value, w->err);
        }
        if (!step_in(step, &value))
            return step->optional ? LEAT_OK : fail_to_step(step, value, w->err);
    }
    return lt_expr_views_add(w->views, value, w->err);
}

leat_status lt_expr_path_walk(const struct lt_expr_path *path, struct lt_json doc,
                              struct lt_expr_views *views, struct leat_error *err) {
    struct walk w = {path, views, err};

    return walk_from(&w, 0, doc);
}
