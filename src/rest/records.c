/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a page's records, and saying what stands there when there are none. */
#include "rest/records.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_MAX = 360, PATH_MAX_BYTES = 120 };

/* The name in a path of one or two plain names (".albums.items", ".items[]") that stands before
 * the last one: what the object around the records is called. */
static void read_around(struct lt_rest_records *records, struct lt_slice text) {
    const char *at = text.data;
    const char *end = text.data + text.len;
    const char *names[3] = {NULL};
    size_t n = 0;

    while (end > at && (end[-1] == ' ' || end[-1] == '\n'))
        end--;
    if (end - at > 2 && end[-1] == ']' && end[-2] == '[')
        end -= 2;
    for (; at < end; at++) {
        bool is_word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' ||
                       (*at >= '0' && *at <= '9');
        if (*at == '.' && n < 3 && at + 1 < end)
            names[n++] = at;
        else if (!is_word || !n)
            return;
    }
    if ((n != 1 && n != 2) || (size_t)(names[n - 1] - names[0]) >= sizeof(records->around))
        return;
    memcpy(records->around, names[0], (size_t)(names[n - 1] - names[0]));
    records->is_around_known = true;
}

leat_status lt_rest_records_init(struct lt_rest_records *records,
                                 const struct lt_rest_resource *resource, struct leat_error *err) {
    struct lt_expr_text text = resource->records;

    *records = (struct lt_rest_records){.resource = resource};
    if (!text.text.data)
        return LEAT_OK;
    if (!text.name.data)
        text.name = LT_LIT("records");
    leat_status status = lt_expr_query_new(&records->query, &text, NULL, 0, err);
    if (status == LEAT_OK && lt_expr_query_is_path(records->query))
        read_around(records, text.text);
    return status;
}

void lt_rest_records_deinit(struct lt_rest_records *records) {
    lt_expr_query_free(records->query);
    free(records->path[0]);
    free(records->path[1]);
    free(records->scratch);
    *records = (struct lt_rest_records){.resource = records->resource};
}

const char *lt_rest_records_around(const struct lt_rest_records *records) {
    return records->is_around_known ? records->around : NULL;
}

/* A name without its quotes. */
static struct lt_slice inside(struct lt_json key) {
    return lt_slice(key.raw.data + 1, key.raw.len - 2);
}

/* One entry of the list of what is there: "`albums` (an object)". */
static void list_member(struct lt_buf *out, const char *around, struct lt_json key,
                        struct lt_json value) {
    static const char *const words[] = {
        [LT_JSON_NULL] = "null",       [LT_JSON_FALSE] = "false",   [LT_JSON_TRUE] = "true",
        [LT_JSON_NUMBER] = "a number", [LT_JSON_STRING] = "a text", [LT_JSON_ARRAY] = "an array",
        [LT_JSON_OBJECT] = "an object"};
    struct lt_slice name = inside(key);

    lt_buf_printf(out, "%s`%s%.*s` (%s)", out->len ? ", " : "", around,
                  LT_FMT(lt_slice(name.data, name.len < 40 ? name.len : 40)), words[value.type]);
}

/* What stands in a page. */
static void list(struct lt_json body, struct lt_buf *out) {
    static const char *const kinds[] = {[LT_JSON_NULL] = "nothing",
                                        [LT_JSON_FALSE] = "false",
                                        [LT_JSON_TRUE] = "true",
                                        [LT_JSON_NUMBER] = "a number",
                                        [LT_JSON_STRING] = "a text",
                                        [LT_JSON_ARRAY] = "an array",
                                        [LT_JSON_OBJECT] = "an object without members"};
    struct lt_json_iter iter = lt_json_iter(body);
    struct lt_json key, value;
    size_t n = 0;

    while (body.type == LT_JSON_OBJECT && lt_json_next_member(&iter, &key, &value)) {
        if (++n > 1 && out->len > LIST_MAX - 80) {
            lt_buf_append_str(out, " …");
            return;
        }
        list_member(out, "", key, value);
    }
    if (!n)
        lt_buf_append_str(out, kinds[body.type]);
}

static leat_status not_there(const struct lt_rest_records *records, struct lt_json body,
                             const char *why, struct leat_error *err) {
    struct lt_buf there;

    lt_buf_init(&there, 2 * LIST_MAX);
    list(body, &there);
    const char *text = lt_buf_cstr(&there);
    leat_status status = lt_fail(err, LEAT_E_PARSE, 0, "resource %s: %s; the page holds %s",
                                 records->resource->name, why, text ? text : "…");
    lt_buf_deinit(&there);
    return status;
}

static leat_status too_many(const struct lt_rest_records *records, const struct lt_arena *arena,
                            struct leat_error *err) {
    return lt_fail(err, LEAT_E_LIMIT, 0,
                   "resource %s: the records of a page need more than %zu bytes of memory",
                   records->resource->name, arena->max);
}

/* The elements of an array, in the arena. */
static leat_status take_elements(struct lt_rest_records *records, struct lt_json array,
                                 struct lt_arena *arena, struct lt_json **out, size_t *n,
                                 struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(array);
    struct lt_json value;

    records->n_scratch = 0;
    while (lt_json_next(&iter, &value)) {
        if (records->n_scratch == records->cap_scratch) {
            size_t cap = records->cap_scratch ? records->cap_scratch * 2 : 64;
            struct lt_json *grown = cap <= arena->max / sizeof(value)
                                        ? reallocarray(records->scratch, cap, sizeof(*grown))
                                        : NULL;
            if (!grown)
                return too_many(records, arena, err);
            records->scratch = grown;
            records->cap_scratch = cap;
        }
        records->scratch[records->n_scratch++] = value;
    }
    *n = records->n_scratch;
    if (!*n)
        return LEAT_OK;
    *out = lt_arena_alloc(arena, *n * sizeof(**out));
    if (!*out)
        return too_many(records, arena, err);
    memcpy(*out, records->scratch, *n * sizeof(**out));
    return LEAT_OK;
}

static bool is_view_of(struct lt_json value, struct lt_json body) {
    return value.raw.data >= body.raw.data && value.raw.data < body.raw.data + body.raw.len;
}

static leat_status ask(struct lt_rest_records *records, struct lt_json body, struct lt_arena *arena,
                       struct lt_json **out, size_t *n, struct leat_error *err) {
    struct lt_slice text = records->resource->records.text;
    struct lt_json *outputs = NULL;
    char why[320];

    leat_status status = lt_expr_query_run(records->query, body, arena, &outputs, n, err);
    if (status == LEAT_E_INVALID) {
        snprintf(why, sizeof(why), "`records` (%.*s) fails: %.160s",
                 LT_FMT(lt_slice(text.data, text.len < 80 ? text.len : 80)), err ? err->text : "");
        return not_there(records, body, why, err);
    }
    if (status == LEAT_E_NOMEM)
        return too_many(records, arena, err);
    if (status != LEAT_OK)
        return lt_error_prefix(err, "resource %s: `records`", records->resource->name);
    if (*n == 1 && outputs[0].type == LT_JSON_ARRAY)
        return take_elements(records, outputs[0], arena, out, n, err);
    if (*n == 1 && outputs[0].type == LT_JSON_NULL && is_view_of(outputs[0], body)) {
        *n = 0; /* how some languages write an empty list */
        return LEAT_OK;
    }
    if (*n == 1 && outputs[0].type != LT_JSON_OBJECT) {
        snprintf(why, sizeof(why), "`records` (%.*s) gives %s, not records",
                 LT_FMT(lt_slice(text.data, text.len < 80 ? text.len : 80)),
                 outputs[0].type == LT_JSON_NULL ? "nothing" : "one bare value");
        return not_there(records, body, why, err);
    }
    *out = outputs;
    return LEAT_OK;
}

static bool is_array_of_objects(struct lt_json value) {
    struct lt_json_iter iter = lt_json_iter(value);
    struct lt_json first;

    return value.type == LT_JSON_ARRAY && lt_json_next(&iter, &first) &&
           first.type == LT_JSON_OBJECT;
}

/* What a look around has found. */
struct looking {
    size_t n;       /* arrays of objects */
    size_t n_empty; /* arrays without elements */
    struct lt_json value, outer_key, key;
    bool is_inner;
    struct lt_buf names; /* of those found, for an error */
};

static void look_at(struct looking *looking, const struct lt_json *outer_key, struct lt_json key,
                    struct lt_json value) {
    if (value.type != LT_JSON_ARRAY)
        return;
    if (!is_array_of_objects(value)) {
        looking->n_empty += lt_json_count(value) == 0;
        return;
    }
    if (!looking->n++) {
        looking->value = value;
        looking->key = key;
        looking->is_inner = outer_key;
        if (outer_key)
            looking->outer_key = *outer_key;
    }
    if (looking->names.len > LIST_MAX / 2)
        return;
    lt_buf_append_str(&looking->names, looking->names.len ? ", `." : "`.");
    if (outer_key) {
        lt_buf_append(&looking->names, inside(*outer_key));
        lt_buf_append_byte(&looking->names, '.');
    }
    lt_buf_append(&looking->names, inside(key));
    lt_buf_append_byte(&looking->names, '`');
}

static void look_around(struct looking *looking, struct lt_json body) {
    struct lt_json_iter iter = lt_json_iter(body), inner;
    struct lt_json outer_key, outer, key, value;

    while (lt_json_next_member(&iter, &key, &value))
        look_at(looking, NULL, key, value);
    if (looking->n)
        return;
    iter = lt_json_iter(body);
    while (lt_json_next_member(&iter, &outer_key, &outer)) {
        inner = lt_json_iter(outer);
        while (lt_json_next_member(&inner, &key, &value))
            look_at(looking, &outer_key, key, value);
    }
}

/* A name on the way to the records, as it is when nothing is escaped. */
static char *keep_name(struct lt_json key) {
    struct lt_arena arena;

    lt_arena_init(&arena, key.raw.len + 64);
    struct lt_slice name = lt_json_string(key, &arena);
    bool is_text = name.data && !memchr(name.data, 0, name.len);
    char *kept = is_text ? malloc(name.len + 1) : NULL;

    if (kept) { /* no strndup(): a strict sanitizer wants the end of its string, not of its length
                 */
        memcpy(kept, name.data, name.len);
        kept[name.len] = '\0';
    }
    lt_arena_deinit(&arena);
    return kept;
}

static leat_status remember(struct lt_rest_records *records, size_t depth,
                            const struct lt_json *names, struct leat_error *err) {
    for (size_t i = 0; i < depth; i++) {
        free(records->path[i]);
        records->path[i] = keep_name(names[i]);
        if (!records->path[i])
            return lt_fail(err, LEAT_E_NOMEM, 0, "resource %s: no memory for a name",
                           records->resource->name);
    }
    records->found = true;
    records->depth = depth;
    records->around[0] = '\0';
    records->is_around_known = depth < 2 || strlen(records->path[0]) < sizeof(records->around) - 1;
    if (depth == 2 && records->is_around_known)
        snprintf(records->around, sizeof(records->around), ".%s", records->path[0]);
    return LEAT_OK;
}

static leat_status take_remembered(struct lt_rest_records *records, struct lt_json body,
                                   struct lt_arena *arena, struct lt_json **out, size_t *n,
                                   struct leat_error *err) {
    struct lt_json at = body;
    bool is_there = true;
    char why[320];

    for (size_t i = 0; i < records->depth && is_there; i++)
        is_there = lt_json_get(at, records->path[i], &at);
    if (is_there && at.type == LT_JSON_ARRAY)
        return take_elements(records, at, arena, out, n, err);
    if (is_there && at.type == LT_JSON_NULL)
        return LEAT_OK;
    snprintf(why, sizeof(why), "no records where those of earlier pages were (.%.100s%s%.100s)",
             records->depth ? records->path[0] : "", records->depth > 1 ? "." : "",
             records->depth > 1 ? records->path[1] : "");
    return not_there(records, body, why, err);
}

static leat_status find(struct lt_rest_records *records, struct lt_json body,
                        struct lt_arena *arena, struct lt_json **out, size_t *n,
                        struct leat_error *err) {
    struct looking looking = {0};
    leat_status status;

    if (body.type == LT_JSON_ARRAY) {
        status = lt_json_count(body) ? remember(records, 0, NULL, err) : LEAT_OK;
        return status == LEAT_OK ? take_elements(records, body, arena, out, n, err) : status;
    }
    lt_buf_init(&looking.names, 2 * LIST_MAX);
    look_around(&looking, body);
    if (looking.n == 1) {
        struct lt_json names[2] = {looking.is_inner ? looking.outer_key : looking.key, looking.key};
        status = remember(records, looking.is_inner ? 2 : 1, names, err);
        if (status == LEAT_OK)
            status = take_elements(records, looking.value, arena, out, n, err);
    } else if (looking.n) {
        status = lt_fail(err, LEAT_E_PARSE, 0,
                         "resource %s: several lists may be its records: %.*s; say which with "
                         "`records`",
                         records->resource->name, LT_FMT(lt_buf_slice(&looking.names)));
    } else if (looking.n_empty) {
        status = LEAT_OK;
    } else {
        status = not_there(records, body, "no list of objects to take as records", err);
    }
    lt_buf_deinit(&looking.names);
    return status;
}

leat_status lt_rest_records_find(struct lt_rest_records *records, struct lt_json body,
                                 struct lt_arena *arena, struct lt_json **out, size_t *n,
                                 struct leat_error *err) {
    *out = NULL;
    *n = 0;
    if (records->query)
        return ask(records, body, arena, out, n, err);
    if (records->found)
        return take_remembered(records, body, arena, out, n, err);
    return find(records, body, arena, out, n, err);
}

void lt_rest_records_write_found(const struct lt_rest_records *records, struct lt_buf *out) {
    struct lt_json_writer w;

    if (!records->found) {
        lt_buf_append_str(out, "null");
        return;
    }
    lt_json_writer_init(&w, out);
    lt_json_begin_array(&w);
    for (size_t i = 0; i < records->depth; i++)
        lt_json_put_str(&w, records->path[i]);
    lt_json_end_array(&w);
}

leat_status lt_rest_records_read_found(struct lt_rest_records *records, struct lt_json found,
                                       struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(found);
    struct lt_json names[2], name;
    size_t n = 0;

    if (found.type == LT_JSON_NULL || records->query)
        return LEAT_OK;
    while (lt_json_next(&iter, &name)) {
        if (n == 2 || name.type != LT_JSON_STRING)
            return lt_fail(err, LEAT_E_PARSE, 0,
                           "the kept position of resource %s does not say where its records are",
                           records->resource->name);
        names[n++] = name;
    }
    return remember(records, n, names, err);
}
