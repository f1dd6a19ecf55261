/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/units.h"
#include "cli/pull_parts.h"
#include "json/json.h"

enum { JSON_MAX_BYTES = 64 << 20, CHANGES_SHOWN = 20 };

static void print_resources(FILE *out, const struct lt_pull_stat *stat) {
    char pages[32], requests[32], retries[32], records[32];

    fprintf(out, "  %-28s %10s %10s %9s %12s\n", "resource", "pages", "requests", "retries",
            "records");
    for (size_t i = 0; i < stat->n_resources; i++) {
        const struct lt_rest_stat *of = &stat->resources[i];
        fprintf(out, "  %-28s %10s %10s %9s %12s\n", of->name, lt_format_count(of->n_pages, pages),
                lt_format_count(of->n_requests, requests), lt_format_count(of->n_retries, retries),
                lt_format_count(of->n_records, records));
    }
}

static void print_routes(FILE *out, const struct lt_pull_stat *stat) {
    char records[32], bytes[32], objects[32];

    for (size_t i = 0; i < stat->n_routes; i++) {
        const struct lt_pull_route_stat *route = &stat->routes[i];
        fprintf(out, "  -> %-36s %12s records %10s", route->to,
                lt_format_count(route->n_records, records), lt_format_bytes(route->n_bytes, bytes));
        if (route->n_objects)
            fprintf(out, " %6s object%s", lt_format_count(route->n_objects, objects),
                    route->n_objects == 1 ? "" : "s");
        fputc('\n', out);
    }
}

static void print_changes(FILE *out, const struct lt_pull_stat *stat) {
    for (size_t i = 0; i < stat->n_changes && i < CHANGES_SHOWN; i++) {
        const struct lt_pull_change *change = &stat->changes[i];
        if (change->before)
            fprintf(out, "  schema of %s: %s was %s, is %s\n", change->resource, change->path,
                    change->before, change->now);
        else
            fprintf(out, "  schema of %s: %s is new (%s)\n", change->resource, change->path,
                    change->now);
    }
    if (stat->n_changes > CHANGES_SHOWN)
        fprintf(out, "  and %zu more changes of schemas; --summary json has them all\n",
                stat->n_changes - CHANGES_SHOWN);
}

void lt_cli_pull_summary_text(FILE *out, const struct lt_pull_stat *stat) {
    char count[32];

    fprintf(out, "pulled in %.1f s%s\n", (double)stat->elapsed_ms / 1000.0,
            stat->resumed ? ", on from where the last run stopped" : "");
    print_resources(out, stat);
    print_routes(out, stat);
    if (stat->n_skipped)
        fprintf(out, "  %-39s %12s record%s\n", "not new", lt_format_count(stat->n_skipped, count),
                stat->n_skipped == 1 ? "" : "s");
    if (stat->n_dead)
        fprintf(out, "  %-39s %12s records; each says why\n", "dead letters",
                lt_format_count(stat->n_dead, count));
    print_changes(out, stat);
}

/* ---- JSON ---- */

static void put_uint(struct lt_json_writer *w, const char *key, uint64_t value) {
    lt_json_key(w, key);
    lt_json_put_uint(w, value);
}

static void put_text(struct lt_json_writer *w, const char *key, const char *text) {
    lt_json_key(w, key);
    if (text)
        lt_json_put_str(w, text);
    else
        lt_json_put_null(w);
}

static void put_bool(struct lt_json_writer *w, const char *key, bool value) {
    lt_json_key(w, key);
    lt_json_put_bool(w, value);
}

static void write_resources(struct lt_json_writer *w, const struct lt_pull_stat *stat) {
    lt_json_key(w, "resources");
    lt_json_begin_array(w);
    for (size_t i = 0; i < stat->n_resources; i++) {
        const struct lt_rest_stat *of = &stat->resources[i];
        lt_json_begin_object(w);
        put_text(w, "name", of->name);
        put_uint(w, "pages", of->n_pages);
        put_uint(w, "requests", of->n_requests);
        put_uint(w, "retries", of->n_retries);
        put_uint(w, "records", of->n_records);
        put_uint(w, "skipped", of->n_skipped);
        put_uint(w, "bytes", of->n_bytes);
        put_bool(w, "complete", of->complete);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static void write_routes(struct lt_json_writer *w, const struct lt_pull_stat *stat) {
    lt_json_key(w, "routes");
    lt_json_begin_array(w);
    for (size_t i = 0; i < stat->n_routes; i++) {
        lt_json_begin_object(w);
        put_text(w, "to", stat->routes[i].to);
        put_uint(w, "records", stat->routes[i].n_records);
        put_uint(w, "bytes", stat->routes[i].n_bytes);
        put_uint(w, "objects", stat->routes[i].n_objects);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

static void write_changes(struct lt_json_writer *w, const struct lt_pull_stat *stat) {
    lt_json_key(w, "changes");
    lt_json_begin_array(w);
    for (size_t i = 0; i < stat->n_changes; i++) {
        lt_json_begin_object(w);
        put_text(w, "resource", stat->changes[i].resource);
        put_text(w, "path", stat->changes[i].path);
        put_text(w, "before", stat->changes[i].before);
        put_text(w, "now", stat->changes[i].now);
        lt_json_end_object(w);
    }
    lt_json_end_array(w);
}

void lt_cli_pull_summary_json(FILE *out, const struct lt_pull_stat *stat) {
    struct lt_json_writer w;
    struct lt_buf text;

    lt_buf_init(&text, JSON_MAX_BYTES);
    lt_json_writer_init(&w, &text);
    lt_json_begin_object(&w);
    lt_json_key(&w, "seconds");
    lt_json_put_double(&w, (double)stat->elapsed_ms / 1000.0);
    put_bool(&w, "resumed", stat->resumed);
    put_bool(&w, "interrupted", stat->interrupted);
    write_resources(&w, stat);
    write_routes(&w, stat);
    put_uint(&w, "dead", stat->n_dead);
    put_uint(&w, "skipped", stat->n_skipped);
    write_changes(&w, stat);
    lt_json_end_object(&w);
    if (!text.failed)
        fprintf(out, "%.*s\n", LT_FMT(lt_buf_slice(&text)));
    lt_buf_deinit(&text);
}
