/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${VAR} and ${VAR:-default} in values. What a variable holds may be a secret: errors show what
 * stands in the file, never what came of it.
 */
#include "pipeline/config.h"

#include <ctype.h>

struct reference {
    struct lt_slice name;
    struct lt_slice fallback; /* data NULL: none */
    size_t len;               /* with "${" and "}" */
};

static bool is_name(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* What stands at the "${" at `at`. False when it is not closed or has no name. */
static bool parse_reference(struct lt_slice text, size_t at, struct reference *ref) {
    size_t i = at + 2, start = i;

    while (i < text.len && is_name(text.data[i]))
        i++;
    *ref = (struct reference){.name = lt_slice(text.data + start, i - start)};
    if (!ref->name.len || isdigit((unsigned char)ref->name.data[0]))
        return false;
    if (i + 1 < text.len && text.data[i] == ':' && text.data[i + 1] == '-') {
        start = i += 2;
        while (i < text.len && text.data[i] != '}')
            i++;
        ref->fallback = lt_slice(text.data + start, i - start);
    }
    ref->len = i + 1 - at;
    return i < text.len && text.data[i] == '}';
}

static void add_value(struct lt_config *c, struct lt_config_value **list, const char *text) {
    struct lt_config_value *value = lt_config_alloc(c, 1, sizeof(*value));

    if (!value || !*text)
        return;
    *value = (struct lt_config_value){.text = text, .next = *list};
    *list = value;
}

void lt_config_keep_secret(struct lt_config *c, const char *text) {
    size_t n = 0;

    for (const struct lt_config_value *one = c->secrets; one; one = one->next, n++)
        if (!strcmp(one->text, text))
            return;
    if (n <= LT_CONFIG_MAX_SECRETS) /* one too many is told (take_secrets()) */
        add_value(c, &c->secrets, text);
}

void lt_config_keep_used(struct lt_config *c) {
    for (const struct lt_config_value *value = c->used; value; value = value->next)
        lt_config_keep_secret(c, value->text);
}

/* The environment is copied: it may change while the secrets still hide what was read. */
static void keep_value(struct lt_config *c, const char *text) {
    const char *copy = lt_arena_str(c->arena, lt_slice_str(text));

    if (copy)
        add_value(c, &c->used, copy);
    else
        c->no_memory = true;
}

bool lt_config_expand_one(struct lt_config *c, const struct lt_yaml_node *node, size_t at,
                          struct lt_buf *out, size_t *len) {
    size_t place = lt_yaml_source_offset(&c->source, node, at);
    struct reference ref;
    char name[256];

    if (!parse_reference(node->text, at, &ref)) {
        lt_config_problem(c, place, NULL,
                          "'${' starts no variable; expected ${NAME}, ${NAME:-default}, or $${ for "
                          "the text itself");
        return false;
    }
    *len = ref.len;
    if (ref.name.len >= sizeof(name)) {
        lt_config_problem(c, place, NULL, "the variable's name is over 255 characters long");
        return false;
    }
    memcpy(name, ref.name.data, ref.name.len);
    name[ref.name.len] = '\0';
    const char *value = lt_config_variable(c, name, place);
    if ((!value || !*value) && ref.fallback.data) {
        lt_buf_append(out, ref.fallback);
    } else if (!value) {
        lt_config_problem(c, place, NULL,
                          "environment variable %s is not set; expected it in the environment, in "
                          "a .env beside the file, or a default here: ${%s:-default}",
                          name, name);
        return false;
    } else {
        lt_buf_append_str(out, value);
        keep_value(c, value);
    }
    return true;
}

bool lt_config_expand(struct lt_config *c, const struct lt_yaml_node *node, struct lt_slice *out,
                      bool *used) {
    const struct lt_slice text = node->text;
    struct lt_buf buf;
    bool ok = true;

    *out = text;
    *used = false;
    c->used = NULL;
    if (!text.len || !memmem(text.data, text.len, "${", 2))
        return true;
    lt_buf_init(&buf, LT_CONFIG_MAX_VALUE_BYTES);
    for (size_t i = 0; i < text.len;) {
        size_t step = 1;
        if (lt_slice_starts(lt_slice_from(text, i), LT_LIT("$${"))) {
            lt_buf_append(&buf, LT_LIT("${"));
            step = 3;
        } else if (lt_slice_starts(lt_slice_from(text, i), LT_LIT("${"))) {
            *used = true;
            step = 2;
            ok &= lt_config_expand_one(c, node, i, &buf, &step);
        } else {
            lt_buf_append_byte(&buf, text.data[i]);
        }
        i += step;
    }
    if (buf.failed) {
        lt_config_problem(c, node->offset, NULL, "the value has more than %d bytes",
                          LT_CONFIG_MAX_VALUE_BYTES);
        ok = false;
    }
    *out = lt_arena_dup(c->arena, lt_buf_slice(&buf));
    if (!out->data)
        c->no_memory = true;
    lt_buf_deinit(&buf);
    return ok && out->data;
}
