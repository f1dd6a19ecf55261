/* SPDX-License-Identifier: Apache-2.0 */
/* An API's own words in the body of an error. */
#include "rest/message.h"

#include "json/json.h"

#include <strings.h>

enum { MOST_DEPTH = 4, ARENA_MAX = 256 << 10 };

/* Copies one line: control characters and runs of white space become a space, and a character is
 * not cut in two. */
static void copy_line(char *out, size_t cap, struct lt_slice text) {
    size_t len = 0;
    bool gap = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == 0x7f) {
            gap = len > 0;
            continue;
        }
        if (len + gap + 1 >= cap)
            break;
        if (gap)
            out[len++] = ' ';
        gap = false;
        out[len++] = (char)c;
    }
    while (len && len + 4 >= cap && ((unsigned char)out[len - 1] & 0xc0) == 0x80)
        len--;
    if (len && len + 4 >= cap && (unsigned char)out[len - 1] >= 0xc0)
        len--;
    out[len] = '\0';
}

static bool copy_string(char *out, size_t cap, struct lt_json value, struct lt_arena *arena) {
    if (out[0] || value.type != LT_JSON_STRING)
        return false;
    struct lt_slice text = lt_json_string(value, arena);
    copy_line(out, cap, text);
    return out[0] != '\0';
}

/* The first of the members that is a text. */
static bool copy_member(char *out, size_t cap, struct lt_json object, const char *const *names,
                        struct lt_arena *arena) {
    struct lt_json value;
    for (; *names; names++)
        if (lt_json_get(object, *names, &value) && copy_string(out, cap, value, arena))
            return true;
    return false;
}

/* "first: second", where both are there and differ. */
static void join(struct lt_rest_message *out, const char *second) {
    size_t len = strlen(out->text);
    if (!second[0] || strcmp(out->text, second) == 0)
        return;
    if (len && len + 4 < sizeof(out->text)) {
        memcpy(out->text + len, ": ", 3);
        len += 2;
    }
    copy_line(out->text + len, sizeof(out->text) - len, lt_slice_str(second));
}

static void find(struct lt_rest_message *out, struct lt_json value, unsigned depth,
                 struct lt_arena *arena);

static void find_in_object(struct lt_rest_message *out, struct lt_json object, unsigned depth,
                           struct lt_arena *arena) {
    static const char *const codes[] = {"reason", "code", "error_code", "__type", NULL};
    static const char *const texts[] = {
        "message", "error_description", "error_message", "errorMessage",
        "msg",     "Message",           "error_summary", NULL};
    static const char *const titles[] = {"title", "detail", "description", NULL};
    static const char *const details[] = {"detail", "description", NULL};
    struct lt_json value;
    char more[sizeof(out->text)] = "";

    copy_member(out->code, sizeof(out->code), object, codes, arena);
    if (lt_json_get(object, "error", &value)) {
        if (value.type == LT_JSON_STRING && !out->code[0])
            copy_string(out->code, sizeof(out->code), value, arena);
        find(out, value, depth + 1, arena);
    }
    if (!out->text[0] && lt_json_get(object, "errors", &value))
        find(out, value, depth + 1, arena);
    if (copy_member(more, sizeof(more), object, texts, arena)) {
        join(out, more);
    } else if (!out->text[0] && copy_member(out->text, sizeof(out->text), object, titles, arena) &&
               copy_member(more, sizeof(more), object, details, arena)) {
        join(out, more);
    }
}

static void find(struct lt_rest_message *out, struct lt_json value, unsigned depth,
                 struct lt_arena *arena) {
    if (depth > MOST_DEPTH)
        return;
    if (value.type == LT_JSON_STRING) {
        copy_string(out->text, sizeof(out->text), value, arena);
    } else if (value.type == LT_JSON_OBJECT) {
        find_in_object(out, value, depth, arena);
    } else if (value.type == LT_JSON_ARRAY) {
        struct lt_json member;
        struct lt_json_iter iter = lt_json_iter(value);
        if (lt_json_next(&iter, &member))
            find(out, member, depth + 1, arena);
    }
}

/* The title of a page, as proxies and load balancers send them. */
static struct lt_slice find_title(struct lt_slice html) {
    for (size_t i = 0; i + 7 < html.len; i++) {
        if (strncasecmp(html.data + i, "<title>", 7) != 0)
            continue;
        struct lt_slice title = lt_slice_from(html, i + 7);
        const char *end = title.len ? memchr(title.data, '<', title.len) : NULL;
        title.len = end ? (size_t)(end - title.data) : 0;
        return title;
    }
    return lt_slice(NULL, 0);
}

void lt_rest_message_find(struct lt_rest_message *out, struct lt_slice body) {
    struct lt_arena arena;
    struct lt_json doc;

    memset(out, 0, sizeof(*out));
    while (body.len && (unsigned char)body.data[0] <= ' ')
        body = lt_slice_from(body, 1);
    if (lt_json_parse(&doc, body, LT_JSON_DEFAULT_DEPTH, NULL) == LEAT_OK) {
        lt_arena_init(&arena, ARENA_MAX);
        find(out, doc, 0, &arena);
        lt_arena_deinit(&arena);
    } else if (body.len && body.data[0] == '<') {
        copy_line(out->text, sizeof(out->text), find_title(body));
    } else {
        copy_line(out->text, sizeof(out->text), body);
    }
}
