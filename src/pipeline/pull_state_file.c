/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--state FILE`: the state that a Singer target or Airbyte gave back. Taken are a Singer value
 * ({"bookmarks":…}), a STATE message of either, an array of Airbyte states, and lines of messages,
 * of which the last state counts; {} and an empty file are no state. A bookmark that other taps
 * would have written, {"replication_key_value":…} or {FIELD: …}, is a cursor.
 */
#include "pipeline/pull_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 256 << 20, READ_BYTES = 64 << 10 };

struct reading {
    struct lt_pull_run *run;
    bool found; /* something that is a state */
};

static size_t find_resource(const struct lt_pull_run *run, struct lt_json name) {
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (lt_json_string_is(name, lt_slice_str(run->api->resources[i].name)))
            return i;
    }
    return SIZE_MAX;
}

static bool type_is(struct lt_json doc, const char *type) {
    struct lt_json value;
    return lt_json_get(doc, "type", &value) && value.type == LT_JSON_STRING &&
           lt_json_string_is(value, lt_slice_str(type));
}

/* A cursor alone, as a walk that came to its end would have left it. */
static struct lt_slice position_of_cursor(struct lt_pull_run *run, struct lt_json cursor) {
    char *text = lt_arena_printf(&run->arena,
                                 "{\"v\":1,\"n\":0,\"tasks\":[],\"complete\":true,"
                                 "\"cursor\":%.*s,\"seen\":[]}",
                                 LT_FMT(cursor.raw));
    return lt_slice_str(text);
}

/* The member of a bookmark that is the field of the resource's cursor: ".updated_at". */
static bool get_field(const struct lt_rest_resource *resource, struct lt_json bookmark,
                      struct lt_json *out, struct lt_arena *arena) {
    struct lt_slice field = resource->incremental.field.text;
    char *name = field.data && field.len > 1 && field.data[0] == '.'
                     ? lt_arena_str(arena, lt_slice_from(field, 1))
                     : NULL;
    return name && lt_json_get(bookmark, name, out);
}

static void take_bookmark(struct reading *reading, size_t resource, struct lt_json bookmark) {
    struct lt_pull_run *run = reading->run;
    struct lt_json value;

    if (lt_json_get(bookmark, "position", &value) && value.type == LT_JSON_OBJECT)
        run->positions[resource] = value.raw;
    else if (run->api->resources[resource].incremental.field.text.data &&
             (lt_json_get(bookmark, "replication_key_value", &value) ||
              get_field(&run->api->resources[resource], bookmark, &value, &run->arena)) &&
             (value.type == LT_JSON_STRING || value.type == LT_JSON_NUMBER))
        run->positions[resource] = position_of_cursor(run, value);
}

static void take_bookmarks(struct reading *reading, struct lt_json bookmarks) {
    struct lt_json_iter iter = lt_json_iter(bookmarks);
    struct lt_json name, bookmark;

    reading->found = true;
    memset(reading->run->positions, 0,
           reading->run->api->n_resources * sizeof(*reading->run->positions));
    while (lt_json_next_member(&iter, &name, &bookmark)) {
        size_t at = find_resource(reading->run, name);
        if (at != SIZE_MAX)
            take_bookmark(reading, at, bookmark);
    }
}

static void take_stream(struct reading *reading, struct lt_json state) {
    struct lt_json stream, descriptor, name, position;

    if (!type_is(state, "STREAM") || !lt_json_get(state, "stream", &stream) ||
        !lt_json_get(stream, "stream_descriptor", &descriptor) ||
        !lt_json_get(descriptor, "name", &name))
        return;
    reading->found = true;
    size_t at = find_resource(reading->run, name);
    if (at != SIZE_MAX && lt_json_get(stream, "stream_state", &position) &&
        position.type == LT_JSON_OBJECT && lt_json_count(position))
        reading->run->positions[at] = position.raw;
}

static void take_object(struct reading *reading, struct lt_json doc) {
    struct lt_json value, bookmarks;

    if (lt_json_get(doc, "bookmarks", &bookmarks))
        take_bookmarks(reading, bookmarks);
    else if (type_is(doc, "STATE") && lt_json_get(doc, "value", &value)) {
        if (lt_json_get(value, "bookmarks", &bookmarks))
            take_bookmarks(reading, bookmarks);
        reading->found = true;
    } else if (type_is(doc, "STATE") && lt_json_get(doc, "state", &value))
        take_stream(reading, value);
    else
        take_stream(reading, doc);
    reading->found |= !lt_json_count(doc);
}

static void take(struct reading *reading, struct lt_json doc) {
    struct lt_json_iter iter = lt_json_iter(doc);
    struct lt_json one;

    if (doc.type == LT_JSON_OBJECT)
        take_object(reading, doc);
    while (doc.type == LT_JSON_ARRAY && lt_json_next(&iter, &one))
        take_object(reading, one);
    reading->found |= doc.type == LT_JSON_ARRAY && !lt_json_count(doc);
}

/* The whole text as one value, else line by line. */
static leat_status take_text(struct reading *reading, struct lt_slice text,
                             struct leat_error *err) {
    struct lt_json doc;
    leat_status status = LEAT_OK;

    if (lt_json_parse(&doc, text, LT_JSON_MAX_DEPTH, NULL) == LEAT_OK) {
        take(reading, doc);
        return LEAT_OK;
    }
    while (text.len && status == LEAT_OK) {
        const char *end = memchr(text.data, '\n', text.len);
        struct lt_slice line = {text.data, end ? (size_t)(end - text.data) : text.len};
        text = lt_slice_from(text, line.len + (end ? 1 : 0));
        if (!line.len || (line.len == 1 && line.data[0] == '\r'))
            continue;
        status = lt_json_parse(&doc, line, LT_JSON_MAX_DEPTH, err);
        if (status == LEAT_OK)
            take(reading, doc);
    }
    return status;
}

static leat_status read_file(const char *path, struct lt_buf *out, struct leat_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    leat_status status = LEAT_OK;

    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot read %s", path);
    for (;;) {
        char *to = lt_buf_reserve(out, READ_BYTES);
        ssize_t n = to ? read(fd, to, READ_BYTES) : -1;
        if (!to)
            status = lt_buf_status(out, err);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0)
            status = lt_fail_sys(err, errno, "cannot read %s", path);
        if (status != LEAT_OK || n <= 0)
            break;
        lt_buf_commit(out, (size_t)n);
    }
    close(fd);
    return status;
}

leat_status lt_pull_state_read(struct lt_pull_run *run, const char *path, struct leat_error *err) {
    struct reading reading = {.run = run};
    struct lt_buf file;

    lt_buf_init(&file, FILE_MAX_BYTES);
    leat_status status = read_file(path, &file, err);
    struct lt_slice text = lt_arena_dup(&run->arena, lt_buf_slice(&file));
    lt_buf_deinit(&file);
    if (status != LEAT_OK)
        return status;
    if (!text.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the state in %s", path);
    reading.found = strspn(text.data, " \t\r\n") == text.len;
    if (!reading.found)
        status = take_text(&reading, text, err);
    if (status != LEAT_OK)
        return lt_error_prefix(err, "the state in %s", path);
    if (!reading.found)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "%s holds no state: a Singer state ({\"bookmarks\": …}), Airbyte's, or "
                       "lines of their messages",
                       path);
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (!run->walked[i])
            run->positions[i] = lt_slice(NULL, 0);
        run->stat->resumed |= run->positions[i].data != NULL;
    }
    return LEAT_OK;
}
