/* SPDX-License-Identifier: Apache-2.0 */
/* Pulls the pipelines of a file one after another: those of one API share its rate anyway. */
#include "pipeline/pull.h"

#include "base/clock.h"
#include "base/units.h"
#include "pipeline/pull_parts.h"

#include <stdlib.h>

enum { RUN_ARENA_MAX_BYTES = 1 << 30, STAT_ARENA_MAX_BYTES = 64 << 20, NAMES_MAX = 256 };

static bool is_meant(const struct lt_pull_options *opt, const struct lt_system_pipeline *pipeline) {
    return pipeline->source_api && (!opt->only || strcmp(pipeline->name, opt->only) == 0);
}

static bool has_resource(const struct lt_rest_api *api, const char *name) {
    for (size_t i = 0; i < api->n_resources; i++) {
        if (strcmp(api->resources[i].name, name) == 0)
            return true;
    }
    return false;
}

static leat_status fail_resource(const struct lt_pull_options *opt, const char *name,
                                 struct leat_error *err) {
    const char *names[NAMES_MAX];
    size_t n = 0;

    for (size_t p = 0; p < opt->system->n_pipelines; p++) {
        const struct lt_rest_api *api = opt->system->pipelines[p].source_api;
        for (size_t i = 0; is_meant(opt, &opt->system->pipelines[p]) && i < api->n_resources; i++) {
            if (n < NAMES_MAX - 1)
                names[n++] = api->resources[i].name;
        }
    }
    names[n] = NULL;
    const char *near = lt_nearest(lt_slice_str(name), names);
    return lt_fail(err, LEAT_E_NOT_FOUND, 0, "%s has no resource '%s'%s%s%s", opt->system->path,
                   name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static leat_status check_names(const struct lt_pull_options *opt, struct leat_error *err) {
    size_t n = 0;

    for (size_t p = 0; p < opt->system->n_pipelines; p++)
        n += is_meant(opt, &opt->system->pipelines[p]);
    if (!n)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "%s has no pipeline%s%s that pulls from a REST API (source: {rest: NAME})",
                       opt->system->path, opt->only ? " " : "", opt->only ? opt->only : "");
    for (const char *const *name = opt->resources; name && *name; name++) {
        bool found = false;
        for (size_t p = 0; p < opt->system->n_pipelines && !found; p++)
            found = is_meant(opt, &opt->system->pipelines[p]) &&
                    has_resource(opt->system->pipelines[p].source_api, *name);
        if (!found)
            return fail_resource(opt, *name, err);
    }
    return LEAT_OK;
}

static bool has_any(const struct lt_pull_options *opt, const struct lt_rest_api *api) {
    for (const char *const *name = opt->resources; name && *name; name++) {
        if (has_resource(api, *name))
            return true;
    }
    return !opt->resources;
}

static void begin_run(struct lt_pull_run *run, const struct lt_pull_options *opt,
                      const struct lt_system_pipeline *pipeline) {
    run->opt = opt;
    run->system = pipeline;
    run->api = pipeline->source_api;
    run->claim = -1;
    lt_arena_init(&run->arena, RUN_ARENA_MAX_BYTES);
}

static bool is_run(const struct lt_pull_options *opt, const struct lt_system_pipeline *pipeline) {
    return is_meant(opt, pipeline) && has_any(opt, pipeline->source_api);
}

static leat_status check_one(const struct lt_pull_options *opt,
                             const struct lt_system_pipeline *pipeline, size_t *n_selected,
                             struct leat_error *err) {
    struct lt_pull_run run = {0};

    begin_run(&run, opt, pipeline);
    leat_status status = lt_pull_select(&run, err);
    for (size_t i = 0; i < run.api->n_resources && status == LEAT_OK; i++)
        *n_selected += run.selected[i];
    lt_arena_deinit(&run.arena);
    return status;
}

leat_status lt_pull_check(const struct lt_pull_options *opt, struct leat_error *err) {
    leat_status status = check_names(opt, err);
    size_t n_selected = 0;

    for (size_t i = 0; i < opt->system->n_pipelines && status == LEAT_OK; i++) {
        if (is_run(opt, &opt->system->pipelines[i]))
            status = check_one(opt, &opt->system->pipelines[i], &n_selected, err);
    }
    if (status == LEAT_OK && opt->to && strcmp(opt->to, "-") == 0 &&
        opt->format == LT_PULL_GROUPED && n_selected != 1)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "grouped output is of one resource, and here are %zu: name it with "
                       "--resource",
                       n_selected);
    return status;
}

leat_status lt_pull_describe(const struct lt_pull_options *opt, struct lt_buf *out,
                             struct leat_error *err) {
    leat_status status = lt_pull_check(opt, err);

    for (size_t i = 0; i < opt->system->n_pipelines && status == LEAT_OK; i++) {
        struct lt_pull_run run = {0};
        if (!is_run(opt, &opt->system->pipelines[i]))
            continue;
        begin_run(&run, opt, &opt->system->pipelines[i]);
        status = lt_pull_select(&run, err);
        if (status == LEAT_OK)
            status = lt_rest_walk_describe(run.api, run.selected, out, err);
        lt_arena_deinit(&run.arena);
    }
    return status;
}

static leat_status pull_one(const struct lt_pull_options *opt,
                            const struct lt_system_pipeline *pipeline, int64_t started_us,
                            struct lt_pull_stat *stat, struct leat_error *err) {
    struct lt_pull_run *run = calloc(1, sizeof(*run));

    if (!run)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to pull");
    begin_run(run, opt, pipeline);
    run->stat = stat;
    run->started_us = started_us;
    leat_status status = lt_pull_select(run, err);
    if (status == LEAT_OK)
        status = lt_pull_run(run, err);
    else
        lt_arena_deinit(&run->arena);
    free(run);
    return status;
}

leat_status lt_pull(const struct lt_pull_options *opt, struct lt_pull_stat *stat,
                    struct leat_error *err) {
    int64_t started_us = lt_clock_mono_us();

    *stat = (struct lt_pull_stat){0};
    lt_arena_init(&stat->arena, STAT_ARENA_MAX_BYTES);
    leat_status status = lt_pull_check(opt, err);
    for (size_t i = 0; i < opt->system->n_pipelines && status == LEAT_OK; i++) {
        if (is_run(opt, &opt->system->pipelines[i]) && !stat->interrupted)
            status = pull_one(opt, &opt->system->pipelines[i], started_us, stat, err);
    }
    for (size_t i = 0; i < stat->n_resources; i++)
        stat->n_skipped += stat->resources[i].n_skipped;
    stat->elapsed_ms = (lt_clock_mono_us() - started_us) / 1000;
    return status;
}

void lt_pull_stat_deinit(struct lt_pull_stat *stat) {
    lt_arena_deinit(&stat->arena);
    *stat = (struct lt_pull_stat){0};
}
