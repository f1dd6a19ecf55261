/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a delivery remembers. Positions and the end of an intent are one change of the state, so
 * that a crash leaves either an intent whose object may be there, or positions beyond it.
 */
#include "deliver/book.h"

#include "base/hash.h"
#include "json/json.h"

#include <stdlib.h>

enum { PAGE_ROWS = 1000, DOCUMENT_MAX_BYTES = 64 << 20 };

#define SHARD_PREFIX "shard/"

static char *kind_of(const char *name) {
    char *kind = NULL;
    return asprintf(&kind, "deliver/%s", name) < 0 ? NULL : kind;
}

void lt_book_deinit(struct lt_book *book) {
    free(book->kind);
    *book = (struct lt_book){0};
}

/* True when the identity document is that of `source`; its id is then taken over. */
static bool read_identity(struct lt_book *book, struct lt_slice body, const char *source) {
    struct lt_json root, value;

    if (lt_json_parse(&root, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK ||
        !lt_json_get(root, "source", &value) || !lt_json_string_is(value, lt_slice_str(source)) ||
        !lt_json_get(root, "id", &value) || value.type != LT_JSON_STRING ||
        value.raw.len != sizeof(book->id) + 1)
        return false;
    memcpy(book->id, value.raw.data + 1, sizeof(book->id) - 1);
    return true;
}

/* Empties the book and gives the delivery a new identity. */
static leat_status begin(struct lt_book *book, const char *source, struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_buf doc;
    uint8_t bytes[16];

    leat_status status = lt_state_remove_kind(book->state, book->kind, err);
    if (status != LEAT_OK)
        return status;
    lt_random(bytes, sizeof(bytes));
    lt_hex(bytes, sizeof(bytes), book->id);
    lt_buf_init(&doc, DOCUMENT_MAX_BYTES);
    lt_json_writer_init(&w, &doc);
    lt_json_begin_object(&w);
    lt_json_key(&w, "source");
    lt_json_put_str(&w, source);
    lt_json_key(&w, "id");
    lt_json_put_str(&w, book->id);
    lt_json_end_object(&w);
    status = lt_buf_status(&doc, err);
    if (status == LEAT_OK)
        status = lt_state_set(book->state, book->kind, LT_LIT("identity"), lt_buf_slice(&doc), err);
    lt_buf_deinit(&doc);
    return status;
}

static leat_status read_position(const struct lt_state_row *row, struct lt_arena *arena,
                                 struct lt_book_position *out, struct leat_error *err) {
    struct lt_json root, seq, position;
    int64_t number;

    if (lt_json_parse(&root, row->body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK ||
        !lt_json_get(root, "seq", &seq) || !lt_json_int64(seq, &number) || number < 0 ||
        !lt_json_get(root, "position", &position) || position.type != LT_JSON_STRING)
        return lt_fail(err, LEAT_E_CORRUPT, 0, "the position of %.*s is not readable: %.*s",
                       LT_FMT(row->name), (int)(row->body.len > 200 ? 200 : row->body.len),
                       row->body.data ? row->body.data : "");
    out->seq = (uint64_t)number;
    out->shard = lt_arena_str(arena, lt_slice_from(row->name, strlen(SHARD_PREFIX)));
    out->position = lt_json_string(position, arena);
    if (!out->shard || !out->position.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the positions of a delivery");
    return LEAT_OK;
}

static void read_total(struct lt_book *book, struct lt_slice body) {
    struct {
        const char *name;
        uint64_t *to;
    } const rows[] = {{"records", &book->total.n_records},
                      {"bytes", &book->total.n_bytes},
                      {"objects", &book->total.n_objects}};
    struct lt_json root, value;
    int64_t number;

    if (lt_json_parse(&root, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lt_json_get(root, rows[i].name, &value) && lt_json_int64(value, &number) && number > 0)
            *rows[i].to = (uint64_t)number;
}

static leat_status read_positions(struct lt_book *book, struct lt_arena *arena,
                                  struct lt_book_position **positions, size_t *n,
                                  struct leat_error *err) {
    struct lt_slice from = LT_LIT(SHARD_PREFIX);
    leat_status status = LEAT_OK;
    struct lt_state_row *rows;
    uint64_t n_rows;
    size_t n_page = PAGE_ROWS;

    *n = 0;
    status = lt_state_count(book->state, book->kind, &n_rows, err);
    if (status != LEAT_OK)
        return status;
    *positions = lt_arena_calloc(arena, (size_t)n_rows + 1, sizeof(**positions));
    if (!*positions)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %llu positions",
                       (unsigned long long)n_rows);
    for (bool after = false; n_page == PAGE_ROWS; after = true) {
        status = lt_state_list(book->state, book->kind, from, after, PAGE_ROWS, arena, &rows,
                               &n_page, err);
        for (size_t i = 0; status == LEAT_OK && i < n_page; i++) {
            if (!lt_slice_starts(rows[i].name, LT_LIT(SHARD_PREFIX)) || *n >= n_rows)
                return LEAT_OK;
            status = read_position(&rows[i], arena, &(*positions)[(*n)++], err);
            from = rows[i].name;
        }
        if (status != LEAT_OK)
            return status;
    }
    return LEAT_OK;
}

leat_status lt_book_open(struct lt_book *book, struct lt_state *state, const char *name,
                         const char *source, struct lt_arena *arena,
                         struct lt_book_position **positions, size_t *n, struct lt_intent **intent,
                         struct leat_error *err) {
    struct lt_slice body;

    *intent = NULL;
    *n = 0;
    *book = (struct lt_book){.state = state, .kind = kind_of(name)};
    if (!book->kind)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the delivery %s", name);
    leat_status status = lt_state_get(state, book->kind, LT_LIT("identity"), arena, &body, err);
    if (status == LEAT_E_NOT_FOUND || (status == LEAT_OK && !read_identity(book, body, source)))
        return begin(book, source, err);
    if (status == LEAT_OK)
        status = read_positions(book, arena, positions, n, err);
    if (status != LEAT_OK)
        return status;
    status = lt_state_get(state, book->kind, LT_LIT("total"), arena, &body, err);
    if (status == LEAT_OK)
        read_total(book, body);
    else if (status != LEAT_E_NOT_FOUND)
        return status;
    status = lt_state_get(state, book->kind, LT_LIT("intent"), arena, &body, err);
    if (status == LEAT_E_NOT_FOUND)
        return LEAT_OK;
    return status == LEAT_OK ? lt_intent_read(intent, body, err) : status;
}

leat_status lt_book_intend(const struct lt_book *book, const struct lt_intent *intent,
                           struct leat_error *err) {
    struct lt_buf doc;

    lt_buf_init(&doc, DOCUMENT_MAX_BYTES);
    lt_intent_write(intent, &doc);
    leat_status status = lt_buf_status(&doc, err);
    if (status == LEAT_OK)
        status = lt_state_set(book->state, book->kind, LT_LIT("intent"), lt_buf_slice(&doc), err);
    lt_buf_deinit(&doc);
    return status;
}

/* Moves a written document to `arena`; `data` is NULL when there is no memory. */
static struct lt_slice keep(struct lt_buf *doc, struct lt_arena *arena) {
    struct lt_slice kept = {0};
    if (!doc->failed)
        kept = lt_arena_dup(arena, lt_buf_slice(doc));
    lt_buf_deinit(doc);
    return kept;
}

static struct lt_slice write_position(const struct lt_intent_range *range, struct lt_arena *arena) {
    struct lt_json_writer w;
    struct lt_buf doc;

    lt_buf_init(&doc, 64 << 10);
    lt_json_writer_init(&w, &doc);
    lt_json_begin_object(&w);
    lt_json_key(&w, "seq");
    lt_json_put_uint(&w, range->last);
    lt_json_key(&w, "position");
    lt_json_put_string(&w, range->position);
    lt_json_end_object(&w);
    return keep(&doc, arena);
}

static struct lt_slice write_total(const struct lt_book_total *total, struct lt_arena *arena) {
    struct lt_json_writer w;
    struct lt_buf doc;

    lt_buf_init(&doc, 4096);
    lt_json_writer_init(&w, &doc);
    lt_json_begin_object(&w);
    lt_json_key(&w, "records");
    lt_json_put_uint(&w, total->n_records);
    lt_json_key(&w, "bytes");
    lt_json_put_uint(&w, total->n_bytes);
    lt_json_key(&w, "objects");
    lt_json_put_uint(&w, total->n_objects);
    lt_json_end_object(&w);
    return keep(&doc, arena);
}

/* A change a shard, the total, and the removal of the intent; their bytes are in `arena`. */
static struct lt_state_change *list_changes(const struct lt_book *book,
                                            const struct lt_intent *intent,
                                            const struct lt_book_total *total,
                                            struct lt_arena *arena) {
    size_t n = intent->n_ranges;
    struct lt_state_change *changes = lt_arena_calloc(arena, n + 2, sizeof(*changes));

    if (!changes)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = lt_arena_printf(arena, SHARD_PREFIX "%s", intent->ranges[i].shard);
        changes[i].name = lt_slice_str(name);
        changes[i].body = write_position(&intent->ranges[i], arena);
        if (!name || !changes[i].body.data)
            return NULL;
    }
    changes[n] =
        (struct lt_state_change){.name = LT_LIT("total"), .body = write_total(total, arena)};
    changes[n + 1] = (struct lt_state_change){.name = LT_LIT("intent")};
    for (size_t i = 0; i < n + 2; i++)
        changes[i].kind = book->kind;
    return changes[n].body.data ? changes : NULL;
}

leat_status lt_book_settle(struct lt_book *book, const struct lt_intent *intent,
                           struct leat_error *err) {
    struct lt_book_total total = {.n_records = book->total.n_records + intent->n_records,
                                  .n_bytes = book->total.n_bytes + intent->n_bytes,
                                  .n_objects = book->total.n_objects + 1};
    struct lt_arena arena;
    leat_status status;

    lt_arena_init(&arena, DOCUMENT_MAX_BYTES);
    struct lt_state_change *changes = list_changes(book, intent, &total, &arena);
    if (changes)
        status = lt_state_apply(book->state, changes, intent->n_ranges + 2, err);
    else
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to move %zu positions", intent->n_ranges);
    if (status == LEAT_OK)
        book->total = total;
    lt_arena_deinit(&arena);
    return status;
}

leat_status lt_delivery_forget(struct lt_state *state, const char *name, struct leat_error *err) {
    char *kind = kind_of(name);

    if (!kind)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to forget the delivery %s", name);
    leat_status status = lt_state_remove_kind(state, kind, err);
    free(kind);
    return status;
}
