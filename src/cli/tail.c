/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/command.h"
#include "pipeline/consumer.h"
#include "json/json.h"

#include <errno.h>
#include <string.h>

enum { TEXT, JSON, DATA };
enum { LINE_MAX_RECORD_BYTES = 64 << 20 };

struct values {
    struct lt_common common;
    const char *from;
    const char *shard;
    bool follow;
    uint64_t max_records;
    int output;
};

static const struct values defaults = {.follow = true};
static const char *const outputs[] = {"text", "json", "data", NULL};

#define OFFSET(member) offsetof(struct values, member)

static const struct lt_option options[] = {
    {"from", 0, LT_OPTION_STRING, "POSITION", OFFSET(from),
     "trim-horizon, latest, a sequence number, or a time (default: latest, with --no-follow "
     "trim-horizon)",
     NULL, NULL},
    {"shard", 0, LT_OPTION_STRING, "ID", OFFSET(shard), "only this shard", NULL, NULL},
    {"follow", 'f', LT_OPTION_FLAG, NULL, OFFSET(follow),
     "wait for more (default); --no-follow stops at the end", NULL, NULL},
    {"max", 'n', LT_OPTION_UINT, "N", OFFSET(max_records), "stop after so many records", NULL,
     NULL},
    {"output", 'o', LT_OPTION_CHOICE, "text|json|data", OFFSET(output),
     "text: shard, sequence number, data; json: one object a record; data: the bytes alone",
     outputs, NULL},
    {0},
};

struct printer {
    int output;
    struct lt_buf out;
    bool failed; /* standard output is closed, or the disk is full */
    int sys;
};

static void add_json(struct printer *printer, const char *shard,
                     const struct lt_stream_record *record) {
    struct lt_json_writer w;
    struct lt_json doc;

    lt_json_writer_init(&w, &printer->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "shard");
    lt_json_put_str(&w, shard);
    lt_json_key(&w, "sequence");
    lt_json_put_string(&w, record->sequence);
    lt_json_key(&w, "key");
    lt_json_put_string(&w, record->key);
    lt_json_key(&w, "arrival_ms");
    lt_json_put_int(&w, record->time_ms);
    if (lt_json_parse(&doc, record->data, LT_JSON_DEFAULT_DEPTH, NULL) == LEAT_OK) {
        lt_json_key(&w, "data");
        lt_json_put_raw(&w, doc.raw);
    } else {
        lt_json_key(&w, "data_base64");
        lt_json_put_base64(&w, record->data);
    }
    lt_json_end_object(&w);
}

static void add(struct printer *printer, const char *shard, const struct lt_stream_record *record) {
    if (printer->output == JSON) {
        add_json(printer, shard, record);
    } else {
        if (printer->output == TEXT)
            lt_buf_printf(&printer->out, "%s %.*s ", shard, LT_FMT(record->sequence));
        lt_buf_append(&printer->out, record->data);
    }
    lt_buf_append_byte(&printer->out, '\n');
}

static bool print(void *ctx, const char *shard, const struct lt_stream_record *records, size_t n) {
    struct printer *printer = ctx;

    lt_buf_clear(&printer->out);
    for (size_t i = 0; i < n; i++)
        add(printer, shard, &records[i]);
    if (printer->out.failed) {
        printer->failed = true;
        printer->sys = ENOMEM;
    } else if (fwrite(printer->out.data, 1, printer->out.len, stdout) != printer->out.len ||
               fflush(stdout) != 0) {
        printer->failed = true;
        printer->sys = errno;
    }
    return !printer->failed;
}

/* A number of up to 12 digits is a time, a longer one a sequence number. */
static leat_status parse_from(const struct values *values, struct lt_stream_start *start,
                              struct leat_error *err) {
    static const char *const words[] = {"trim-horizon", "latest", NULL};
    const char *from = values->from;

    if (!from)
        from = values->follow ? "latest" : "trim-horizon";
    if (strcmp(from, "trim-horizon") == 0 || strcmp(from, "latest") == 0) {
        start->from = *from == 'l' ? LT_FROM_LATEST : LT_FROM_TRIM_HORIZON;
        return LEAT_OK;
    }
    if (strspn(from, "0123456789") == strlen(from) && strlen(from) > 12) {
        start->from = LT_FROM_AT_SEQUENCE;
        start->sequence = lt_slice_str(from);
        return LEAT_OK;
    }
    start->from = LT_FROM_TIME;
    if (lt_parse_time(lt_slice_str(from), &start->time_ms, err) == LEAT_OK)
        return LEAT_OK;
    const char *near = lt_nearest(lt_slice_str(from), words);
    return lt_fail(err, LEAT_E_INVALID, 0,
                   "--from takes trim-horizon, latest, a sequence number or a time, not '%s'%s%s%s",
                   from, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static leat_status tail(const struct values *values, const char *stream,
                        struct lt_stream_start start, struct lt_target *target, uv_loop_t *loop,
                        struct printer *printer, bool *interrupted, struct leat_error *err) {
    struct lt_stream_service *service;
    uint64_t n;
    leat_status status = lt_target_streams(target, loop, &service, err);

    if (status != LEAT_OK)
        return status;
    const struct lt_consume_options opt = {
        .service = service,
        .loop = loop,
        .stream = stream,
        .shard = values->shard,
        .start = start,
        .follow = values->follow,
        .max_records = values->max_records,
        .on_records = print,
        .ctx = printer,
    };
    status = lt_consume(&opt, &n, interrupted, err);
    service->ops->close(service);
    uv_run(loop, UV_RUN_DEFAULT);
    return status;
}

static int run(const void *v, const char *const *args, size_t n_args) {
    const struct values *values = v;
    struct lt_target_options target_options = lt_cli_target_options(&values->common);
    struct lt_stream_start start = {.from = LT_FROM_LATEST};
    struct printer printer = {.output = values->output};
    struct lt_target *target;
    struct leat_error err;
    bool interrupted = false;
    uv_loop_t loop;

    (void)n_args;
    if (parse_from(values, &start, &err) != LEAT_OK) {
        lt_cli_fail("tail", &err);
        return LT_EXIT_USAGE;
    }
    target_options.looks = true;
    if (lt_target_open(&target, &target_options, &err) != LEAT_OK)
        return lt_cli_fail("tail", &err);
    lt_buf_init(&printer.out, LINE_MAX_RECORD_BYTES);
    uv_loop_init(&loop);
    leat_status status = tail(values, args[0], start, target, &loop, &printer, &interrupted, &err);
    uv_loop_close(&loop);
    lt_buf_deinit(&printer.out);
    lt_target_close(target, false);
    if (status != LEAT_OK)
        return lt_cli_fail("tail", &err);
    if (printer.failed && printer.sys != EPIPE) {
        fprintf(stderr, "leat tail: cannot write: %s\n", strerror(printer.sys));
        return LT_EXIT_FAILED;
    }
    return interrupted && !values->follow ? LT_EXIT_INTERRUPTED : LT_EXIT_OK;
}

const struct lt_command lt_command_tail = {
    .name = "tail",
    .summary = "print a stream's records as they come",
    .usage = "STREAM",
    .description = "Reads all shards of a stream side by side and prints each record with its "
                   "shard and sequence\n"
                   "number. Records of a shard come in order; when a shard is closed, its children "
                   "follow. Ctrl-C ends it.",
    .examples = "  leat tail sessions\n"
                "  leat tail sessions --from trim-horizon --no-follow -o data | jq .country\n"
                "  leat tail sessions --from 2026-02-01T10:00:00Z -n 10",
    .options = options,
    .values_size = sizeof(struct values),
    .defaults = &defaults,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
