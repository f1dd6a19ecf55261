/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/checkpoint_pull.h"

#include "base/units.h"
#include "json/json.h"

#include <stdio.h>

enum { ARENA_MAX_BYTES = 512 << 20, OUT_MAX_BYTES = 64 << 20 };

static void show_row(const struct lt_pull_position *row) {
    char records[32], waiting[32];

    printf("  %-28s %12s records  ", row->resource, lt_format_count(row->n_records, records));
    if (row->complete)
        printf("whole; the next pull begins %s", row->cursor.len ? "after " : "anew");
    else
        printf("%s list%s left", lt_format_count(row->n_waiting, waiting),
               row->n_waiting == 1 ? "" : "s");
    if (row->cursor.len)
        printf("%s%.*s", row->complete ? "" : "; cursor ", LT_FMT(row->cursor));
    putchar('\n');
}

static void write_row(struct lt_buf *out, const struct lt_system_pipeline *pipeline,
                      const struct lt_pull_position *row) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "pipeline");
    lt_json_put_str(&w, pipeline->name);
    lt_json_key(&w, "api");
    lt_json_put_str(&w, pipeline->source_api->name);
    lt_json_key(&w, "resource");
    lt_json_put_str(&w, row->resource);
    lt_json_key(&w, "complete");
    lt_json_put_bool(&w, row->complete);
    lt_json_key(&w, "records");
    lt_json_put_uint(&w, row->n_records);
    lt_json_key(&w, "lists_left");
    lt_json_put_uint(&w, row->n_waiting);
    lt_json_key(&w, "cursor");
    if (row->cursor.len)
        lt_json_put_raw(&w, row->cursor);
    else
        lt_json_put_null(&w);
    lt_json_end_object(&w);
    lt_buf_append_byte(out, '\n');
}

static leat_status show(bool json, struct lt_target *target,
                        const struct lt_system_pipeline *pipeline, struct leat_error *err) {
    struct lt_pull_position *list;
    struct lt_arena arena;
    struct lt_buf out;
    size_t n = 0;

    lt_arena_init(&arena, ARENA_MAX_BYTES);
    lt_buf_init(&out, OUT_MAX_BYTES);
    leat_status status = lt_pull_positions(target, pipeline, &arena, &list, &n, err);
    if (status == LEAT_OK && !json)
        printf("pipeline %s pulls from %s%s\n", pipeline->name, pipeline->source_api->name,
               n ? "" : ": not pulled yet");
    for (size_t i = 0; i < n; i++) {
        if (json)
            write_row(&out, pipeline, &list[i]);
        else
            show_row(&list[i]);
    }
    if (status == LEAT_OK)
        status = lt_buf_status(&out, err);
    if (status == LEAT_OK)
        printf("%.*s", LT_FMT(lt_buf_slice(&out)));
    lt_buf_deinit(&out);
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_cli_checkpoint_pull(const char *action, bool json, bool quiet,
                                   struct lt_target *target,
                                   const struct lt_system_pipeline *pipeline,
                                   struct leat_error *err) {
    if (strcmp(action, "show") == 0)
        return show(json, target, pipeline, err);
    if (strcmp(action, "seek") == 0)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "pipeline %s pulls from the API %s, which has no place to seek: reset, or "
                       "`leat pull --fresh`, starts over",
                       pipeline->name, pipeline->source_api->name);
    leat_status status = lt_pull_reset(target, pipeline, err);
    if (status == LEAT_OK && !quiet)
        printf("pipeline %s: the next pull from %s starts over\n", pipeline->name,
               pipeline->source_api->name);
    return status;
}
