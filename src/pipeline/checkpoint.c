/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/checkpoint.h"

#include "json/json.h"

#include <stdlib.h>

static const char kind[] = "checkpoint";

enum { LIST_MAX = 100000, BODY_MAX_BYTES = 4096, BATCH_ARENA_MAX_BYTES = 64 << 20 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for checkpoints");
}

static void read_body(struct lt_slice body, struct lt_arena *arena, struct lt_checkpoint *out) {
    struct lt_json doc, value;
    int64_t number;

    if (lt_json_parse(&doc, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return;
    if (lt_json_get(doc, "sequence", &value))
        out->sequence = lt_json_string(value, arena);
    if (lt_json_get(doc, "ordinal", &value) && lt_json_int64(value, &number))
        out->ordinal = (uint64_t)number;
    if (lt_json_get(doc, "time_ms", &value) && lt_json_int64(value, &number))
        out->time_ms = number;
    if (lt_json_get(doc, "seek_time_ms", &value) && lt_json_int64(value, &number))
        out->seek_time_ms = number;
    out->at = lt_json_get(doc, "at", &value) && value.type == LT_JSON_TRUE;
    out->ended = lt_json_get(doc, "ended", &value) && value.type == LT_JSON_TRUE;
}

leat_status lt_checkpoint_load(struct lt_state *state, const char *pipeline, const char *stream,
                               struct lt_arena *arena, struct lt_checkpoint **list, size_t *n,
                               struct leat_error *err) {
    struct lt_state_row *rows;
    size_t n_rows;
    char *prefix = lt_arena_printf(arena, "%s/%s/", pipeline, stream);

    *list = NULL;
    *n = 0;
    if (!prefix)
        return no_memory(err);
    leat_status status = lt_state_list(state, kind, lt_slice_str(prefix), false, LIST_MAX, arena,
                                       &rows, &n_rows, err);
    if (status != LEAT_OK || !n_rows)
        return status;
    *list = lt_arena_calloc(arena, n_rows, sizeof(**list));
    if (!*list)
        return no_memory(err);
    for (size_t i = 0; i < n_rows && lt_slice_starts(rows[i].name, lt_slice_str(prefix)); i++) {
        struct lt_checkpoint *to = &(*list)[(*n)++];
        to->shard = lt_slice_from(rows[i].name, strlen(prefix));
        read_body(rows[i].body, arena, to);
    }
    return LEAT_OK;
}

static leat_status write_body(const struct lt_checkpoint *from, struct lt_arena *arena,
                              struct lt_slice *body, struct leat_error *err) {
    struct lt_buf buf;
    struct lt_json_writer w;

    lt_buf_init(&buf, BODY_MAX_BYTES);
    lt_json_writer_init(&w, &buf);
    lt_json_begin_object(&w);
    if (from->sequence.len) {
        lt_json_key(&w, "sequence");
        lt_json_put_string(&w, from->sequence);
    }
    lt_json_key(&w, "ordinal");
    lt_json_put_uint(&w, from->ordinal);
    lt_json_key(&w, "time_ms");
    lt_json_put_int(&w, from->time_ms);
    if (from->at) {
        lt_json_key(&w, "at");
        lt_json_put_bool(&w, true);
    }
    if (from->seek_time_ms) {
        lt_json_key(&w, "seek_time_ms");
        lt_json_put_int(&w, from->seek_time_ms);
    }
    lt_json_key(&w, "ended");
    lt_json_put_bool(&w, from->ended);
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&buf, err);
    if (status == LEAT_OK) {
        *body = lt_arena_dup(arena, lt_buf_slice(&buf));
        if (!body->data)
            status = no_memory(err);
    }
    lt_buf_deinit(&buf);
    return status;
}

leat_status lt_checkpoint_save(struct lt_state *state, const char *pipeline, const char *stream,
                               const struct lt_checkpoint *list, size_t n, struct leat_error *err) {
    struct lt_arena arena;
    leat_status status = LEAT_OK;

    if (!n)
        return LEAT_OK;
    lt_arena_init(&arena, BATCH_ARENA_MAX_BYTES);
    struct lt_state_change *changes = lt_arena_calloc(&arena, n, sizeof(*changes));
    if (!changes)
        status = no_memory(err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        char *name = lt_arena_printf(&arena, "%s/%s/%.*s", pipeline, stream, LT_FMT(list[i].shard));
        if (!name)
            status = no_memory(err);
        else
            status = write_body(&list[i], &arena, &changes[i].body, err);
        changes[i].kind = kind;
        changes[i].name = lt_slice_str(name);
    }
    if (status == LEAT_OK)
        status = lt_state_apply(state, changes, n, err);
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_checkpoint_forget(struct lt_state *state, const char *pipeline,
                                 struct leat_error *err) {
    struct lt_arena arena;
    struct lt_state_row *rows;
    size_t n = 0;

    lt_arena_init(&arena, BATCH_ARENA_MAX_BYTES);
    char *prefix = lt_arena_printf(&arena, "%s/", pipeline);
    leat_status status = prefix ? lt_state_list(state, kind, lt_slice_str(prefix), false, LIST_MAX,
                                                &arena, &rows, &n, err)
                                : no_memory(err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (!lt_slice_starts(rows[i].name, lt_slice_str(prefix)))
            break;
        status = lt_state_remove(state, kind, rows[i].name, err);
    }
    lt_arena_deinit(&arena);
    return status;
}
