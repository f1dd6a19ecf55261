/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/body.h"

enum { BODY_MAX = 16 << 20 };

struct steps {
    struct lt_slice names[LT_REST_BODY_DEPTH];
    size_t n;
};

static struct steps split(const char *path) {
    struct lt_slice left = lt_slice_str(path);
    struct steps steps = {.n = 0};

    while (steps.n < LT_REST_BODY_DEPTH - 1) {
        const char *dot = left.len ? memchr(left.data, '.', left.len) : NULL;
        if (!dot)
            break;
        steps.names[steps.n++] = lt_slice(left.data, (size_t)(dot - left.data));
        left = lt_slice_from(left, (size_t)(dot - left.data) + 1);
    }
    steps.names[steps.n++] = left;
    return steps;
}

/* As lt_json_get(), by a slice. Of several with the name the last, which is what splicing sets. */
static bool member(struct lt_json object, struct lt_slice name, struct lt_json *value) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, one;
    bool found = false;

    if (object.type != LT_JSON_OBJECT)
        return false;
    while (lt_json_next_member(&iter, &key, &one))
        if (lt_json_string_is(key, name)) {
            *value = one;
            found = true;
        }
    return found;
}

bool lt_rest_body_get(struct lt_slice body, const char *path, struct lt_json *value) {
    struct steps steps = split(path);

    if (!body.len || lt_json_parse(value, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return false;
    for (size_t i = 0; i < steps.n; i++)
        if (!member(*value, steps.names[i], value))
            return false;
    return true;
}

/* The objects from the body inwards; what is not there, or null, is an empty one. */
static leat_status find_objects(struct lt_slice body, const struct steps *steps,
                                struct lt_json *objects, struct leat_error *err) {
    const struct lt_json empty = {LT_JSON_OBJECT, LT_LIT("{}")};

    objects[0] = empty;
    if (body.len && lt_json_parse(&objects[0], body, LT_JSON_DEFAULT_DEPTH, err) != LEAT_OK)
        return LEAT_E_CONFIG;
    for (size_t i = 0; i < steps->n; i++) {
        if (objects[i].type != LT_JSON_OBJECT)
            return lt_fail(err, LEAT_E_CONFIG, 0, "%.*s of the body is no object to set %.*s in",
                           LT_FMT(i ? steps->names[i - 1] : LT_LIT("the whole")),
                           LT_FMT(steps->names[i]));
        if (i + 1 < steps->n && (!member(objects[i], steps->names[i], &objects[i + 1]) ||
                                 objects[i + 1].type == LT_JSON_NULL))
            objects[i + 1] = empty;
    }
    return LEAT_OK;
}

leat_status lt_rest_body_set(struct lt_slice *body, const char *path, struct lt_slice json,
                             struct lt_arena *arena, struct leat_error *err) {
    struct steps steps = split(path);
    struct lt_json objects[LT_REST_BODY_DEPTH];
    struct lt_buf out;

    leat_status status = find_objects(*body, &steps, objects, err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = steps.n; i > 0; i--) {
        const struct lt_json_field field = {steps.names[i - 1], json};
        lt_buf_init(&out, BODY_MAX);
        lt_json_splice(objects[i - 1], &field, 1, &out);
        json = out.failed ? lt_slice(NULL, 0) : lt_arena_dup(arena, lt_buf_slice(&out));
        lt_buf_deinit(&out);
        if (!json.data)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the body of a request");
    }
    *body = json;
    return LEAT_OK;
}
