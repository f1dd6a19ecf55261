/* SPDX-License-Identifier: Apache-2.0 */
/* Where pulled records go: a table of rows. Routes to the same place share a sink. */
#include "pipeline/pull_parts.h"

#include "base/log.h"

#include <stdlib.h>

enum { OBJECT_BYTES = 5 << 20, OUT_ROOM_BYTES = 4 << 20, STREAM_ROOM_BYTES = 16 << 20 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the routes");
}

static void count(const struct lt_pull_sink *sink, uint64_t n_records, uint64_t n_bytes) {
    if (sink->stat == SIZE_MAX)
        return;
    struct lt_pull_route_stat *stat = &sink->run->stat->routes[sink->stat];
    stat->n_records += n_records;
    stat->n_bytes += n_bytes;
}

/* ---- objects, by way of a spool ---- */

static leat_status find_spool(struct lt_pull_sink *sink, size_t resource,
                              struct lt_pull_spool **out, struct leat_error *err) {
    struct lt_pull_run *run = sink->run;
    struct lt_pull_schema_mark *mark =
        &run->marks[(size_t)(sink - run->sinks) * run->api->n_resources + resource];
    leat_status status = LEAT_OK;

    if (!sink->spools[resource])
        status = lt_pull_spools_get(run->spools, &sink->place, run->api->resources[resource].name,
                                    &sink->spools[resource], err);
    *out = sink->spools[resource];
    if (!mark->used)
        mark->used = mark->changed = true;
    return status;
}

static leat_status settle_objects(struct lt_pull_sink *sink, struct lt_pull_page *page,
                                  struct leat_error *err) {
    struct lt_pull_spool *spool = NULL;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < page->n_records && status == LEAT_OK; i++) {
        const struct lt_pull_record *record = &page->records[i];
        if (record->sink != sink)
            continue;
        if (!spool)
            status = find_spool(sink, page->page->resource_index, &spool, err);
        if (status == LEAT_OK)
            status =
                lt_pull_spool_append(spool, page->page->ordinal + record->index, record->data, err);
        if (status == LEAT_OK)
            count(sink, 1, record->data.len + 1);
    }
    return status;
}

static leat_status open_objects(struct lt_pull_sink *sink, struct leat_error *err) {
    sink->spools = lt_arena_calloc(&sink->run->arena, sink->run->api->n_resources,
                                   sizeof(struct lt_pull_spool *));
    return sink->spools ? LEAT_OK : no_memory(err);
}

const struct lt_pull_sink_ops lt_pull_sink_objects = {
    .kind = "objects", .open = open_objects, .settle = settle_objects};

/* ---- a stream ---- */

static leat_status send_record(struct lt_pull_sink *sink, struct lt_pull_page *page,
                               const struct lt_pull_record *record, struct leat_error *err) {
    if (!lt_outlet_takes_key(record->key) && sink != sink->run->dead_sink)
        return lt_pull_page_kill(page, record->index, "Refused", LT_LIT("key"),
                                 LT_LIT("a partition key has 1 to 256 characters"), err);
    if (record->key.len + record->data.len > LT_STREAM_RECORD_MAX_BYTES &&
        sink != sink->run->dead_sink)
        return lt_pull_page_kill(page, record->index, "TooLarge", lt_slice(NULL, 0),
                                 LT_LIT("with its added fields and key the record is over the 1 "
                                        "MiB that a stream takes"),
                                 err);
    const struct lt_item item = {.key = record->key,
                                 .data = record->data,
                                 .owner = page,
                                 .arrival_ms = page->page->fetched_ms,
                                 .ordinal = record->index};
    leat_status status = lt_outlet_push(sink->outlet, &item, err);
    if (status == LEAT_OK)
        page->n_unacknowledged++;
    return status;
}

static void push(struct lt_pull_sink *sink) {
    lt_outlet_send(sink->outlet);
}

static void on_acknowledged(void *ctx, size_t at, const struct lt_item *items, size_t n) {
    struct lt_pull_run *run = ctx;
    uint64_t n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        struct lt_pull_page *page = items[i].owner;
        n_bytes += items[i].data.len;
        page->n_unacknowledged--;
    }
    count(&run->sinks[at], n, n_bytes);
    if (n)
        lt_pull_run_advance(run);
}

static void on_refused(void *ctx, size_t at, const struct lt_item *item,
                       const struct leat_error *refusal) {
    struct lt_pull_run *run = ctx;
    struct lt_pull_sink *sink = &run->sinks[at];
    struct lt_pull_page *page = item->owner;
    struct leat_error err;

    if (sink == run->dead_sink) {
        lt_pull_run_fail(run, refusal); /* it cannot be kept anywhere: it stays unread */
        return;
    }
    struct lt_slice reason = lt_arena_dup(&page->arena, lt_slice_str(refusal->text));
    if (lt_pull_page_kill(page, item->ordinal, "Refused", lt_slice_str(sink->to), reason, &err) !=
        LEAT_OK) {
        page->failed = true;
        lt_pull_run_fail(run, &err);
        return;
    }
    page->n_unacknowledged--;
    if (run->dead_sink && run->dead_sink->ops->push)
        run->dead_sink->ops->push(run->dead_sink);
    lt_pull_run_advance(run);
}

static void on_failed(void *ctx, const struct leat_error *err) {
    struct lt_pull_run *run = ctx;
    struct leat_error told = *err;

    if (err->status == LEAT_E_NOT_FOUND)
        lt_error_prefix(&told, "a stream of the pipeline %s is not there (`leat up %s` creates it)",
                        run->system->name, run->opt->system->path);
    run->give_up_ms = 1; /* nothing more will be acknowledged */
    lt_pull_run_fail(run, &told);
}

static void on_retried(void *ctx, size_t at, size_t n) {
    struct lt_pull_run *run = ctx;
    lt_log(LT_LOG_DEBUG, "pull", "%zu records are sent to %s again", n, run->sinks[at].to);
}

static const struct lt_outlet_events events = {
    .acknowledged = on_acknowledged,
    .refused = on_refused,
    .failed = on_failed,
    .retried = on_retried,
};

static leat_status open_stream(struct lt_pull_sink *sink, struct leat_error *err) {
    struct lt_pull_run *run = sink->run;

    sink->outlet = calloc(1, sizeof(*sink->outlet));
    if (!sink->outlet)
        return no_memory(err);
    return lt_outlet_init(sink->outlet, run->streams, &run->loop, sink->stream,
                          (size_t)(sink - run->sinks), &events, run, err);
}

static void close_stream(struct lt_pull_sink *sink) {
    if (sink->outlet)
        lt_outlet_stop(sink->outlet);
}

const struct lt_pull_sink_ops lt_pull_sink_stream = {.kind = "stream",
                                                     .open = open_stream,
                                                     .send = send_record,
                                                     .push = push,
                                                     .close = close_stream};

/* ---- standard output ---- */

static leat_status settle_out(struct lt_pull_sink *sink, struct lt_pull_page *page,
                              struct leat_error *err) {
    struct lt_slice *texts =
        lt_arena_calloc(&page->arena, page->n_records + 1, sizeof(struct lt_slice));
    uint64_t n_bytes = 0;

    if (!texts)
        return no_memory(err);
    for (size_t i = 0; i < page->n_records; i++) {
        texts[i] = page->records[i].data;
        n_bytes += texts[i].len + 1;
    }
    leat_status status =
        lt_pull_format_page(sink->run->formatter, page->page, texts, page->n_records, err);
    if (status == LEAT_OK)
        count(sink, page->n_records, n_bytes);
    lt_pull_out_write(&sink->run->out);
    return status;
}

const struct lt_pull_sink_ops lt_pull_sink_out = {.kind = "out", .settle = settle_out};

/* ---- which sinks a pipeline has ---- */

static struct lt_pull_place place_of(const struct lt_system_route *route) {
    return (struct lt_pull_place){.to = route->to,
                                  .bucket = route->bucket,
                                  .prefix = route->prefix,
                                  .compression = route->compression,
                                  .object_bytes =
                                      route->object_bytes ? route->object_bytes : OBJECT_BYTES,
                                  .object_ms = route->object_ms};
}

/* Under a folder lie what would be buckets and streams. */
static void move_into_folder(const struct lt_pull_run *run, struct lt_pull_sink *sink) {
    if (sink->stream) {
        sink->place.bucket = sink->stream;
        sink->place.prefix = "";
        sink->stream = NULL;
    }
    sink->place.to = sink->to;
    sink->place.compression = run->opt->compression;
    if (!sink->place.object_bytes)
        sink->place.object_bytes = OBJECT_BYTES;
    sink->ops = &lt_pull_sink_objects;
}

static void set_route(struct lt_pull_run *run, struct lt_pull_sink *sink,
                      const struct lt_system_route *route) {
    bool is_stream = route->kind == LT_ROUTE_STREAM;

    *sink = (struct lt_pull_sink){.ops = is_stream ? &lt_pull_sink_stream : &lt_pull_sink_objects,
                                  .run = run,
                                  .to = route->to,
                                  .stream = is_stream ? route->stream : NULL};
    if (!is_stream)
        sink->place = place_of(route);
    if (run->own_objects)
        move_into_folder(run, sink);
}

static void set_dead(struct lt_pull_run *run, struct lt_pull_sink *sink) {
    const struct lt_system_pipeline *system = run->system;

    *sink = (struct lt_pull_sink){.ops = system->dead_stream ? &lt_pull_sink_stream
                                                             : &lt_pull_sink_objects,
                                  .run = run,
                                  .to = "dead letters",
                                  .stat = SIZE_MAX,
                                  .stream = system->dead_stream};
    sink->place = (struct lt_pull_place){.to = "dead letters",
                                         .bucket = system->dead_bucket,
                                         .prefix = system->dead_prefix ? system->dead_prefix : "",
                                         .object_bytes = OBJECT_BYTES};
    if (run->own_objects) {
        move_into_folder(run, sink);
        sink->place.bucket = "dead-letters";
        sink->place.prefix = "";
    }
}

/* A sink for each place; a route to the same place as one before it shares it. */
static void set_sinks(struct lt_pull_run *run) {
    const struct lt_system_pipeline *system = run->system;

    for (size_t i = 0; i < system->n_routes; i++) {
        size_t at = 0;
        while (at < run->n_sinks && strcmp(run->sinks[at].to, system->routes[i].to) != 0)
            at++;
        run->route_sinks[i] = at;
        if (at < run->n_sinks)
            continue;
        set_route(run, &run->sinks[at], &system->routes[i]);
        run->n_sinks++;
    }
    if (system->dead_stream || system->dead_bucket) {
        run->dead_sink = &run->sinks[run->n_sinks++];
        set_dead(run, run->dead_sink);
    }
}

static void set_out(struct lt_pull_run *run) {
    run->sinks[0] =
        (struct lt_pull_sink){.ops = &lt_pull_sink_out, .run = run, .to = "standard output"};
    run->n_sinks = 1; /* route_sinks are all 0 */
}

/* Where a sink's objects come to lie, for people. NULL: no memory. */
static const char *shown(struct lt_pull_run *run, const struct lt_pull_sink *sink) {
    const char *folder = run->opt->to;

    if (!run->own_objects || !sink->place.bucket || !folder)
        return sink->to;
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    return lt_arena_printf(&run->stat->arena, "%.*s/%s/%s", (int)len, folder, sink->place.bucket,
                           sink->place.prefix);
}

static leat_status count_places(struct lt_pull_run *run, struct leat_error *err) {
    struct lt_pull_stat *stat = run->stat;
    size_t n = stat->n_routes + run->n_sinks;
    struct lt_pull_route_stat *routes = lt_arena_calloc(&stat->arena, n + 1, sizeof(*routes));

    if (!routes)
        return no_memory(err);
    if (stat->n_routes)
        memcpy(routes, stat->routes, stat->n_routes * sizeof(*routes));
    stat->routes = routes;
    for (size_t i = 0; i < run->n_sinks; i++) {
        if (&run->sinks[i] == run->dead_sink)
            continue;
        run->sinks[i].stat = stat->n_routes++;
        routes[run->sinks[i].stat].to = shown(run, &run->sinks[i]);
        if (!routes[run->sinks[i].stat].to)
            return no_memory(err);
    }
    return LEAT_OK;
}

leat_status lt_pull_sinks_open(struct lt_pull_run *run, struct leat_error *err) {
    size_t n_routes = run->system->n_routes;

    run->sinks = lt_arena_calloc(&run->arena, n_routes + 2, sizeof(*run->sinks));
    run->route_sinks = lt_arena_calloc(&run->arena, n_routes + 1, sizeof(*run->route_sinks));
    run->marks =
        lt_arena_calloc(&run->arena, (n_routes + 2) * run->api->n_resources, sizeof(*run->marks));
    if (!run->sinks || !run->route_sinks || !run->marks)
        return no_memory(err);
    if (run->formatter)
        set_out(run);
    else
        set_sinks(run);
    if (!run->n_sinks)
        return lt_fail(err, LEAT_E_CONFIG, 0, "pipeline %s has no route", run->system->name);
    return count_places(run, err);
}

void lt_pull_sinks_close(struct lt_pull_run *run) {
    for (size_t i = 0; i < run->n_sinks; i++) {
        if (run->sinks[i].ops->close)
            run->sinks[i].ops->close(&run->sinks[i]);
    }
}

void lt_pull_sinks_deinit(struct lt_pull_run *run) {
    for (size_t i = 0; i < run->n_sinks; i++) {
        if (run->sinks[i].outlet)
            lt_outlet_deinit(run->sinks[i].outlet);
        free(run->sinks[i].outlet);
    }
}

bool lt_pull_sinks_have_room(const struct lt_pull_run *run) {
    if (run->spools && !lt_pull_spools_has_room(run->spools))
        return false;
    return !run->out.open || run->out.closed || run->out.buf.len < OUT_ROOM_BYTES;
}

bool lt_pull_streams_have_room(const struct lt_pull_run *run) {
    for (size_t i = 0; i < run->n_sinks; i++) {
        if (run->sinks[i].outlet && run->sinks[i].outlet->queue.n_bytes >= STREAM_ROOM_BYTES)
            return false;
    }
    return true;
}
