/* SPDX-License-Identifier: Apache-2.0 */
/* An answer becomes a page: its JSON, its records, and where the next one is. */
#include "base/clock.h"
#include "base/units.h"
#include "rest/walk_parts.h"

#include <stdlib.h>

enum { HEAD_BYTES = 60, MASKED_BYTES = 4096, MAX_SAME = 4 };

static struct lt_walk_resource *resource_of(const struct lt_walk_page *page) {
    return &page->walk->resources[page->public.resource_index];
}

void lt_walk_page_hold(struct lt_walk_page *page, size_t bytes) {
    struct lt_rest_walk *walk = page->walk;

    walk->held_bytes = walk->held_bytes - page->held_bytes + bytes;
    if (page->user_has)
        walk->given_bytes = walk->given_bytes - page->held_bytes + bytes;
    page->held_bytes = bytes;
}

void lt_walk_page_empty(struct lt_walk_page *page) {
    lt_buf_deinit(&page->answer.body);
    lt_buf_deinit(&page->answer.headers);
    lt_arena_deinit(&page->arena);
    free(page->url);
    page->url = NULL;
    page->public.records = NULL;
    lt_walk_page_hold(page, sizeof(*page));
}

void lt_walk_page_free(struct lt_walk_page *page) {
    lt_walk_page_empty(page);
    lt_walk_page_hold(page, 0);
    lt_walk_place_free(&page->at);
    lt_walk_place_free(&page->follows);
    free(page->failure);
    if (page->mark)
        lt_walk_mark_deinit(page->mark);
    free(page->mark);
    free(page);
}

/* It leaves its task; an answer that is still awaited frees it then. */
static void drop(struct lt_walk_page *page) {
    struct lt_rest_walk *walk = page->walk;

    resource_of(page)->n_outstanding--;
    walk->n_answered -= page->state == LT_WALK_ANSWERED;
    walk->n_failed -= page->state == LT_WALK_FAILED;
    page->task = NULL;
    page->next = NULL;
    if (page->state == LT_WALK_ASKED)
        lt_walk_page_hold(page, 0);
    else
        lt_walk_page_free(page);
}

void lt_walk_drop_pages(struct lt_walk_task *task, struct lt_walk_page *before) {
    struct lt_walk_page *page = before ? before->next : task->first;

    if (before)
        before->next = NULL;
    else
        task->first = NULL;
    task->last = before;
    while (page) {
        struct lt_walk_page *next = page->next;
        drop(page);
        page = next;
    }
}

void lt_walk_page_fail(struct lt_walk_page *page, const struct leat_error *err) {
    struct lt_rest_walk *walk = page->walk;

    lt_walk_drop_pages(page->task, page);
    page->task->can_ask = page->task->is_ahead = false;
    walk->n_answered -= page->state == LT_WALK_ANSWERED;
    if (!walk->n_failed++)
        walk->failure = *err;
    page->state = LT_WALK_FAILED;
    lt_walk_page_empty(page);
    lt_walk_wake(walk);
}

/* Retries have no resource; those since the last answer are the next one's. */
static void count_retries(struct lt_walk_resource *res) {
    struct lt_rest_walk *walk = res->walk;
    uint64_t n = walk->fetcher ? lt_rest_fetcher_n_retries(walk->fetcher) : walk->n_retries;

    res->stat.n_retries += n - walk->n_retries;
    walk->n_retries = n;
}

/* The body is taken over, the rest copied. */
static bool take_answer(struct lt_walk_page *page, const char *url, struct lt_http_answer *answer) {
    page->answer.status = answer->status;
    page->answer.remote = "";
    page->answer.body = answer->body;
    lt_buf_init(&answer->body, answer->body.max);
    lt_buf_append(&page->answer.headers, lt_buf_slice(&answer->headers));
    if (strcmp(page->url, url) != 0) {
        free(page->url);
        page->url = strdup(url);
    }
    return page->url && !page->answer.headers.failed;
}

void lt_walk_on_fetched(void *ctx, leat_status status, const char *url,
                        struct lt_http_answer *answer, const struct leat_error *err) {
    struct lt_walk_page *page = ctx;
    struct lt_walk_resource *res = resource_of(page);
    struct lt_rest_walk *walk = page->walk;
    struct leat_error no_memory;

    walk->n_in_flight--;
    res->n_in_flight--;
    count_retries(res);
    lt_walk_wake(walk);
    if (!page->task) {
        lt_walk_page_free(page);
        return;
    }
    if (status != LEAT_OK) {
        lt_walk_page_fail(page, err);
        return;
    }
    page->state = LT_WALK_ANSWERED;
    walk->n_answered++;
    page->public.fetched_ms = lt_clock_wall_ms();
    if (!take_answer(page, url, answer)) {
        lt_fail(&no_memory, LEAT_E_NOMEM, 0, "resource %s: no memory for an answer",
                res->resource->name);
        lt_walk_page_fail(page, &no_memory);
        return;
    }
    lt_walk_page_hold(page, sizeof(*page) + page->answer.body.cap + page->answer.headers.cap);
    res->page_bytes =
        res->page_bytes ? (res->page_bytes * 3 + page->held_bytes) / 4 : page->held_bytes;
}

/* The body without what is no part of its JSON. */
static struct lt_slice trim(struct lt_slice text) {
    if (lt_slice_starts(text, LT_LIT("\xef\xbb\xbf"))) /* a byte order mark */
        text = lt_slice_from(text, 3);
    while (text.len && text.data[0] && strchr(" \t\r\n", text.data[0]))
        text = lt_slice_from(text, 1);
    return text;
}

/* It says what came instead: the type that was told, and how it begins. */
static leat_status no_json(struct lt_walk_page *page, struct lt_slice text,
                           struct leat_error *err) {
    struct lt_slice type = lt_http_answer_header(&page->answer, "Content-Type");
    struct leat_error cause = *err;
    struct lt_buf masked, shown;

    lt_buf_init(&masked, 1 << 16);
    lt_buf_init(&shown, 1 << 16);
    lt_rest_mask_append(page->walk->mask,
                        lt_slice(text.data, text.len < MASKED_BYTES ? text.len : MASKED_BYTES),
                        &masked);
    struct lt_slice head = lt_buf_slice(&masked);
    if (head.len > HEAD_BYTES)
        head.len = HEAD_BYTES;
    while (head.len && head.len < masked.len && (masked.data[head.len] & 0xc0) == 0x80)
        head.len--; /* not through the middle of a character */
    lt_json_write_string(&shown, head);
    leat_status status = lt_fail(
        err, LEAT_E_PARSE, 0,
        "resource %s: the answer is no JSON (%.120s); its type is %.*s, and it begins with %.*s",
        page->public.resource->name, cause.text,
        LT_FMT(type.data ? lt_slice(type.data, type.len < 80 ? type.len : 80) : LT_LIT("not told")),
        LT_FMT(lt_buf_slice(&shown)));
    lt_buf_deinit(&masked);
    lt_buf_deinit(&shown);
    return status;
}

static leat_status parse(struct lt_walk_page *page, struct lt_json *body, struct leat_error *err) {
    struct lt_slice text = trim(lt_buf_slice(&page->answer.body));

    *body = (struct lt_json){LT_JSON_NULL, LT_LIT("null")};
    if (!text.len)
        return LEAT_OK;
    if (lt_json_parse(body, text, LT_JSON_DEFAULT_DEPTH, err) != LEAT_OK)
        return no_json(page, text, err);
    return LEAT_OK;
}

static uint64_t hash_records(const struct lt_json *records, size_t n) {
    uint64_t hash = 0;

    for (size_t i = 0; i < n; i++)
        hash = lt_walk_hash(records[i].raw, hash);
    return hash;
}

/* The same page again, or ever the same records: a server that does not see what it is asked. */
static leat_status check_same(struct lt_walk_page *page, const struct lt_json *records, size_t n,
                              struct leat_error *err) {
    struct lt_walk_guard *guard = &page->task->guard;

    if (page->at.kind == LT_REST_FIRST && page->follows.kind == LT_REST_END)
        return LEAT_OK;
    page->body_hash = lt_walk_hash(lt_buf_slice(&page->answer.body), 0);
    uint64_t of_records = hash_records(records, n);
    guard->n_same = n && of_records == guard->last_records ? guard->n_same + 1 : 0;
    if (n && (page->body_hash == guard->last_body || guard->n_same >= MAX_SAME))
        return lt_fail(err, LEAT_E_PARSE, 0,
                       "resource %s: this page gives the records of the page before again; its "
                       "pagination (%s) has no effect on the API%s",
                       page->public.resource->name, resource_of(page)->pager.row->kind,
                       resource_of(page)->pager.how.kind != page->public.resource->pagination.kind
                           ? ", and was only guessed: say it with `paginate`"
                           : "");
    guard->last_body = page->body_hash;
    guard->last_records = of_records;
    return LEAT_OK;
}

/* Whether the list leads back; if so, it ends behind this page. */
static bool check_loop(struct lt_walk_page *page) {
    struct lt_walk_guard *guard = &page->task->guard;
    const struct lt_rest_place *at = &page->at, *next = &page->follows;

    if (next->kind != LT_REST_TOKEN && next->kind != LT_REST_URL)
        return true;
    struct lt_slice own = at->kind == LT_REST_FIRST ? lt_slice_str(page->url) : at->text;
    if ((at->kind != LT_REST_FIRST || next->kind == LT_REST_URL) && !lt_walk_guard_add(guard, own))
        return false;
    page->loops = lt_walk_guard_has(guard, next->text);
    return true;
}

/* What becomes of the task behind a page from which it cannot go on. */
static void end_behind(struct lt_walk_page *page) {
    struct lt_walk_task *task = page->task;
    struct leat_error err;
    char *at = lt_rest_mask_str(page->walk->mask, page->follows.text, &page->arena);

    if (page->loops)
        lt_fail(&err, LEAT_E_PARSE, 0,
                "resource %s: the API leads back to a page that was there before, after %llu "
                "records of the list: %s %.400s comes again",
                page->public.resource->name, (unsigned long long)task->n_read,
                page->follows.kind == LT_REST_URL ? "the URL" : "the cursor", at ? at : "…");
    else
        lt_fail(&err, LEAT_E_PARSE, 0,
                "resource %s: %d empty pages in a row, and the API still names a next one: %.400s; "
                "`more` or `total` in `paginate` can say where the list ends",
                page->public.resource->name, LT_WALK_MAX_EMPTY, at && *at ? at : page->public.url);
    lt_walk_task_fail_at(task, &page->follows, &err);
}

/* Where the next page is. */
static leat_status find_next(struct lt_walk_page *page, struct lt_json body,
                             const struct lt_json *records, size_t n, struct lt_rest_told *told,
                             struct leat_error *err) {
    struct lt_walk_resource *res = resource_of(page);
    struct lt_rest_place next;
    const struct lt_rest_seen seen = {.url = page->url,
                                      .answer = &page->answer,
                                      .body = body,
                                      .n_records = n,
                                      .limit = page->limit,
                                      .at = page->at,
                                      .n_before = page->task->n_read,
                                      .around = lt_rest_records_around(&res->records)};

    leat_status status = lt_rest_pager_detect(&res->pager, &seen, &page->arena, err);
    if (status == LEAT_OK)
        status = lt_rest_pager_next(&res->pager, &seen, &next, told, &page->arena, err);
    if (status == LEAT_OK && !lt_walk_place_copy(&page->follows, &next))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page");
    if (status == LEAT_OK)
        status = check_same(page, records, n, err);
    if (status == LEAT_OK && !check_loop(page))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page");
    return status;
}

/* Splices the fields into all records: once they are there, the body is not needed. */
static leat_status add_fields(struct lt_walk_page *page, struct lt_json *records, size_t n,
                              struct lt_json values, const char *fetched_at,
                              struct leat_error *err) {
    struct lt_walk_resource *res = resource_of(page);
    size_t n_fields = res->resource->n_fields;
    struct lt_buf out;

    if (!n_fields || !n || !records)
        return LEAT_OK;
    struct lt_json_field *fields = lt_arena_calloc(&page->arena, n_fields, sizeof(*fields));
    if (!fields)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the fields of a page");
    leat_status status = lt_walk_field_values(res, values, fetched_at, &page->arena, fields, err);
    if (status != LEAT_OK)
        return status;
    lt_buf_init(&out, page->arena.max);
    for (size_t i = 0; i < n; i++) {
        size_t start = out.len;
        lt_json_splice(records[i], fields, n_fields, &out);
        records[i].raw.len = out.len - start;
    }
    struct lt_slice all =
        out.failed ? lt_slice(NULL, 0) : lt_arena_dup(&page->arena, lt_buf_slice(&out));
    lt_buf_deinit(&out);
    if (!all.data)
        return lt_fail(err, LEAT_E_LIMIT, 0,
                       "resource %s: a page with its fields needs more than %zu bytes",
                       res->resource->name, page->arena.max);
    for (size_t i = 0; i < n; i++) {
        records[i].raw.data = all.data;
        all = lt_slice_from(all, records[i].raw.len);
    }
    lt_buf_deinit(&page->answer.body);
    return LEAT_OK;
}

/* The first value that the path takes. */
static void set_group(struct lt_walk_page *page, struct lt_json values) {
    struct lt_json_iter iter = lt_json_iter(values);
    struct lt_json first;

    page->public.group = LT_LIT("null");
    if (resource_of(page)->parent && lt_rest_template_n_values(resource_of(page)->path) &&
        lt_json_next(&iter, &first))
        page->public.group = first.raw; /* the task's: it lives as long as its pages */
}

static void cut_to_limit(struct lt_walk_page *page, size_t *n) {
    struct lt_walk_task *task = page->task;
    uint64_t limit = page->walk->opt.limit;

    if (!limit || resource_of(page)->parent)
        return;
    uint64_t left = limit > task->n_kept ? limit - task->n_kept : 0;
    if (*n < left)
        return;
    *n = (size_t)left;
    page->loops = false;
    lt_walk_place_free(&page->follows);
    page->follows.kind = LT_REST_END;
}

static void note_total(struct lt_walk_task *task, int64_t total) {
    if (total < 0)
        return;
    task->resource->stat.total_records +=
        (uint64_t)total - (uint64_t)(task->n_told < 0 ? 0 : task->n_told);
    task->n_told = total;
}

/* The records of a page as they are given out. */
static leat_status take_records(struct lt_walk_page *page, struct lt_json *records, size_t n,
                                struct lt_rest_told *told, struct leat_error *err) {
    struct lt_walk_resource *res = resource_of(page);
    struct lt_walk_task *task = page->task;
    struct lt_json values = {LT_JSON_ARRAY, task->values};
    char fetched_at[32];
    bool is_old = false;
    leat_status status = LEAT_OK;

    page->n_raw = n;
    task->n_read += n;
    note_total(task, told->total);
    task->guard.n_empty = n ? 0 : task->guard.n_empty + 1;
    if (res->incremental)
        status = lt_walk_skip_old(page, records, &n, &is_old, err);
    if (is_old && res->resource->incremental.order == LT_REST_DESCENDING) {
        lt_walk_place_free(&page->follows);
        page->follows.kind = LT_REST_END;
        page->loops = false;
    }
    cut_to_limit(page, &n);
    task->n_kept += n;
    set_group(page, values);
    if (status == LEAT_OK)
        status = add_fields(page, records, n, values,
                            lt_format_time(page->public.fetched_ms, fetched_at), err);
    page->public.records = records;
    page->public.n_records = n;
    page->public.last_of_task = page->follows.kind == LT_REST_END;
    return status;
}

static leat_status read_page(struct lt_walk_page *page, struct leat_error *err) {
    struct lt_walk_resource *res = resource_of(page);
    struct lt_rest_told told;
    struct lt_json body, *records = NULL;
    size_t n = 0;

    page->n_bytes = page->answer.body.len;
    page->public.url = lt_rest_mask_str(page->walk->mask, lt_slice_str(page->url), &page->arena);
    if (!page->public.url)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page");
    leat_status status = parse(page, &body, err);
    if (status == LEAT_OK && body.type != LT_JSON_NULL)
        status = lt_rest_records_find(&res->records, body, &page->arena, &records, &n, err);
    if (status == LEAT_OK)
        status = find_next(page, body, records, n, &told, err);
    if (status == LEAT_OK)
        status = take_records(page, records, n, &told, err);
    if (status == LEAT_OK && !lt_walk_task_go_on(page, &told))
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page");
    if (status != LEAT_OK)
        return lt_error_prefix(err, "%.300s", page->public.url);
    lt_buf_deinit(&page->answer.headers);
    if (!page->public.n_records)
        lt_buf_deinit(&page->answer.body);
    res->page_len = n;
    lt_walk_page_hold(page, sizeof(*page) + page->answer.body.cap + page->arena.used);
    page->state = LT_WALK_READ;
    page->walk->n_answered--;
    return LEAT_OK;
}

void lt_walk_read(struct lt_walk_task *task) {
    struct lt_walk_page *page = task->first;
    struct leat_error err;

    while (page && page->state == LT_WALK_READ)
        page = page->next;
    for (; page && page->state == LT_WALK_ANSWERED; page = page->next) {
        if (read_page(page, &err) != LEAT_OK) {
            lt_walk_page_fail(page, &err);
            return;
        }
        if (page->loops || task->guard.n_empty >= LT_WALK_MAX_EMPTY) {
            if (page->follows.kind == LT_REST_END)
                continue;
            lt_walk_drop_pages(task, page);
            end_behind(page);
            return;
        }
    }
}
