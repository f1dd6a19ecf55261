/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions in the state: "position/RESOURCE" {"selected":…, "at":…}, where `at` is the walk's. The
 * positions of resources that hang together (a parent and its children) are of one pass over the
 * same selection of them: where the selection is another than that of a pass which did not come to
 * its end, these resources start over.
 */
#include "pipeline/pull_parts.h"

#include "base/log.h"

enum { DOC_ARENA_BYTES = 512 << 20, DOC_MAX_BYTES = 256 << 20, NAME_BYTES = 512 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the positions");
}

static void name_of(const struct lt_pull_run *run, size_t resource, char name[NAME_BYTES]) {
    snprintf(name, NAME_BYTES, "position/%s", run->api->resources[resource].name);
}

/* ---- reading ---- */

/* What the state says of a resource. */
struct kept {
    bool there, selected, complete;
    struct lt_slice at;
};

static leat_status read_kept(struct lt_pull_run *run, size_t resource, struct kept *kept,
                             struct leat_error *err) {
    char name[NAME_BYTES];
    struct lt_slice body;
    struct lt_json doc, at, value;

    *kept = (struct kept){0};
    name_of(run, resource, name);
    leat_status status =
        lt_state_get(run->state, run->kind, lt_slice_str(name), &run->arena, &body, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    if (status != LEAT_OK)
        return status;
    if (lt_json_parse(&doc, body, LT_JSON_MAX_DEPTH, err) != LEAT_OK ||
        !lt_json_get(doc, "at", &at) || at.type != LT_JSON_OBJECT)
        return lt_fail(err, LEAT_E_CORRUPT, 0,
                       "the state of %s, %s, is no position; --fresh starts over", run->kind, name);
    kept->there = true;
    kept->at = at.raw;
    kept->selected = lt_json_get(doc, "selected", &value) && value.type == LT_JSON_TRUE;
    kept->complete = lt_json_get(at, "complete", &value) && value.type == LT_JSON_TRUE;
    lt_buf_append(&run->saved[resource], body);
    return LEAT_OK;
}

/* Whether what is kept of a family (by its root) is of a pass that can go on. */
static bool goes_on(const struct lt_pull_run *run, const struct kept *kept, size_t root) {
    bool same = true, complete = true;

    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (lt_pull_root(run->api, i) != root || !kept[i].there)
            continue;
        complete &= kept[i].complete;
        same &= kept[i].selected == run->selected[i];
    }
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (lt_pull_root(run->api, i) == root)
            same &= kept[i].there || !run->selected[i];
    }
    return same || complete;
}

static bool is_pulled(const struct lt_pull_run *run, size_t root) {
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (run->walked[i] && lt_pull_root(run->api, i) == root)
            return true;
    }
    return false;
}

static void use_family(struct lt_pull_run *run, const struct kept *kept, size_t root) {
    bool usable = goes_on(run, kept, root) && !run->opt->fresh;
    bool there = false;

    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (lt_pull_root(run->api, i) != root || !kept[i].there)
            continue;
        there = true;
        if (!usable)
            run->forget[i] = true;
        else if (run->walked[i]) {
            run->positions[i] = kept[i].at;
            run->new_pass[i] = kept[i].complete;
            run->stat->resumed |= !kept[i].complete;
        }
    }
    if (there && !usable && !run->opt->fresh)
        lt_log(LT_LOG_WARN, "pull",
               "%s starts over: its last pull did not end, and was of other resources",
               run->api->resources[root].name);
}

static leat_status read_positions(struct lt_pull_run *run, struct leat_error *err) {
    size_t n = run->api->n_resources;
    struct kept *kept = lt_arena_calloc(&run->arena, n, sizeof(*kept));
    leat_status status = kept ? LEAT_OK : no_memory(err);

    for (size_t i = 0; i < n && status == LEAT_OK; i++)
        status = read_kept(run, i, &kept[i], err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (lt_pull_root(run->api, i) == i && is_pulled(run, i))
            use_family(run, kept, i);
    }
    return status;
}

leat_status lt_pull_state_open(struct lt_pull_run *run, struct leat_error *err) {
    size_t n = run->api->n_resources;

    run->positions = lt_arena_calloc(&run->arena, n, sizeof(*run->positions));
    run->saved = lt_arena_calloc(&run->arena, n, sizeof(*run->saved));
    run->forget = lt_arena_calloc(&run->arena, n, sizeof(*run->forget));
    run->new_pass = lt_arena_calloc(&run->arena, n, sizeof(*run->new_pass));
    if (!run->positions || !run->saved || !run->forget || !run->new_pass)
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        lt_buf_init(&run->saved[i], DOC_MAX_BYTES);
    if (run->formatter)
        return run->opt->state ? lt_pull_state_read(run, run->opt->state, err) : LEAT_OK;
    return run->with_positions ? read_positions(run, err) : LEAT_OK;
}

/* ---- writing ---- */

static leat_status add(struct lt_arena *arena, struct lt_state_change *change, const char *kind,
                       const char *name, struct lt_slice body, struct leat_error *err) {
    change->kind = kind;
    change->name = lt_arena_dup(arena, lt_slice_str(name));
    change->body = body.len ? lt_arena_dup(arena, body) : lt_slice(NULL, 0);
    return change->name.data && (!body.len || change->body.data) ? LEAT_OK : no_memory(err);
}

static leat_status add_position(struct lt_pull_run *run, size_t resource, struct lt_arena *arena,
                                struct lt_state_change *changes, size_t *n,
                                struct leat_error *err) {
    struct lt_buf *saved = &run->saved[resource];
    char name[NAME_BYTES];
    struct lt_buf body;

    lt_buf_init(&body, DOC_MAX_BYTES);
    lt_buf_printf(&body, "{\"selected\":%s,\"at\":", run->selected[resource] ? "true" : "false");
    lt_rest_walk_position(run->walk, resource, &body);
    lt_buf_append_byte(&body, '}');
    leat_status status = lt_buf_status(&body, err);
    if (status == LEAT_OK && !lt_slice_eq(lt_buf_slice(&body), lt_buf_slice(saved))) {
        name_of(run, resource, name);
        status = add(arena, &changes[(*n)++], run->kind, name, lt_buf_slice(&body), err);
        lt_buf_deinit(saved);
        *saved = body;
        return status;
    }
    lt_buf_deinit(&body);
    return status;
}

static leat_status collect(struct lt_pull_run *run, struct lt_arena *arena,
                           struct lt_state_change *changes, size_t *n, struct leat_error *err) {
    bool whole = run->phase == LT_PULL_LAST;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < run->api->n_resources && status == LEAT_OK; i++) {
        if (run->walked[i] && run->walk) {
            status = add_position(run, i, arena, changes, n, err);
        } else if (run->forget[i] && !run->forgotten) {
            char name[NAME_BYTES];
            name_of(run, i, name);
            status = add(arena, &changes[(*n)++], run->kind, name, lt_slice(NULL, 0), err);
        }
    }
    if (status == LEAT_OK)
        status = lt_pull_schema_changes(run, whole, arena, changes, n, err);
    return status;
}

void lt_pull_state_commit(struct lt_pull_run *run) {
    size_t room = run->api->n_resources * (3 + run->n_sinks) + 1;
    struct lt_arena arena;
    struct leat_error err;
    size_t n = 0;

    lt_arena_init(&arena, DOC_ARENA_BYTES);
    struct lt_state_change *changes = lt_arena_calloc(&arena, room, sizeof(*changes));
    leat_status status = changes ? LEAT_OK : no_memory(&err);
    if (status == LEAT_OK && run->with_positions)
        status = collect(run, &arena, changes, &n, &err);
    if (status == LEAT_OK)
        status = lt_pull_spools_commit(run->spools, changes, n, &err);
    if (status == LEAT_OK) {
        run->dirty = false;
        run->forgotten = true;
    }
    lt_arena_deinit(&arena);
    if (status != LEAT_OK)
        lt_pull_run_fail(run, &err);
}
