/* SPDX-License-Identifier: Apache-2.0 */
/* What a run needs before it starts: which resources, where things are kept, services and sinks. */
#include "pipeline/pull_parts.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/units.h"
#include "object/plain.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to pull");
}

/* ---- which resources ---- */

size_t lt_pull_root(const struct lt_rest_api *api, size_t resource) {
    while (api->resources[resource].parent != SIZE_MAX)
        resource = api->resources[resource].parent;
    return resource;
}

static bool is_named(const char *const *names, const char *name) {
    for (; *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static bool on_request(const struct lt_rest_api *api, size_t resource) {
    for (; resource != SIZE_MAX; resource = api->resources[resource].parent) {
        if (api->resources[resource].on_request)
            return true;
    }
    return false;
}

static bool is_selected(const struct lt_pull_run *run, size_t i) {
    const struct lt_system_pipeline *system = run->system;
    const char *name = run->api->resources[i].name;

    if (run->opt->resources)
        return is_named(run->opt->resources, name);
    if (!system->source_resources)
        return !on_request(run->api, i);
    for (size_t r = 0; r < system->n_source_resources; r++) {
        if (strcmp(system->source_resources[r], name) == 0)
            return true;
    }
    return false;
}

leat_status lt_pull_select(struct lt_pull_run *run, struct leat_error *err) {
    size_t n = run->api->n_resources, n_selected = 0;

    run->selected = lt_arena_calloc(&run->arena, n + 1, sizeof(*run->selected));
    run->walked = lt_arena_calloc(&run->arena, n + 1, sizeof(*run->walked));
    if (!run->selected || !run->walked)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        run->selected[i] = is_selected(run, i);
        n_selected += run->selected[i];
        for (size_t up = i; run->selected[i] && up != SIZE_MAX; up = run->api->resources[up].parent)
            run->walked[up] = true;
    }
    if (!n_selected && !run->opt->resources)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "all resources of %s are on request: name one with --resource",
                       run->api->name);
    return LEAT_OK;
}

/* ---- where things are kept ---- */

static bool to_out(const struct lt_pull_options *opt) {
    return opt->to && strcmp(opt->to, "-") == 0;
}

/* Other places have other positions: a folder's pull begins at the beginning, however far the
 * pipeline is with its own sinks. With a limit nothing lasts. */
static leat_status name_scope(struct lt_pull_run *run, struct leat_error *err) {
    const char *pipeline = run->system->name;
    char path[PATH_MAX];
    uint8_t digest[LT_SHA256_BYTES];
    char hex[17];

    run->scope = pipeline;
    if (run->opt->limit) {
        run->scope = lt_arena_printf(&run->arena, "%s~limit", pipeline);
    } else if (run->opt->to && !to_out(run->opt)) {
        if (!realpath(run->opt->to, path))
            return lt_fail_sys(err, errno, "cannot find the folder %s", run->opt->to);
        lt_sha256(lt_slice_str(path), digest);
        lt_hex(digest, 8, hex);
        run->scope = lt_arena_printf(&run->arena, "%s@%s", pipeline, hex);
    }
    if (run->scope)
        run->kind = lt_arena_printf(&run->arena, "pull/%s", run->scope);
    if (run->scope)
        run->schema_kind =
            lt_arena_printf(&run->arena, "schema/%s", run->opt->limit ? pipeline : run->scope);
    return run->scope && run->kind && run->schema_kind ? LEAT_OK : no_memory(err);
}

static void count_object(void *ctx, const char *to, uint64_t n_records) {
    struct lt_pull_run *run = ctx;

    (void)n_records;
    for (size_t i = 0; i < run->n_sinks; i++) {
        size_t len = strlen(run->sinks[i].to);
        if (run->sinks[i].stat == SIZE_MAX || strncmp(run->sinks[i].to, to, len) != 0 ||
            (to[len] && to[len] != '#'))
            continue;
        run->stat->routes[run->sinks[i].stat].n_objects++;
        return;
    }
}

static void on_spools(void *ctx) {
    lt_pull_run_advance(ctx);
}

static void on_put_retry(void *ctx, const struct leat_error *err, int64_t until_ms) {
    lt_pull_run_note(ctx, LT_REST_NOTE_WAIT, err->text, until_ms);
}

static void on_spools_failed(void *ctx, const struct leat_error *err) {
    struct lt_pull_run *run = ctx;
    struct leat_error told = *err;

    if (err->status == LEAT_E_NOT_FOUND && strcmp(err->code, "NoSuchBucket") == 0)
        lt_error_prefix(&told, "a bucket of the pipeline %s is not there (`leat up %s` creates it)",
                        run->system->name, run->opt->system->path);
    lt_pull_run_fail(run, &told);
}

static leat_status open_spools(struct lt_pull_run *run, struct leat_error *err) {
    char *dir = lt_arena_printf(&run->arena, "%s/spool/%s", lt_target_data_dir(run->opt->target),
                                run->scope);
    leat_status status = LEAT_OK;

    if (!dir)
        return no_memory(err);
    if (run->opt->limit || (run->opt->fresh && !run->opt->resources))
        status = lt_pull_spools_forget(dir, run->kind, run->state, err);
    if (status != LEAT_OK)
        return status;
    const struct lt_pull_spools_options opt = {
        .dir = dir,
        .kind = run->kind,
        .pipeline = run->system->name,
        .state = run->state,
        .objects = run->objects,
        .loop = &run->loop,
        .ctx = run,
        .on_progress = on_spools,
        .on_object = count_object,
        .on_retry = on_put_retry,
        .on_failed = on_spools_failed,
    };
    return lt_pull_spools_open(&run->spools, &opt, err);
}

/* What an earlier run left goes on, is forgotten, or is closed: a run may have failed after its
 * pages had all been read, and before its objects were all there. */
static void settle_leftovers(struct lt_pull_run *run) {
    for (size_t i = 0; run->spools && i < run->api->n_resources; i++) {
        if (run->forget[i])
            lt_pull_spools_drop(run->spools, run->api->resources[i].name);
        else if (run->new_pass[i])
            lt_pull_spools_end_pass(run->spools, run->api->resources[i].name);
    }
}

/* ---- services ---- */

static bool needs_objects(const struct lt_system_pipeline *system) {
    for (size_t i = 0; i < system->n_routes; i++) {
        if (system->routes[i].kind == LT_ROUTE_OBJECTS)
            return true;
    }
    return system->dead_bucket != NULL;
}

static bool needs_streams(const struct lt_system_pipeline *system) {
    for (size_t i = 0; i < system->n_routes; i++) {
        if (system->routes[i].kind == LT_ROUTE_STREAM)
            return true;
    }
    return system->dead_stream != NULL;
}

static bool is_checked(const struct lt_pull_run *run) {
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (run->selected[i] && run->api->resources[i].on_change != LT_REST_EVOLVE)
            return true;
    }
    return false;
}

static leat_status open_services(struct lt_pull_run *run, struct leat_error *err) {
    const struct lt_pull_options *opt = run->opt;
    leat_status status = lt_target_claim_pipeline(opt->target, run->system->name, &run->claim, err);

    if (status == LEAT_E_BUSY)
        return lt_fail(err, status, 0, "pipeline %s is already being pulled by another process",
                       run->system->name);
    if (status == LEAT_OK && opt->to) {
        status = lt_object_plain_new(&run->objects, opt->to, err);
        run->own_objects = status == LEAT_OK;
    } else if (status == LEAT_OK) {
        /* first what is embedded: it makes the folder that the state lies in */
        if (needs_objects(run->system))
            status = lt_target_objects(opt->target, &run->objects, err);
        if (status == LEAT_OK && needs_streams(run->system))
            status = lt_target_streams(opt->target, &run->loop, &run->streams, err);
    }
    if (status == LEAT_OK)
        status = lt_target_state(opt->target, &run->state, err);
    if (status == LEAT_OK)
        status = name_scope(run, err);
    return status == LEAT_OK ? open_spools(run, err) : status;
}

/* Records that no expression changes and only one route takes need no program. */
static bool needs_program(const struct lt_system_pipeline *system) {
    return system->n_sets || system->key || (system->n_routes && system->routes[0].when.text.data);
}

static leat_status compile(struct lt_pull_run *run, struct leat_error *err) {
    leat_status status = LEAT_OK;

    run->exprs = lt_arena_calloc(&run->arena, run->api->n_resources, sizeof(struct lt_expr *));
    if (!run->exprs)
        return no_memory(err);
    for (size_t i = 0; i < run->api->n_resources && status == LEAT_OK; i++) {
        if (run->selected[i] && needs_program(run->system))
            status = lt_system_compile_for(run->system, run->api->resources[i].name, &run->exprs[i],
                                           err);
    }
    return status;
}

static void get_position(void *ctx, size_t resource, struct lt_buf *out) {
    struct lt_pull_run *run = ctx;
    lt_rest_walk_position(run->walk, resource, out);
}

static leat_status open_out(struct lt_pull_run *run, struct leat_error *err) {
    const struct lt_pull_formatter_options opt = {
        .format = run->opt->format,
        .api = run->api,
        .selected = run->selected,
        .walked = run->walked,
        .out = &run->out.buf,
        .ctx = run,
        .position = run->opt->limit ? NULL : get_position,
    };
    leat_status status = LEAT_OK;

    lt_pull_out_open(&run->out, run, run->opt->out_fd);
    run->schema_kind = lt_arena_printf(&run->arena, "schema/%s", run->system->name);
    if (!run->schema_kind)
        return no_memory(err);
    if (run->opt->target && is_checked(run))
        status = lt_target_state(run->opt->target, &run->state, err);
    return status == LEAT_OK ? lt_pull_formatter_new(&run->formatter, &opt, err) : status;
}

static leat_status count_resources(struct lt_pull_run *run, struct leat_error *err) {
    struct lt_pull_stat *stat = run->stat;
    size_t n = stat->n_resources + run->api->n_resources;
    struct lt_rest_stat *list = lt_arena_calloc(&stat->arena, n + 1, sizeof(*list));

    if (!list)
        return no_memory(err);
    if (stat->n_resources)
        memcpy(list, stat->resources, stat->n_resources * sizeof(*list));
    stat->resources = list;
    run->stat_at = stat->n_resources;
    for (size_t i = 0; i < run->api->n_resources; i++) {
        if (run->walked[i])
            list[stat->n_resources++].name = run->api->resources[i].name;
    }
    return LEAT_OK;
}

leat_status lt_pull_open(struct lt_pull_run *run, struct leat_error *err) {
    bool out = to_out(run->opt);

    run->with_positions = !out && !run->opt->limit;
    leat_status status = count_resources(run, err);
    if (status == LEAT_OK)
        status = out ? open_out(run, err) : open_services(run, err);
    if (status == LEAT_OK)
        status = lt_pull_state_open(run, err);
    if (status == LEAT_OK)
        status = compile(run, err);
    if (status == LEAT_OK)
        status = lt_pull_sinks_open(run, err);
    if (status == LEAT_OK)
        status = lt_pull_schemas_open(run, err);
    for (size_t i = 0; i < run->n_sinks && status == LEAT_OK; i++) {
        if (run->sinks[i].ops->open)
            status = run->sinks[i].ops->open(&run->sinks[i], err);
    }
    if (status != LEAT_OK)
        return status;
    settle_leftovers(run);
    if (run->stat->resumed)
        lt_log(LT_LOG_INFO, "pull", "pipeline %s goes on where its last run stopped",
               run->system->name);
    return LEAT_OK;
}

/* After the loop has run out. */
void lt_pull_close(struct lt_pull_run *run) {
    while (run->first) {
        struct lt_pull_page *page = run->first;
        run->first = page->next;
        lt_pull_page_free(page);
    }
    lt_pull_sinks_deinit(run);
    lt_pull_schemas_close(run);
    lt_pull_formatter_free(run->formatter);
    for (size_t i = 0; run->exprs && i < run->api->n_resources; i++)
        lt_expr_free(run->exprs[i]);
    for (size_t i = 0; run->saved && i < run->api->n_resources; i++)
        lt_buf_deinit(&run->saved[i]);
    if (run->own_objects)
        run->objects->ops->close(run->objects);
    if (run->claim >= 0)
        close(run->claim);
    lt_arena_deinit(&run->arena);
}
