/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/command.h"
#include "pipeline/producer.h"
#include "pipeline/stream_wait.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { STOP, SKIP };
enum { TEXT, JSON };
enum { ONE_ARENA_MAX_BYTES = 64 << 20, OUT_MAX_BYTES = 64 << 10, WARNINGS_SHOWN = 10 };

struct values {
    struct lt_common common;
    const char *key;
    int on_error;
    int output;
};

static const char *const on_errors[] = {"stop", "skip", NULL};
static const char *const outputs[] = {"text", "json", NULL};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"key", 'k', LT_OPTION_STRING, "EXPR", OFFSET(key),
     "partition key, a jq expression (default .session_id // .id, else a random key)", NULL, NULL},
    {"on-error", 0, LT_OPTION_CHOICE, "stop|skip", OFFSET(on_error),
     "a line that is no record: stop (default), or say so and go on", on_errors, NULL},
    {"output", 'o', LT_OPTION_CHOICE, "text|json", OFFSET(output), "how the result looks", outputs,
     NULL},
    {0},
};

/* What a call works with. */
struct work {
    const struct values *values;
    const char *stream;
    struct lt_target *target;
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct lt_expr_filter *key;
    uint64_t n_warned;
};

/* ---- one record ---- */

static void print_one(const struct work *work, const struct lt_stream_put_result *result) {
    struct lt_json_writer w;
    struct lt_buf out;

    if (work->values->output == TEXT) {
        printf("%s %s\n", result->shard, result->sequence);
        return;
    }
    lt_buf_init(&out, OUT_MAX_BYTES);
    lt_json_writer_init(&w, &out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "ShardId");
    lt_json_put_str(&w, result->shard);
    lt_json_key(&w, "SequenceNumber");
    lt_json_put_str(&w, result->sequence);
    lt_json_end_object(&w);
    printf("%.*s\n", LT_FMT(lt_buf_slice(&out)));
    lt_buf_deinit(&out);
}

static leat_status put_one(struct work *work, const char *text, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_slice key;
    struct lt_stream_put_result result;

    lt_arena_init(&arena, ONE_ARENA_MAX_BYTES);
    leat_status status = lt_produce_key(work->key, lt_slice_str(text), &arena, &key, err);
    if (status == LEAT_OK) {
        const struct lt_stream_put put = {.key = key, .data = lt_slice_str(text)};
        status = lt_wait_put_one(work->service, &work->loop, work->stream, &put, &result, err);
    }
    if (status == LEAT_OK && !work->values->common.quiet)
        print_one(work, &result);
    lt_arena_deinit(&arena);
    return status;
}

/* ---- many ---- */

static double seconds_of(const struct lt_produce_stat *stat) {
    return stat->elapsed_ms > 0 ? (double)stat->elapsed_ms / 1000.0 : 0.001;
}

static void show_progress(void *ctx, const struct lt_produce_stat *stat) {
    char count[32], bytes[32], rate[32];
    (void)ctx;
    fprintf(stderr, "\r\033[K%s records, %s, %s records/s", lt_format_count(stat->n_records, count),
            lt_format_bytes(stat->n_bytes, bytes),
            lt_format_count((uint64_t)((double)stat->n_records / seconds_of(stat)), rate));
}

static void warn_of_skip(void *ctx, uint64_t line, const char *why) {
    struct work *work = ctx;
    if (++work->n_warned <= WARNINGS_SHOWN)
        fprintf(stderr, "leat put: line %llu: %s; skipped\n", (unsigned long long)line, why);
    else if (work->n_warned == WARNINGS_SHOWN + 1)
        fprintf(stderr, "leat put: more lines are skipped; the summary counts them\n");
}

static void print_summary(const struct work *work, const struct lt_produce_stat *stat) {
    char count[32], bytes[32], rate[32];
    double seconds = seconds_of(stat);

    if (work->values->output == JSON) {
        printf("{\"records\":%llu,\"bytes\":%llu,\"skipped\":%llu,\"sent_again\":%llu,"
               "\"left\":%llu,\"seconds\":%.3f,\"interrupted\":%s}\n",
               (unsigned long long)stat->n_records, (unsigned long long)stat->n_bytes,
               (unsigned long long)stat->n_skipped, (unsigned long long)stat->n_retries,
               (unsigned long long)stat->n_left, seconds, stat->interrupted ? "true" : "false");
        return;
    }
    if (work->values->common.quiet)
        return;
    printf("%s records, %s into %s in %.1f s (%s records/s)",
           lt_format_count(stat->n_records, count), lt_format_bytes(stat->n_bytes, bytes),
           work->stream, seconds,
           lt_format_count((uint64_t)((double)stat->n_records / seconds), rate));
    if (stat->n_retries)
        printf(", %llu sent again", (unsigned long long)stat->n_retries);
    if (stat->n_skipped)
        printf(", %llu lines skipped", (unsigned long long)stat->n_skipped);
    if (stat->n_left)
        printf(", %llu read and not taken", (unsigned long long)stat->n_left);
    putchar('\n');
}

static int put_many(struct work *work, int fd, const char *name) {
    struct lt_produce_stat stat;
    struct leat_error err;
    bool progress = isatty(STDERR_FILENO) && !work->values->common.quiet;
    const struct lt_produce_options opt = {
        .service = work->service,
        .loop = &work->loop,
        .stream = work->stream,
        .fd = fd,
        .name = name,
        .key = work->key,
        .skip = work->values->on_error == SKIP,
        .on_skip = work->values->common.quiet ? NULL : warn_of_skip,
        .on_progress = progress ? show_progress : NULL,
        .ctx = work,
    };
    leat_status status = lt_produce(&opt, &stat, &err);

    if (progress)
        fputs("\r\033[K", stderr);
    print_summary(work, &stat);
    if (status != LEAT_OK)
        return lt_cli_fail("put", &err);
    if (stat.interrupted)
        return LT_EXIT_INTERRUPTED;
    return stat.n_skipped ? LT_EXIT_PARTIAL : LT_EXIT_OK;
}

static int put(struct work *work, const char *what) {
    struct leat_error err;
    int code;

    if (strcmp(what, "-") == 0)
        return put_many(work, STDIN_FILENO, "standard input");
    if (*what == '@') {
        int fd = open(what + 1, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            lt_fail_sys(&err, errno, "cannot read %s", what + 1);
            return lt_cli_fail("put", &err);
        }
        code = put_many(work, fd, what + 1);
        close(fd);
        return code;
    }
    return put_one(work, what, &err) == LEAT_OK ? LT_EXIT_OK : lt_cli_fail("put", &err);
}

/* ---- the command ---- */

static leat_status open_work(struct work *work, struct leat_error *err) {
    struct lt_target_options target_options = lt_cli_target_options(&work->values->common);
    leat_status status = LEAT_OK;

    if (work->values->key)
        status = lt_expr_filter_new(&work->key, lt_slice_str(work->values->key), err);
    if (status != LEAT_OK)
        return lt_error_prefix(err, "--key");
    target_options.looks = true;
    status = lt_target_open(&work->target, &target_options, err);
    if (status == LEAT_OK)
        status = lt_target_streams(work->target, &work->loop, &work->service, err);
    return status;
}

static void close_work(struct work *work) {
    if (work->service)
        work->service->ops->close(work->service);
    uv_run(&work->loop, UV_RUN_DEFAULT);
    uv_loop_close(&work->loop);
    lt_target_close(work->target, false);
    lt_expr_filter_free(work->key);
}

static int run(const void *values, const char *const *args, size_t n_args) {
    struct work work = {.values = values, .stream = args[0]};
    struct leat_error err;
    int code;

    if (n_args == 1 && isatty(STDIN_FILENO)) {
        fprintf(
            stderr,
            "leat put: what? a JSON text, @FILE, or - for standard input; see leat put --help\n");
        return LT_EXIT_USAGE;
    }
    int rc = uv_loop_init(&work.loop);
    if (rc) {
        fprintf(stderr, "leat put: %s\n", uv_strerror(rc));
        return LT_EXIT_FAILED;
    }
    if (open_work(&work, &err) == LEAT_OK)
        code = put(&work, n_args > 1 ? args[1] : "-");
    else
        code = lt_cli_fail("put", &err);
    close_work(&work);
    return code;
}

const struct lt_command lt_command_put = {
    .name = "put",
    .summary = "put records into a stream",
    .usage = "STREAM [JSON|@FILE|-]",
    .description = "Puts one JSON text, or each line of a file or of standard input, as a record "
                   "into a stream, byte\n"
                   "for byte. Records go in calls within the service's limits (500 records, 5 "
                   "MiB); those that the service\n"
                   "does not take are sent again alone, and records of one key keep their order. "
                   "For a single record the\n"
                   "shard and sequence number are printed, for many a summary.",
    .examples =
        "  leat put clicks '{\"session_id\": \"a1\", \"n\": 1}'\n"
        "  leat put sessions @sessions.jsonl\n"
        "  zcat sessions.jsonl.gz | leat put sessions - --key .customer_number --on-error skip",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 1,
    .max_args = 2,
    .run = run,
};
