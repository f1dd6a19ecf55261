/* SPDX-License-Identifier: Apache-2.0 */
/* The types of values that stand for themselves. What names something else is in config_refs.c. */
#include "pipeline/config.h"

#include "base/units.h"

#include <ctype.h>
#include <stdio.h>

static bool read_string_text(struct lt_config *c, const struct lt_config_property *p,
                             struct lt_slice text, void *out) {
    const char *str = lt_arena_str(c->arena, text);

    (void)p;
    if (!str) {
        c->no_memory = true;
        return true;
    }
    if (memchr(str, '\0', text.len))
        return false;
    memcpy(out, &str, sizeof(str));
    return true;
}

static bool read_uint_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    unsigned value = 0;

    (void)c;
    for (size_t i = 0; i < text.len; i++)
        if (!isdigit((unsigned char)text.data[i]) || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (unsigned)(text.data[i] - '0'), &value))
            return false;
    if (!text.len || !lt_config_in_range(p, value))
        return false;
    memcpy(out, &value, sizeof(value));
    return true;
}

static bool read_int_text(struct lt_config *c, const struct lt_config_property *p,
                          struct lt_slice text, void *out) {
    int64_t value = 0;

    (void)c;
    for (size_t i = 0; i < text.len; i++)
        if (!isdigit((unsigned char)text.data[i]) ||
            __builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, (int64_t)(text.data[i] - '0'), &value))
            return false;
    if (!text.len || !lt_config_in_range(p, value))
        return false;
    memcpy(out, &value, sizeof(value));
    return true;
}

static char *show_uint(int64_t bound, char out[32]) {
    return lt_format_count((uint64_t)bound, out);
}

static bool read_bytes_text(struct lt_config *c, const struct lt_config_property *p,
                            struct lt_slice text, void *out) {
    struct leat_error err;
    uint64_t value;

    (void)c;
    if (lt_parse_bytes(text, &value, &err) != LEAT_OK || value > INT64_MAX ||
        !lt_config_in_range(p, (int64_t)value))
        return false;
    memcpy(out, &value, sizeof(value));
    return true;
}

static char *show_bytes(int64_t bound, char out[32]) {
    return lt_format_bytes((uint64_t)bound, out);
}

static bool parse_duration(const struct lt_config_property *p, struct lt_slice text,
                           int64_t *value) {
    struct leat_error err;
    return lt_parse_duration(text, value, &err) == LEAT_OK && lt_config_in_range(p, *value);
}

static bool read_duration_text(struct lt_config *c, const struct lt_config_property *p,
                               struct lt_slice text, void *out) {
    int64_t value;

    (void)c;
    if (!parse_duration(p, text, &value))
        return false;
    memcpy(out, &value, sizeof(value));
    return true;
}

static bool read_hours_text(struct lt_config *c, const struct lt_config_property *p,
                            struct lt_slice text, void *out) {
    int64_t value;

    (void)c;
    if (!parse_duration(p, text, &value))
        return false;
    unsigned hours = (unsigned)(value / 3600000);
    memcpy(out, &hours, sizeof(hours));
    return true;
}

static char *show_duration(int64_t bound, char out[32]) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (i < 3 && (bound % units[i].ms || !bound))
        i++;
    if (!bound)
        i = 2;
    snprintf(out, 32, "%lld%s", (long long)(bound / units[i].ms), units[i].unit);
    return out;
}

static bool read_bool_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    bool value = lt_slice_eq_str(text, "true") || lt_slice_eq_str(text, "True") ||
                 lt_slice_eq_str(text, "TRUE");

    (void)c, (void)p;
    if (!value && !lt_slice_eq_str(text, "false") && !lt_slice_eq_str(text, "False") &&
        !lt_slice_eq_str(text, "FALSE"))
        return false;
    memcpy(out, &value, sizeof(value));
    return true;
}

/* YAML 1.1 took these words for truth values; YAML 1.2 does not, which surprises. */
static void read_bool(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    static const struct {
        const char *word, *meant;
    } words[] = {{"yes", "true"}, {"on", "true"},   {"y", "true"},  {"1", "true"},
                 {"no", "false"}, {"off", "false"}, {"n", "false"}, {"0", "false"}};
    for (size_t i = 0; value->type == LT_YAML_SCALAR && i < sizeof(words) / sizeof(words[0]); i++)
        if (value->text.len == strlen(words[i].word) &&
            !strncasecmp(value->text.data, words[i].word, value->text.len)) {
            lt_config_problem(c, value->offset, words[i].meant, "%s is '%.*s'; expected %s",
                              p->name, LT_FMT(value->text), p->type->expected);
            return;
        }
    lt_config_read_scalar(c, p, value, base);
}

static bool read_choice_text(struct lt_config *c, const struct lt_config_property *p,
                             struct lt_slice text, void *out) {
    (void)c;
    for (int i = 0; p->choices[i]; i++)
        if (lt_slice_eq_str(text, p->choices[i])) {
            memcpy(out, &i, sizeof(i));
            return true;
        }
    return false;
}

static bool read_word_text(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_slice text, void *out) {
    (void)c;
    for (size_t i = 0; p->choices[i]; i++)
        if (lt_slice_eq_str(text, p->choices[i])) {
            memcpy(out, &p->choices[i], sizeof(p->choices[i]));
            return true;
        }
    return false;
}

/* Two words for a bool: the second one is true. */
static bool read_switch_text(struct lt_config *c, const struct lt_config_property *p,
                             struct lt_slice text, void *out) {
    int choice = 0;
    bool value;

    if (!read_choice_text(c, p, text, &choice))
        return false;
    value = choice == 1;
    memcpy(out, &value, sizeof(value));
    return true;
}

static void read_choice(struct lt_config *c, const struct lt_config_property *p,
                        struct lt_yaml_node *value, void *base) {
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env) ||
        p->type->read_text(c, p, text, (char *)base + p->offset))
        return;
    lt_config_problem(c, value->offset, from_env ? NULL : lt_nearest(text, p->choices),
                      "%s is '%.*s'; expected %s", p->name, LT_FMT(lt_config_cut(value->text)),
                      lt_config_expected(c, p));
}

void lt_config_keep_jq(struct lt_config *c, const struct lt_config_jq *jq) {
    if (jq->scope != LT_CONFIG_JQ_PIPELINE) {
        for (const struct lt_config_jq *one = c->expressions; one; one = one->next)
            if (one->text.text.data == jq->text.text.data && one->scope == jq->scope)
                return; /* an alias */
        if (++c->n_queries > LT_CONFIG_MAX_QUERIES) {
            if (c->n_queries == LT_CONFIG_MAX_QUERIES + 1)
                lt_config_problem(c, jq->node->offset, NULL,
                                  "the sources have more than %d expressions; expected fewer",
                                  LT_CONFIG_MAX_QUERIES);
            return;
        }
    }
    struct lt_config_jq *known = lt_config_alloc(c, 1, sizeof(*known));
    if (!known)
        return;
    *known = *jq;
    known->next = c->expressions;
    c->expressions = known;
}

bool lt_config_is_jq_path(struct lt_slice text) {
    size_t i = 0;

    while (i < text.len && isspace((unsigned char)text.data[i]))
        i++;
    return i + 1 < text.len && text.data[i] == '.' && !isspace((unsigned char)text.data[i + 1]) &&
           !isdigit((unsigned char)text.data[i + 1]);
}

/* An expression is taken as it stands: no variables, since `$` and braces are jq's own. */
static bool fill_jq(struct lt_config *c, struct lt_slice name, struct lt_yaml_node *value,
                    struct lt_expr_text *out, enum lt_config_jq_scope scope) {
    size_t i = 0;

    while (i < value->text.len && isspace((unsigned char)value->text.data[i]))
        i++;
    if (value->type != LT_YAML_SCALAR || i == value->text.len) {
        lt_config_problem(c, value->offset, NULL, "%.*s %s; expected %s", LT_FMT(name),
                          value->type == LT_YAML_SCALAR ? "is empty" : "is not a text",
                          lt_config_jq.expected);
        return false;
    }
    if (memchr(value->text.data, '\0', value->text.len)) {
        lt_config_problem(c, value->offset, NULL, "%.*s holds a NUL character", LT_FMT(name));
        return false;
    }
    *out = (struct lt_expr_text){.name = name, .text = value->text};
    lt_yaml_place(&c->source, lt_yaml_source_offset(&c->source, value, 0), &out->line,
                  &out->column);
    lt_config_keep_jq(c, &(struct lt_config_jq){.text = *out, .node = value, .scope = scope});
    return true;
}

static void read_jq(struct lt_config *c, const struct lt_config_property *p,
                    struct lt_yaml_node *value, void *base) {
    struct lt_expr_text *out = (void *)((char *)base + p->offset);
    fill_jq(c, lt_slice_str(p->name), value, out, LT_CONFIG_JQ_PIPELINE);
}

static void read_query(struct lt_config *c, const struct lt_config_property *p,
                       struct lt_yaml_node *value, void *base) {
    struct lt_expr_text *out = (void *)((char *)base + p->offset);
    fill_jq(c, lt_slice_str(p->name), value, out, LT_CONFIG_JQ_QUERY);
}

static void read_jq_pointer(struct lt_config *c, const struct lt_config_property *p,
                            struct lt_yaml_node *value, void *base) {
    struct lt_expr_text *out = lt_config_alloc(c, 1, sizeof(*out));

    if (out && fill_jq(c, lt_slice_str(p->name), value, out, LT_CONFIG_JQ_PIPELINE))
        memcpy((char *)base + p->offset, &out, sizeof(out));
}

static bool is_jq_name(struct lt_slice name) {
    static const char *const reserved[] = {
        "def", "if",    "then",  "elif",   "else",    "end", "as", "reduce", "foreach",
        "try", "catch", "label", "import", "include", "and", "or", "__loc__"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (lt_slice_eq_str(name, reserved[i]))
            return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '_')
            return false;
    return name.len && !isdigit((unsigned char)name.data[0]);
}

static void read_jq_map(struct lt_config *c, const struct lt_config_property *p,
                        struct lt_yaml_node *value, void *base) {
    size_t *n = (size_t *)(void *)((char *)base + p->count_offset);
    bool are_functions = !strcmp(p->name, "with");
    enum lt_config_jq_scope scope =
        p->type == &lt_config_query_fields ? LT_CONFIG_JQ_FIELD : LT_CONFIG_JQ_PIPELINE;

    if (value->type != LT_YAML_MAPPING) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    struct lt_expr_text *texts = lt_config_alloc(c, value->n ? value->n : 1, sizeof(*texts));
    if (!texts)
        return;
    memcpy((char *)base + p->offset, &texts, sizeof(texts));
    for (size_t i = 0; i < value->n; i++) {
        struct lt_yaml_node *key = value->pairs[i].key;
        if (are_functions && !is_jq_name(key->text))
            lt_config_problem(c, key->offset, NULL,
                              "'%.*s' cannot name a jq function; expected letters, digits and '_', "
                              "and no word of jq's own",
                              LT_FMT(key->text));
        else if (fill_jq(c, key->text, value->pairs[i].value, &texts[*n], scope))
            ++*n;
    }
}

#define SCALAR .read = lt_config_read_scalar

const struct lt_config_type lt_config_string = {
    .name = "string",
    .expected = "a text",
    .schema = "\"type\":\"string\"",
    SCALAR,
    .read_text = read_string_text,
};
const struct lt_config_type lt_config_uint = {
    .name = "number",
    .expected = "a whole number",
    .schema = "\"type\":\"integer\"",
    SCALAR,
    .read_text = read_uint_text,
    .show = show_uint,
    .unquoted = true,
};
const struct lt_config_type lt_config_int = {
    .name = "number",
    .expected = "a whole number",
    .schema = "\"type\":\"integer\"",
    SCALAR,
    .read_text = read_int_text,
    .show = show_uint,
    .unquoted = true,
};
const struct lt_config_type lt_config_bytes = {
    .name = "bytes",
    .expected = "a size such as 5MiB",
    .schema = "\"type\":[\"string\",\"integer\"]",
    SCALAR,
    .read_text = read_bytes_text,
    .show = show_bytes,
};
const struct lt_config_type lt_config_duration = {
    .name = "duration",
    .expected = "a duration such as 60s or 5m",
    .schema = "\"type\":[\"string\",\"integer\"]",
    SCALAR,
    .read_text = read_duration_text,
    .show = show_duration,
};
const struct lt_config_type lt_config_hours = {
    .name = "duration",
    .expected = "a duration in whole hours such as 24h or 7d",
    .schema = "\"type\":\"string\"",
    SCALAR,
    .read_text = read_hours_text,
    .show = show_duration,
};
const struct lt_config_type lt_config_bool = {
    .name = "true or false",
    .expected = "true or false",
    .schema = "\"type\":\"boolean\"",
    .read = read_bool,
    .read_text = read_bool_text,
    .unquoted = true,
};
const struct lt_config_type lt_config_choice = {
    .name = "word",
    .expected = "a word",
    .schema = "\"type\":\"string\"",
    .read = read_choice,
    .read_text = read_choice_text,
};
const struct lt_config_type lt_config_switch = {
    .name = "word",
    .expected = "a word",
    .schema = "\"type\":\"string\"",
    .read = read_choice,
    .read_text = read_switch_text,
};
const struct lt_config_type lt_config_word = {
    .name = "word",
    .expected = "a word",
    .schema = "\"type\":\"string\"",
    .read = read_choice,
    .read_text = read_word_text,
};
const struct lt_config_type lt_config_query = {
    .name = "jq",
    .expected = "a jq expression",
    .schema = "\"type\":\"string\"",
    .read = read_query,
};
const struct lt_config_type lt_config_query_fields = {
    .name = "map of jq",
    .expected = "a mapping of names to jq expressions",
    .schema = "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}",
    .read = read_jq_map,
};
const struct lt_config_type lt_config_jq = {
    .name = "jq",
    .expected = "a jq expression",
    .schema = "\"type\":\"string\"",
    .read = read_jq,
};
const struct lt_config_type lt_config_jq_pointer = {
    .name = "jq",
    .expected = "a jq expression",
    .schema = "\"type\":\"string\"",
    .read = read_jq_pointer,
};
const struct lt_config_type lt_config_jq_map = {
    .name = "map of jq",
    .expected = "a mapping of names to jq expressions",
    .schema = "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}",
    .read = read_jq_map,
};
