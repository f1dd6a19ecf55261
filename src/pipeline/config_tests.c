/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of a pipeline: a record, and what must come of it. */
#include "pipeline/config.h"

enum { MAX_RECORD_BYTES = 1 << 20 };

static void store_json(struct lt_config *c, const struct lt_yaml_node *value,
                       struct lt_slice *out) {
    struct lt_buf buf;

    lt_buf_init(&buf, MAX_RECORD_BYTES);
    if (lt_config_to_json(c, value, &buf)) {
        *out = lt_arena_dup(c->arena, lt_buf_slice(&buf));
        if (!out->data)
            c->no_memory = true;
    }
    lt_buf_deinit(&buf);
}

/* A text is the record as it comes, so that a malformed one can be an example too. */
static void read_in(struct lt_config *c, const struct lt_config_property *p,
                    struct lt_yaml_node *value, void *base) {
    struct lt_slice *out = (void *)((char *)base + p->offset);

    if (lt_config_is_plain_string(value))
        *out = value->text;
    else
        store_json(c, value, out);
}

static void read_out(struct lt_config *c, const struct lt_config_property *p,
                     struct lt_yaml_node *value, void *base) {
    struct lt_slice *out = (void *)((char *)base + p->offset);

    if (value->type == LT_YAML_MAPPING)
        store_json(c, value, out);
    else
        lt_config_wrong_type(c, p, value);
}

static void read_dead(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    if (value->type == LT_YAML_SCALAR && value->style == LT_YAML_PLAIN &&
        lt_slice_eq_str(value->text, "true"))
        lt_config_string.read_text(c, p, lt_slice("", 0), (char *)base + p->offset);
    else if (lt_config_is_plain_string(value))
        lt_config_string.read_text(c, p, value->text, (char *)base + p->offset);
    else
        lt_config_wrong_type(c, p, value);
}

void lt_config_finish_test(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    const struct lt_system_test *test = base;
    struct lt_yaml_node *dead = lt_yaml_get(mapping, "dead");

    if (dead && test->dead && (test->out.data || test->to))
        lt_config_problem(c, dead->offset, NULL,
                          "a dead letter has neither 'out' nor 'to'; expected 'dead' alone");
}

const struct lt_config_type lt_config_test_in = {
    .name = "JSON, or text",
    .expected = "the record as a mapping, or its raw text",
    .schema = "",
    .read = read_in,
};
const struct lt_config_type lt_config_test_out = {
    .name = "JSON",
    .expected = "the record that must come out, as a mapping",
    .schema = "\"type\":\"object\"",
    .read = read_out,
};
const struct lt_config_type lt_config_test_dead = {
    .name = "text, or true",
    .expected = "a part of the reason as a text, or true",
    .schema = "\"type\":[\"string\",\"boolean\"]",
    .read = read_dead,
};
