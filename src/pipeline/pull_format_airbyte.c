/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Airbyte protocol's messages. Each resource is a stream with a state of its own, which is the
 * walk's position. A position of a child is only good with one of its parent that is not further
 * on, so children's states come first: who keeps only some of them fetches some records again, and
 * misses none.
 */
#include "pipeline/pull_format.h"

static void begin_message(struct lt_json_writer *w, struct lt_buf *out, const char *type,
                          const char *member) {
    lt_json_writer_init(w, out);
    lt_json_begin_object(w);
    lt_json_key(w, "type");
    lt_json_put_str(w, type);
    lt_json_key(w, member);
    lt_json_begin_object(w);
}

static void end_message(struct lt_json_writer *w) {
    lt_json_end_object(w);
    lt_json_end_object(w);
    lt_buf_append_byte(w->out, '\n');
}

static void put_descriptor(struct lt_json_writer *w, const char *name) {
    lt_json_key(w, "stream_descriptor");
    lt_json_begin_object(w);
    lt_json_key(w, "name");
    lt_json_put_str(w, name);
    lt_json_end_object(w);
}

static void tell_status(struct lt_pull_formatter *f, size_t resource, const char *status) {
    struct lt_json_writer w;

    begin_message(&w, f->opt.out, "TRACE", "trace");
    lt_json_key(&w, "type");
    lt_json_put_str(&w, "STREAM_STATUS");
    lt_json_key(&w, "emitted_at");
    lt_json_put_int(&w, lt_pull_format_now(f));
    lt_json_key(&w, "stream_status");
    lt_json_begin_object(&w);
    put_descriptor(&w, f->opt.api->resources[resource].name);
    lt_json_key(&w, "status");
    lt_json_put_str(&w, status);
    lt_json_end_object(&w);
    end_message(&w);
}

static leat_status begin(struct lt_pull_formatter *f, struct leat_error *err) {
    (void)err;
    for (size_t i = 0; i < f->opt.api->n_resources; i++) {
        if (f->opt.selected[i])
            tell_status(f, i, "STARTED");
    }
    return LEAT_OK;
}

static leat_status page(struct lt_pull_formatter *f, const struct lt_rest_page *rest_page,
                        const struct lt_slice *records, size_t n, struct leat_error *err) {
    struct lt_pull_formatted *of = &f->resources[rest_page->resource_index];

    (void)err;
    if (n && !of->running) {
        of->running = true;
        tell_status(f, rest_page->resource_index, "RUNNING");
    }
    for (size_t i = 0; i < n; i++) {
        struct lt_json_writer w;
        begin_message(&w, f->opt.out, "RECORD", "record");
        lt_json_key(&w, "stream");
        lt_json_put_str(&w, rest_page->resource->name);
        lt_json_key(&w, "data");
        lt_json_put_raw(&w, records[i]);
        lt_json_key(&w, "emitted_at");
        lt_json_put_int(&w, rest_page->fetched_ms);
        end_message(&w);
    }
    return LEAT_OK;
}

static void write_state(struct lt_pull_formatter *f, size_t resource, struct lt_slice position) {
    struct lt_pull_formatted *of = &f->resources[resource];
    struct lt_json_writer w;

    begin_message(&w, f->opt.out, "STATE", "state");
    lt_json_key(&w, "type");
    lt_json_put_str(&w, "STREAM");
    lt_json_key(&w, "stream");
    lt_json_begin_object(&w);
    put_descriptor(&w, f->opt.api->resources[resource].name);
    lt_json_key(&w, "stream_state");
    lt_json_put_raw(&w, position);
    lt_json_end_object(&w);
    lt_json_key(&w, "sourceStats");
    lt_json_begin_object(&w);
    lt_json_key(&w, "recordCount");
    lt_json_put_uint(&w, of->n_records - of->n_records_in_state);
    lt_json_end_object(&w);
    end_message(&w);
    of->n_records_in_state = of->n_records;
}

static leat_status state(struct lt_pull_formatter *f, struct leat_error *err) {
    leat_status status = LEAT_OK;

    for (size_t i = f->opt.api->n_resources; i-- > 0 && status == LEAT_OK;) {
        struct lt_pull_formatted *of = &f->resources[i];
        if (!f->opt.walked[i])
            continue;
        struct lt_buf text;
        lt_buf_init(&text, of->last_state.max);
        f->opt.position(f->opt.ctx, i, &text);
        status = lt_buf_status(&text, err);
        if (status != LEAT_OK || lt_slice_eq(lt_buf_slice(&text), lt_buf_slice(&of->last_state))) {
            lt_buf_deinit(&text);
            continue;
        }
        write_state(f, i, lt_buf_slice(&text));
        lt_buf_deinit(&of->last_state);
        of->last_state = text;
    }
    return status;
}

static void note(struct lt_pull_formatter *f, const char *level, const char *text) {
    struct lt_json_writer w;

    begin_message(&w, f->opt.out, "LOG", "log");
    lt_json_key(&w, "level");
    lt_json_put_str(&w, level);
    lt_json_key(&w, "message");
    lt_json_put_str(&w, text);
    end_message(&w);
}

static leat_status end(struct lt_pull_formatter *f, bool complete, const struct leat_error *failure,
                       struct leat_error *err) {
    struct lt_json_writer w;

    (void)err;
    if (failure) {
        begin_message(&w, f->opt.out, "TRACE", "trace");
        lt_json_key(&w, "type");
        lt_json_put_str(&w, "ERROR");
        lt_json_key(&w, "emitted_at");
        lt_json_put_int(&w, lt_pull_format_now(f));
        lt_json_key(&w, "error");
        lt_json_begin_object(&w);
        lt_json_key(&w, "message");
        lt_json_put_str(&w, failure->text);
        lt_json_key(&w, "failure_type");
        lt_json_put_str(&w, failure->status == LEAT_E_CONFIG || failure->status == LEAT_E_AUTH
                                ? "config_error"
                                : "system_error");
        lt_json_end_object(&w);
        end_message(&w);
    }
    for (size_t i = 0; i < f->opt.api->n_resources; i++) {
        if (f->opt.selected[i])
            tell_status(f, i, complete ? "COMPLETE" : "INCOMPLETE");
    }
    return LEAT_OK;
}

const struct lt_pull_format_row lt_pull_format_airbyte = {
    .name = "airbyte", .begin = begin, .page = page, .state = state, .note = note, .end = end};
