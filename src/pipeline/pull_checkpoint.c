/* SPDX-License-Identifier: Apache-2.0 */
/* Where a pipeline that pulls stands, for people, and how it is made to start over. */
#include "pipeline/pull.h"
#include "pipeline/pull_spool.h"
#include "json/json.h"

#include <unistd.h>

enum { ROWS_MAX = 10000 };

static const char prefix[] = "position/";

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for positions");
}

static uint64_t uint_of(struct lt_json doc, const char *name) {
    struct lt_json value;
    int64_t number;
    return lt_json_get(doc, name, &value) && lt_json_int64(value, &number) && number > 0
               ? (uint64_t)number
               : 0;
}

static bool read_row(const struct lt_state_row *row, struct lt_arena *arena,
                     struct lt_pull_position *out) {
    struct lt_json doc, at, value;

    if (lt_json_parse(&doc, row->body, LT_JSON_MAX_DEPTH, NULL) != LEAT_OK ||
        !lt_json_get(doc, "at", &at))
        return false;
    out->resource = lt_arena_str(arena, lt_slice_from(row->name, sizeof(prefix) - 1));
    out->n_records = uint_of(at, "n");
    out->complete = lt_json_get(at, "complete", &value) && value.type == LT_JSON_TRUE;
    out->n_waiting = lt_json_get(at, "tasks", &value) ? lt_json_count(value) : 0;
    if (lt_json_get(at, "cursor", &value) && value.type != LT_JSON_NULL)
        out->cursor = value.raw;
    return out->resource != NULL;
}

leat_status lt_pull_positions(struct lt_target *target, const struct lt_system_pipeline *pipeline,
                              struct lt_arena *arena, struct lt_pull_position **list, size_t *n,
                              struct leat_error *err) {
    struct lt_state *state;
    struct lt_state_row *rows;
    size_t n_rows = 0;
    char *kind = lt_arena_printf(arena, "pull/%s", pipeline->name);
    leat_status status = kind ? lt_target_state(target, &state, err) : no_memory(err);

    *list = NULL;
    *n = 0;
    if (status == LEAT_OK)
        status = lt_state_list(state, kind, lt_slice_str(prefix), false, ROWS_MAX, arena, &rows,
                               &n_rows, err);
    if (status != LEAT_OK)
        return status;
    *list = lt_arena_calloc(arena, n_rows + 1, sizeof(**list));
    if (!*list)
        return no_memory(err);
    for (size_t i = 0; i < n_rows; i++) {
        if (!lt_slice_starts(rows[i].name, lt_slice_str(prefix)))
            break;
        *n += read_row(&rows[i], arena, &(*list)[*n]);
    }
    return LEAT_OK;
}

leat_status lt_pull_reset(struct lt_target *target, const struct lt_system_pipeline *pipeline,
                          struct leat_error *err) {
    struct lt_arena arena;
    struct lt_state *state;
    int claim;
    leat_status status = lt_target_claim_pipeline(target, pipeline->name, &claim, err);

    if (status != LEAT_OK)
        return status;
    lt_arena_init(&arena, 1 << 16);
    char *kind = lt_arena_printf(&arena, "pull/%s", pipeline->name);
    char *dir = lt_arena_printf(&arena, "%s/spool/%s", lt_target_data_dir(target), pipeline->name);
    status = kind && dir ? lt_target_state(target, &state, err) : no_memory(err);
    if (status == LEAT_OK)
        status = lt_pull_spools_forget(dir, kind, state, err);
    lt_arena_deinit(&arena);
    close(claim);
    return status;
}
