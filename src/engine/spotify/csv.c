/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comma-separated values as RFC 4180 has them, and nothing more lenient: a file that is not well-
 * formed is refused with its line, for a catalogue with shifted columns would be found late.
 */
#include "engine/spotify/csv.h"

void lt_csv_init(struct lt_csv *csv, struct lt_slice text, struct lt_arena *arena) {
    if (lt_slice_starts(text, LT_LIT("\xef\xbb\xbf")))
        text = lt_slice_from(text, 3);
    *csv = (struct lt_csv){.at = text.data,
                           .end = text.data ? text.data + text.len : text.data,
                           .arena = arena,
                           .line = 1,
                           .record_line = 1};
}

static leat_status fail_at(struct lt_csv *csv, unsigned line, const char *what,
                           struct leat_error *err) {
    leat_status status = lt_fail(err, LEAT_E_PARSE, 0, "%s", what);

    if (err)
        err->line = line;
    csv->at = csv->end;
    return status;
}

/* Steps over a line end; false where there is none. */
static bool take_line_end(struct lt_csv *csv) {
    size_t left = (size_t)(csv->end - csv->at);
    size_t n = left && csv->at[0] == '\n'                               ? 1
               : left > 1 && csv->at[0] == '\r' && csv->at[1] == '\n'   ? 2
               : left == 1 && csv->at[0] == '\r' /* cut after the CR */ ? 1
                                                                        : 0;
    csv->at += n;
    csv->line += n > 0;
    return n > 0;
}

/* A copy of what stands between the quotes, with each doubled quote made one. */
static struct lt_slice undouble(struct lt_csv *csv, struct lt_slice text) {
    char *out = lt_arena_alloc(csv->arena, text.len);
    size_t n = 0;

    for (size_t i = 0; out && i < text.len; i++) {
        out[n++] = text.data[i];
        i += text.data[i] == '"';
    }
    return lt_slice(out, n);
}

static leat_status read_quoted(struct lt_csv *csv, struct lt_slice *field, struct leat_error *err) {
    const char *start = ++csv->at;
    unsigned start_line = csv->line;
    bool doubled = false;

    for (;; csv->at++) {
        if (csv->at == csv->end)
            return fail_at(csv, start_line, "nothing closes the quote that begins on this line",
                           err);
        csv->line += *csv->at == '\n';
        if (*csv->at != '"')
            continue;
        if (csv->end - csv->at < 2 || csv->at[1] != '"')
            break;
        doubled = true;
        csv->at++;
    }
    *field = lt_slice(start, (size_t)(csv->at - start));
    csv->at++;
    if (!doubled)
        return LEAT_OK;
    *field = undouble(csv, *field);
    return field->data ? LEAT_OK : lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a field");
}

static leat_status read_bare(struct lt_csv *csv, struct lt_slice *field, struct leat_error *err) {
    const char *start = csv->at;

    for (; csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r'; csv->at++)
        if (*csv->at == '"')
            return fail_at(csv, csv->line,
                           "a quote inside a field without quotes: the whole field belongs into "
                           "quotes, and this one is doubled",
                           err);
    *field = lt_slice(start, (size_t)(csv->at - start));
    return LEAT_OK;
}

leat_status lt_csv_next(struct lt_csv *csv, struct lt_slice *fields, size_t room, size_t *n_fields,
                        struct leat_error *err) {
    leat_status status = LEAT_OK;
    size_t n = 0;

    *n_fields = 0;
    while (take_line_end(csv))
        ;
    csv->record_line = csv->line;
    while (csv->at < csv->end) {
        if (n == room)
            return fail_at(csv, csv->record_line, "the record has too many fields", err);
        status =
            *csv->at == '"' ? read_quoted(csv, &fields[n], err) : read_bare(csv, &fields[n], err);
        if (status != LEAT_OK)
            return status;
        n++;
        if (csv->at == csv->end || take_line_end(csv))
            break;
        if (*csv->at != ',')
            return fail_at(csv, csv->line,
                           *csv->at == '\r' ? "a carriage return that ends no line"
                                            : "text behind a closing quote",
                           err);
        csv->at++;
        if (csv->at == csv->end) { /* the last field is empty */
            if (n == room)
                return fail_at(csv, csv->record_line, "the record has too many fields", err);
            fields[n++] = lt_slice("", 0);
        }
    }
    *n_fields = n;
    return LEAT_OK;
}
