/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resource's records look like: learned from them as they came, kept when a pass is complete
 * ("RESOURCE" in the state), and meanwhile with every commit ("RESOURCE~"), so that a pass in two
 * runs sees all. Beside the data lies a JSON Schema, put when it changed ("put/TO/RESOURCE" says
 * which one).
 */
#include "base/hash.h"
#include "pipeline/pull_parts.h"

#include <stdlib.h>

enum {
    ARENA_MAX_BYTES = 64 << 20,
    SCHEMA_MAX_BYTES = 16 << 20,
    NAME_BYTES = 1200,
    MARKS_MAX = 10000
};

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a schema");
}

/* ---- what an earlier run kept ---- */

static leat_status load(struct lt_pull_run *run, const char *name, struct lt_json_schema **out,
                        struct lt_buf *text, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_slice body;

    *out = NULL;
    lt_arena_init(&arena, ARENA_MAX_BYTES);
    leat_status status =
        lt_state_get(run->state, run->schema_kind, lt_slice_str(name), &arena, &body, err);
    if (status == LEAT_E_NOT_FOUND) {
        status = LEAT_OK;
    } else if (status == LEAT_OK) {
        status = lt_json_schema_read(out, body, err);
        if (status != LEAT_OK)
            lt_error_prefix(err, "the schema of %s in the state", name);
        else if (text)
            lt_buf_append(text, body);
    }
    lt_arena_deinit(&arena);
    return status;
}

static leat_status open_one(struct lt_pull_run *run, size_t resource, struct leat_error *err) {
    struct lt_pull_schema *schema = &run->schemas[resource];
    const char *name = run->api->resources[resource].name;
    char partial[NAME_BYTES];

    lt_buf_init(&schema->kept, SCHEMA_MAX_BYTES);
    snprintf(partial, sizeof(partial), "%s~", name);
    leat_status status = run->state ? load(run, name, &schema->last, NULL, err) : LEAT_OK;
    if (status == LEAT_OK && run->with_positions && run->positions[resource].data)
        status = load(run, partial, &schema->seen, &schema->kept, err);
    if (status == LEAT_OK && !schema->seen && run->state)
        status = load(run, name, &schema->seen, NULL, err);
    if (status == LEAT_OK && !schema->seen)
        status = lt_json_schema_new(&schema->seen, err);
    return status;
}

/* "put/TO/RESOURCE" */
static leat_status open_marks(struct lt_pull_run *run, struct leat_error *err) {
    struct lt_state_row *rows;
    char name[NAME_BYTES];
    size_t n = 0;
    leat_status status = lt_state_list(run->state, run->schema_kind, LT_LIT("put/"), false,
                                       MARKS_MAX, &run->arena, &rows, &n, err);

    for (size_t i = 0; status == LEAT_OK && i < run->n_sinks * run->api->n_resources; i++) {
        snprintf(name, sizeof(name), "put/%s/%s", run->sinks[i / run->api->n_resources].to,
                 run->api->resources[i % run->api->n_resources].name);
        for (size_t r = 0; r < n; r++) {
            if (!lt_slice_eq_str(rows[r].name, name))
                continue;
            run->marks[i].used = true;
            snprintf(run->marks[i].hash, sizeof(run->marks[i].hash), "%.*s", LT_FMT(rows[r].body));
        }
    }
    return status;
}

leat_status lt_pull_schemas_open(struct lt_pull_run *run, struct leat_error *err) {
    leat_status status = LEAT_OK;

    run->schemas = lt_arena_calloc(&run->arena, run->api->n_resources, sizeof(*run->schemas));
    if (!run->schemas)
        return no_memory(err);
    for (size_t i = 0; i < run->api->n_resources && status == LEAT_OK; i++) {
        if (run->selected[i])
            status = open_one(run, i, err);
    }
    return status == LEAT_OK && run->with_positions ? open_marks(run, err) : status;
}

void lt_pull_schemas_close(struct lt_pull_run *run) {
    for (size_t i = 0; run->schemas && i < run->api->n_resources; i++) {
        lt_json_schema_free(run->schemas[i].last);
        lt_json_schema_free(run->schemas[i].seen);
        lt_buf_deinit(&run->schemas[i].kept);
    }
}

/* ---- learning ---- */

static leat_status on_misfit(struct lt_pull_page *page, size_t i,
                             const struct lt_json_schema_misfit *misfit, bool *killed,
                             struct leat_error *err) {
    const struct lt_rest_resource *resource = page->page->resource;

    if (resource->on_change == LT_REST_FREEZE)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "the schema of %s changed: %s was %s, and is %s in record %llu (%s); "
                       "`on_change: freeze` stops here, `evolve` would accept it",
                       resource->name, misfit->path, misfit->expected, misfit->found,
                       (unsigned long long)page->page->ordinal + i, page->page->url);
    char *reason = lt_arena_printf(&page->arena, "%s was %s, and is %s", misfit->path,
                                   misfit->expected, misfit->found);
    if (!reason)
        return no_memory(err);
    *killed = true;
    return lt_pull_page_kill(page, i, "SchemaChanged", lt_slice(NULL, 0), lt_slice_str(reason),
                             err);
}

leat_status lt_pull_schema_take(struct lt_pull_page *page, bool *killed, struct leat_error *err) {
    struct lt_pull_schema *schema = &page->run->schemas[page->page->resource_index];
    bool checked = schema->last && page->page->resource->on_change != LT_REST_EVOLVE;
    leat_status status = LEAT_OK;

    for (size_t i = 0; i < page->page->n_records && status == LEAT_OK; i++) {
        struct lt_json_schema_misfit misfit;
        struct lt_json record = page->page->records[i];
        if (checked && !lt_json_schema_fits(schema->last, record, &misfit))
            status = on_misfit(page, i, &misfit, &killed[i], err);
        else
            status = lt_json_schema_add(schema->seen, record, err);
    }
    return status;
}

/* ---- keeping ---- */

static leat_status add(struct lt_pull_run *run, struct lt_arena *arena,
                       struct lt_state_change *change, const char *name, struct lt_slice body,
                       struct leat_error *err) {
    change->kind = run->schema_kind;
    change->name = lt_arena_dup(arena, lt_slice_str(name));
    change->body = body.data ? lt_arena_dup(arena, body) : body;
    return change->name.data && (!body.data || change->body.data) ? LEAT_OK : no_memory(err);
}

static leat_status add_schema(struct lt_pull_run *run, size_t resource, bool whole,
                              struct lt_arena *arena, struct lt_state_change *changes, size_t *n,
                              struct leat_error *err) {
    struct lt_pull_schema *schema = &run->schemas[resource];
    const char *name = run->api->resources[resource].name;
    char partial[NAME_BYTES];
    struct lt_buf text;

    if (!schema->seen || (!whole && !lt_json_schema_n_records(schema->seen)))
        return LEAT_OK;
    snprintf(partial, sizeof(partial), "%s~", name);
    lt_buf_init(&text, SCHEMA_MAX_BYTES);
    lt_json_schema_write(schema->seen, name, &text);
    leat_status status = lt_buf_status(&text, err);
    if (status == LEAT_OK && whole) {
        status = add(run, arena, &changes[(*n)++], name, lt_buf_slice(&text), err);
        if (status == LEAT_OK)
            status = add(run, arena, &changes[(*n)++], partial, lt_slice(NULL, 0), err);
    } else if (status == LEAT_OK &&
               !lt_slice_eq(lt_buf_slice(&text), lt_buf_slice(&schema->kept))) {
        status = add(run, arena, &changes[(*n)++], partial, lt_buf_slice(&text), err);
        lt_buf_deinit(&schema->kept);
        schema->kept = text;
        return status;
    }
    lt_buf_deinit(&text);
    return status;
}

leat_status lt_pull_schema_changes(struct lt_pull_run *run, bool whole, struct lt_arena *arena,
                                   struct lt_state_change *changes, size_t *n,
                                   struct leat_error *err) {
    leat_status status = LEAT_OK;
    char name[NAME_BYTES];

    for (size_t i = 0; i < run->api->n_resources && status == LEAT_OK; i++)
        status = add_schema(run, i, whole, arena, changes, n, err);
    for (size_t i = 0; i < run->n_sinks * run->api->n_resources && status == LEAT_OK; i++) {
        struct lt_pull_schema_mark *mark = &run->marks[i];
        if (!mark->changed)
            continue;
        mark->changed = false;
        snprintf(name, sizeof(name), "put/%s/%s", run->sinks[i / run->api->n_resources].to,
                 run->api->resources[i % run->api->n_resources].name);
        status = add(run, arena, &changes[(*n)++], name,
                     mark->hash[0] ? lt_slice_str(mark->hash) : LT_LIT("-"), err);
    }
    return status;
}

/* ---- the objects ---- */

struct one {
    struct lt_pull_schema_mark *mark;
    const char *bucket;
    struct lt_slice key, text;
    char hash[17];
};

struct lt_pull_schema_put {
    struct lt_work work;
    struct lt_pull_run *run; /* loop thread only, but for objects */
    struct lt_arena arena;
    struct one *list;
    size_t n;
    bool ended;
    leat_status status;
    struct leat_error err;
};

static void tell(void *ctx, const char *path, const char *before, const char *now) {
    struct lt_pull_run *run = ctx;
    struct lt_pull_stat *stat = run->stat;
    struct lt_pull_change *list = stat->changes;

    if (!(stat->n_changes & (stat->n_changes + 1))) { /* 0, 1, 3, 7, …: the room is full */
        size_t cap = stat->n_changes * 2 + 1;
        list = lt_arena_calloc(&stat->arena, cap, sizeof(*list));
        if (!list)
            return;
        if (stat->n_changes)
            memcpy(list, stat->changes, stat->n_changes * sizeof(*list));
        stat->changes = list;
    }
    struct lt_pull_change *to = &list[stat->n_changes];
    to->path = lt_arena_str(&stat->arena, lt_slice_str(path));
    to->now = lt_arena_str(&stat->arena, lt_slice_str(now));
    to->before = before && *before ? lt_arena_str(&stat->arena, lt_slice_str(before)) : NULL;
    if (to->path && to->now)
        stat->n_changes++;
}

static void tell_changes(struct lt_pull_run *run) {
    for (size_t i = 0; i < run->api->n_resources; i++) {
        struct lt_pull_schema *schema = &run->schemas[i];
        size_t before = run->stat->n_changes;
        if (!schema->last || !schema->seen)
            continue;
        lt_json_schema_compare(schema->last, schema->seen, tell, run);
        for (size_t c = before; c < run->stat->n_changes; c++)
            run->stat->changes[c].resource = run->api->resources[i].name;
    }
}

static void run_put(void *ctx) {
    struct lt_pull_schema_put *put = ctx;
    struct lt_object_store *objects = put->run->objects;

    put->status = LEAT_OK;
    for (size_t i = 0; i < put->n && put->status == LEAT_OK; i++) {
        const struct lt_object_put object = {.key = put->list[i].key,
                                             .data = put->list[i].text,
                                             .content_type = "application/schema+json"};
        put->status = objects->ops->put(objects, put->list[i].bucket, &object, &put->err);
    }
}

static void put_done(void *ctx) {
    struct lt_pull_schema_put *put = ctx;

    put->ended = true;
    for (size_t i = 0; i < put->n && put->status == LEAT_OK; i++) {
        memcpy(put->list[i].mark->hash, put->list[i].hash, sizeof(put->list[i].hash));
        put->list[i].mark->changed = true;
    }
    if (put->status != LEAT_OK)
        lt_pull_run_fail(put->run, &put->err);
    lt_pull_run_advance(put->run);
}

/* The object's key: the prefix up to its first expression, and the resource. */
static struct lt_slice key_of(struct lt_arena *arena, const char *prefix, const char *resource) {
    const char *expression = strstr(prefix, "!{");
    struct lt_slice fixed = {prefix, expression ? (size_t)(expression - prefix) : strlen(prefix)};
    while (expression && fixed.len && fixed.data[fixed.len - 1] != '/')
        fixed.len--;
    return lt_slice_str(lt_arena_printf(arena, "%.*s%s.schema.json", LT_FMT(fixed), resource));
}

static bool make_text(struct lt_pull_run *run, size_t resource, struct lt_arena *arena,
                      struct one *one) {
    uint8_t digest[LT_SHA256_BYTES];
    struct lt_buf text;

    lt_buf_init(&text, SCHEMA_MAX_BYTES);
    lt_json_schema_write(run->schemas[resource].seen, run->api->resources[resource].name, &text);
    lt_buf_append_byte(&text, '\n');
    one->text = text.failed ? lt_slice(NULL, 0) : lt_arena_dup(arena, lt_buf_slice(&text));
    lt_buf_deinit(&text);
    if (!one->text.data)
        return false;
    lt_sha256(one->text, digest);
    lt_hex(digest, 8, one->hash);
    return true;
}

static void gather(struct lt_pull_schema_put *put) {
    struct lt_pull_run *run = put->run;
    size_t n_resources = run->api->n_resources;

    put->list = lt_arena_calloc(&put->arena, run->n_sinks * n_resources + 1, sizeof(*put->list));
    for (size_t i = 0; put->list && i < run->n_sinks * n_resources; i++) {
        const struct lt_pull_sink *sink = &run->sinks[i / n_resources];
        struct one *one = &put->list[put->n];
        if (!run->marks[i].used || sink->ops != &lt_pull_sink_objects || sink == run->dead_sink ||
            !run->schemas[i % n_resources].seen)
            continue;
        one->mark = &run->marks[i];
        one->bucket = sink->place.bucket;
        one->key =
            key_of(&put->arena, sink->place.prefix, run->api->resources[i % n_resources].name);
        if (one->key.data && make_text(run, i % n_resources, &put->arena, one) &&
            strcmp(one->hash, one->mark->hash) != 0)
            put->n++;
    }
}

bool lt_pull_schemas_put(struct lt_pull_run *run) {
    struct lt_pull_schema_put *put;

    tell_changes(run);
    if (!run->with_positions || !(put = calloc(1, sizeof(*put))))
        return false;
    put->run = run;
    lt_arena_init(&put->arena, ARENA_MAX_BYTES);
    gather(put);
    if (!put->n) {
        lt_arena_deinit(&put->arena);
        free(put);
        return false;
    }
    run->schema_put = put;
    lt_work_init(&put->work);
    lt_work_start(&put->work, &run->loop, run_put, put_done, put);
    return true;
}

bool lt_pull_schemas_putting(const struct lt_pull_run *run) {
    return run->schema_put && !run->schema_put->ended;
}

static void release_put(void *ctx) {
    struct lt_pull_schema_put *put = ctx;
    lt_arena_deinit(&put->arena);
    free(put);
}

void lt_pull_schemas_put_close(struct lt_pull_run *run) {
    if (run->schema_put)
        lt_work_abandon(&run->schema_put->work, release_put, run->schema_put);
    run->schema_put = NULL;
}
