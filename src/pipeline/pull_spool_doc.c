/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spool's document:
 *
 *     {"v":1,"to":…,"resource":…,"bucket":…,"prefix":…,"compression":"GZIP",
 *      "files":[{"n":7,"len":5242000,"records":9000,"first":18000,"ms":…,"sealed":true}, …]}
 *
 * Place and compression stand in it because keys are made of them: a file that is edited between
 * two runs changes where later records go, not the objects that were begun.
 */
#include "deliver/compress.h"
#include "pipeline/pull_spool_parts.h"
#include "json/json.h"

enum { DOC_ARENA_BYTES = 1 << 20 };

static void write_file(struct lt_json_writer *w, const struct lt_spool_file *file) {
    lt_json_begin_object(w);
    lt_json_key(w, "n");
    lt_json_put_uint(w, file->number);
    lt_json_key(w, "len");
    lt_json_put_uint(w, file->len);
    lt_json_key(w, "records");
    lt_json_put_uint(w, file->n_records);
    lt_json_key(w, "first");
    lt_json_put_uint(w, file->first);
    lt_json_key(w, "ms");
    lt_json_put_int(w, file->started_ms);
    if (file->stage != LT_SPOOL_OPEN) {
        lt_json_key(w, "sealed");
        lt_json_put_bool(w, true);
    }
    lt_json_end_object(w);
}

static void put_text(struct lt_json_writer *w, const char *key, const char *text) {
    lt_json_key(w, key);
    lt_json_put_str(w, text);
}

void lt_spool_doc_write(const struct lt_pull_spool *spool, struct lt_buf *out) {
    struct lt_json_writer w;
    size_t n = 0;

    for (const struct lt_spool_file *file = spool->first; file; file = file->next)
        n += file->stage != LT_SPOOL_GONE && file->n_records;
    if (!n)
        return;
    lt_json_writer_init(&w, out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "v");
    lt_json_put_int(&w, 1);
    put_text(&w, "to", spool->to);
    put_text(&w, "resource", spool->resource);
    put_text(&w, "bucket", spool->bucket);
    put_text(&w, "prefix", spool->prefix);
    put_text(&w, "compression", lt_compressor_of(spool->compression)->name);
    lt_json_key(&w, "files");
    lt_json_begin_array(&w);
    for (const struct lt_spool_file *file = spool->first; file; file = file->next) {
        if (file->stage != LT_SPOOL_GONE && file->n_records)
            write_file(&w, file);
    }
    lt_json_end_array(&w);
    lt_json_end_object(&w);
}

static const char *text_of(struct lt_json doc, const char *name, struct lt_arena *arena) {
    struct lt_json value;
    if (!lt_json_get(doc, name, &value) || value.type != LT_JSON_STRING)
        return NULL;
    return lt_arena_str(arena, lt_json_string(value, arena));
}

static bool number_of(struct lt_json doc, const char *name, uint64_t *out) {
    struct lt_json value;
    int64_t number;
    if (!lt_json_get(doc, name, &value) || !lt_json_int64(value, &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool read_place(struct lt_json doc, struct lt_arena *arena, struct lt_pull_place *place,
                       const char **resource) {
    const char *name = text_of(doc, "compression", arena);
    const struct lt_compressor *row = name ? lt_compressor_find(lt_slice_str(name)) : NULL;

    *resource = text_of(doc, "resource", arena);
    *place = (struct lt_pull_place){
        .to = text_of(doc, "to", arena),
        .bucket = text_of(doc, "bucket", arena),
        .prefix = text_of(doc, "prefix", arena),
        .compression = row ? row->kind : LT_COMPRESSION_NONE,
        .object_bytes = 1,
    };
    return row && *resource && place->to && place->bucket && place->prefix;
}

static leat_status read_file(struct lt_pull_spool *spool, struct lt_json doc, bool *good,
                             struct leat_error *err) {
    struct lt_spool_file *file = lt_spool_add_file(spool);
    uint64_t ms = 0;
    struct lt_json sealed;

    if (!file)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a spool");
    *good = number_of(doc, "n", &file->number) && number_of(doc, "len", &file->len) &&
            number_of(doc, "records", &file->n_records) && number_of(doc, "first", &file->first) &&
            number_of(doc, "ms", &ms);
    file->started_ms = (int64_t)ms;
    if (lt_json_get(doc, "sealed", &sealed) && sealed.type == LT_JSON_TRUE) {
        file->stage = LT_SPOOL_READY;
        spool->spools->n_waiting++;
    }
    if (file->number >= spool->spools->next_number)
        spool->spools->next_number = file->number + 1;
    return LEAT_OK;
}

static leat_status read_doc(struct lt_pull_spools *spools, struct lt_json doc,
                            struct lt_arena *arena, bool *good, struct leat_error *err) {
    struct lt_pull_place place;
    struct lt_pull_spool *spool;
    struct lt_json files, file;
    const char *resource;

    *good = read_place(doc, arena, &place, &resource) && lt_json_get(doc, "files", &files);
    if (!*good)
        return LEAT_OK;
    leat_status status = lt_spool_new(spools, &place, resource, &spool, err);
    struct lt_json_iter iter = lt_json_iter(files);
    while (status == LEAT_OK && *good && lt_json_next(&iter, &file))
        status = read_file(spool, file, good, err);
    return status;
}

leat_status lt_spool_doc_read(struct lt_pull_spools *spools, struct lt_slice name,
                              struct lt_slice body, struct leat_error *err) {
    struct lt_arena arena;
    struct lt_json doc;
    bool good = false;
    leat_status status = lt_json_parse(&doc, body, LT_JSON_DEFAULT_DEPTH, err);

    lt_arena_init(&arena, DOC_ARENA_BYTES);
    if (status == LEAT_OK)
        status = read_doc(spools, doc, &arena, &good, err);
    lt_arena_deinit(&arena);
    if (status == LEAT_E_NOMEM || (status == LEAT_OK && good))
        return status;
    return lt_fail(err, LEAT_E_CORRUPT, 0, "the state of %s, %.*s, is no spool's", spools->kind,
                   LT_FMT(name));
}
