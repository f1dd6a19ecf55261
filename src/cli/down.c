/* SPDX-License-Identifier: Apache-2.0 */
/* `leat down FILE`: removes what `up` made, after it has shown what would be lost and has asked. */
#include "cli/file.h"

#include <string.h>
#include <unistd.h>

enum output { OUTPUT_TEXT, OUTPUT_JSON };

struct values {
    struct lt_common common;
    bool yes;
    bool dry_run;
    int output;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct lt_option options[] = {
    {.name = "yes",
     .letter = 'y',
     .type = LT_OPTION_FLAG,
     .offset = offsetof(struct values, yes),
     .help = "do not ask"},
    {.name = "dry-run",
     .letter = 'n',
     .type = LT_OPTION_FLAG,
     .offset = offsetof(struct values, dry_run),
     .help = "show what would be deleted and do nothing"},
    {.name = "output",
     .letter = 'o',
     .type = LT_OPTION_CHOICE,
     .arg = "text|json",
     .offset = offsetof(struct values, output),
     .help = "how to print what was done",
     .choices = outputs},
    {0},
};

/* Before the question, on whichever output the question is asked. */
static void show(FILE *out, const struct lt_plan *plan) {
    fprintf(out, "%s on %s", plan->system->path, lt_target_describe(plan->target));
    if (plan->account)
        fprintf(out, ", account %s", plan->account);
    fputs(":\n", out);
    for (size_t i = 0; i < plan->n; i++)
        lt_cli_print_item(out, &plan->items[i]);
    if (!lt_target_streams_embedded(plan->target) || !lt_target_objects_embedded(plan->target))
        fputs("All records and objects in what is removed are lost for everybody who uses it.\n",
              out);
    (void)fflush(out);
}

/* LT_EXIT_OK to go on. */
static int ask(const struct values *v, const struct lt_plan *plan) {
    char answer[16] = "";

    if (v->yes)
        return LT_EXIT_OK;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        fprintf(stderr,
                "leat down: nothing was deleted: there is no terminal to ask on; expected --yes\n");
        return LT_EXIT_USAGE;
    }
    fprintf(stderr, "Delete these %zu for good? Type yes: ", lt_plan_count(plan, LT_PLAN_REMOVE));
    (void)fflush(stderr);
    if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
        return LT_EXIT_OK;
    fputs("Nothing was deleted.\n", stderr);
    return LT_EXIT_FAILED;
}

static int take_down(const struct values *v, const struct lt_system *system,
                     struct lt_target *target) {
    struct lt_plan plan = {0};
    struct leat_error err;
    int code = LT_EXIT_OK;
    bool json = v->output == OUTPUT_JSON;
    leat_status status = lt_plan_down(&plan, system, target, &err);
    size_t n = status == LEAT_OK ? lt_plan_count(&plan, LT_PLAN_REMOVE) : 0;

    if (status == LEAT_OK && (!v->common.quiet || !v->yes))
        show(json ? stderr : stdout, &plan);
    if (status == LEAT_OK && n && !v->dry_run) {
        code = ask(v, &plan);
        if (code == LT_EXIT_OK)
            status = lt_plan_apply(&plan, NULL, NULL, &err);
    }
    if (status != LEAT_OK)
        code = lt_cli_fail("down", &err);
    else if (code == LT_EXIT_OK && json)
        code = lt_cli_print_plan_json(stdout, "down", &plan);
    else if (code == LT_EXIT_OK && !v->common.quiet)
        printf("%s: %zu %s\n", system->path, n, v->dry_run ? "to remove" : "removed");
    lt_plan_deinit(&plan);
    return code;
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    struct lt_target_options target_options = lt_cli_target_options(&v->common);
    struct lt_target *target = NULL;
    struct lt_system system;
    struct leat_error err;
    int code = lt_cli_load("down", args[0], &system);

    (void)n_args;
    target_options.looks = true;
    if (code == LT_EXIT_OK && lt_target_open(&target, &target_options, &err) != LEAT_OK)
        code = lt_cli_fail("down", &err);
    else if (code == LT_EXIT_OK)
        code = take_down(v, &system, target);
    lt_target_close(target, false);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_down = {
    .name = "down",
    .summary = "remove what `leat up` made of a file, with all data in it",
    .usage = "FILE",
    .description =
        "Shows what would be deleted, with the number of records and objects in it, and asks. It\n"
        "removes the file's deliveries, streams and buckets with their objects, and the positions "
        "of\n"
        "its pipelines. On anything but the embedded engine it names account and region. Without "
        "a\n"
        "terminal to ask on, it wants --yes.",
    .examples = "  leat down recommender.yaml --dry-run\n"
                "  leat down recommender.yaml --yes",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
