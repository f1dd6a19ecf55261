/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a YAML file: what is acceptable, where lines start, and the way back from a
 * scalar's value to the bytes that it came from. A line ends at LF, CR LF or CR, as YAML and
 * editors have it; columns count characters.
 */
#include "pipeline/yaml.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_break(char c) {
    return c == '\n' || c == '\r';
}

/* Length of the UTF-8 sequence at `at` (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *at, size_t left) {
    static const struct {
        unsigned char first, last, second_low, second_high;
        size_t len;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (*at < forms[i].first || *at > forms[i].last)
            continue;
        size_t len = forms[i].len;
        if (len > left ||
            (len > 1 && (at[1] < forms[i].second_low || at[1] > forms[i].second_high)))
            return 0;
        for (size_t k = 2; k < len; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return len;
    }
    return 0;
}

static leat_status fail_at(const struct lt_yaml_source *source, size_t offset,
                           struct leat_error *err, const char *what) {
    unsigned line, column;

    lt_yaml_place(source, offset, &line, &column);
    lt_fail(err, LEAT_E_CONFIG, 0, "%s", what);
    if (err) {
        err->line = line;
        err->column = column;
    }
    return LEAT_E_CONFIG;
}

static leat_status check_bytes(const struct lt_yaml_source *source, struct leat_error *err) {
    const unsigned char *bytes = (const unsigned char *)source->text.data;
    size_t len = source->text.len;

    for (size_t i = 0; i < len;) {
        if (!bytes[i])
            return fail_at(source, i, err,
                           "the file holds a NUL byte; expected a text file in UTF-8");
        size_t step = utf8_length(bytes + i, len - i);
        if (!step)
            return fail_at(source, i, err, "the file is not UTF-8; expected a text file in UTF-8");
        i += step;
    }
    return LEAT_OK;
}

/* libfyaml 0.7 takes a time that grows with the square of the blank lines that start a block. */
static leat_status check_blank_lines(const struct lt_yaml_source *source, struct leat_error *err) {
    size_t n_blank = 0;

    for (size_t i = 0; i < source->n_lines; i++) {
        size_t at = source->lines[i];
        while (at < source->text.len && is_blank(source->text.data[at]))
            at++;
        bool blank = at == source->text.len || is_break(source->text.data[at]);
        n_blank = blank ? n_blank + 1 : 0;
        if (n_blank > LT_YAML_MAX_BLANK_LINES)
            return fail_at(source, source->lines[i], err,
                           "over 1,000 blank lines in a row are not read");
    }
    return LEAT_OK;
}

/* Offset after the line end at or after `at`; the text's length when there is none. */
static size_t next_line(struct lt_slice text, size_t at) {
    while (at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
        at++;
    if (at + 1 < text.len && text.data[at] == '\r' && text.data[at + 1] == '\n')
        at++;
    return at < text.len ? at + 1 : at;
}

leat_status lt_yaml_source_init(struct lt_yaml_source *source, struct lt_slice file,
                                struct lt_arena *arena, struct leat_error *err) {
    size_t n = 1;

    *source = (struct lt_yaml_source){0};
    if (file.len > LT_YAML_MAX_BYTES)
        return lt_fail(err, LEAT_E_CONFIG, 0, "the file has %zu bytes; at most %d are read",
                       file.len, LT_YAML_MAX_BYTES);
    if (lt_slice_starts(file, LT_LIT("\xef\xbb\xbf")))
        file = lt_slice_from(file, 3);
    source->text = lt_arena_dup(arena, file);
    for (size_t at = next_line(file, 0); at < file.len; at = next_line(file, at))
        n++;
    source->lines = lt_arena_calloc(arena, n, sizeof(size_t));
    if (!source->text.data || !source->lines)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a file of %zu bytes", file.len);
    for (size_t at = 0; source->n_lines < n; at = next_line(file, at))
        source->lines[source->n_lines++] = at;
    leat_status status = check_bytes(source, err);
    return status == LEAT_OK ? check_blank_lines(source, err) : status;
}

/* Index of the line that holds `offset`. */
static size_t line_of(const struct lt_yaml_source *source, size_t offset) {
    size_t low = 0, high = source->n_lines;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void lt_yaml_place(const struct lt_yaml_source *source, size_t offset, unsigned *line,
                   unsigned *column) {
    *line = *column = 1;
    if (!source->n_lines)
        return;
    if (offset > source->text.len)
        offset = source->text.len;
    size_t index = line_of(source, offset);
    *line = (unsigned)index + 1;
    for (size_t i = source->lines[index]; i < offset; i++)
        *column += ((unsigned char)source->text.data[i] & 0xc0) != 0x80;
}

struct lt_slice lt_yaml_line(const struct lt_yaml_source *source, unsigned line) {
    if (line < 1 || line > source->n_lines)
        return lt_slice("", 0);
    struct lt_slice text = lt_slice_from(source->text, source->lines[line - 1]);
    size_t len = 0;
    while (len < text.len && text.data[len] != '\n' && text.data[len] != '\r')
        len++;
    return lt_slice(text.data, len);
}

/* The walk of lt_yaml_source_offset(): `at` goes over the source as `value` is consumed. */
struct walk {
    struct lt_slice text;
    size_t at, end;
    enum lt_yaml_style style;
    size_t indent; /* of a block scalar: blanks at the start of each line that are not its text */
};

static void skip_blanks(struct walk *w, size_t max) {
    while (max-- > 0 && w->at < w->end && is_blank(w->text.data[w->at]))
        w->at++;
}

/* True when only blanks stand between `at` and a line end. */
static bool at_line_end(const struct walk *w) {
    size_t i = w->at;
    while (i < w->end && is_blank(w->text.data[i]))
        i++;
    return i < w->end && is_break(w->text.data[i]);
}

/* Over all line ends here and the indentation after them. */
static void skip_fold(struct walk *w) {
    while (w->at < w->end && at_line_end(w)) {
        skip_blanks(w, SIZE_MAX);
        w->at = next_line(w->text, w->at);
    }
    skip_blanks(w, w->style == LT_YAML_FOLDED ? w->indent : SIZE_MAX);
}

/* Bytes of the escape at `at` (a backslash) in the source. */
static size_t escape_length(const struct walk *w) {
    char kind = w->at + 1 < w->end ? w->text.data[w->at + 1] : 0;
    return kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
}

static size_t character_length(struct lt_slice value, size_t i) {
    size_t len = utf8_length((const unsigned char *)value.data + i, value.len - i);
    return len ? len : 1;
}

/* Over a line end that a backslash takes away: it is nothing in the value. */
static void skip_continuation(struct walk *w) {
    while (w->style == LT_YAML_DOUBLE_QUOTED && w->at + 1 < w->end && w->text.data[w->at] == '\\' &&
           is_break(w->text.data[w->at + 1])) {
        w->at++;
        skip_fold(w);
    }
}

/* Over the source of the character of `value` at `i`; gives its bytes in the value. */
static size_t step(struct walk *w, struct lt_slice value, size_t i) {
    char c = value.data[i];
    size_t len = character_length(value, i);

    if (w->style == LT_YAML_LITERAL) {
        if (c == '\n') {
            w->at = next_line(w->text, w->at);
            skip_blanks(w, w->indent);
        } else {
            w->at += len;
        }
        return len;
    }
    if (w->style == LT_YAML_DOUBLE_QUOTED && w->at < w->end && w->text.data[w->at] == '\\') {
        w->at += escape_length(w);
        return len;
    }
    if (at_line_end(w) && (c == ' ' || c == '\n')) {
        skip_fold(w);
        return len;
    }
    if (c == '\n') /* a further line end of those skipped together */
        return len;
    w->at += w->style == LT_YAML_SINGLE_QUOTED && c == '\'' ? 2 : len;
    return len;
}

/* Spaces before the first character of the first line that is not blank. */
static size_t first_indent(struct lt_slice text, size_t at, size_t end) {
    size_t spaces = 0;

    for (; at < end && (is_blank(text.data[at]) || is_break(text.data[at])); at++)
        spaces = text.data[at] == ' ' ? spaces + 1 : 0;
    return spaces;
}

/* A block's text may itself start with blanks, so its indentation is what is over. */
static void start_block(struct walk *w, struct lt_slice value) {
    size_t in_source = first_indent(w->text, w->at, w->end);
    size_t in_value = first_indent(value, 0, value.len);

    w->indent = in_source > in_value ? in_source - in_value : 0;
    skip_blanks(w, w->indent);
}

size_t lt_yaml_source_offset(const struct lt_yaml_source *source, const struct lt_yaml_node *scalar,
                             size_t at) {
    struct walk w = {source->text, scalar->offset, scalar->end, scalar->style, 0};
    size_t i = 0;

    if (w.end > w.text.len)
        w.end = w.text.len;
    if (scalar->type != LT_YAML_SCALAR || scalar->absent)
        return scalar->offset;
    if (w.style == LT_YAML_SINGLE_QUOTED || w.style == LT_YAML_DOUBLE_QUOTED)
        w.at++;
    else if (w.style == LT_YAML_LITERAL || w.style == LT_YAML_FOLDED)
        start_block(&w, scalar->text);
    skip_continuation(&w);
    while (i < at && i < scalar->text.len && w.at < w.end) {
        i += step(&w, scalar->text, i);
        skip_continuation(&w);
    }
    return w.at < w.end ? w.at : w.end;
}
