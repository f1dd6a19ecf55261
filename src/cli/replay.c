/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/replay.h"
#include "cli/command.h"
#include "cli/file.h"

struct values {
    struct lt_common common;
    const char *pipeline;
    bool all;
    bool dry_run;
};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"pipeline", 'p', LT_OPTION_STRING, "NAME", OFFSET(pipeline), "only this pipeline", NULL, NULL},
    {"all", 0, LT_OPTION_FLAG, NULL, OFFSET(all), "also those that were sent back before", NULL,
     NULL},
    {"dry-run", 0, LT_OPTION_FLAG, NULL, OFFSET(dry_run), "count, send nothing", NULL, NULL},
    {0},
};

static int replay_one(const struct values *values, struct lt_target *target,
                      const struct lt_system_pipeline *pipeline) {
    struct lt_replay_stat stat;
    struct leat_error err;
    char letters[64], records[64];
    const struct lt_replay_options opt = {
        .target = target, .pipeline = pipeline, .all = values->all, .dry_run = values->dry_run};

    if (pipeline->source_api) {
        printf("pipeline %s: it takes records from the API %s; once the file is mended, "
               "`leat pull --fresh` takes them again\n",
               pipeline->name, pipeline->source_api->name);
        return LT_EXIT_OK;
    }
    if (!pipeline->dead_stream) {
        printf("pipeline %s: it has no dead_letters\n", pipeline->name);
        return LT_EXIT_OK;
    }
    leat_status status = lt_replay(&opt, &stat, &err);
    printf("pipeline %s: %s, %s sent back to %s", pipeline->name,
           lt_cli_count(stat.n_letters, "dead letter", letters),
           lt_cli_count(stat.n_sent, "record", records), pipeline->source_stream);
    if (stat.n_other)
        printf(", %llu letters of others left alone", (unsigned long long)stat.n_other);
    if (stat.n_broken)
        printf(", %llu not whole", (unsigned long long)stat.n_broken);
    putchar('\n');
    if (status != LEAT_OK)
        return lt_cli_fail("replay", &err);
    return stat.n_broken ? LT_EXIT_PARTIAL : LT_EXIT_OK;
}

static int replay(const struct values *values, const struct lt_system *system) {
    struct lt_target_options target_options = lt_cli_target_options(&values->common);
    struct lt_target *target;
    struct leat_error err;
    int code = LT_EXIT_OK;

    target_options.looks = true;
    if (lt_target_open(&target, &target_options, &err) != LEAT_OK)
        return lt_cli_fail("replay", &err);
    for (size_t i = 0; i < system->n_pipelines && code == LT_EXIT_OK; i++) {
        if (!values->pipeline || strcmp(system->pipelines[i].name, values->pipeline) == 0)
            code = replay_one(values, target, &system->pipelines[i]);
    }
    lt_target_close(target, false);
    return code;
}

static int run(const void *values, const char *const *args, size_t n_args) {
    struct lt_system system = {0};
    int code = lt_cli_load("replay", args[0], &system);

    (void)n_args;
    if (code == LT_EXIT_OK)
        code = replay(values, &system);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_replay = {
    .name = "replay",
    .summary = "send dead letters back once the file is mended",
    .usage = "FILE",
    .description =
        "Puts the records of a pipeline's dead letters back into its source stream, whole and with "
        "their\n"
        "partition key, so that the next `leat run` processes them again. Each letter goes once; "
        "--all sends\n"
        "also those that went before. Letters stay in their stream until its retention ends.",
    .examples = "  leat replay recommender.yaml --dry-run\n"
                "  leat replay recommender.yaml && leat run recommender.yaml --drain",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
