/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the kept positions of an API: they are refused, or the walk that starts from them
 * says a position from which another starts that says the same. Two resources; a NUL ends the first
 * one's position.
 */
#include "rest/walk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void ignore_page(void *ctx, struct lt_rest_page *page) {
    (void)ctx;
    (void)page;
}

static void ignore_end(void *ctx, leat_status status, const struct leat_error *err) {
    (void)ctx;
    (void)status;
    (void)err;
}

#define JQ(literal)                                                                                \
    {                                                                                              \
        .text = { literal, sizeof(literal) - 1 }                                                   \
    }

static struct lt_rest_resource resources[2] = {
    {.name = "feed",
     .method = "GET",
     .path = {JQ("/feed")},
     .pagination = {.kind = "auto"},
     .parent = SIZE_MAX,
     .incremental = {.field = JQ(".at"), .start = "5", .param = "since"}},
    {.name = "child",
     .method = "GET",
     .path = {JQ("/of/{.id}")},
     .records = JQ(".items"),
     .pagination = {.kind = "next", .next = JQ(".next")},
     .parent = 0},
};
static const struct lt_rest_api api = {.name = "api",
                                       .base_url = "http://127.0.0.1:9/v1",
                                       .auth = {.kind = "none"},
                                       .concurrency = 2,
                                       .max_attempts = 1,
                                       .max_page_bytes = 1 << 20,
                                       .resources = resources,
                                       .n_resources = 2};

/* Starts from positions and writes those that it then has; false when they are refused. */
static bool start(uv_loop_t *loop, const struct lt_slice positions[2], struct lt_buf out[2]) {
    const bool selected[2] = {true, true};
    const struct lt_rest_walk_options opt = {.api = &api,
                                             .loop = loop,
                                             .selected = selected,
                                             .positions = positions,
                                             .on_page = ignore_page,
                                             .on_end = ignore_end};
    struct lt_rest_walk *walk;
    struct leat_error err;

    leat_status status = lt_rest_walk_start(&walk, &opt, &err);
    for (size_t i = 0; i < 2 && status == LEAT_OK; i++)
        lt_rest_walk_position(walk, i, &out[i]);
    lt_rest_walk_free(walk);
    uv_run(loop, UV_RUN_DEFAULT); /* closes its handles; no request was made yet */
    must(status == LEAT_OK || status == LEAT_E_PARSE || status == LEAT_E_CONFIG);
    return status == LEAT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const uint8_t *nul = len ? memchr(data, 0, len) : NULL;
    size_t first = nul ? (size_t)(nul - data) : len;
    struct lt_slice positions[2] = {lt_slice(data, first), {NULL, 0}};
    struct lt_buf once[2], again[2];
    uv_loop_t loop;

    if (nul)
        positions[1] = lt_slice(nul + 1, len - first - 1);
    must(uv_loop_init(&loop) == 0);
    for (size_t i = 0; i < 2; i++) {
        lt_buf_init(&once[i], 1 << 24);
        lt_buf_init(&again[i], 1 << 24);
    }
    if (start(&loop, positions, once)) {
        const struct lt_slice kept[2] = {lt_buf_slice(&once[0]), lt_buf_slice(&once[1])};
        must(!once[0].failed && !once[1].failed);
        must(start(&loop, kept, again));
        for (size_t i = 0; i < 2; i++)
            must(lt_slice_eq(kept[i], lt_buf_slice(&again[i])));
    }
    for (size_t i = 0; i < 2; i++) {
        lt_buf_deinit(&once[i]);
        lt_buf_deinit(&again[i]);
    }
    must(uv_loop_close(&loop) == 0);
    return 0;
}
