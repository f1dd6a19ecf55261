/* SPDX-License-Identifier: Apache-2.0 */
/* `leat up FILE`: creates what the file names and what is not there yet. */
#include "cli/file.h"

enum output { OUTPUT_TEXT, OUTPUT_JSON };

struct values {
    struct lt_common common;
    bool dry_run;
    int output;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct lt_option options[] = {
    {.name = "dry-run",
     .letter = 'n',
     .type = LT_OPTION_FLAG,
     .offset = offsetof(struct values, dry_run),
     .help = "show the plan and do nothing"},
    {.name = "output",
     .letter = 'o',
     .type = LT_OPTION_CHOICE,
     .arg = "text|json",
     .offset = offsetof(struct values, output),
     .help = "how to print what was done",
     .choices = outputs},
    {0},
};

static void print_summary(const struct lt_plan *plan, bool dry_run) {
    size_t n_create = lt_plan_count(plan, LT_PLAN_CREATE);
    size_t n_local = lt_plan_count(plan, LT_PLAN_LOCAL);

    printf("%s: %zu %s, %zu kept, %zu %s", plan->system->path, n_create,
           dry_run ? "to create" : "created", lt_plan_count(plan, LT_PLAN_KEEP),
           lt_plan_count(plan, LT_PLAN_DIFFER),
           lt_plan_count(plan, LT_PLAN_DIFFER) == 1 ? "differs" : "differ");
    if (n_local)
        printf(", %zu for `leat run`", n_local);
    putchar('\n');
}

static int bring_up(const struct values *v, const struct lt_system *system,
                    struct lt_target *target) {
    struct lt_plan plan = {0};
    struct leat_error err;
    bool text = v->output == OUTPUT_TEXT && !v->common.quiet;
    int code = LT_EXIT_OK;
    leat_status status = lt_plan_up(&plan, system, target, &err);

    if (status == LEAT_OK && text) {
        printf("%s on %s:\n", system->path, lt_target_describe(target));
        for (size_t i = 0; i < plan.n; i++)
            lt_cli_print_item(stdout, &plan.items[i]);
        (void)fflush(stdout);
    }
    if (status == LEAT_OK && !v->dry_run)
        status = lt_plan_apply(&plan, NULL, NULL, &err);
    if (status != LEAT_OK)
        code = lt_cli_fail("up", &err);
    else if (v->output == OUTPUT_JSON)
        code = lt_cli_print_plan_json(stdout, "up", &plan);
    else if (text)
        print_summary(&plan, v->dry_run);
    lt_plan_deinit(&plan);
    return code;
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    struct lt_target_options target_options = lt_cli_target_options(&v->common);
    struct lt_target *target = NULL;
    struct lt_system system;
    struct leat_error err;
    int code = lt_cli_load("up", args[0], &system);

    (void)n_args;
    target_options.looks = v->dry_run;
    if (code == LT_EXIT_OK && lt_target_open(&target, &target_options, &err) != LEAT_OK)
        code = lt_cli_fail("up", &err);
    else if (code == LT_EXIT_OK)
        code = bring_up(v, &system, target);
    lt_target_close(target, false);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_up = {
    .name = "up",
    .summary = "create the streams, buckets and deliveries of a file",
    .usage = "FILE",
    .description =
        "Shows a plan, then creates what is not there: buckets, streams, and the deliveries "
        "between\n"
        "them. What is there is kept; where it is not as the file says, that is told and nothing "
        "is\n"
        "changed. Can be run again at any time.\n"
        "\n"
        "  + is created   = is there   ~ is there and differs   > runs inside `leat run`\n"
        "\n"
        "On AWS, a delivery with a `role` becomes a Firehose delivery stream; one without runs\n"
        "inside `leat run`.",
    .examples = "  leat up recommender.yaml --dry-run\n"
                "  leat up recommender.yaml\n"
                "  leat up recommender.yaml --target aws --region eu-central-1",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
