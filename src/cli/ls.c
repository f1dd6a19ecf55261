/* SPDX-License-Identifier: Apache-2.0 */
/* `leat ls`: what there is, how much is in it, and how far behind its readers are. */
#include "cli/file.h"

#include "base/clock.h"
#include "base/units.h"
#include "pipeline/listing.h"
#include "json/json.h"

#include <stdarg.h>
#include <string.h>

enum output { OUTPUT_TEXT, OUTPUT_JSON };
enum { MAX_COLUMNS = 8, CELL_BYTES = 384, MAX_ERROR_BYTES = 160 };

struct values {
    struct lt_common common;
    bool shards;
    int output;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct lt_option options[] = {
    {.name = "shards",
     .letter = 's',
     .type = LT_OPTION_FLAG,
     .offset = offsetof(struct values, shards),
     .help = "each stream with its shards"},
    {.name = "output",
     .letter = 'o',
     .type = LT_OPTION_CHOICE,
     .arg = "text|json",
     .offset = offsetof(struct values, output),
     .help = "how to print it",
     .choices = outputs},
    {0},
};

/* ---- a table whose columns are as wide as their widest cell ---- */

/* Cells of a row come one after another; `numbers` has a bit for each column set to the right. */
struct table {
    struct lt_arena arena;
    unsigned n_columns, numbers;
    char **cells;
    size_t n, cap;
};

static void add_cell(struct table *t, const char *fmt, ...) LEAT_PRINTF(2, 3);

static void add_cell(struct table *t, const char *fmt, ...) {
    char text[CELL_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        char **cells = lt_arena_calloc(&t->arena, cap, sizeof(*cells));
        if (!cells)
            return;
        if (t->n)
            memcpy(cells, t->cells, t->n * sizeof(*cells));
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->n] = lt_arena_str(&t->arena, lt_slice_str(text));
    if (t->cells[t->n])
        t->n++;
}

static void begin_table(struct table *t, unsigned numbers, const char *const *heads) {
    *t = (struct table){.numbers = numbers};
    lt_arena_init(&t->arena, 64 << 20);
    for (; heads[t->n_columns]; t->n_columns++)
        add_cell(t, "%s", heads[t->n_columns]);
}

/* Characters, not bytes. */
static int width_of(const char *text) {
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void end_table(struct table *t) {
    int widths[MAX_COLUMNS] = {0};

    for (size_t i = 0; i < t->n; i++) {
        int width = width_of(t->cells[i]);
        if (width > widths[i % t->n_columns])
            widths[i % t->n_columns] = width;
    }
    for (size_t i = 0; i < t->n; i++) {
        unsigned column = (unsigned)(i % t->n_columns);
        int pad = widths[column] - width_of(t->cells[i]);
        bool last = column + 1 == t->n_columns;
        if (t->numbers >> column & 1)
            printf("%*s%s", pad, "", t->cells[i]);
        else
            printf("%s%*s", t->cells[i], last ? 0 : pad, "");
        fputs(last ? "\n" : "  ", stdout);
    }
    putchar('\n');
    lt_arena_deinit(&t->arena);
}

/* ---- cells ---- */

static void add_count(struct table *t, bool known, uint64_t n) {
    char text[32];
    add_cell(t, "%s", known ? lt_format_count(n, text) : "-");
}

static void add_bytes(struct table *t, bool known, uint64_t n) {
    char text[32];
    add_cell(t, "%s", known ? lt_format_bytes(n, text) : "-");
}

/* "12 s ago" */
static void add_age(struct table *t, int64_t time_ms) {
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    int64_t age_ms = lt_clock_wall_ms() - time_ms;
    size_t i = 0;

    if (time_ms <= 0) {
        add_cell(t, "-");
        return;
    }
    while (i < 3 && age_ms < units[i].ms)
        i++;
    add_cell(t, "%lld %s ago", (long long)(age_ms > 0 ? age_ms / units[i].ms : 0), units[i].unit);
}

static void print_streams(const struct lt_listing *listing) {
    static const char *const heads[] = {"STREAM", "SHARDS", "RECORDS", "SIZE", "LAST RECORD", NULL};
    struct table t;

    begin_table(&t, 0xe, heads);
    for (size_t i = 0; i < listing->n_streams; i++) {
        const struct lt_listing_stream *stream = &listing->streams[i];
        bool active = !stream->status || !strcmp(stream->status, "ACTIVE");
        add_cell(&t, "%s%s%s", stream->name, active ? "" : " ", active ? "" : stream->status);
        add_count(&t, true, stream->n_open_shards);
        add_count(&t, stream->counted, stream->n_records);
        add_bytes(&t, stream->counted, stream->n_bytes);
        add_age(&t, stream->last_arrival_ms);
    }
    end_table(&t);
}

static void print_shards(const struct lt_listing *listing) {
    static const char *const heads[] = {"STREAM", "SHARD",       "STATE", "RECORDS",
                                        "SIZE",   "LAST RECORD", NULL};
    struct table t;

    begin_table(&t, 0x18, heads);
    for (size_t i = 0; i < listing->n_streams; i++)
        for (size_t k = 0; k < listing->streams[i].n_shards; k++) {
            const struct lt_listing_shard *shard = &listing->streams[i].shards[k];
            add_cell(&t, "%s", listing->streams[i].name);
            add_cell(&t, "%s", shard->id ? shard->id : "");
            add_cell(&t, "%s", shard->open ? "open" : "closed");
            add_count(&t, true, shard->n_records);
            add_bytes(&t, true, shard->n_bytes);
            add_age(&t, shard->last_arrival_ms);
        }
    end_table(&t);
}

static void print_pipelines(const struct lt_listing *listing) {
    static const char *const heads[] = {"PIPELINE",         "READS", "DONE", "LAG",
                                        "LAST RECORD DONE", NULL};
    struct table t;

    begin_table(&t, 0xc, heads);
    for (size_t i = 0; i < listing->n_pipelines; i++) {
        const struct lt_listing_pipeline *pipeline = &listing->pipelines[i];
        add_cell(&t, "%s", pipeline->name);
        add_cell(&t, "%s", pipeline->source);
        add_count(&t, true, pipeline->n_done);
        add_count(&t, pipeline->counted, pipeline->lag_records);
        add_age(&t, pipeline->last_time_ms);
    }
    end_table(&t);
}

static void print_deliveries(const struct lt_listing *listing) {
    static const char *const heads[] = {"DELIVERY", "FROM",    "TO",  "RECORDS",
                                        "OBJECTS",  "WAITING", "LAG", NULL};
    struct table t;

    begin_table(&t, 0x78, heads);
    for (size_t i = 0; i < listing->n_deliveries; i++) {
        const struct lt_listing_delivery *delivery = &listing->deliveries[i];
        add_cell(&t, "%s", delivery->name);
        add_cell(&t, "%s", delivery->source ? delivery->source : "put calls");
        add_cell(&t, "s3://%.63s/%.200s", delivery->bucket ? delivery->bucket : "",
                 delivery->prefix ? delivery->prefix : "");
        add_count(&t, true, delivery->n_records);
        add_count(&t, true, delivery->n_objects);
        add_bytes(&t, true, delivery->buffer_bytes);
        add_count(&t, true, delivery->lag_records);
    }
    end_table(&t);
    for (size_t i = 0; i < listing->n_deliveries; i++)
        if (listing->deliveries[i].last_error)
            printf("%s: %.*s\n\n", listing->deliveries[i].name, MAX_ERROR_BYTES,
                   listing->deliveries[i].last_error);
}

static void print_buckets(const struct lt_listing *listing) {
    static const char *const heads[] = {"BUCKET", "OBJECTS", "SIZE", NULL};
    struct table t;

    begin_table(&t, 0x6, heads);
    for (size_t i = 0; i < listing->n_buckets; i++) {
        add_cell(&t, "%s", listing->buckets[i].name);
        add_count(&t, true, listing->buckets[i].n_objects);
        add_bytes(&t, true, listing->buckets[i].n_bytes);
    }
    end_table(&t);
}

static void print_text(const struct values *v, const struct lt_listing *listing,
                       struct lt_target *target) {
    char bytes[32];
    size_t n = listing->n_streams + listing->n_deliveries + listing->n_buckets;

    if (!n) {
        printf("Nothing yet on %s.\n", lt_target_describe(target));
        return;
    }
    if (listing->n_streams)
        print_streams(listing);
    if (v->shards && listing->embedded && listing->n_streams)
        print_shards(listing);
    if (listing->n_pipelines)
        print_pipelines(listing);
    if (listing->n_deliveries)
        print_deliveries(listing);
    if (listing->n_buckets)
        print_buckets(listing);
    if (!v->common.quiet && listing->embedded)
        printf("On %s: %s of records on disk.\n", lt_target_describe(target),
               lt_format_bytes(listing->disk_bytes, bytes));
    else if (!v->common.quiet)
        printf("On %s.\n", lt_target_describe(target));
}

/* ---- JSON ---- */

static void put_str(struct lt_json_writer *w, const char *key, const char *value) {
    if (!value)
        return;
    lt_json_key(w, key);
    lt_json_put_str(w, value);
}

static void put_uint(struct lt_json_writer *w, const char *key, uint64_t value) {
    lt_json_key(w, key);
    lt_json_put_uint(w, value);
}

static void put_time(struct lt_json_writer *w, const char *key, int64_t ms) {
    char text[32];
    if (ms > 0)
        put_str(w, key, lt_format_time(ms, text));
}

static void write_shard(struct lt_json_writer *w, const struct lt_listing_shard *shard) {
    lt_json_begin_object(w);
    put_str(w, "id", shard->id);
    lt_json_key(w, "open");
    lt_json_put_bool(w, shard->open);
    put_uint(w, "records", shard->n_records);
    put_uint(w, "bytes", shard->n_bytes);
    put_time(w, "last_record", shard->last_arrival_ms);
    lt_json_end_object(w);
}

static void write_streams(struct lt_json_writer *w, const struct lt_listing *listing) {
    lt_json_key(w, "streams");
    lt_json_begin_array(w);
    for (size_t i = 0; i < listing->n_streams; i++) {
        const struct lt_listing_stream *stream = &listing->streams[i];
        lt_json_begin_object(w);
        put_str(w, "name", stream->name);
        put_str(w, "status", stream->status);
        put_uint(w, "open_shards", stream->n_open_shards);
        if (stream->counted) {
            put_uint(w, "records", stream->n_records);
            put_uint(w, "bytes", stream->n_bytes);
            put_time(w, "last_record", stream->last_arrival_ms);
            lt_json_key(w, "shards");
            lt_json_begin_array(w);
            for (size_t k = 0; k < stream->n_shards; k++)
                write_shard(w, &stream->shards[k]);
            lt_json_end_array(w);
        }
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static void write_pipelines(struct lt_json_writer *w, const struct lt_listing *listing) {
    lt_json_key(w, "pipelines");
    lt_json_begin_array(w);
    for (size_t i = 0; i < listing->n_pipelines; i++) {
        const struct lt_listing_pipeline *pipeline = &listing->pipelines[i];
        lt_json_begin_object(w);
        put_str(w, "name", pipeline->name);
        put_str(w, "source", pipeline->source);
        put_uint(w, "done", pipeline->n_done);
        if (pipeline->counted)
            put_uint(w, "lag", pipeline->lag_records);
        put_time(w, "last_record_done", pipeline->last_time_ms);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static void write_deliveries(struct lt_json_writer *w, const struct lt_listing *listing) {
    lt_json_key(w, "deliveries");
    lt_json_begin_array(w);
    for (size_t i = 0; i < listing->n_deliveries; i++) {
        const struct lt_listing_delivery *delivery = &listing->deliveries[i];
        lt_json_begin_object(w);
        put_str(w, "name", delivery->name);
        put_str(w, "from", delivery->source);
        put_str(w, "bucket", delivery->bucket);
        put_str(w, "prefix", delivery->prefix);
        put_uint(w, "records", delivery->n_records);
        put_uint(w, "bytes", delivery->n_bytes);
        put_uint(w, "objects", delivery->n_objects);
        put_uint(w, "buffer_bytes", delivery->buffer_bytes);
        put_uint(w, "lag", delivery->lag_records);
        put_str(w, "last_error", delivery->last_error);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static void write_buckets(struct lt_json_writer *w, const struct lt_listing *listing) {
    lt_json_key(w, "buckets");
    lt_json_begin_array(w);
    for (size_t i = 0; i < listing->n_buckets; i++) {
        lt_json_begin_object(w);
        put_str(w, "name", listing->buckets[i].name);
        put_uint(w, "objects", listing->buckets[i].n_objects);
        put_uint(w, "bytes", listing->buckets[i].n_bytes);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static int print_json(const struct lt_listing *listing, struct lt_target *target) {
    struct lt_json_writer w;
    struct leat_error err;
    struct lt_buf buf;

    lt_buf_init(&buf, 256 << 20);
    lt_json_writer_init(&w, &buf);
    lt_json_begin_object(&w);
    put_str(&w, "target", lt_target_describe(target));
    write_streams(&w, listing);
    write_pipelines(&w, listing);
    write_deliveries(&w, listing);
    write_buckets(&w, listing);
    if (listing->embedded)
        put_uint(&w, "disk_bytes", listing->disk_bytes);
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&buf, &err);
    if (status == LEAT_OK)
        printf("%.*s\n", LT_FMT(lt_buf_slice(&buf)));
    lt_buf_deinit(&buf);
    return status == LEAT_OK ? LT_EXIT_OK : lt_cli_fail("ls", &err);
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    struct lt_target_options target_options = lt_cli_target_options(&v->common);
    struct lt_listing listing = {0};
    struct lt_target *target = NULL;
    struct leat_error err;
    int code = LT_EXIT_OK;

    (void)args, (void)n_args;
    target_options.looks = true;
    leat_status status = lt_target_open(&target, &target_options, &err);
    if (status == LEAT_OK)
        status = lt_listing_load(&listing, target, &err);
    if (status != LEAT_OK)
        code = lt_cli_fail("ls", &err);
    else if (v->output == OUTPUT_JSON)
        code = print_json(&listing, target);
    else
        print_text(v, &listing, target);
    lt_listing_deinit(&listing);
    lt_target_close(target, false);
    return code;
}

const struct lt_command lt_command_ls = {
    .name = "ls",
    .summary = "show streams, pipelines, deliveries and buckets, with counts and lag",
    .usage = "",
    .description =
        "Lists what there is: streams with their shards, records and size; pipelines with how "
        "many\n"
        "records they have done and how far behind they are; deliveries with what waits to be\n"
        "written; buckets with their objects. Of a remote service, what it tells.",
    .examples = "  leat ls\n"
                "  leat ls --shards\n"
                "  leat ls -o json | jq '.streams[] | {name, records}'",
    .options = options,
    .values_size = sizeof(struct values),
    .min_args = 0,
    .max_args = 0,
    .run = run,
};
