/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference of the file's format and its JSON schema, both walked off the tables of
 * config_schema.c, so that they cannot differ from what the reader does.
 */
#include "pipeline/config.h"

#include "json/json.h"

enum { NAME_COLUMN = 16, TEXT_COLUMNS = 84, MAX_LEVELS = 8 };

/* `text` from column `indent` on, broken at blanks. */
static void write_wrapped(struct lt_buf *out, const char *text, unsigned indent) {
    unsigned column = indent;

    while (*text) {
        size_t len = strcspn(text, " ");
        if (column > indent && column + len + 1 > TEXT_COLUMNS) {
            lt_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        lt_buf_printf(out, "%s%.*s", column > indent ? " " : "", (int)len, text);
        column += (unsigned)len + (column > indent);
        text += len + (text[len] == ' ');
    }
    lt_buf_append_byte(out, '\n');
}

static void write_choices(struct lt_buf *out, const char *const *choices) {
    for (size_t i = 0; choices[i]; i++)
        lt_buf_printf(out, "%s%s", i ? " | " : "", choices[i]);
}

static void write_facts(struct lt_buf *out, const struct lt_config_property *p) {
    char min[32], max[32];

    if (p->choices)
        write_choices(out, p->choices);
    else
        lt_buf_append_str(out, p->type->name);
    if (p->type->show && p->max)
        lt_buf_printf(out, ", %s to %s", p->type->show(p->min, min), p->type->show(p->max, max));
    if (p->required)
        lt_buf_append_str(out, "; required");
    else if (p->fallback && *p->fallback)
        lt_buf_printf(out, "; default %s", p->fallback);
}

static void write_kind(struct lt_buf *out, const struct lt_config_kind *kind, unsigned indent) {
    for (const struct lt_config_property *p = kind->properties; p->name; p++) {
        lt_buf_printf(out, "%*s%-*s ", (int)indent, "", NAME_COLUMN - 1, p->name);
        write_facts(out, p);
        lt_buf_printf(out, "\n%*s", (int)(indent + NAME_COLUMN), "");
        write_wrapped(out, p->help, indent + NAME_COLUMN);
        if (p->kind)
            write_kind(out, p->kind, indent + 4);
    }
}

void lt_config_write_reference(struct lt_buf *out) {
    lt_buf_append_str(out, lt_config_file.help);
    lt_buf_append_str(out, "\n\n");
    write_kind(out, &lt_config_file, 0);
    lt_buf_append_str(
        out,
        "\nIn values, ${VAR} and ${VAR:-default} are replaced from the environment, then from a "
        "file\n"
        ".env beside this one (KEY=value lines); $${ stands for ${ itself. Not in jq expressions "
        "and\n"
        "tests: `$` and braces are jq's own there. Keys at the top that start with x- are the "
        "file's\n"
        "own, a place for YAML anchors. Words such as yes and no are words, as YAML 1.2 has it; "
        "truth\n"
        "values are true and false.\n");
}

static void write_schema_kind(struct lt_json_writer *w, const struct lt_config_kind *kind);

/* A word that needs no more, or a mapping of one of the keys. */
static void write_schema_variant(struct lt_json_writer *w, const struct lt_config_kind *kind) {
    lt_json_key(w, "oneOf");
    lt_json_begin_array(w);
    lt_json_begin_object(w);
    lt_json_key(w, "enum");
    lt_json_begin_array(w);
    for (const struct lt_config_property *p = kind->properties; p->name; p++)
        lt_json_put_str(w, p->name);
    lt_json_end_array(w);
    lt_json_end_object(w);
    lt_json_begin_object(w);
    write_schema_kind(w, kind);
    lt_json_key(w, "minProperties");
    lt_json_put_int(w, 1);
    lt_json_key(w, "maxProperties");
    lt_json_put_int(w, 1);
    lt_json_end_object(w);
    lt_json_end_array(w);
}

/* The members of a property's schema, into an object that is open. */
static void write_schema_property(struct lt_json_writer *w, const struct lt_config_property *p) {
    lt_json_key(w, "description");
    lt_json_put_str(w, p->help);
    if (p->type == &lt_config_uint) {
        lt_json_key(w, "minimum");
        lt_json_put_int(w, p->min);
        lt_json_key(w, "maximum");
        lt_json_put_int(w, p->max);
    }
    if (p->choices) {
        lt_json_key(w, "enum");
        lt_json_begin_array(w);
        for (size_t i = 0; p->choices[i]; i++)
            lt_json_put_str(w, p->choices[i]);
        lt_json_end_array(w);
    }
    if (p->fallback && *p->fallback) {
        lt_json_key(w, "default");
        lt_json_put_str(w, p->fallback);
    }
    if (p->type == &lt_config_map || p->type == &lt_config_list) {
        lt_json_key(w, p->type == &lt_config_map ? "additionalProperties" : "items");
        lt_json_begin_object(w);
        write_schema_kind(w, p->kind);
        lt_json_end_object(w);
    }
}

/* Raw members of a type's schema go in as text: the writer then sees one value that was put. */
static void write_schema_type(struct lt_json_writer *w, const struct lt_config_property *p) {
    if (!*p->type->schema)
        return;
    lt_json_key(w, "allOf");
    lt_json_begin_array(w);
    lt_buf_append_byte(w->out, '{');
    lt_buf_append_str(w->out, p->type->schema);
    lt_buf_append_byte(w->out, '}');
    lt_json_end_array(w);
}

static void write_schema_kind(struct lt_json_writer *w, const struct lt_config_kind *kind) {
    lt_json_key(w, "type");
    lt_json_put_str(w, "object");
    lt_json_key(w, "additionalProperties");
    lt_json_put_bool(w, false);
    lt_json_key(w, "properties");
    lt_json_begin_object(w);
    for (const struct lt_config_property *p = kind->properties; p->name; p++) {
        lt_json_key(w, p->name);
        lt_json_begin_object(w);
        if (p->type == &lt_config_object)
            write_schema_kind(w, p->kind);
        else if (p->type == &lt_config_variant)
            write_schema_variant(w, p->kind);
        else
            write_schema_type(w, p);
        write_schema_property(w, p);
        lt_json_end_object(w);
    }
    lt_json_end_object(w);
    lt_json_key(w, "required");
    lt_json_begin_array(w);
    for (const struct lt_config_property *p = kind->properties; p->name; p++)
        if (p->required)
            lt_json_put_str(w, p->name);
    lt_json_end_array(w);
}

void lt_config_write_schema(struct lt_buf *out) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "$schema");
    lt_json_put_str(&w, "https://json-schema.org/draft/2020-12/schema");
    lt_json_key(&w, "title");
    lt_json_put_str(&w, "A leat file");
    write_schema_kind(&w, &lt_config_file);
    lt_json_key(&w, "patternProperties");
    lt_json_begin_object(&w);
    lt_json_key(&w, "^x-");
    lt_json_begin_object(&w);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
}
