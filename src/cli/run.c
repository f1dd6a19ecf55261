/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/command.h"
#include "cli/file.h"
#include "pipeline/local.h"
#include "pipeline/plan.h"

#include <unistd.h>

struct values {
    struct lt_common common;
    bool drain;
    uint64_t n_threads;
    const char *pipeline;
    const char *from;
    const char *to;
    int output;
};

static const char *const outputs[] = {"text", "json", NULL};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"drain", 0, LT_OPTION_FLAG, NULL, OFFSET(drain),
     "stop when the sources are read to their end and all is delivered", NULL, NULL},
    {"pipeline", 'p', LT_OPTION_STRING, "NAME", OFFSET(pipeline), "only this pipeline", NULL, NULL},
    {"threads", 0, LT_OPTION_UINT, "N", OFFSET(n_threads),
     "threads that run shards (default: one a processor)", NULL, NULL},
    {"from", 0, LT_OPTION_STRING, "FILE|-", OFFSET(from),
     "read JSON lines instead of the source stream; with --to", NULL, NULL},
    {"to", 0, LT_OPTION_STRING, "FOLDER|-", OFFSET(to),
     "write JSON lines, a file a route, instead of the sinks; with --from", NULL, NULL},
    {"output", 'o', LT_OPTION_CHOICE, "text|json", OFFSET(output), "how the summary looks", outputs,
     NULL},
    {0},
};

static void print_latency(FILE *out, const struct lt_latency *latency) {
    if (!latency->n)
        return;
    fprintf(out, "  latency, source to sink: p50 %.0f ms, p99 %.0f ms, max %.0f ms\n",
            (double)lt_latency_percentile(latency, 50) / 1000.0,
            (double)lt_latency_percentile(latency, 99) / 1000.0, (double)latency->max_us / 1000.0);
}

static void print_text(FILE *out, const struct lt_run_stat *stat) {
    char count[32], bytes[32];
    double seconds = (double)stat->elapsed_ms / 1000.0;

    for (size_t i = 0; i < stat->n_pipelines; i++) {
        const struct lt_run_pipeline_stat *p = &stat->pipelines[i];
        fprintf(out, "pipeline %s: %.1f s\n", p->name, seconds);
        fprintf(out, "  %-36s %12s records %12s\n", "read", lt_format_count(p->n_read, count),
                lt_format_bytes(p->n_bytes, bytes));
        for (size_t r = 0; r < p->n_routes; r++) {
            char label[64];
            snprintf(label, sizeof(label), "-> %s", p->routes[r].to);
            fprintf(out, "  %-36s %12s records %12s\n", label,
                    lt_format_count(p->routes[r].n_records, count),
                    lt_format_bytes(p->routes[r].n_bytes, bytes));
            if (p->routes[r].n_retries)
                fprintf(out, "     sent again: %s\n",
                        lt_format_count(p->routes[r].n_retries, count));
        }
        fprintf(out, "  %-36s %12s records\n", "dead letters", lt_format_count(p->n_dead, count));
        print_latency(out, &p->latency);
    }
}

static void print_json(FILE *out, const struct lt_run_stat *stat) {
    fprintf(out, "{\"seconds\":%.3f,\"interrupted\":%s,\"pipelines\":[",
            (double)stat->elapsed_ms / 1000.0, stat->interrupted ? "true" : "false");
    for (size_t i = 0; i < stat->n_pipelines; i++) {
        const struct lt_run_pipeline_stat *p = &stat->pipelines[i];
        fprintf(out,
                "%s{\"name\":\"%s\",\"read\":%llu,\"bytes\":%llu,\"dead\":%llu,\"shards\":%llu,"
                "\"routes\":[",
                i ? "," : "", p->name, (unsigned long long)p->n_read,
                (unsigned long long)p->n_bytes, (unsigned long long)p->n_dead,
                (unsigned long long)p->n_shards);
        for (size_t r = 0; r < p->n_routes; r++)
            fprintf(out, "%s{\"to\":\"%s\",\"records\":%llu,\"bytes\":%llu,\"sent_again\":%llu}",
                    r ? "," : "", p->routes[r].to, (unsigned long long)p->routes[r].n_records,
                    (unsigned long long)p->routes[r].n_bytes,
                    (unsigned long long)p->routes[r].n_retries);
        fprintf(out, "],\"latency_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}",
                (double)lt_latency_percentile(&p->latency, 50) / 1000.0,
                (double)lt_latency_percentile(&p->latency, 99) / 1000.0,
                (double)p->latency.max_us / 1000.0);
    }
    fputs("]}\n", out);
}

static void print_summary(const struct values *values, const struct lt_run_stat *stat) {
    bool data_on_stdout = values->to && strcmp(values->to, "-") == 0;
    FILE *out = data_on_stdout ? stderr : stdout;

    if (values->output == 1)
        print_json(out, stat);
    else if (!values->common.quiet)
        print_text(out, stat);
}

static void show_progress(void *ctx, const struct lt_run_stat *stat) {
    uint64_t n_read = 0, n_dead = 0, n_routed = 0;
    char a[32], b[32], c[32];

    (void)ctx;
    for (size_t i = 0; i < stat->n_pipelines; i++) {
        n_read += stat->pipelines[i].n_read;
        n_dead += stat->pipelines[i].n_dead;
        for (size_t r = 0; r < stat->pipelines[i].n_routes; r++)
            n_routed += stat->pipelines[i].routes[r].n_records;
    }
    fprintf(stderr, "\r\033[K%s read, %s routed, %s dead, %.0f s", lt_format_count(n_read, a),
            lt_format_count(n_routed, b), lt_format_count(n_dead, c),
            (double)stat->elapsed_ms / 1000.0);
}

static void show_dead(void *ctx, uint64_t line, struct lt_slice expression,
                      struct lt_slice reason) {
    const struct values *values = ctx;
    fprintf(stderr, "%s:%llu: dead letter: %.*s%s%.*s\n", values->from, (unsigned long long)line,
            LT_FMT(expression), expression.len ? ": " : "", LT_FMT(reason));
}

static int fail(const struct leat_error *err) {
    return lt_cli_fail("run", err);
}

static bool is_asked_for(const struct values *values, const struct lt_system_pipeline *pipeline) {
    return !values->pipeline || strcmp(pipeline->name, values->pipeline) == 0;
}

/* Pipelines that take records from an API are not run here: who thinks so is told. */
static int tell_pulled(const struct values *values, const struct lt_system *system) {
    size_t n_run = 0, n_pulled = 0;

    for (size_t i = 0; i < system->n_pipelines; i++) {
        const struct lt_system_pipeline *pipeline = &system->pipelines[i];
        if (!is_asked_for(values, pipeline))
            continue;
        n_run += pipeline->source_stream != NULL;
        n_pulled += pipeline->source_api != NULL;
    }
    if (!n_pulled || (n_run && values->common.quiet))
        return LT_EXIT_OK;
    for (size_t i = 0; i < system->n_pipelines; i++) {
        const struct lt_system_pipeline *pipeline = &system->pipelines[i];
        if (is_asked_for(values, pipeline) && pipeline->source_api)
            fprintf(stderr,
                    "leat run: pipeline %s takes records from the API %s: `leat pull %s` runs it\n",
                    pipeline->name, pipeline->source_api->name, system->path);
    }
    return n_run ? LT_EXIT_OK : LT_EXIT_USAGE;
}

static int run_local(const struct values *values, const struct lt_system *system) {
    struct leat_error err;
    struct lt_run_stat stat;
    const struct lt_system_pipeline *pipeline = NULL;

    size_t n_candidates = 0;
    for (size_t i = 0; i < system->n_pipelines; i++) {
        if (is_asked_for(values, &system->pipelines[i]) && system->pipelines[i].source_stream) {
            pipeline = &system->pipelines[i];
            n_candidates++;
        }
    }
    if (n_candidates != 1) {
        fprintf(stderr, "leat run: name one of the file's pipelines with --pipeline\n");
        return LT_EXIT_USAGE;
    }
    const struct lt_local_options opt = {
        .pipeline = pipeline,
        .from = values->from,
        .to = values->to,
        .n_threads = (unsigned)values->n_threads,
        .on_dead = values->common.quiet ? NULL : show_dead,
        .ctx = (void *)(uintptr_t)values,
    };
    leat_status status = lt_run_local(&opt, &stat, &err);
    bool dead = stat.n_pipelines && stat.pipelines[0].n_dead;
    if (status == LEAT_OK)
        print_summary(values, &stat);
    lt_run_stat_deinit(&stat);
    if (status != LEAT_OK)
        return fail(&err);
    return dead ? LT_EXIT_PARTIAL : LT_EXIT_OK;
}

static leat_status run_target(const struct values *values, const struct lt_system *system,
                              struct lt_target *target, struct lt_run_stat *stat,
                              struct leat_error *err) {
    const struct lt_run_options opt = {
        .target = target,
        .system = system,
        .only = values->pipeline,
        .drain = values->drain,
        .n_threads = (unsigned)values->n_threads,
        .on_progress = isatty(STDERR_FILENO) && !values->common.quiet ? show_progress : NULL,
    };
    leat_status status = LEAT_OK;

    if (lt_target_streams_embedded(target))
        status = lt_plan_create_missing(system, target, err);
    if (status != LEAT_OK)
        return status;
    status = lt_run(&opt, stat, err);
    if (opt.on_progress)
        fputs("\r\033[K", stderr);
    if (status == LEAT_OK && values->drain && !stat->interrupted)
        status = lt_run_flush_deliveries(target, err);
    return status;
}

static int run_services(const struct values *values, const struct lt_system *system) {
    struct lt_target_options target_options = lt_cli_target_options(&values->common);
    struct lt_target *target;
    struct leat_error err;
    struct lt_run_stat stat = {0};

    if (lt_target_open(&target, &target_options, &err) != LEAT_OK)
        return fail(&err);
    leat_status status = run_target(values, system, target, &stat, &err);
    if (stat.n_pipelines)
        print_summary(values, &stat);
    int code = LT_EXIT_OK;
    if (status != LEAT_OK)
        code = fail(&err);
    else if (stat.interrupted && values->drain)
        code = LT_EXIT_INTERRUPTED;
    lt_run_stat_deinit(&stat);
    lt_target_close(target, false);
    return code;
}

static int run(const void *v, const char *const *args, size_t n_args) {
    const struct values *values = v;

    (void)n_args;
    if (!values->from != !values->to) {
        fprintf(stderr, "leat run: --from and --to go together\n");
        return LT_EXIT_USAGE;
    }
    struct lt_system system = {0};
    int code = lt_cli_load("run", args[0], &system);
    if (code == LT_EXIT_OK)
        code = tell_pulled(values, &system);
    if (code == LT_EXIT_OK)
        code = values->from ? run_local(values, &system) : run_services(values, &system);
    lt_system_deinit(&system);
    return code;
}

const struct lt_command lt_command_run = {
    .name = "run",
    .summary = "run the pipelines of a file",
    .usage = "FILE",
    .description =
        "Reads each pipeline's source shard by shard, adds its fields, routes each record to the "
        "first\n"
        "route that matches, writes, and moves the checkpoint when every sink has acknowledged. A "
        "record\n"
        "that cannot be processed goes whole to the pipeline's dead letters, with the reason.\n"
        "\n"
        "Streams, buckets and deliveries that the file names are created when they lie in the "
        "embedded\n"
        "engine; elsewhere `leat up FILE` creates them. Ctrl-C stops cleanly, twice at once; the "
        "next run\n"
        "goes on from the checkpoint. With --from and --to no service is touched.",
    .examples = "  leat run recommender.yaml\n"
                "  leat run recommender.yaml --drain\n"
                "  leat run recommender.yaml --from sessions.jsonl --to out/\n"
                "  zcat sessions.jsonl.gz | leat run recommender.yaml --from - --to - | head",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
