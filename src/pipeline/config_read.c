/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mapping is read by the table of its kind: in the order of the table, so that what is named
 * (streams) is known before what names it (deliveries, pipelines). Defaults pass through the same
 * readers as values of the file.
 */
#include "pipeline/config.h"

#include "base/units.h"

enum { MAX_WORDS = 64, MAX_ENTRIES = 2000 };

/* Keys that start so are the user's own, a place for anchors. At the top of the file only. */
static bool is_extension(const struct lt_config_kind *kind, struct lt_slice key) {
    return kind == &lt_config_file && lt_slice_starts(key, LT_LIT("x-"));
}

bool lt_config_in_range(const struct lt_config_property *p, int64_t value) {
    return value >= p->min && (!p->max || value <= p->max) && (!p->step || value % p->step == 0);
}

const char *lt_config_expected(struct lt_config *c, const struct lt_config_property *p) {
    char min[32], max[32], step[32];

    if (p->choices)
        return lt_config_words(c, p->choices, " or ");
    if (!p->type->show || !p->max)
        return p->type->expected;
    const char *text =
        lt_arena_printf(c->arena, "%s, %s to %s%s%s", p->type->expected, p->type->show(p->min, min),
                        p->type->show(p->max, max), p->step > 1 ? " in steps of " : "",
                        p->step > 1 ? p->type->show(p->step, step) : "");
    return text ? text : p->type->expected;
}

void lt_config_wrong_type(struct lt_config *c, const struct lt_config_property *p,
                          const struct lt_yaml_node *value) {
    if (value->type == LT_YAML_SCALAR && !value->absent)
        lt_config_problem(c, value->offset, NULL, "%s is '%.*s'; expected %s", p->name,
                          LT_FMT(lt_config_cut(value->text)), lt_config_expected(c, p));
    else
        lt_config_problem(c, value->offset, NULL, "%s has %s; expected %s", p->name,
                          value->absent ? "no value" : lt_yaml_kind(value),
                          lt_config_expected(c, p));
}

bool lt_config_is_null(const struct lt_yaml_node *value) {
    return value->type == LT_YAML_SCALAR && value->style == LT_YAML_PLAIN && !value->tag.len &&
           (!value->text.len || lt_slice_eq_str(value->text, "~") ||
            lt_slice_eq_str(value->text, "null"));
}

bool lt_config_scalar(struct lt_config *c, const struct lt_config_property *p,
                      const struct lt_yaml_node *value, struct lt_slice *text, bool *from_env) {
    if (value->type != LT_YAML_SCALAR || lt_config_is_null(value)) {
        lt_config_wrong_type(c, p, value);
        return false;
    }
    return lt_config_expand(c, value, text, from_env);
}

void lt_config_read_scalar(struct lt_config *c, const struct lt_config_property *p,
                           struct lt_yaml_node *value, void *base) {
    struct lt_slice text;
    bool from_env;

    if (!lt_config_scalar(c, p, value, &text, &from_env))
        return;
    if (p->type->unquoted && value->style != LT_YAML_PLAIN && !from_env) {
        lt_config_problem(c, value->offset, NULL, "%s is a text in quotes; expected %s", p->name,
                          lt_config_expected(c, p));
        return;
    }
    if (p->type->read_text(c, p, text, (char *)base + p->offset))
        return;
    if (from_env)
        lt_config_problem(c, value->offset, NULL,
                          "%s is '%.*s', whose value in the environment does not fit; expected %s",
                          p->name, LT_FMT(value->text), lt_config_expected(c, p));
    else
        lt_config_wrong_type(c, p, value);
}

static const struct lt_config_property *find_property(const struct lt_config_kind *kind,
                                                      struct lt_slice name) {
    for (const struct lt_config_property *p = kind->properties; p->name; p++)
        if (lt_slice_eq_str(name, p->name))
            return p;
    return NULL;
}

static void tell_unknown(struct lt_config *c, const struct lt_config_kind *kind,
                         const struct lt_yaml_node *key) {
    const char *words[MAX_WORDS + 1] = {0};
    size_t n = 0;

    for (const struct lt_config_property *p = kind->properties; p->name && n < MAX_WORDS; p++)
        words[n++] = p->name;
    lt_config_problem(c, key->offset, lt_nearest(key->text, words),
                      "unknown key '%.*s' in %s; expected %s", LT_FMT(lt_config_cut(key->text)),
                      kind->name, lt_config_words(c, words, " or "));
}

static void check_keys(struct lt_config *c, const struct lt_config_kind *kind,
                       const struct lt_yaml_node *mapping) {
    for (size_t i = 0; i < mapping->n; i++) {
        const struct lt_yaml_node *key = mapping->pairs[i].key;
        if (!find_property(kind, key->text) && !is_extension(kind, key->text))
            tell_unknown(c, kind, key);
    }
}

/* The defaults of a kind, and of the objects that stand in the same struct. */
static void set_defaults(struct lt_config *c, const struct lt_config_kind *kind, void *base) {
    for (const struct lt_config_property *p = kind->properties; p->name; p++) {
        if (p->fallback)
            p->type->read_text(c, p, lt_slice_str(p->fallback), (char *)base + p->offset);
        if (p->type == &lt_config_object)
            set_defaults(c, p->kind, base);
    }
}

void lt_config_read_kind(struct lt_config *c, const struct lt_config_kind *kind,
                         struct lt_yaml_node *mapping, void *base) {
    check_keys(c, kind, mapping);
    for (const struct lt_config_property *p = kind->properties; p->name; p++) {
        struct lt_yaml_node *value = lt_yaml_get(mapping, p->name);
        if (c->no_memory || c->n_visited > LT_YAML_MAX_NODES)
            return;
        if (value && ++c->n_visited > LT_YAML_MAX_NODES)
            lt_config_problem(c, value->offset, NULL, "the aliases give more than 100,000 values");
        if (value)
            p->type->read(c, p, value, base);
        else if (!value && p->required)
            lt_config_problem(c, mapping->offset, NULL, "%s has no '%s'; expected %s", kind->name,
                              p->name, p->type->expected);
    }
    if (kind->finish)
        kind->finish(c, mapping, base);
}

static void read_object(struct lt_config *c, const struct lt_config_property *p,
                        struct lt_yaml_node *value, void *base) {
    if (value->type == LT_YAML_MAPPING)
        lt_config_read_kind(c, p->kind, value, base);
    else
        lt_config_wrong_type(c, p, value);
}

static void read_chosen(struct lt_config *c, const struct lt_config_property *p,
                        const struct lt_config_property *chosen, struct lt_yaml_node *value,
                        size_t offset, void *base) {
    struct lt_yaml_node empty = {.type = LT_YAML_MAPPING, .offset = offset, .end = offset};

    memcpy((char *)base + p->offset, &chosen->name, sizeof(chosen->name));
    set_defaults(c, chosen->kind, base);
    if (!value || lt_config_is_null(value))
        value = &empty;
    chosen->type->read(c, chosen, value, base);
}

static void read_variant(struct lt_config *c, const struct lt_config_property *p,
                         struct lt_yaml_node *value, void *base) {
    const char *words[MAX_WORDS + 1] = {0};
    size_t n = 0;
    bool is_word = value->type == LT_YAML_SCALAR && !lt_config_is_null(value);

    for (const struct lt_config_property *one = p->kind->properties; one->name && n < MAX_WORDS;
         one++)
        words[n++] = one->name;
    if (!is_word && (value->type != LT_YAML_MAPPING || value->n != 1)) {
        const struct lt_yaml_node *at =
            value->type == LT_YAML_MAPPING && value->n > 1 ? value->pairs[1].key : value;
        lt_config_problem(c, at->offset, NULL, "%s has %s; expected exactly one of %s", p->name,
                          value->absent                    ? "no value"
                          : value->type != LT_YAML_MAPPING ? lt_yaml_kind(value)
                          : value->n                       ? "several keys"
                                                           : "no key",
                          lt_config_words(c, words, " or "));
        return;
    }
    const struct lt_yaml_node *name = is_word ? value : value->pairs[0].key;
    const struct lt_config_property *chosen = find_property(p->kind, name->text);
    if (chosen)
        read_chosen(c, p, chosen, is_word ? NULL : value->pairs[0].value, name->offset, base);
    else
        lt_config_problem(c, name->offset, lt_nearest(name->text, words),
                          "%s is '%.*s'; expected exactly one of %s", p->name,
                          LT_FMT(lt_config_cut(name->text)), lt_config_words(c, words, " or "));
}

static bool read_variant_text(struct lt_config *c, const struct lt_config_property *p,
                              struct lt_slice text, void *out) {
    const struct lt_config_property *chosen = find_property(p->kind, text);

    (void)c;
    if (chosen)
        memcpy(out, &chosen->name, sizeof(chosen->name));
    return chosen != NULL;
}

/* The array of a map or list with room for `n`, its address stored; NULL when there is none. */
static char *make_array(struct lt_config *c, const struct lt_config_property *p,
                        const struct lt_yaml_node *value, void *base) {
    if (value->n > MAX_ENTRIES) {
        lt_config_problem(c, value->offset, NULL, "%s has %zu entries; at most %d are read",
                          p->name, value->n, MAX_ENTRIES);
        return NULL;
    }
    char *array = lt_config_alloc(c, value->n ? value->n : 1, p->kind->size);
    if (array)
        memcpy((char *)base + p->offset, &array, sizeof(array));
    return array;
}

static void set_place(struct lt_config *c, const struct lt_config_kind *kind, size_t offset,
                      char *entry) {
    struct lt_place place;

    lt_yaml_place(&c->source, offset, &place.line, &place.column);
    memcpy(entry + kind->place_offset, &place, sizeof(place));
}

static void read_entry(struct lt_config *c, const struct lt_config_property *p,
                       struct lt_yaml_node *value, char *entry) {
    static struct lt_yaml_node empty = {.type = LT_YAML_MAPPING};

    set_defaults(c, p->kind, entry);
    if (value->type == LT_YAML_MAPPING) {
        lt_config_read_kind(c, p->kind, value, entry);
    } else if (lt_config_is_null(value)) {
        /* "sessions:" with nothing after it: all defaults, where all have one */
        struct lt_yaml_node here = empty;
        here.offset = here.end = value->offset;
        lt_config_read_kind(c, p->kind, &here, entry);
    } else {
        lt_config_problem(c, value->offset, NULL, "%s is %s; expected a mapping of its properties",
                          p->kind->name, lt_yaml_kind(value));
    }
}

static void read_map(struct lt_config *c, const struct lt_config_property *p,
                     struct lt_yaml_node *value, void *base) {
    const struct lt_config_kind *kind = p->kind;
    size_t *count = (size_t *)(void *)((char *)base + p->count_offset);

    if (value->type != LT_YAML_MAPPING) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    char *array = make_array(c, p, value, base);
    for (size_t i = 0; array && i < value->n && !c->no_memory; i++) {
        struct lt_yaml_node *key = value->pairs[i].key;
        char *entry = array + i * kind->size;
        set_place(c, kind, key->offset, entry);
        memcpy(entry + kind->name_offset, &key->text.data, sizeof(key->text.data));
        *count = i + 1;
        if (kind->check_name)
            kind->check_name(c, key);
        read_entry(c, p, value->pairs[i].value, entry);
    }
}

static void read_list(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    size_t *count = (size_t *)(void *)((char *)base + p->count_offset);

    if (value->type != LT_YAML_SEQUENCE) {
        lt_config_wrong_type(c, p, value);
        return;
    }
    char *array = make_array(c, p, value, base);
    for (size_t i = 0; array && i < value->n && !c->no_memory; i++) {
        char *entry = array + i * p->kind->size;
        set_place(c, p->kind, value->items[i]->offset, entry);
        *count = i + 1;
        read_entry(c, p, value->items[i], entry);
    }
}

const struct lt_config_type lt_config_object = {
    .name = "mapping",
    .expected = "a mapping",
    .schema = "\"type\":\"object\"",
    .read = read_object,
};
const struct lt_config_type lt_config_map = {
    .name = "map",
    .expected = "a mapping of names",
    .schema = "\"type\":\"object\"",
    .read = read_map,
};
const struct lt_config_type lt_config_list = {
    .name = "list",
    .expected = "a list",
    .schema = "\"type\":\"array\"",
    .read = read_list,
};
const struct lt_config_type lt_config_variant = {
    .name = "one of",
    .expected = "exactly one of them",
    .schema = "",
    .read = read_variant,
    .read_text = read_variant_text,
};
