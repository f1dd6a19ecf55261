/* SPDX-License-Identifier: Apache-2.0 */
/* `leat test FILE [NAME...]`: the examples in the file, and what differs where one fails. */
#include "cli/file.h"

#include "base/clock.h"
#include "pipeline/examples.h"

enum { SHOWN_BYTES = 300 };

struct values {
    struct lt_common common;
};

struct colours {
    const char *good, *bad, *dim, *end;
};

static const struct colours plain = {"", "", "", ""};
static const struct colours ansi = {"\033[32m", "\033[31m", "\033[2m", "\033[0m"};

/* Values are shown on one line, cut where they are long; nothing of them steers the terminal. */
static void print_value(const char *colour, struct lt_slice value, const char *end) {
    size_t len = value.len < SHOWN_BYTES ? value.len : SHOWN_BYTES;

    if (!value.data) {
        printf("%snothing%s", colour, end);
        return;
    }
    while (len && len < value.len && ((unsigned char)value.data[len] & 0xc0) == 0x80)
        len--;
    fputs(colour, stdout);
    for (size_t i = 0; i < len; i++)
        putchar((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f ? ' ' : value.data[i]);
    printf("%s%s", len < value.len ? "…" : "", end);
}

static void print_example(const struct lt_example *example, const struct colours *c) {
    size_t shown = example->n_differences < LT_EXAMPLE_MAX_DIFFERENCES ? example->n_differences
                                                                       : LT_EXAMPLE_MAX_DIFFERENCES;

    printf("%s%s%s  %s/%zu%s%s %s(line %u)%s\n", example->passed ? c->good : c->bad,
           example->passed ? "ok  " : "FAIL", c->end, example->group, example->index,
           example->name ? " " : "", example->name ? example->name : "", c->dim, example->line,
           c->end);
    for (size_t i = 0; i < shown; i++) {
        const struct lt_difference *d = &example->differences[i];
        printf("        %s\n          expected ", d->path);
        print_value(c->good, d->expected, c->end);
        printf("\n          got      ");
        print_value(c->bad, d->got, c->end);
        putchar('\n');
    }
    if (shown < example->n_differences)
        printf("        and %zu more differences\n", example->n_differences - shown);
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    const struct colours *c = lt_cli_colour(stdout) ? &ansi : &plain;
    struct lt_examples examples = {0};
    struct lt_system system;
    struct leat_error err;
    char text[64];
    int64_t started_us = lt_clock_mono_us();
    int code = lt_cli_load("test", args[0], &system);

    if (code != LT_EXIT_OK)
        goto done;
    if (lt_examples_run(&examples, &system, args + 1, n_args - 1, &err) != LEAT_OK) {
        code = lt_cli_fail("test", &err);
        if (err.status == LEAT_E_NOT_FOUND)
            code = LT_EXIT_USAGE;
        goto done;
    }
    for (size_t i = 0; i < examples.n; i++)
        if (!v->common.quiet || !examples.list[i].passed)
            print_example(&examples.list[i], c);
    if (!examples.n)
        printf("%s: no tests; expected some under pipelines.NAME.tests or a resource's tests\n",
               args[0]);
    else
        printf("%s: %s, %zu passed, %zu failed (%.2f s)\n", args[0],
               lt_cli_count(examples.n, "test", text), examples.n - examples.n_failed,
               examples.n_failed, (double)(lt_clock_mono_us() - started_us) / 1e6);
    code = examples.n_failed ? LT_EXIT_FAILED : LT_EXIT_OK;
done:
    lt_examples_deinit(&examples);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_test = {
    .name = "test",
    .summary = "run the examples that a file holds",
    .usage = "FILE [NAME...]",
    .description =
        "Sends each record under `tests:` through its pipeline's expressions, exactly as `run` "
        "would,\n"
        "and compares what comes out, the route that it takes, or the reason for which it becomes "
        "a\n"
        "dead letter; and each recorded page of a resource as `pull` would: how many records it "
        "has, the\n"
        "first one, and the next request. Nothing else is touched. NAME picks a test, a pipeline, "
        "a\n"
        "resource, or PIPELINE/NUMBER.\n"
        "Values are compared, not their spelling: the order of members does not count.\n"
        "Ends with 0 when all pass, with 1 when one fails, with 2 when the file is not "
        "well-formed.",
    .examples = "  leat test recommender.yaml\n"
                "  leat test recommender.yaml recommender/3",
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1000,
    .run = run,
};
