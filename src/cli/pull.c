/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"
#include "cli/file.h"
#include "cli/pull_parts.h"
#include "pipeline/plan.h"

#include <string.h>
#include <unistd.h>

enum {
    NOT_SAID = -1,
    MAX_RESOURCES = 1000,
    ARENA_MAX_BYTES = 1 << 20,
    DESCRIBE_MAX_BYTES = 64 << 20
};

struct values {
    struct lt_common common;
    const char *resource;
    const char *pipeline;
    uint64_t limit;
    bool fresh;
    const char *to;
    int output;
    int compression;
    const char *state;
    bool dry_run;
    int summary;
};

static const char *const outputs[] = {[LT_PULL_JSON] = "json",
                                      [LT_PULL_SINGER] = "singer",
                                      [LT_PULL_AIRBYTE] = "airbyte",
                                      [LT_PULL_GROUPED] = "grouped",
                                      NULL};
static const char *const compressions[] = {[LT_COMPRESSION_NONE] = "none",
                                           [LT_COMPRESSION_GZIP] = "gzip",
                                           [LT_COMPRESSION_ZSTD] = "zstd",
                                           NULL};
static const char *const summaries[] = {"text", "json", NULL};

static const struct values defaults = {.output = NOT_SAID};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"resource", 'r', LT_OPTION_STRING, "NAME,…", OFFSET(resource),
     "only these resources, also those on request", NULL, NULL},
    {"pipeline", 'p', LT_OPTION_STRING, "NAME", OFFSET(pipeline), "only this pipeline", NULL, NULL},
    {"limit", 'n', LT_OPTION_UINT, "N", OFFSET(limit),
     "at most so many records of each resource (of a child: those of the parents pulled); to try",
     NULL, NULL},
    {"fresh", 0, LT_OPTION_FLAG, NULL, OFFSET(fresh),
     "start over: forget the positions, and what waits to become objects", NULL, NULL},
    {"to", 0, LT_OPTION_STRING, "FOLDER|-", OFFSET(to),
     "into this folder, or to standard output, instead of the pipeline's sinks", NULL, NULL},
    {"output", 'o', LT_OPTION_CHOICE, "json|singer|airbyte|grouped", OFFSET(output),
     "to standard output as this; json are lines, grouped is one object of lists", outputs, NULL},
    {"compression", 0, LT_OPTION_CHOICE, "none|gzip|zstd", OFFSET(compression),
     "of the files in the folder of --to (default none)", compressions, NULL},
    {"state", 0, LT_OPTION_STRING, "FILE", OFFSET(state),
     "with -o singer or airbyte: go on from this state, as the last run wrote it", NULL, NULL},
    {"dry-run", 0, LT_OPTION_FLAG, NULL, OFFSET(dry_run),
     "print the first requests, and send nothing", NULL, NULL},
    {"summary", 0, LT_OPTION_CHOICE, "text|json", OFFSET(summary), "how the summary looks",
     summaries, NULL},
    {0},
};

static bool is_stdout(const char *to) {
    return to && strcmp(to, "-") == 0;
}

static int fail_usage(const char *text) {
    fprintf(stderr, "leat pull: %s\n", text);
    return LT_EXIT_USAGE;
}

/* What does not go together. */
static int check_values(const struct values *v) {
    bool has_state = v->output == LT_PULL_SINGER || v->output == LT_PULL_AIRBYTE;

    if (v->output != NOT_SAID && v->to && !is_stdout(v->to))
        return fail_usage("--output is of standard output, and --to names a folder");
    if (v->compression != LT_COMPRESSION_NONE && (!v->to || is_stdout(v->to)))
        return fail_usage("--compression is of the files of --to FOLDER; in the pipeline's routes "
                          "the file says it");
    if (v->state && !has_state)
        return fail_usage("--state goes with --output singer or airbyte");
    if (v->state && v->limit)
        return fail_usage("--state and --limit do not go together: with a limit there are no "
                          "positions");
    return LT_EXIT_OK;
}

/* "a,b" to a list that ends with NULL, in the arena. */
static const char *const *split(const char *names, struct lt_arena *arena) {
    const char **list = lt_arena_calloc(arena, MAX_RESOURCES + 1, sizeof(*list));
    size_t n = 0;

    while (list && n < MAX_RESOURCES) {
        size_t len = strcspn(names, ",");
        if (len && !(list[n++] = lt_arena_str(arena, lt_slice(names, len))))
            return NULL;
        if (!names[len])
            break;
        names += len + 1;
    }
    return list;
}

static int describe(const struct lt_pull_options *opt) {
    struct leat_error err;
    struct lt_buf text;

    lt_buf_init(&text, DESCRIBE_MAX_BYTES);
    leat_status status = lt_pull_describe(opt, &text, &err);
    if (status == LEAT_OK)
        status = lt_buf_status(&text, &err);
    if (status == LEAT_OK)
        printf("%.*s", LT_FMT(lt_buf_slice(&text)));
    lt_buf_deinit(&text);
    return status == LEAT_OK ? LT_EXIT_OK : lt_cli_fail("pull", &err);
}

static void print_summary(const struct values *v, const struct lt_pull_options *opt,
                          const struct lt_pull_stat *stat) {
    FILE *out = is_stdout(opt->to) ? stderr : stdout;

    if (v->summary == 1)
        lt_cli_pull_summary_json(out, stat);
    else if (!v->common.quiet)
        lt_cli_pull_summary_text(out, stat);
}

/* Where the dead letters of what is pulled are. */
static void print_dead(const struct lt_pull_options *opt, const struct lt_pull_stat *stat) {
    char count[64];

    fprintf(stderr, "leat pull: %s", lt_cli_count(stat->n_dead, "dead letter", count));
    for (size_t i = 0; i < opt->system->n_pipelines && !is_stdout(opt->to); i++) {
        const struct lt_system_pipeline *pipeline = &opt->system->pipelines[i];
        if (!pipeline->source_api || (opt->only && strcmp(opt->only, pipeline->name) != 0))
            continue;
        if (opt->to && (pipeline->dead_bucket || pipeline->dead_stream))
            fprintf(stderr, ": see %s/dead-letters", opt->to);
        else if (pipeline->dead_bucket)
            fprintf(stderr, ": see s3://%s/%s", pipeline->dead_bucket,
                    pipeline->dead_prefix ? pipeline->dead_prefix : "");
        else if (pipeline->dead_stream)
            fprintf(stderr, ": `leat tail %s` shows them", pipeline->dead_stream);
    }
    fputs(stat->n_dead == 1 ? "; it says why\n" : "; each says why\n", stderr);
}

/* What to do next where something is off. */
static void print_advice(const struct values *v, const struct lt_pull_options *opt,
                         const struct lt_pull_stat *stat, bool failed) {
    bool kept = !is_stdout(opt->to) && !opt->limit;
    bool began = false;

    if (v->common.quiet)
        return;
    if (stat->n_dead)
        print_dead(opt, stat);
    for (size_t i = 0; i < stat->n_resources; i++)
        began |= stat->resources[i].n_pages > 0;
    if (kept && began && (failed || stat->interrupted))
        fprintf(stderr, "leat pull: what was read is kept; the same command goes on from there\n");
}

/* What lies elsewhere is created by `leat up` alone. */
static bool is_embedded(const struct lt_pull_options *opt) {
    return (!opt->system->n_streams || lt_target_streams_embedded(opt->target)) &&
           (!opt->system->n_buckets || lt_target_objects_embedded(opt->target));
}

static leat_status pull(const struct values *v, struct lt_pull_options *opt,
                        struct lt_cli_pull_progress *progress, struct lt_pull_stat *stat,
                        struct leat_error *err) {
    leat_status status = LEAT_OK;

    *progress = (struct lt_cli_pull_progress){
        .line = isatty(STDERR_FILENO) && !v->common.quiet && !v->common.log_format,
        .log = v->common.log_format && !v->common.quiet,
        .verbose = v->common.verbose,
        .quiet = v->common.quiet,
    };
    opt->ctx = progress;
    opt->on_progress = progress->line || progress->log ? lt_cli_pull_show : NULL;
    opt->on_note = lt_cli_pull_note;
    if (!opt->to && is_embedded(opt))
        status = lt_plan_create_missing(opt->system, opt->target, err);
    if (status == LEAT_OK)
        status = lt_pull(opt, stat, err);
    lt_cli_pull_clear(progress);
    return status;
}

static int pull_and_tell(const struct values *v, struct lt_pull_options *opt) {
    struct lt_target_options target_options = lt_cli_target_options(&v->common);
    struct lt_cli_pull_progress progress;
    struct lt_pull_stat stat = {0};
    struct leat_error err;
    int code = LT_EXIT_OK;

    if (lt_target_open(&opt->target, &target_options, &err) != LEAT_OK)
        return lt_cli_fail("pull", &err);
    leat_status status = pull(v, opt, &progress, &stat, &err);
    if (stat.n_resources)
        print_summary(v, opt, &stat);
    if (status != LEAT_OK)
        code = lt_cli_fail("pull", &err);
    else if (stat.interrupted)
        code = LT_EXIT_INTERRUPTED;
    else if (stat.n_dead)
        code = LT_EXIT_PARTIAL;
    print_advice(v, opt, &stat, status != LEAT_OK);
    lt_pull_stat_deinit(&stat);
    lt_target_close(opt->target, false);
    return code;
}

static int run_file(const struct values *v, const struct lt_system *system,
                    struct lt_arena *arena) {
    struct lt_pull_options opt = {
        .system = system,
        .only = v->pipeline,
        .limit = v->limit,
        .fresh = v->fresh,
        .to = v->to                   ? v->to
              : v->output != NOT_SAID ? "-"
                                      : NULL,
        .format = v->output != NOT_SAID ? (enum lt_pull_format)v->output : LT_PULL_JSON,
        .compression = (enum lt_compression)v->compression,
        .state = v->state,
        .out_fd = STDOUT_FILENO,
    };
    struct leat_error err;

    if (v->resource && !(opt.resources = split(v->resource, arena)))
        return fail_usage("no memory for the names of --resource");
    if (opt.resources && !opt.resources[0])
        return fail_usage("--resource needs the name of a resource");
    if (lt_pull_check(&opt, &err) != LEAT_OK) {
        lt_cli_fail("pull", &err);
        return LT_EXIT_USAGE;
    }
    return v->dry_run ? describe(&opt) : pull_and_tell(v, &opt);
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    struct lt_system system = {0};
    struct lt_arena arena;
    int code = check_values(v);

    (void)n_args;
    if (code != LT_EXIT_OK)
        return code;
    lt_arena_init(&arena, ARENA_MAX_BYTES);
    code = lt_cli_load("pull", args[0], &system);
    if (code == LT_EXIT_OK)
        code = run_file(v, &system, &arena);
    lt_system_deinit(&system);
    lt_arena_deinit(&arena);
    return code;
}

const struct lt_command lt_command_pull = {
    .name = "pull",
    .summary = "pull the records of a REST API",
    .usage = "FILE",
    .description =
        "Fetches the pages of a file's resources, many at once and as fast as the API allows, adds "
        "fields,\n"
        "routes each record to the first route that matches, and writes: into buckets as objects "
        "of "
        "JSON\n"
        "lines, each whole or not at all, into streams, into a folder, or to standard output. "
        "Records come\n"
        "out in the API's order.\n"
        "\n"
        "A pull that was stopped or failed goes on where it was when it is run again, and no page "
        "is "
        "lost or\n"
        "written twice into objects; one that came to its end begins a new pass, of incremental "
        "resources\n"
        "with what is new. So cron or a timer needs nothing but `leat pull FILE`. Buckets and "
        "streams that the\n"
        "file names are created when they lie in the embedded engine.\n"
        "\n"
        "With --to or --output nothing but the API and that place is touched. -v shows each "
        "request, without\n"
        "secrets. `leat help file` tells what may stand under `sources`.",
    .examples = "  leat pull spotify.yaml\n"
                "  leat pull spotify.yaml --limit 20 --to -\n"
                "  leat pull spotify.yaml --resource new_releases --to out/ --compression gzip\n"
                "  leat pull spotify.yaml -o singer | target-jsonl\n"
                "  leat pull spotify.yaml --resource album_tracks -o grouped > tracks.json\n"
                "  leat pull spotify.yaml --dry-run",
    .options = options,
    .values_size = sizeof(struct values),
    .defaults = &defaults,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
