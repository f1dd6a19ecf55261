/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream service by hand, for tests: one command on the interface of stream/stream.h, as the
 * pipelines use it, at any Kinesis endpoint.
 *
 *     streamctl URL|unix:PATH create NAME N | remove NAME | describe NAME | list | shards NAME
 *                             put NAME < "KEY<TAB>DATA" lines
 *                             read NAME trim|latest|at:SEQ|after:SEQ|time:MS [SHARD]
 *
 * A read goes to the tip of each shard and prints SHARD, SEQUENCE, KEY, TIME, DATA. A failure
 * prints its status, code and text, and ends with 1.
 */
#include "aws/client.h"
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_ROUNDS_AT_TIP = 3, MAX_SHARDS = 64 };

struct ctl {
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct leat_error err;
    leat_status status;
    bool done;
    char shards[MAX_SHARDS][128];
    size_t n_shards;
    const char *shard; /* being read */
    bool end;
    unsigned n_at_tip;
};

static int fail(const struct leat_error *err) {
    fprintf(stderr, "%s %s %s\n", leat_status_name(err->status), err->code[0] ? err->code : "-",
            err->text);
    return 1;
}

static void finish(struct ctl *ctl, leat_status status, const struct leat_error *err) {
    ctl->done = true;
    ctl->status = status;
    if (err)
        ctl->err = *err;
}

static leat_status await(struct ctl *ctl, leat_status started) {
    ctl->done = false;
    while (started == LEAT_OK && !ctl->done)
        uv_run(&ctl->loop, UV_RUN_ONCE);
    return started == LEAT_OK ? ctl->status : started;
}

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    struct ctl *ctl = ctx;
    for (ctl->n_shards = 0; ctl->n_shards < n && ctl->n_shards < MAX_SHARDS; ctl->n_shards++)
        snprintf(ctl->shards[ctl->n_shards], sizeof(ctl->shards[0]), "%s",
                 shards[ctl->n_shards].id);
    finish(ctl, status, err);
}

static void print_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards,
                         size_t n, const struct leat_error *err) {
    for (size_t i = 0; i < n; i++)
        printf("%s\t%s\t%s\t%s\n", shards[i].id, shards[i].parent ? shards[i].parent : "-",
               shards[i].adjacent_parent ? shards[i].adjacent_parent : "-",
               shards[i].closed ? "closed" : "open");
    finish(ctx, status, err);
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    for (size_t i = 0; i < n; i++)
        printf("%s\t%s\t%s\t%s\n", leat_status_name(results[i].status),
               results[i].code[0] ? results[i].code : "-", results[i].shard, results[i].sequence);
    finish(ctx, status, err);
}

static void on_read(void *ctx, leat_status status, struct lt_stream_batch *batch,
                    const struct leat_error *err) {
    struct ctl *ctl = ctx;
    for (size_t i = 0; batch && i < batch->n; i++) {
        const struct lt_stream_record *r = &batch->records[i];
        printf("%s\t%.*s\t%.*s\t%lld\t%.*s\n", ctl->shard, LT_FMT(r->sequence), LT_FMT(r->key),
               (long long)r->time_ms, LT_FMT(r->data));
    }
    ctl->end = batch && batch->end;
    ctl->n_at_tip = batch && batch->n == 0 && batch->behind_ms == 0 ? ctl->n_at_tip + 1 : 0;
    lt_stream_batch_free(batch);
    finish(ctl, status, err);
}

static leat_status put_lines(struct ctl *ctl, const char *stream) {
    static char lines[LT_STREAM_PUT_MAX_RECORDS][8192];
    struct lt_stream_put records[LT_STREAM_PUT_MAX_RECORDS];
    leat_status status = LEAT_OK;
    bool more = true;
    while (more && status == LEAT_OK) {
        size_t n = 0;
        while (n < LT_STREAM_PUT_MAX_RECORDS &&
               (more = fgets(lines[n], sizeof(lines[0]), stdin) != NULL)) {
            size_t key_len = strcspn(lines[n], "\t");
            const char *data = lines[n] + key_len + (lines[n][key_len] == '\t');
            records[n] = (struct lt_stream_put){.key = lt_slice(lines[n], key_len),
                                                .data = lt_slice(data, strcspn(data, "\n"))};
            n++;
        }
        if (n)
            status = await(ctl, ctl->service->ops->put(ctl->service, stream, records, n, on_put,
                                                       ctl, &ctl->err));
    }
    return status;
}

static struct lt_stream_start parse_start(const char *text) {
    struct lt_stream_start start = {.from = LT_FROM_TRIM_HORIZON};
    if (!strcmp(text, "latest"))
        start.from = LT_FROM_LATEST;
    else if (!strncmp(text, "at:", 3))
        start = (struct lt_stream_start){LT_FROM_AT_SEQUENCE, lt_slice_str(text + 3), 0};
    else if (!strncmp(text, "after:", 6))
        start = (struct lt_stream_start){LT_FROM_AFTER_SEQUENCE, lt_slice_str(text + 6), 0};
    else if (!strncmp(text, "time:", 5))
        start = (struct lt_stream_start){LT_FROM_TIME, {NULL, 0}, strtoll(text + 5, NULL, 10)};
    return start;
}

static leat_status read_shard(struct ctl *ctl, const char *stream, const char *shard,
                              const struct lt_stream_start *start) {
    const struct lt_stream_ops *ops = ctl->service->ops;
    struct lt_stream_reader *reader;
    leat_status status = ops->open_shard(ctl->service, stream, shard, start, &reader, &ctl->err);
    if (status != LEAT_OK)
        return status;
    ctl->shard = shard;
    ctl->end = false;
    ctl->n_at_tip = 0;
    while (status == LEAT_OK && !ctl->end && ctl->n_at_tip < MAX_ROUNDS_AT_TIP)
        status = await(ctl, ops->read(reader, 10000, 8 << 20, 0, on_read, ctl, &ctl->err));
    if (ctl->end)
        printf("%s\tend\n", shard);
    ops->close_shard(reader);
    return status;
}

static leat_status read_all(struct ctl *ctl, const char *stream, const char *from,
                            const char *only) {
    const struct lt_stream_start start = parse_start(from);
    leat_status status = only ? LEAT_OK
                              : await(ctl, ctl->service->ops->list_shards(
                                               ctl->service, stream, on_shards, ctl, &ctl->err));
    if (only)
        status = read_shard(ctl, stream, only, &start);
    for (size_t i = 0; !only && status == LEAT_OK && i < ctl->n_shards; i++)
        status = read_shard(ctl, stream, ctl->shards[i], &start);
    return status;
}

static leat_status list(struct ctl *ctl) {
    const char *const *names;
    struct lt_arena arena;
    size_t n;
    lt_arena_init(&arena, 64 << 20);
    leat_status status = ctl->service->ops->list(ctl->service, &arena, &names, &n, &ctl->err);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        printf("%s\n", names[i]);
    lt_arena_deinit(&arena);
    return status;
}

static leat_status describe(struct ctl *ctl, const char *stream) {
    struct lt_stream_summary s;
    leat_status status = ctl->service->ops->describe(ctl->service, stream, &s, &ctl->err);
    if (status == LEAT_OK)
        printf("%s\t%s\t%s\t%u\t%u\t%lld\n", s.name, s.arn, s.status, s.n_open_shards,
               s.retention_hours, (long long)s.created_ms);
    return status;
}

static leat_status act(struct ctl *ctl, int n, char **args) {
    const struct lt_stream_ops *ops = ctl->service->ops;
    const char *command = args[0], *stream = n > 1 ? args[1] : "";
    if (!strcmp(command, "create") && n == 3)
        return ops->create(ctl->service, stream, (unsigned)atoi(args[2]), &ctl->err);
    if (!strcmp(command, "remove") && n == 2)
        return ops->remove(ctl->service, stream, &ctl->err);
    if (!strcmp(command, "describe") && n == 2)
        return describe(ctl, stream);
    if (!strcmp(command, "list") && n == 1)
        return list(ctl);
    if (!strcmp(command, "shards") && n == 2)
        return await(ctl, ops->list_shards(ctl->service, stream, print_shards, ctl, &ctl->err));
    if (!strcmp(command, "put") && n == 2)
        return put_lines(ctl, stream);
    if (!strcmp(command, "read") && n >= 3)
        return read_all(ctl, stream, args[2], n > 3 ? args[3] : NULL);
    return lt_fail(&ctl->err, LEAT_E_INVALID, 0, "see the head of streamctl.c");
}

int main(int argc, char **argv) {
    static struct ctl ctl;
    struct lt_aws_config config;
    struct lt_arena arena;

    if (argc < 3)
        return 2;
    lt_arena_init(&arena, 1 << 20);
    if (lt_aws_config_load(&config, NULL, &arena, &ctl.err) != LEAT_OK)
        return fail(&ctl.err);
    bool is_unix = strncmp(argv[1], "unix:", 5) == 0;
    const struct lt_aws_endpoint endpoint = {
        .url = is_unix ? NULL : argv[1],
        .unix_socket = is_unix ? argv[1] + 5 : NULL,
        .region = config.region ? config.region : "us-east-1",
        .credentials = config.credentials,
    };
    uv_loop_init(&ctl.loop);
    leat_status status = lt_stream_kinesis_new(&ctl.service, &ctl.loop, &endpoint, &ctl.err);
    if (status == LEAT_OK) {
        status = act(&ctl, argc - 2, argv + 2);
        ctl.service->ops->close(ctl.service);
        uv_run(&ctl.loop, UV_RUN_DEFAULT);
    }
    if (uv_loop_close(&ctl.loop) != 0)
        abort(); /* a handle leaked */
    lt_arena_deinit(&arena);
    return status == LEAT_OK ? 0 : fail(&ctl.err);
}
