/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over the body in the order of the shape's rows. A wrong JSON type ends it at once, as
 * with AWS, whose deserialiser runs before its validator; violations of ranges and patterns are
 * gathered, ten at most. The path of a member is written as the services do: member names begin
 * with a small letter, and the third element of Records is "records.3.member".
 */
#include "engine/shape.h"

#include "base/base64.h"
#include "base/buf.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { MAX_VIOLATIONS = 10, MAX_VALUE_SHOWN = 256, MAX_TEXT = 8 << 10 };

struct check {
    struct lt_arena *arena;
    struct leat_error *err;
    struct lt_buf text;
    unsigned n_violations;
};

static bool is_name(struct lt_slice value) {
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '.' || c == '-'))
            return false;
    }
    return value.len > 0;
}

const struct lt_shape_pattern lt_pattern_name = {"[a-zA-Z0-9_.-]+", is_name};

static leat_status check_member(struct check *c, const struct lt_shape_member *m,
                                struct lt_json value, const char *path);

static const char *type_name(enum lt_shape_type type) {
    switch (type) {
    case LT_SHAPE_STRING:
        return "a String";
    case LT_SHAPE_BLOB:
        return "a Blob";
    case LT_SHAPE_INTEGER:
        return "an Integer";
    case LT_SHAPE_LONG:
        return "a Long";
    case LT_SHAPE_DOUBLE:
        return "a Double";
    case LT_SHAPE_BOOLEAN:
        return "a Boolean";
    case LT_SHAPE_TIMESTAMP:
        return "a Timestamp";
    default:
        return "this type";
    }
}

static leat_status refuse_type(struct check *c, const struct lt_shape_member *m,
                               struct lt_json value, const char *path) {
    const char *code = "SerializationException";

    if (value.type == LT_JSON_ARRAY)
        return lt_fail_code(c->err, LEAT_E_PARSE, code,
                            "Start of list found where not expected (at '%s')", path);
    if (value.type == LT_JSON_OBJECT)
        return lt_fail_code(c->err, LEAT_E_PARSE, code,
                            "Start of structure or map found where not expected (at '%s')", path);
    if (m->type == LT_SHAPE_LIST)
        return lt_fail_code(c->err, LEAT_E_PARSE, code, "Expected list or null (at '%s')", path);
    if (m->type == LT_SHAPE_MAP || m->type == LT_SHAPE_STRUCTURE)
        return lt_fail_code(c->err, LEAT_E_PARSE, code, "Expected map or null (at '%s')", path);
    return lt_fail_code(c->err, LEAT_E_PARSE, code, "%s can not be converted to %s (at '%s')",
                        value.type == LT_JSON_STRING   ? "class java.lang.String"
                        : value.type == LT_JSON_NUMBER ? "A number"
                                                       : "class java.lang.Boolean",
                        type_name(m->type), path);
}

/* Cut at a character, so that what is shown stays UTF-8. */
static struct lt_slice cut_value(struct lt_slice value) {
    if (value.len <= MAX_VALUE_SHOWN)
        return value;
    value.len = MAX_VALUE_SHOWN;
    while (value.len > 0 && ((unsigned char)value.data[value.len] & 0xC0) == 0x80)
        value.len--;
    return value;
}

/* The path of something inside `path`; that of its container where there is no memory. */
static const char *inside(struct check *c, const char *path, struct lt_slice name) {
    const char *inner = lt_arena_printf(c->arena, "%s.%.*s.member", path, LT_FMT(name));
    return inner ? inner : path;
}

/* Begins a violation; the caller adds the constraint to `text`. False when there are enough. */
static bool violate(struct check *c, const char *path, const struct lt_slice *value) {
    if (c->n_violations == MAX_VIOLATIONS)
        return false;
    if (c->n_violations++ > 0)
        lt_buf_append_str(&c->text, "; ");
    if (value) {
        struct lt_slice shown = cut_value(*value);
        lt_buf_printf(&c->text, "Value '%.*s' at '%s'", LT_FMT(shown), path);
    } else {
        lt_buf_printf(&c->text, "Value null at '%s'", path);
    }
    lt_buf_append_str(&c->text, " failed to satisfy constraint: ");
    return true;
}

static void violate_null(struct check *c, const char *path) {
    if (violate(c, path, NULL))
        lt_buf_append_str(&c->text, "Member must not be null");
}

static void violate_bound(struct check *c, const char *path, struct lt_slice value,
                          const char *bound, int64_t number) {
    if (violate(c, path, &value))
        lt_buf_printf(&c->text, "Member must have %s than or equal to %lld", bound,
                      (long long)number);
}

static void check_length(struct check *c, const struct lt_shape_member *m, const char *path,
                         struct lt_slice shown, int64_t n) {
    if (n < m->min)
        violate_bound(c, path, shown, "length greater", m->min);
    if (m->max > 0 && n > m->max)
        violate_bound(c, path, shown, "length less", m->max);
}

static int64_t count_characters(struct lt_slice text) {
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return n;
}

static void check_enum(struct check *c, const struct lt_shape_member *m, const char *path,
                       struct lt_slice text) {
    struct lt_buf set;

    for (size_t i = 0; m->values[i]; i++)
        if (lt_slice_eq_str(text, m->values[i]))
            return;
    lt_buf_init(&set, 512);
    for (size_t i = 0; m->values[i]; i++)
        lt_buf_printf(&set, "%s%s", i ? ", " : "", m->values[i]);
    if (violate(c, path, &text))
        lt_buf_printf(&c->text, "Member must satisfy enum value set: [%.*s]",
                      LT_FMT(lt_buf_slice(&set)));
    lt_buf_deinit(&set);
}

static leat_status check_string(struct check *c, const struct lt_shape_member *m,
                                struct lt_json value, const char *path) {
    struct lt_slice text = lt_json_string(value, c->arena);

    if (!text.data)
        return lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for the string at '%s'", path);
    if (m->pattern && !m->pattern->matches(text) && violate(c, path, &text))
        lt_buf_printf(&c->text, "Member must satisfy regular expression pattern: %s",
                      m->pattern->text);
    check_length(c, m, path, text, count_characters(text));
    if (m->values)
        check_enum(c, m, path, text);
    return LEAT_OK;
}

static leat_status check_blob(struct check *c, const struct lt_shape_member *m,
                              struct lt_json value, const char *path) {
    struct lt_slice text = lt_json_string(value, c->arena);
    char shown[96];
    char *bytes = text.data ? lt_arena_alloc(c->arena, lt_base64_decoded_max(text.len)) : NULL;
    size_t len;

    if (!bytes)
        return lt_fail(c->err, LEAT_E_NOMEM, 0, "no memory for the blob at '%s'", path);
    len = lt_base64_decode(text, bytes);
    if (len == SIZE_MAX) {
        text = cut_value(text);
        return lt_fail_code(c->err, LEAT_E_PARSE, "SerializationException",
                            "'%.*s' can not be converted to a Blob: it is not base64 (at '%s')",
                            LT_FMT(text), path);
    }
    snprintf(shown, sizeof(shown), "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]", len, len);
    check_length(c, m, path, lt_slice_str(shown), (int64_t)len);
    return LEAT_OK;
}

static leat_status check_number(struct check *c, const struct lt_shape_member *m,
                                struct lt_json value, const char *path) {
    double number = 0;

    if (!lt_json_double(value, &number))
        return refuse_type(c, m, value, path);
    if (m->type == LT_SHAPE_INTEGER || m->type == LT_SHAPE_LONG)
        number = floor(number);
    if (m->min != 0 && number < (double)m->min)
        violate_bound(c, path, value.raw, "value greater", m->min);
    else if (m->min == 0 && m->max > 0 && number < 0)
        violate_bound(c, path, value.raw, "value greater", 0);
    if (m->max > 0 && number > (double)m->max)
        violate_bound(c, path, value.raw, "value less", m->max);
    return LEAT_OK;
}

static leat_status check_members(struct check *c, const struct lt_shape *shape,
                                 struct lt_json object, const char *prefix,
                                 struct lt_json *values) {
    lt_shape_pick(shape, object, values);
    for (size_t i = 0; i < shape->n; i++) {
        const struct lt_shape_member *m = &shape->members[i];

        const char *path =
            lt_arena_printf(c->arena, "%s%c%s", prefix, m->name[0] | 0x20, m->name + 1);
        if (!path)
            path = m->name;
        if (!values[i].raw.data) {
            if (m->required)
                violate_null(c, path);
            continue;
        }
        leat_status status = check_member(c, m, values[i], path);
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

static leat_status check_list(struct check *c, const struct lt_shape_member *m,
                              struct lt_json value, const char *path) {
    struct lt_json_iter iter = lt_json_iter(value);
    struct lt_json element;
    size_t n = lt_json_count(value);

    if (m->min > 0 || m->max > 0) {
        struct lt_slice shown = value.raw;
        check_length(c, m, path, shown, (int64_t)n);
    }
    for (size_t i = 1; m->element && lt_json_next(&iter, &element); i++) {
        char index[24];
        const char *element_path;
        leat_status status;

        if (c->n_violations == MAX_VIOLATIONS)
            break;
        snprintf(index, sizeof(index), "%zu", i);
        element_path = inside(c, path, lt_slice_str(index));
        if (element.type == LT_JSON_NULL) {
            violate_null(c, element_path);
            continue;
        }
        status = check_member(c, m->element, element, element_path);
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

static leat_status check_map(struct check *c, const struct lt_shape_member *m, struct lt_json value,
                             const char *path) {
    struct lt_json_iter iter = lt_json_iter(value);
    struct lt_json key, element;

    if (m->min > 0 || m->max > 0)
        check_length(c, m, path, value.raw, (int64_t)lt_json_count(value));
    while (m->element && lt_json_next_member(&iter, &key, &element)) {
        struct lt_slice name = cut_value(lt_json_string(key, c->arena));
        leat_status status;

        if (element.type == LT_JSON_NULL)
            continue;
        status = check_member(c, m->element, element, inside(c, path, name));
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

static leat_status check_member(struct check *c, const struct lt_shape_member *m,
                                struct lt_json value, const char *path) {
    struct lt_json values[LT_SHAPE_MAX_MEMBERS];
    const char *prefix;

    switch (m->type) {
    case LT_SHAPE_STRING:
        return value.type == LT_JSON_STRING ? check_string(c, m, value, path)
                                            : refuse_type(c, m, value, path);
    case LT_SHAPE_BLOB:
        return value.type == LT_JSON_STRING ? check_blob(c, m, value, path)
                                            : refuse_type(c, m, value, path);
    case LT_SHAPE_INTEGER:
    case LT_SHAPE_LONG:
    case LT_SHAPE_DOUBLE:
    case LT_SHAPE_TIMESTAMP:
        return check_number(c, m, value, path);
    case LT_SHAPE_BOOLEAN:
        return value.type == LT_JSON_TRUE || value.type == LT_JSON_FALSE
                   ? LEAT_OK
                   : refuse_type(c, m, value, path);
    case LT_SHAPE_STRUCTURE:
        if (value.type != LT_JSON_OBJECT)
            return refuse_type(c, m, value, path);
        if (!m->shape)
            return LEAT_OK;
        prefix = lt_arena_printf(c->arena, "%s.", path);
        return check_members(c, m->shape, value, prefix ? prefix : path, values);
    case LT_SHAPE_LIST:
        if (value.type != LT_JSON_ARRAY)
            return refuse_type(c, m, value, path);
        return m->element || m->min > 0 || m->max > 0 ? check_list(c, m, value, path) : LEAT_OK;
    case LT_SHAPE_MAP:
        return value.type == LT_JSON_OBJECT ? check_map(c, m, value, path)
                                            : refuse_type(c, m, value, path);
    }
    return LEAT_OK;
}

leat_status lt_shape_check(const struct lt_shape *shape, struct lt_json object, const char *prefix,
                           struct lt_arena *arena, struct lt_json *values, struct leat_error *err) {
    struct check c = {.arena = arena, .err = err};
    leat_status status;

    lt_buf_init(&c.text, MAX_TEXT);
    status = check_members(&c, shape, object, prefix, values);
    if (status == LEAT_OK && c.n_violations > 0)
        status = lt_fail_code(err, LEAT_E_INVALID, "ValidationException",
                              "%u validation error%s detected: %.*s", c.n_violations,
                              c.n_violations > 1 ? "s" : "", LT_FMT(lt_buf_slice(&c.text)));
    lt_buf_deinit(&c.text);
    return status;
}

void lt_shape_pick(const struct lt_shape *shape, struct lt_json object, struct lt_json *values) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;
    size_t guess = 0;

    assert(shape->n <= LT_SHAPE_MAX_MEMBERS);
    memset(values, 0, shape->n * sizeof(*values));
    while (lt_json_next_member(&iter, &key, &value)) {
        /* Clients mostly write members in one order: look where the last one left off first. */
        for (size_t k = 0; k < shape->n; k++) {
            size_t i = guess + k < shape->n ? guess + k : guess + k - shape->n;
            if (!lt_json_string_is(key, lt_slice_str(shape->members[i].name)))
                continue;
            if (value.type == LT_JSON_NULL)
                values[i] = (struct lt_json){0};
            else
                values[i] = value;
            guess = i + 1 < shape->n ? i + 1 : 0;
            break;
        }
    }
}
