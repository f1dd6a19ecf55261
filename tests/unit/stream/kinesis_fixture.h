/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_KINESIS_FIXTURE_H
#define LT_TEST_KINESIS_FIXTURE_H

/* A Kinesis body at a scripted service, and callbacks that note what came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../script.h"
#include "aws/client.h"
#include "base/clock.h"
#include "stream/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define END                                                                                        \
    { NULL, NULL, 0, NULL, NULL }

struct fixture {
    struct script script;
    uv_loop_t loop;
    struct lt_stream_service *service;
    struct leat_error err;
    char dir[32], path[64];
};

static void open_at(struct fixture *f, bool unix_socket, const struct script_line *lines) {
    memset(f, 0, sizeof(*f));
    if (unix_socket) {
        snprintf(f->dir, sizeof(f->dir), "/tmp/leat-kin-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
    }
    script_start(&f->script, unix_socket ? f->path : NULL, lines);
    const struct lt_aws_endpoint endpoint = {.url = peer_url(f->script.peer),
                                             .unix_socket = unix_socket ? f->path : NULL};
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(lt_stream_kinesis_new(&f->service, &f->loop, &endpoint, &f->err), LEAT_OK);
    assert_int_equal(f->service->atomic_put, unix_socket);
}

static void close_all(struct fixture *f) {
    if (f->service)
        f->service->ops->close(f->service);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    script_end(&f->script);
    if (f->path[0]) {
        unlink(f->path);
        rmdir(f->dir);
    }
}

/* What came of a call, as text where it is more than a status. */
struct outcome {
    unsigned n_calls;
    leat_status status;
    struct leat_error err;
    char text[2048];
    bool end;
    int64_t behind_ms;
    struct lt_stream_reader *close_me;
    struct fixture *close_all_of;
};

static void await(struct fixture *f, const struct outcome *o, unsigned n_calls) {
    int64_t deadline_us = lt_clock_mono_us() + 20000000;
    while (o->n_calls < n_calls && lt_clock_mono_us() < deadline_us)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(o->n_calls, n_calls);
}

static void add_text(struct outcome *o, const char *fmt, ...) {
    size_t len = strlen(o->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(o->text + len, sizeof(o->text) - len, fmt, args);
    va_end(args);
}

static void note(struct outcome *o, leat_status status, const struct leat_error *err) {
    o->n_calls++;
    o->status = status;
    o->text[0] = '\0';
    if (err)
        o->err = *err;
    assert_int_equal(status != LEAT_OK, err != NULL);
}

static void on_put(void *ctx, leat_status status, const struct lt_stream_put_result *results,
                   size_t n, const struct leat_error *err) {
    note(ctx, status, err);
    for (size_t i = 0; i < n; i++)
        add_text(ctx, "%s/%s/%s/%s;", leat_status_name(results[i].status), results[i].code,
                 results[i].shard, results[i].sequence);
}

#endif
