/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as comma-separated values: the reader comes to an end, its lines rise, and the records
 * that it gives, written with every field in quotes, are read again as the same.
 */
#include "base/buf.h"
#include "engine/spotify/csv.h"

#include <stdlib.h>

enum { ROOM = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void write_record(struct lt_buf *out, const struct lt_slice *fields, size_t n) {
    for (size_t i = 0; i < n; i++) {
        lt_buf_append_str(out, i > 0 ? ",\"" : "\"");
        for (size_t at = 0; at < fields[i].len; at++) {
            if (fields[i].data[at] == '"')
                lt_buf_append_byte(out, '"');
            lt_buf_append_byte(out, fields[i].data[at]);
        }
        lt_buf_append_byte(out, '"');
    }
    lt_buf_append_str(out, "\r\n");
}

/* Reads all that can be read and writes it to `out`; how many records. */
static size_t copy(struct lt_slice text, struct lt_arena *arena, struct lt_buf *out) {
    struct lt_slice fields[ROOM];
    struct leat_error err;
    struct lt_csv csv;
    size_t n, n_records = 0;
    unsigned line = 0;

    lt_csv_init(&csv, text, arena);
    while (lt_csv_next(&csv, fields, ROOM, &n, &err) == LEAT_OK && n > 0) {
        must(n <= ROOM && csv.record_line > line && csv.line >= csv.record_line);
        line = csv.record_line;
        write_record(out, fields, n);
        must(++n_records <= text.len);
    }
    must(csv.at == csv.end);
    return n_records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_buf first, second;
    struct lt_arena arena;

    lt_arena_init(&arena, SIZE_MAX);
    lt_buf_init(&first, SIZE_MAX);
    lt_buf_init(&second, SIZE_MAX);
    size_t n = copy(lt_slice(data, len), &arena, &first);
    must(copy(lt_buf_slice(&first), &arena, &second) == n);
    must(lt_slice_eq(lt_buf_slice(&first), lt_buf_slice(&second)));
    lt_buf_deinit(&first);
    lt_buf_deinit(&second);
    lt_arena_deinit(&arena);
    return 0;
}
