/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page on its way: its records are checked against the schema, transformed together, and given a
 * sink each. What goes into streams is sent at once; the rest waits until the page is at the head
 * of the line.
 */
#include "base/clock.h"
#include "base/log.h"
#include "pipeline/dead_letter.h"
#include "pipeline/pull_parts.h"

#include <stdlib.h>

enum { PAGE_ARENA_MAX_BYTES = 1 << 30, FIRST_RECORDS = 64, READY_PAGES = 256 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a page's records");
}

static leat_status add_record(struct lt_pull_page *page, const struct lt_pull_record *record,
                              struct leat_error *err) {
    if (page->n_records == page->cap) {
        size_t cap = page->cap ? page->cap * 2 : FIRST_RECORDS;
        struct lt_pull_record *records = lt_arena_calloc(&page->arena, cap, sizeof(*records));
        if (!records)
            return no_memory(err);
        if (page->n_records)
            memcpy(records, page->records, page->n_records * sizeof(*records));
        page->records = records;
        page->cap = cap;
    }
    page->records[page->n_records++] = *record;
    return LEAT_OK;
}

static leat_status give(struct lt_pull_page *page, const struct lt_pull_record *record,
                        struct leat_error *err) {
    struct lt_pull_sink *sink = record->sink;
    return sink->ops->send ? sink->ops->send(sink, page, record, err)
                           : add_record(page, record, err);
}

/* ---- dead letters ---- */

static leat_status give_letter(struct lt_pull_page *page, const struct lt_dead_letter *letter,
                               size_t index, struct leat_error *err) {
    const struct lt_pull_record record = {
        .sink = page->run->dead_sink,
        .data = lt_dead_letter_write(letter, &page->arena),
        .key = letter->sequence,
        .index = index,
    };
    if (!record.data.data)
        return no_memory(err);
    return give(page, &record, err);
}

leat_status lt_pull_page_kill(struct lt_pull_page *page, size_t index, const char *code,
                              struct lt_slice expression, struct lt_slice reason,
                              struct leat_error *err) {
    struct lt_pull_run *run = page->run;
    const struct lt_system_pipeline *system = run->system;
    unsigned long long ordinal = page->page->ordinal + index;
    leat_status status = LEAT_OK;

    if (!system->dead_stream && !system->dead_bucket)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "record %llu of %s (%s) cannot be processed and the pipeline has no "
                       "dead_letters: %.*s%s%.*s",
                       ordinal, page->page->resource->name, page->page->url, LT_FMT(expression),
                       expression.len ? ": " : "", LT_FMT(reason));
    run->stat->n_dead++;
    if (!run->dead_sink) {
        lt_log(LT_LOG_WARN, "pull", "dead letter: record %llu of %s: %s: %.*s%s%.*s", ordinal,
               page->page->resource->name, code, LT_FMT(expression), expression.len ? ": " : "",
               LT_FMT(reason));
        return LEAT_OK;
    }
    char *sequence = lt_arena_printf(&page->arena, "%llu", ordinal);
    struct lt_dead_letter letter = {
        .pipeline = lt_slice_str(system->name),
        .code = lt_slice_str(code),
        .message = reason,
        .expression = expression,
        .sequence = lt_slice_str(sequence),
        .resource = lt_slice_str(page->page->resource->name),
        .url = lt_slice_str(page->page->url),
        .arrival_ms = page->page->fetched_ms,
        .data = page->texts[index],
        .parts = lt_dead_letter_parts(page->texts[index].len),
    };
    if (!sequence)
        return no_memory(err);
    for (letter.part = 1; letter.part <= letter.parts && status == LEAT_OK; letter.part++)
        status = give_letter(page, &letter, index, err);
    return status;
}

/* ---- the way of a record ---- */

/* JSON lines have a record a line: white space between tokens goes where there is a line end in
 * it. Inside of strings there are none. */
static struct lt_slice on_one_line(struct lt_slice text, struct lt_arena *arena) {
    if (!text.len || (!memchr(text.data, '\n', text.len) && !memchr(text.data, '\r', text.len)))
        return text;
    char *to = lt_arena_alloc(arena, text.len);
    size_t n = 0;
    bool in_string = false;

    if (!to)
        return lt_slice(NULL, 0);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            continue;
        if (c == '"')
            in_string = !in_string;
        to[n++] = c;
        if (in_string && c == '\\' && i + 1 < text.len)
            to[n++] = text.data[++i];
    }
    return lt_slice(to, n);
}

static bool append_key(struct lt_buf *out, const struct lt_rest_page *page, size_t index) {
    for (size_t i = 0; i < page->resource->n_key; i++) {
        struct lt_json value;
        if (!lt_json_get(page->records[index], page->resource->key[i], &value))
            return false;
        if (i)
            lt_buf_append_byte(out, '/');
        if (value.type == LT_JSON_STRING)
            lt_json_string_append(value, out);
        else
            lt_buf_append(out, value.raw);
    }
    return page->resource->n_key && !out->failed;
}

/* The partition key where the pipeline says none: the resource's key, else one of its own, which
 * spreads records over shards. */
static struct lt_slice default_key(struct lt_pull_page *page, size_t index) {
    struct lt_buf key;
    struct lt_slice text = {NULL, 0};

    lt_buf_init(&key, 1 << 16);
    if (append_key(&key, page->page, index) && lt_outlet_takes_key(lt_buf_slice(&key))) {
        text = lt_arena_dup(&page->arena, lt_buf_slice(&key));
    } else {
        char *own = lt_arena_printf(&page->arena, "%s-%llu", page->page->resource->name,
                                    (unsigned long long)page->page->ordinal + index);
        text = lt_slice_str(own);
    }
    lt_buf_deinit(&key);
    return text;
}

static const char *const outcome_codes[] = {
    [LT_EXPR_OK] = "",
    [LT_EXPR_NOT_JSON] = "NotJson",
    [LT_EXPR_NOT_OBJECT] = "NotObject",
    [LT_EXPR_FAILED] = "ExpressionFailed",
    [LT_EXPR_NO_ROUTE] = "NoRoute",
};

static leat_status route_record(struct lt_pull_page *page, size_t index,
                                const struct lt_expr_result *result, struct leat_error *err) {
    struct lt_pull_run *run = page->run;

    if (result->outcome != LT_EXPR_OK)
        return lt_pull_page_kill(page, index, outcome_codes[result->outcome], result->expression,
                                 result->reason, err);
    struct lt_pull_record record = {
        .sink = &run->sinks[run->route_sinks[result->route]],
        .data = result->data,
        .key = result->key,
        .index = index,
    };
    if (record.sink->ops->send && !record.key.data) {
        record.key = default_key(page, index);
        if (!record.key.data)
            return no_memory(err);
    }
    return give(page, &record, err);
}

static leat_status transform(struct lt_pull_page *page, struct lt_expr_result *results,
                             struct leat_error *err) {
    struct lt_expr *expr = page->run->exprs[page->page->resource_index];
    size_t n = page->page->n_records;

    if (expr)
        return lt_expr_run(expr, page->texts, n, results, &page->arena, err);
    for (size_t i = 0; i < n; i++) {
        bool is_object = page->page->records[i].type == LT_JSON_OBJECT;
        results[i] = (struct lt_expr_result){
            .outcome = is_object ? LT_EXPR_OK : LT_EXPR_NOT_OBJECT,
            .data = page->texts[i],
            .reason =
                is_object ? lt_slice(NULL, 0) : LT_LIT("a record is a JSON object, not this")};
    }
    return LEAT_OK;
}

static leat_status process(struct lt_pull_page *page, struct leat_error *err) {
    size_t n = page->page->n_records;

    if (!n)
        return LEAT_OK;
    struct lt_expr_result *results = lt_arena_calloc(&page->arena, n, sizeof(*results));
    bool *killed = lt_arena_calloc(&page->arena, n, sizeof(*killed));
    page->texts = lt_arena_calloc(&page->arena, n, sizeof(*page->texts));
    if (!results || !killed || !page->texts)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        page->texts[i] = on_one_line(page->page->records[i].raw, &page->arena);
        if (!page->texts[i].data)
            return no_memory(err);
    }
    leat_status status = lt_pull_schema_take(page, killed, err);
    if (status == LEAT_OK)
        status = transform(page, results, err);
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (!killed[i])
            status = route_record(page, i, &results[i], err);
    }
    return status;
}

void lt_pull_page_free(struct lt_pull_page *page) {
    if (!page)
        return;
    lt_arena_deinit(&page->arena);
    free(page);
}

void lt_pull_page_take(struct lt_pull_run *run, struct lt_rest_page *rest_page) {
    struct lt_pull_page *page = calloc(1, sizeof(*page));
    struct leat_error err;

    if (!page) {
        (void)no_memory(&err);
        lt_pull_run_fail(run, &err);
        return;
    }
    page->run = run;
    page->page = rest_page;
    lt_arena_init(&page->arena, PAGE_ARENA_MAX_BYTES);
    if (run->last)
        run->last->next = page;
    else
        run->first = page;
    run->last = page;
    if (!run->next_raw)
        run->next_raw = page;
}

void lt_pull_pages_process(struct lt_pull_run *run) {
    bool processed = false;
    struct leat_error err;

    while (run->next_raw && !run->failed && run->n_ready < READY_PAGES &&
           lt_pull_streams_have_room(run)) {
        struct lt_pull_page *page = run->next_raw;
        run->next_raw = page->next;
        run->n_ready++;
        page->ready = true;
        processed = true;
        if (process(page, &err) != LEAT_OK) {
            page->failed = true; /* nothing passes it */
            lt_pull_run_fail(run, &err);
        }
    }
    for (size_t i = 0; i < run->n_sinks && processed; i++) {
        if (run->sinks[i].ops->push)
            run->sinks[i].ops->push(&run->sinks[i]);
    }
}
