/* SPDX-License-Identifier: Apache-2.0 */
/* `leat check FILE`: every problem of a file, without touching anything else. */
#include "cli/file.h"

#include "json/json.h"

enum output { OUTPUT_TEXT, OUTPUT_JSON };

struct values {
    struct lt_common common;
    int output;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct lt_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = LT_OPTION_CHOICE,
     .arg = "text|json",
     .offset = offsetof(struct values, output),
     .help = "how to print what was found",
     .choices = outputs},
    {0},
};

static void write_problem(struct lt_json_writer *w, const struct lt_problem *problem) {
    lt_json_begin_object(w);
    lt_json_key(w, "line");
    lt_json_put_uint(w, problem->place.line);
    lt_json_key(w, "column");
    lt_json_put_uint(w, problem->place.column);
    lt_json_key(w, "severity");
    lt_json_put_str(w, problem->warning ? "warning" : "error");
    lt_json_key(w, "text");
    lt_json_put_str(w, problem->text);
    if (problem->suggestion) {
        lt_json_key(w, "suggestion");
        lt_json_put_str(w, problem->suggestion);
    }
    lt_json_end_object(w);
}

static void write_expression(struct lt_json_writer *w, const struct lt_system_expression *e) {
    lt_json_begin_object(w);
    if (e->pipeline) {
        lt_json_key(w, "pipeline");
        lt_json_put_str(w, e->pipeline);
    }
    lt_json_key(w, "expression");
    lt_json_put_str(w, e->name);
    lt_json_key(w, "line");
    lt_json_put_uint(w, e->place.line);
    lt_json_key(w, "column");
    lt_json_put_uint(w, e->place.column);
    lt_json_key(w, "runs");
    lt_json_put_str(w, lt_expr_tier_name(e->tier));
    if (e->why) {
        lt_json_key(w, "why");
        lt_json_put_str(w, e->why);
    }
    lt_json_end_object(w);
}

static int print_json(const struct lt_system *system, const struct lt_problems *problems, bool ok) {
    struct lt_json_writer w;
    struct leat_error err;
    struct lt_buf buf;

    lt_buf_init(&buf, 4 << 20);
    lt_json_writer_init(&w, &buf);
    lt_json_begin_object(&w);
    lt_json_key(&w, "file");
    lt_json_put_str(&w, system->path);
    lt_json_key(&w, "ok");
    lt_json_put_bool(&w, ok);
    lt_json_key(&w, "problems");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < problems->n; i++)
        write_problem(&w, &problems->list[i]);
    lt_json_end_array(&w);
    lt_json_key(&w, "expressions");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < system->n_expressions; i++)
        write_expression(&w, &system->expressions[i]);
    lt_json_end_array(&w);
    lt_json_key(&w, "more_problems");
    lt_json_put_uint(&w, problems->n_untold);
    const struct {
        const char *name;
        size_t n;
    } counts[] = {
        {"streams", system->n_streams},       {"buckets", system->n_buckets},
        {"sources", system->n_apis},          {"resources", lt_cli_count_resources(system)},
        {"deliveries", system->n_deliveries}, {"pipelines", system->n_pipelines},
        {"tests", lt_cli_count_tests(system)}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        lt_json_key(&w, counts[i].name);
        lt_json_put_uint(&w, counts[i].n);
    }
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&buf, &err);
    if (status == LEAT_OK)
        printf("%.*s\n", LT_FMT(lt_buf_slice(&buf)));
    lt_buf_deinit(&buf);
    if (status != LEAT_OK)
        return lt_cli_fail("check", &err);
    return ok ? LT_EXIT_OK : LT_EXIT_USAGE;
}

/* "4 expressions in one pass over each record", "2 compiled, 1 through libjq" */
static void print_tiers(const struct lt_system *system, const char *pipeline) {
    size_t n[LT_EXPR_LIBJQ + 1] = {0};
    static const char *const words[] = {
        [LT_EXPR_CONSTANT] = "computed once",
        [LT_EXPR_FUSED] = "in one pass over each record",
        [LT_EXPR_COMPILED] = "compiled",
        [LT_EXPR_LIBJQ] = "through libjq",
    };
    const char *separator = "";
    char count[64];

    for (size_t i = 0; i < system->n_expressions; i++)
        if (system->expressions[i].pipeline && !strcmp(system->expressions[i].pipeline, pipeline))
            n[system->expressions[i].tier]++;
    printf("  pipeline %s: ", pipeline);
    for (size_t i = sizeof(n) / sizeof(n[0]); i-- > 0;) {
        if (n[i])
            printf("%s%s %s", separator, lt_cli_count(n[i], "expression", count), words[i]);
        separator = n[i] ? ", " : separator;
    }
    printf("%s\n", *separator ? "" : "no expressions");
}

/* What is left to libjq is always told; the rest to those who ask for more. */
static void print_expressions(const struct lt_system *system, bool verbose) {
    for (size_t i = 0; i < system->n_pipelines; i++)
        print_tiers(system, system->pipelines[i].name);
    for (size_t i = 0; i < system->n_expressions; i++) {
        const struct lt_system_expression *e = &system->expressions[i];
        if (e->tier != LT_EXPR_LIBJQ && !verbose)
            continue;
        printf("%s:%u:%u: %s%s%s: %s%s%s\n", system->path, e->place.line, e->place.column,
               e->pipeline ? e->pipeline : "", e->pipeline ? "." : "", e->name,
               e->tier == LT_EXPR_LIBJQ ? "runs through libjq" : lt_expr_tier_name(e->tier),
               e->why ? ": " : "", e->why ? e->why : "");
    }
}

static int print_text(const struct lt_system *system, const struct lt_problems *problems, bool ok,
                      const struct lt_common *common) {
    char summary[160], warnings[64];
    size_t n_warnings = 0;

    lt_cli_print_problems(stdout, system, problems);
    for (size_t i = 0; i < problems->n; i++)
        n_warnings += problems->list[i].warning;
    if (ok && !common->quiet) {
        printf("%s: ok%s%s (%s)\n", system->path, n_warnings ? ", " : "",
               n_warnings ? lt_cli_count(n_warnings, "warning", warnings) : "",
               lt_cli_summary(system, summary));
        print_expressions(system, common->verbose);
    }
    return ok ? LT_EXIT_OK : LT_EXIT_USAGE;
}

static int check_file(const struct values *v, const char *path) {
    struct lt_system system;
    struct lt_problems problems;
    struct leat_error err;
    int code;
    leat_status status = lt_system_load(&system, path, &problems, &err);

    if (status != LEAT_OK && status != LEAT_E_CONFIG) {
        code = lt_cli_fail("check", &err);
        if (status == LEAT_E_NOT_FOUND || status == LEAT_E_IO)
            code = LT_EXIT_USAGE;
    } else if (v->output == OUTPUT_JSON) {
        code = print_json(&system, &problems, status == LEAT_OK);
    } else {
        code = print_text(&system, &problems, status == LEAT_OK, &v->common);
    }
    lt_system_deinit(&system);
    return code;
}

static int run(const void *values, const char *const *args, size_t n_args) {
    int code = LT_EXIT_OK;

    for (size_t i = 0; i < n_args; i++) {
        int one = check_file(values, args[i]);
        if (one > code)
            code = one;
    }
    return code;
}

const struct lt_command lt_command_check = {
    .name = "check",
    .summary = "prove a file well-formed, without touching anything",
    .usage = "FILE...",
    .description =
        "Reads each file as `up` and `run` would: its YAML, every property, every reference, and\n"
        "every jq expression. All problems are told, each with line and column, what was "
        "expected,\n"
        "and the nearest valid word. `leat help file` tells what may stand in a file.\n"
        "For each pipeline it says how its expressions are run: in one pass over each record,\n"
        "compiled, or through libjq (in a process of its own, some 50 times slower) and why; with\n"
        "--verbose for each expression.\n"
        "Ends with 0 when all files are good, with 2 when one is not.",
    .examples = "  leat check recommender.yaml\n"
                "  leat check -o json recommender.yaml | jq '.problems[].text'\n"
                "  leat check --verbose recommender.yaml",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1000,
    .run = run,
};
