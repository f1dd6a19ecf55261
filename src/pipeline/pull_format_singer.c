/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Singer's messages. A SCHEMA comes before the first record of a stream, and again whenever a page
 * has what the last one did not say, ahead of that page's records: who validates them always has a
 * schema that they fit. STATE is
 *
 *     {"bookmarks":{STREAM:{"replication_key":FIELD,"replication_key_value":CURSOR,
 *                           "position":{…}}}}
 *
 * where `position` is the walk's own: from it the next run goes on where this one stood, also in
 * the middle. A resource that was pulled whole and is not incremental has no bookmark.
 */
#include "base/units.h"
#include "pipeline/pull_format.h"

static void begin_message(struct lt_json_writer *w, struct lt_buf *out, const char *type) {
    lt_json_writer_init(w, out);
    lt_json_begin_object(w);
    lt_json_key(w, "type");
    lt_json_put_str(w, type);
}

static void end_message(struct lt_json_writer *w) {
    lt_json_end_object(w);
    lt_buf_append_byte(w->out, '\n');
}

/* The name of a field whose expression is just that: ".updated_at", or empty. */
static struct lt_slice bookmark_of(const struct lt_rest_resource *resource) {
    struct lt_slice text = resource->incremental.field.text;

    if (!text.data || text.len < 2 || text.data[0] != '.')
        return lt_slice(NULL, 0);
    text = lt_slice_from(text, 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (i && c >= '0' && c <= '9')))
            return lt_slice(NULL, 0);
    }
    return text;
}

static void write_schema(struct lt_pull_formatter *f, const struct lt_rest_resource *resource,
                         struct lt_slice schema) {
    struct lt_json_writer w;
    struct lt_slice bookmark = bookmark_of(resource);

    begin_message(&w, f->opt.out, "SCHEMA");
    lt_json_key(&w, "stream");
    lt_json_put_str(&w, resource->name);
    lt_json_key(&w, "schema");
    lt_json_put_raw(&w, schema);
    lt_json_key(&w, "key_properties");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < resource->n_key; i++)
        lt_json_put_str(&w, resource->key[i]);
    lt_json_end_array(&w);
    if (bookmark.len) {
        lt_json_key(&w, "bookmark_properties");
        lt_json_begin_array(&w);
        lt_json_put_string(&w, bookmark);
        lt_json_end_array(&w);
    }
    end_message(&w);
}

static leat_status infer(struct lt_pull_formatted *to, const struct lt_slice *records, size_t n,
                         struct leat_error *err) {
    leat_status status = to->schema ? LEAT_OK : lt_json_schema_new(&to->schema, err);

    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        struct lt_json record;
        status = lt_json_parse(&record, records[i], LT_JSON_MAX_DEPTH, err);
        if (status == LEAT_OK)
            status = lt_json_schema_add(to->schema, record, err);
    }
    if (status != LEAT_OK)
        return status;
    lt_buf_clear(&to->text);
    lt_json_schema_write(to->schema, NULL, &to->text);
    return lt_buf_status(&to->text, err);
}

static leat_status tell_schema(struct lt_pull_formatter *f, const struct lt_rest_page *page,
                               const struct lt_slice *records, size_t n, struct leat_error *err) {
    struct lt_pull_formatted *to = &f->resources[page->resource_index];
    leat_status status = infer(to, records, n, err);

    if (status != LEAT_OK || lt_slice_eq(lt_buf_slice(&to->text), lt_buf_slice(&to->last_schema)))
        return status;
    write_schema(f, page->resource, lt_buf_slice(&to->text));
    struct lt_buf last = to->last_schema;
    to->last_schema = to->text;
    to->text = last;
    return LEAT_OK;
}

static leat_status page(struct lt_pull_formatter *f, const struct lt_rest_page *rest_page,
                        const struct lt_slice *records, size_t n, struct leat_error *err) {
    char time[32];
    leat_status status = n ? tell_schema(f, rest_page, records, n, err) : LEAT_OK;

    lt_format_time(rest_page->fetched_ms, time);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        struct lt_json_writer w;
        begin_message(&w, f->opt.out, "RECORD");
        lt_json_key(&w, "stream");
        lt_json_put_str(&w, rest_page->resource->name);
        lt_json_key(&w, "record");
        lt_json_put_raw(&w, records[i]);
        lt_json_key(&w, "time_extracted");
        lt_json_put_str(&w, time);
        end_message(&w);
    }
    return status;
}

static void write_bookmark(struct lt_json_writer *w, const struct lt_rest_resource *resource,
                           struct lt_json position) {
    struct lt_json cursor, complete;
    struct lt_slice bookmark = bookmark_of(resource);
    bool has_cursor = resource->incremental.field.text.data &&
                      lt_json_get(position, "cursor", &cursor) && cursor.type != LT_JSON_NULL;

    if (!has_cursor && lt_json_get(position, "complete", &complete) &&
        complete.type == LT_JSON_TRUE)
        return;
    lt_json_key(w, resource->name);
    lt_json_begin_object(w);
    if (has_cursor) {
        lt_json_key(w, "replication_key");
        lt_json_put_string(w, bookmark.len ? bookmark : resource->incremental.field.text);
        lt_json_key(w, "replication_key_value");
        lt_json_put_raw(w, cursor.raw);
    }
    lt_json_key(w, "position");
    lt_json_put_raw(w, position.raw);
    lt_json_end_object(w);
}

static leat_status write_bookmarks(struct lt_pull_formatter *f, struct lt_json_writer *w,
                                   struct leat_error *err) {
    struct lt_json position;
    struct lt_buf text;
    leat_status status = LEAT_OK;

    lt_buf_init(&text, f->last_state.max);
    for (size_t i = 0; i < f->opt.api->n_resources && status == LEAT_OK; i++) {
        if (!f->opt.walked[i])
            continue;
        lt_buf_clear(&text);
        f->opt.position(f->opt.ctx, i, &text);
        status = lt_buf_status(&text, err);
        if (status == LEAT_OK)
            status = lt_json_parse(&position, lt_buf_slice(&text), LT_JSON_MAX_DEPTH, err);
        if (status == LEAT_OK)
            write_bookmark(w, &f->opt.api->resources[i], position);
    }
    lt_buf_deinit(&text);
    return status;
}

static leat_status state(struct lt_pull_formatter *f, struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_buf line;

    lt_buf_init(&line, f->last_state.max);
    begin_message(&w, &line, "STATE");
    lt_json_key(&w, "value");
    lt_json_begin_object(&w);
    lt_json_key(&w, "bookmarks");
    lt_json_begin_object(&w);
    leat_status status = write_bookmarks(f, &w, err);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    end_message(&w);
    if (status == LEAT_OK)
        status = lt_buf_status(&line, err);
    if (status == LEAT_OK && !lt_slice_eq(lt_buf_slice(&line), lt_buf_slice(&f->last_state))) {
        lt_buf_append(f->opt.out, lt_buf_slice(&line));
        lt_buf_deinit(&f->last_state);
        f->last_state = line;
        return LEAT_OK;
    }
    lt_buf_deinit(&line);
    return status;
}

const struct lt_pull_format_row lt_pull_format_singer = {
    .name = "singer", .page = page, .state = state};
