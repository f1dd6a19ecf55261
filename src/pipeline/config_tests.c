/* SPDX-License-Identifier: Apache-2.0 */
/* The examples of a pipeline, a record, and of a resource, a recorded page: and what must come of
 * them. */
#include "pipeline/config.h"

#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAX_RECORD_BYTES = 1 << 20, MAX_PAGE_BYTES = 4 << 20 };

static void store_json(struct lt_config *c, const struct lt_yaml_node *value, size_t max_bytes,
                       struct lt_slice *out) {
    struct lt_buf buf;

    lt_buf_init(&buf, max_bytes);
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
        store_json(c, value, MAX_RECORD_BYTES, out);
}

static void read_out(struct lt_config *c, const struct lt_config_property *p,
                     struct lt_yaml_node *value, void *base) {
    struct lt_slice *out = (void *)((char *)base + p->offset);

    if (value->type == LT_YAML_MAPPING)
        store_json(c, value, MAX_RECORD_BYTES, out);
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

/* 0 with the whole file in `out`, else an errno. */
static int read_file(const char *path, struct lt_buf *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = 1;

    if (fd < 0)
        return errno;
    while (n > 0) {
        char *room = lt_buf_reserve(out, 64 << 10);
        n = room ? read(fd, room, 64 << 10) : -1;
        if (n > 0)
            lt_buf_commit(out, (size_t)n);
    }
    int sys = n < 0 ? (out->failed ? EFBIG : errno) : 0;
    close(fd);
    return sys;
}

/* What is missing is a warning: a file may be pulled from where its recorded pages are not. */
static void read_page_file(struct lt_config *c, const struct lt_yaml_node *value,
                           struct lt_slice *out) {
    const char *path = lt_config_beside(c, lt_slice_from(value->text, 1));
    struct lt_buf buf;

    lt_buf_init(&buf, MAX_PAGE_BYTES);
    int sys = path ? read_file(path, &buf) : 0;
    if (sys)
        lt_config_warn(c, value->offset, "%.*s cannot be read beside this file: %s",
                       LT_FMT(lt_config_cut(lt_slice_from(value->text, 1))), strerror(sys));
    else if (path)
        *out = lt_arena_dup(c->arena, lt_buf_slice(&buf));
    c->no_memory |= path && !sys && !out->data;
    lt_buf_deinit(&buf);
}

/* A text is the body as it came, or names a file that holds it. */
static void read_page(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    struct lt_slice *out = (void *)((char *)base + p->offset);
    struct leat_error err;
    struct lt_json json;
    bool is_text = lt_config_is_plain_string(value);

    if (is_text && lt_slice_starts(value->text, LT_LIT("@")))
        read_page_file(c, value, out);
    else if (is_text)
        *out = value->text;
    else
        store_json(c, value, MAX_PAGE_BYTES, out);
    if (out->data && lt_json_parse(&json, *out, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK)
        lt_config_problem(c, value->offset, NULL, "%s is no JSON: %s; expected %s", p->name,
                          err.text, p->type->expected);
}

static void read_json(struct lt_config *c, const struct lt_config_property *p,
                      struct lt_yaml_node *value, void *base) {
    store_json(c, value, MAX_RECORD_BYTES, (void *)((char *)base + p->offset));
}

static void read_next_url(struct lt_config *c, const struct lt_config_property *p,
                          struct lt_yaml_node *value, void *base) {
    if (lt_config_is_null(value) && !value->absent)
        lt_config_string.read_text(c, p, lt_slice("", 0), (char *)base + p->offset);
    else
        lt_config_read_scalar(c, p, value, base);
}

static bool read_next_url_text(struct lt_config *c, const struct lt_config_property *p,
                               struct lt_slice text, void *out) {
    return lt_config_string.read_text(c, p, text, out);
}

void lt_config_finish_page_test(struct lt_config *c, struct lt_yaml_node *mapping, void *base) {
    struct lt_rest_test *test = base;

    (void)c;
    if (!lt_yaml_get(mapping, "records"))
        test->n_records = -1;
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
const struct lt_config_type lt_config_page = {
    .name = "JSON, or @FILE",
    .expected = "the body as JSON, or \"@FILE\"",
    .schema = "",
    .read = read_page,
};
const struct lt_config_type lt_config_json = {
    .name = "JSON",
    .expected = "a JSON value",
    .schema = "",
    .read = read_json,
};
const struct lt_config_type lt_config_next_url = {
    .name = "URL, or null",
    .expected = "a URL, or null",
    .schema = "\"type\":[\"string\",\"null\"]",
    .read = read_next_url,
    .read_text = read_next_url_text,
};
