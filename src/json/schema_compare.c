/* SPDX-License-Identifier: Apache-2.0 */
/* What of a record, or of a later schema, a schema does not have yet. */
#include "json/schema_tree.h"

/* The way from the record to a value: one link a level, on the stack. */
struct link {
    const struct link *parent;
    struct lt_slice name; /* `data` NULL: the elements of an array */
};

static void write_links(const struct link *link, struct lt_buf *out) {
    if (!link)
        return;
    write_links(link->parent, out);
    if (link->name.data)
        lt_schema_path_add(out, link->name);
    else
        lt_buf_append_str(out, "[]");
}

static void write_path(const struct link *link, struct lt_buf *out) {
    lt_buf_clear(out);
    const struct link *first = link;
    while (first && first->parent)
        first = first->parent;
    if (!first || !first->name.data)
        lt_buf_append_byte(out, '.'); /* ".", ".[]" */
    write_links(link, out);
    lt_buf_cstr(out);
}

/* An integer is a number. */
static unsigned taken(const struct lt_schema_node *node) {
    return node->types | (node->types & LT_SCHEMA_NUMBER ? LT_SCHEMA_INTEGER : 0U);
}

/* ---- a record ---- */

static const char *type_name(unsigned type) {
    unsigned at = 0;
    return lt_schema_type_name((unsigned)__builtin_ctz(type), &at);
}

static bool misfit(struct lt_json_schema *schema, const struct link *link, const char *expected,
                   struct lt_json value) {
    write_path(link, &schema->path);
    lt_buf_clear(&schema->expected);
    lt_buf_append_str(&schema->expected, expected);
    lt_buf_cstr(&schema->expected);
    schema->misfit = (struct lt_json_schema_misfit){
        schema->path.failed ? "." : schema->path.data,
        schema->expected.failed ? "" : schema->expected.data,
        type_name(lt_schema_type_of(value)),
    };
    return false;
}

static bool value_fits(struct lt_json_schema *schema, const struct lt_schema_node *node,
                       struct lt_json value, const struct link *link);

static bool object_fits(struct lt_json_schema *schema, const struct lt_schema_node *node,
                        struct lt_json object, const struct link *link) {
    struct lt_json_iter iter = lt_json_iter(object);
    struct lt_json key, value;
    size_t hint = 0;

    while (lt_json_next_member(&iter, &key, &value)) {
        const struct lt_schema_field *field = lt_schema_find(node, key, &hint, &schema->name);
        if (field) {
            struct link to = {link, field->name};
            if (!value_fits(schema, field->node, value, &to))
                return false;
        } else if (!node->open) {
            lt_buf_clear(&schema->name);
            lt_json_string_append(key, &schema->name);
            struct link to = {link, schema->name.len ? lt_buf_slice(&schema->name) : LT_LIT("")};
            return misfit(schema, &to, "no such field", value);
        }
    }
    return true;
}

static bool array_fits(struct lt_json_schema *schema, const struct lt_schema_node *node,
                       struct lt_json array, const struct link *link) {
    struct lt_json_iter iter = lt_json_iter(array);
    struct link to = {link, lt_slice(NULL, 0)};
    struct lt_json value;

    while (lt_json_next(&iter, &value)) {
        if (!node->items)
            return misfit(schema, &to, "no elements", value);
        if (!value_fits(schema, node->items, value, &to))
            return false;
    }
    return true;
}

static bool value_fits(struct lt_json_schema *schema, const struct lt_schema_node *node,
                       struct lt_json value, const struct link *link) {
    unsigned type = lt_schema_type_of(value);
    char names[80];

    if (node->any)
        return true;
    if (!(taken(node) & type))
        return misfit(schema, link, lt_schema_type_names(node->types, names), value);
    if (type == LT_SCHEMA_OBJECT)
        return object_fits(schema, node, value, link);
    if (type == LT_SCHEMA_ARRAY)
        return array_fits(schema, node, value, link);
    return true;
}

bool lt_json_schema_fits(struct lt_json_schema *schema, struct lt_json record,
                         struct lt_json_schema_misfit *out) {
    bool fits = value_fits(schema, schema->root, record, NULL);

    if (!fits && out)
        *out = schema->misfit;
    return fits;
}

/* ---- a later schema ---- */

struct comparison {
    void (*each)(void *ctx, const char *path, const char *before, const char *now);
    void *ctx;
    struct lt_buf path;
};

static void tell(struct comparison *c, const struct link *link, const struct lt_schema_node *before,
                 const struct lt_schema_node *now) {
    char names_before[80], names_now[80];

    write_path(link, &c->path);
    c->each(c->ctx, c->path.failed ? "." : c->path.data,
            before ? lt_schema_type_names(before->types, names_before) : NULL,
            now->any ? "anything" : lt_schema_type_names(now->types, names_now));
}

static void compare(struct comparison *c, const struct lt_schema_node *before,
                    const struct lt_schema_node *now, const struct link *link) {
    if (before->any)
        return;
    if (now->any || (now->types & ~taken(before)))
        tell(c, link, before, now);
    for (size_t i = 0; i < now->n_fields; i++) {
        const struct lt_schema_field *old = lt_schema_find_name(before, now->fields[i].name);
        struct link to = {link, now->fields[i].name};
        if (old)
            compare(c, old->node, now->fields[i].node, &to);
        else if (!before->open && (before->types & LT_SCHEMA_OBJECT))
            tell(c, &to, NULL, now->fields[i].node);
    }
    if (now->items) {
        struct link to = {link, lt_slice(NULL, 0)};
        if (before->items)
            compare(c, before->items, now->items, &to);
        else if (before->types & LT_SCHEMA_ARRAY)
            tell(c, &to, NULL, now->items);
    }
}

void lt_json_schema_compare(const struct lt_json_schema *before, const struct lt_json_schema *now,
                            void (*each)(void *ctx, const char *path, const char *types_before,
                                         const char *types_now),
                            void *ctx) {
    struct comparison c = {.each = each, .ctx = ctx};

    lt_buf_init(&c.path, 1 << 16);
    compare(&c, before->root, now->root, NULL);
    lt_buf_deinit(&c.path);
}
