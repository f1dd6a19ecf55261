/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_rig.h"

#include "http/server.h"
#include "rest/url.h"

struct pending {
    struct pending *next;
    char *url;
    lt_rest_fetched *done;
    void *ctx;
};

/* ---- the fetcher ---- */

struct lt_rest_fetcher {
    struct rig *rig;
};

static struct rig *the_rig;
volatile int rig_inside;

leat_status lt_rest_fetcher_new(struct lt_rest_fetcher **out,
                                const struct lt_rest_fetcher_options *opt, struct leat_error *err) {
    (void)opt;
    (void)err;
    rig_inside++;
    *out = calloc(1, sizeof(**out));
    rig_inside--;
    assert_non_null(*out);
    (*out)->rig = the_rig;
    return LEAT_OK;
}

static struct pending *take_pending(struct rig *rig, size_t at) {
    struct pending **link = &rig->pending;
    while (at--)
        link = &(*link)->next;
    struct pending *one = *link;
    *link = one->next;
    rig->n_pending--;
    return one;
}

static void give(struct pending *one, leat_status status, struct lt_http_answer *answer,
                 const struct leat_error *err) {
    one->done(one->ctx, status, one->url, answer, err);
    free(one->url);
    free(one);
}

void lt_rest_fetcher_free(struct lt_rest_fetcher *fetcher) {
    struct lt_http_answer none = {.remote = ""};
    struct leat_error err;

    if (!fetcher)
        return;
    lt_fail(&err, LEAT_E_CANCELLED, 0, "cancelled");
    while (fetcher->rig->pending)
        give(take_pending(fetcher->rig, 0), LEAT_E_CANCELLED, &none, &err);
    free(fetcher);
}

leat_status lt_rest_fetch(struct lt_rest_fetcher *fetcher, const struct lt_rest_request *request,
                          lt_rest_fetched *done, void *ctx, struct leat_error *err) {
    struct rig *rig = fetcher->rig;
    struct pending **link = &rig->pending;

    (void)err;
    rig_inside++;
    struct pending *one = calloc(1, sizeof(*one));
    assert_non_null(one);
    one->url = strdup(request->url);
    rig_inside--;
    one->done = done;
    one->ctx = ctx;
    while (*link)
        link = &(*link)->next;
    *link = one;
    rig_add_line(&rig->urls, lt_slice_str(request->url));
    if (++rig->n_pending > rig->max_pending)
        rig->max_pending = rig->n_pending;
    assert_true(rig->n_pending <= rig->api.concurrency);
    return LEAT_OK;
}

uint64_t lt_rest_fetcher_n_retries(const struct lt_rest_fetcher *fetcher) {
    (void)fetcher;
    return 0;
}

/* ---- the rig ---- */

uint64_t rig_random(struct rig *rig, uint64_t below) {
    rig->seed = rig->seed * 6364136223846793005U + 1442695040888963407U;
    return (rig->seed >> 33) % below;
}

char *rig_copy(struct lt_slice text) {
    char *copy = malloc(text.len + 1);

    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

void rig_add_line(struct lines *lines, struct lt_slice text) {
    rig_inside++;
    if ((lines->n & (lines->n - 1)) == 0) {
        lines->list = realloc(lines->list, (lines->n ? lines->n * 2 : 1) * sizeof(*lines->list));
        assert_non_null(lines->list);
    }
    lines->list[lines->n++] = rig_copy(text);
    rig_inside--;
}

void rig_free_lines(struct lines *lines) {
    for (size_t i = 0; i < lines->n; i++)
        free(lines->list[i]);
    free(lines->list);
    *lines = (struct lines){0};
}

int64_t rig_param(const char *url, const char *name, int64_t otherwise) {
    struct lt_arena arena;

    lt_arena_init(&arena, 1 << 20);
    struct lt_slice value = lt_rest_url_param(url, name, &arena);
    int64_t number = value.data ? strtoll(value.data, NULL, 10) : otherwise;
    lt_arena_deinit(&arena);
    return number;
}

size_t rig_count(const struct rig *rig, const char *url) {
    size_t n = 0;
    for (size_t i = 0; i < rig->urls.n; i++)
        n += !strcmp(rig->urls.list[i], url);
    return n;
}

size_t rig_count_with(const struct rig *rig, const char *part) {
    size_t n = 0;
    for (size_t i = 0; i < rig->urls.n; i++)
        n += strstr(rig->urls.list[i], part) != NULL;
    return n;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void rig_assert_no_url_twice(const struct rig *rig) {
    char **sorted = calloc(rig->urls.n + 1, sizeof(*sorted));
    assert_non_null(sorted);
    memcpy(sorted, rig->urls.list, rig->urls.n * sizeof(*sorted));
    qsort(sorted, rig->urls.n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < rig->urls.n; i++)
        if (!strcmp(sorted[i - 1], sorted[i]))
            fail_msg("%s was asked for twice", sorted[i]);
    free(sorted);
}

void rig_assert_records(const struct rig *rig, size_t resource, const struct lines *expected,
                        size_t from) {
    const struct lines *found = &rig->records[resource];

    for (size_t i = 0; i < found->n && from + i < expected->n; i++)
        if (strcmp(found->list[i], expected->list[from + i]) != 0)
            fail_msg("%s record %zu: %s instead of %s", rig->resources[resource].name, from + i,
                     found->list[i], expected->list[from + i]);
    if (found->n + from != expected->n)
        fail_msg("%s: %zu records after %zu of %zu", rig->resources[resource].name, found->n, from,
                 expected->n);
}

struct lt_rest_resource *rig_resource(struct rig *rig, const char *name, const char *path) {
    struct lt_rest_resource *resource = &rig->resources[rig->api.n_resources];

    assert_true(rig->api.n_resources < RIG_RESOURCES);
    rig->selected[rig->api.n_resources++] = true;
    resource->name = name;
    resource->method = "GET";
    resource->path.source.text = lt_slice_str(path);
    resource->parent = SIZE_MAX;
    resource->pagination.kind = "none";
    return resource;
}

static void on_page(void *ctx, struct lt_rest_page *page) {
    struct rig *rig = ctx;
    size_t at = page->resource_index;

    assert_false(rig->freed);
    assert_ptr_equal(page->resource, &rig->resources[at]);
    assert_true(rig->selected[at]);
    if (!rig->ordinals[at] && !rig->records[at].n)
        rig->ordinals[at] = page->ordinal;
    assert_int_equal(page->ordinal, rig->ordinals[at] + rig->records[at].n);
    rig->n_pages++;
    for (size_t i = 0; i < page->n_records; i++)
        rig_add_line(&rig->records[at], page->records[i].raw);
    if (rig->on_page)
        rig->on_page(rig, page);
    if (rig->freed)
        return;
    if (!rig->most_held) {
        lt_rest_walk_done(rig->walk, page);
        return;
    }
    assert_true(rig->n_held < 256);
    rig->held[rig->n_held++] = page;
}

static void on_progress(void *ctx) {
    struct rig *rig = ctx;
    assert_false(rig->freed);
    rig->n_progress++;
    if (rig->on_progress)
        rig->on_progress(rig);
}

static void on_end(void *ctx, leat_status status, const struct leat_error *err) {
    struct rig *rig = ctx;
    assert_false(rig->freed);
    assert_false(rig->ended);
    assert_int_equal(rig->n_held, 0);
    rig->ended = true;
    rig->status = status;
    if (status != LEAT_OK)
        rig->err = *err;
}

static void let_go(struct rig *rig) {
    size_t at = (size_t)rig_random(rig, rig->n_held);
    struct lt_rest_page *page = rig->held[at];
    rig->held[at] = rig->held[--rig->n_held];
    lt_rest_walk_done(rig->walk, page);
}

static void answer_one(struct rig *rig) {
    struct pending *one =
        take_pending(rig, rig->shuffle ? (size_t)rig_random(rig, rig->n_pending) : 0);
    struct reply reply = {.status = 200};
    struct leat_error err;

    lt_buf_init(&reply.body, 1 << 26);
    lt_buf_init(&reply.headers, 1 << 20);
    rig_inside++;
    rig->answer(rig, one->url, &reply);
    rig_inside--;
    struct lt_http_answer answer = {
        .status = reply.status, .body = reply.body, .headers = reply.headers, .remote = "test"};
    if (reply.status / 100 == 2) {
        give(one, LEAT_OK, &answer, NULL);
    } else {
        lt_fail(&err, LEAT_E_REMOTE, 0, "%s says %u", one->url, reply.status);
        give(one, LEAT_E_REMOTE, &answer, &err);
    }
    lt_buf_deinit(&answer.body);
    lt_buf_deinit(&answer.headers);
}

static void on_tick(uv_timer_t *ticker) {
    struct rig *rig = ticker->data;

    if (rig->ended || rig->freed)
        return;
    rig->n_ticks++;
    if (rig->free_after && rig->n_ticks > rig->free_after) {
        lt_rest_walk_free(rig->walk);
        rig->walk = NULL;
        rig->freed = true;
        return;
    }
    if (rig->stop_after && rig->n_ticks == rig->stop_after)
        lt_rest_walk_stop(rig->walk);
    for (size_t n = rig->shuffle ? rig_random(rig, 4) : 1; n && rig->n_pending; n--)
        answer_one(rig);
    while (rig->n_held > rig->most_held ||
           (rig->n_held && (!rig->n_pending || rig_random(rig, 3) == 0)))
        let_go(rig);
    if (rig->n_ticks > 100000)
        fail_msg("a walk without end: %zu pages, %zu under way", rig->n_pages, rig->n_pending);
    uv_timer_start(ticker, on_tick, 0, 0);
}

int rig_set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_int_equal(uv_loop_init(&rig->loop), 0);
    uv_timer_init(&rig->loop, &rig->ticker);
    rig->ticker.data = rig;
    rig->api = (struct lt_rest_api){.name = "api",
                                    .base_url = "https://api.test/v1",
                                    .auth = {.kind = "none"},
                                    .concurrency = 4,
                                    .max_attempts = 1,
                                    .max_page_bytes = 1 << 20,
                                    .resources = rig->resources};
    rig->seed = 1;
    the_rig = rig;
    *state = rig;
    return 0;
}

void rig_reset(struct rig *rig) {
    lt_rest_walk_free(rig->walk);
    rig->walk = NULL;
    uv_timer_stop(&rig->ticker);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < RIG_RESOURCES; i++) {
        rig_free_lines(&rig->records[i]);
        rig->ordinals[i] = 0;
    }
    rig_free_lines(&rig->urls);
    rig->n_pages = rig->n_ticks = rig->n_progress = rig->max_pending = rig->n_held = 0;
    rig->ended = rig->freed = false;
}

int rig_tear_down(void **state) {
    struct rig *rig = *state;

    rig_reset(rig);
    rig_free_positions(rig);
    assert_null(rig->pending);
    uv_close((uv_handle_t *)&rig->ticker, NULL);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    free(rig);
    return 0;
}

leat_status rig_try_start(struct rig *rig) {
    const struct lt_rest_walk_options opt = {.api = &rig->api,
                                             .loop = &rig->loop,
                                             .selected = rig->selected,
                                             .limit = rig->limit,
                                             .positions = rig->positions,
                                             .max_held_bytes = rig->max_held_bytes,
                                             .ctx = rig,
                                             .on_page = on_page,
                                             .on_progress = on_progress,
                                             .on_end = on_end};
    leat_status status = lt_rest_walk_start(&rig->walk, &opt, &rig->err);
    if (status == LEAT_OK)
        uv_timer_start(&rig->ticker, on_tick, 0, 0);
    return status;
}

void rig_start(struct rig *rig) {
    if (rig_try_start(rig) != LEAT_OK)
        fail_msg("%s", rig->err.text);
}

void rig_run(struct rig *rig) {
    rig_start(rig);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    if (!rig->freed)
        assert_true(rig->ended);
}

void rig_position(const struct rig *rig, size_t resource, struct lt_buf *out) {
    rig_inside++;
    lt_buf_clear(out);
    lt_rest_walk_position(rig->walk, resource, out);
    rig_inside--;
    assert_false(out->failed);
}

void rig_free_positions(struct rig *rig) {
    for (size_t i = 0; i < RIG_RESOURCES; i++) {
        free((char *)rig->positions[i].data);
        rig->positions[i] = (struct lt_slice){NULL, 0};
    }
}

void rig_keep_positions(struct rig *rig) {
    struct lt_buf text;

    rig_inside++;
    lt_buf_init(&text, 1 << 26);
    rig_free_positions(rig);
    for (size_t i = 0; i < rig->api.n_resources; i++) {
        rig_position(rig, i, &text);
        rig->positions[i] = lt_slice(rig_copy(lt_buf_slice(&text)), text.len);
    }
    lt_buf_deinit(&text);
    rig_inside--;
}
