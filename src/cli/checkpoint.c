/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/checkpoint_pull.h"
#include "cli/command.h"
#include "cli/file.h"
#include "pipeline/seek.h"
#include "json/json.h"

#include <errno.h>
#include <string.h>

struct values {
    struct lt_common common;
    const char *pipeline;
    const char *shard;
    const char *to;
    int output;
};

enum { SHOW_ARENA_MAX_BYTES = 64 << 20, SHOW_MAX_BYTES = 64 << 20 };

static const char *const outputs[] = {"text", "json", NULL};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"pipeline", 'p', LT_OPTION_STRING, "NAME", OFFSET(pipeline), "only this pipeline", NULL, NULL},
    {"shard", 0, LT_OPTION_STRING, "ID", OFFSET(shard), "only this shard", NULL, NULL},
    {"to", 0, LT_OPTION_STRING, "POSITION", OFFSET(to),
     "seek: start, a sequence number, or a time (2026-02-01T10:00:00Z, seconds since 1970)", NULL,
     NULL},
    {"output", 'o', LT_OPTION_CHOICE, "text|json", OFFSET(output), "how show prints", outputs,
     NULL},
    {0},
};

/* ---- show ---- */

static void show_row(const struct lt_system_pipeline *pipeline, const struct lt_checkpoint *row) {
    char time[32], count[32];
    struct lt_slice where = row->sequence;

    if (row->ended)
        where = LT_LIT("read to its end");
    else if (row->seek_time_ms && !where.len)
        where = lt_slice_str(lt_format_time(row->seek_time_ms, time));
    else if (!where.len)
        where = pipeline->from_latest ? LT_LIT("latest") : LT_LIT("trim-horizon");
    printf("  %-22.*s %s%-36.*s %12s records", LT_FMT(row->shard), row->at ? "at " : "",
           LT_FMT(where), lt_format_count(row->ordinal, count));
    if (row->time_ms)
        printf("  arrived %s", lt_format_time(row->time_ms, time));
    putchar('\n');
}

static void write_row(struct lt_json_writer *w, const struct lt_system_pipeline *pipeline,
                      const struct lt_checkpoint *row) {
    lt_json_begin_object(w);
    lt_json_key(w, "pipeline");
    lt_json_put_str(w, pipeline->name);
    lt_json_key(w, "stream");
    lt_json_put_str(w, pipeline->source_stream);
    lt_json_key(w, "shard");
    lt_json_put_string(w, row->shard);
    lt_json_key(w, "sequence");
    if (row->sequence.len)
        lt_json_put_string(w, row->sequence);
    else
        lt_json_put_null(w);
    lt_json_key(w, "records");
    lt_json_put_uint(w, row->ordinal);
    lt_json_key(w, "arrival_ms");
    lt_json_put_int(w, row->time_ms);
    lt_json_key(w, "seek_time_ms");
    lt_json_put_int(w, row->seek_time_ms);
    lt_json_key(w, "ended");
    lt_json_put_bool(w, row->ended);
    lt_json_end_object(w);
}

static leat_status show(const struct values *values, struct lt_target *target,
                        const struct lt_system_pipeline *pipeline, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_state *state;
    struct lt_checkpoint *list;
    struct lt_json_writer w;
    struct lt_buf out;
    size_t n = 0;
    leat_status status = lt_target_state(target, &state, err);

    if (status != LEAT_OK)
        return status;
    lt_arena_init(&arena, SHOW_ARENA_MAX_BYTES);
    lt_buf_init(&out, SHOW_MAX_BYTES);
    status =
        lt_checkpoint_load(state, pipeline->name, pipeline->source_stream, &arena, &list, &n, err);
    if (status == LEAT_OK && values->output == 0)
        printf("pipeline %s reads stream %s%s\n", pipeline->name, pipeline->source_stream,
               n ? "" : ": not read yet");
    for (size_t i = 0; i < n; i++) {
        if (values->shard && !lt_slice_eq_str(list[i].shard, values->shard))
            continue;
        if (values->output == 0) {
            show_row(pipeline, &list[i]);
            continue;
        }
        lt_json_writer_init(&w, &out);
        write_row(&w, pipeline, &list[i]);
        lt_buf_append_byte(&out, '\n');
    }
    if (status == LEAT_OK)
        status = lt_buf_status(&out, err);
    if (status == LEAT_OK && out.len && fwrite(out.data, 1, out.len, stdout) != out.len)
        status = lt_fail_sys(err, errno, "cannot write to standard output");
    lt_buf_deinit(&out);
    lt_arena_deinit(&arena);
    return status;
}

/* ---- reset and seek ---- */

static bool is_number(const char *text) {
    return strspn(text, "0123456789") == strlen(text) && *text;
}

/* A number of up to 12 digits is a time, a longer one a sequence number. */
static leat_status parse_to(const struct values *values, struct lt_seek *seek,
                            struct leat_error *err) {
    const char *to = values->to;

    if (!to)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "seek needs --to: start, a sequence number, or a time");
    if (strcmp(to, "start") == 0)
        return LEAT_OK;
    if (is_number(to) && strlen(to) > 12) {
        seek->to = LT_SEEK_SEQUENCE;
        seek->sequence = lt_slice_str(to);
        return LEAT_OK;
    }
    seek->to = LT_SEEK_TIME;
    return lt_parse_time(lt_slice_str(to), &seek->time_ms, err);
}

static leat_status move(const struct values *values, struct lt_target *target,
                        const struct lt_system_pipeline *pipeline, const struct lt_seek *seek,
                        struct leat_error *err) {
    size_t n;
    leat_status status = lt_seek(target, pipeline, seek, &n, err);
    if (status == LEAT_OK && !values->common.quiet)
        printf("pipeline %s: %zu shard%s of stream %s moved\n", pipeline->name, n,
               n == 1 ? "" : "s", pipeline->source_stream);
    return status;
}

static int run_action(const struct values *values, const char *action,
                      const struct lt_system *system) {
    struct lt_target_options target_options = lt_cli_target_options(&values->common);
    struct lt_seek seek = {.shard = values->shard};
    struct lt_target *target;
    struct leat_error err;
    leat_status status = LEAT_OK;
    bool found = false;

    if (strcmp(action, "seek") == 0 && parse_to(values, &seek, &err) != LEAT_OK) {
        lt_cli_fail("checkpoint", &err);
        return LT_EXIT_USAGE;
    }
    target_options.looks = strcmp(action, "show") == 0;
    if (lt_target_open(&target, &target_options, &err) != LEAT_OK)
        return lt_cli_fail("checkpoint", &err);
    for (size_t i = 0; i < system->n_pipelines && status == LEAT_OK; i++) {
        const struct lt_system_pipeline *pipeline = &system->pipelines[i];
        if (values->pipeline && strcmp(pipeline->name, values->pipeline) != 0)
            continue;
        found = true;
        if (pipeline->source_api) {
            status = lt_cli_checkpoint_pull(action, values->output == 1, values->common.quiet,
                                            target, pipeline, &err);
            continue;
        }
        status = strcmp(action, "show") == 0 ? show(values, target, pipeline, &err)
                                             : move(values, target, pipeline, &seek, &err);
    }
    lt_target_close(target, false);
    if (status != LEAT_OK)
        return lt_cli_fail("checkpoint", &err);
    if (!found) {
        fprintf(stderr, "leat checkpoint: %s has no pipeline%s%s\n", system->path,
                values->pipeline ? " " : "", values->pipeline ? values->pipeline : "");
        return LT_EXIT_USAGE;
    }
    return LT_EXIT_OK;
}

static int run(const void *v, const char *const *args, size_t n_args) {
    static const char *const actions[] = {"show", "reset", "seek", NULL};
    struct lt_system system = {0};
    int code;
    bool known = false;

    (void)n_args;
    for (size_t i = 0; actions[i]; i++)
        known |= strcmp(actions[i], args[0]) == 0;
    if (!known) {
        const char *near = lt_nearest(lt_slice_str(args[0]), actions);
        fprintf(stderr, "leat checkpoint: show, reset or seek, not '%s'%s%s%s\n", args[0],
                near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        return LT_EXIT_USAGE;
    }
    code = lt_cli_load("checkpoint", args[1], &system);
    if (code == LT_EXIT_OK)
        code = run_action(v, args[0], &system);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_checkpoint = {
    .name = "checkpoint",
    .summary = "show or set where a pipeline stands",
    .usage = "show|reset|seek FILE",
    .description =
        "show prints, for each shard of a pipeline's source, the last record that every sink has\n"
        "acknowledged, and for each resource of a pipeline that pulls how far it is. reset makes "
        "the "
        "next run\n"
        "start where the file says, as if it were the first; seek sets the next record to read of "
        "a "
        "stream.\n"
        "Neither works while the pipeline runs.",
    .examples = "  leat checkpoint show recommender.yaml\n"
                "  leat checkpoint reset recommender.yaml\n"
                "  leat checkpoint seek recommender.yaml --to 2026-02-01T10:00:00Z\n"
                "  leat checkpoint seek recommender.yaml --shard shardId-000000000001 --to "
                "4900000000000100000000000000000042",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
