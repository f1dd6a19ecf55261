/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON. A string is copied in runs of bytes that stand for themselves; the
 * writer keeps two bits a level: has it members, is it an object. What it writes is
 * always valid JSON, whatever bytes it is given, as long as `raw` values are.
 */
#include "json/json.h"
#include "json/scan.h"

#include <assert.h>

enum { WRITER_DEPTH = 64 };

/* Bytes to replace by one U+FFFD: what could have begun a sequence, at least one. */
static size_t bad_len(const char *at, const char *end) {
    size_t n = 1;

    while (n < 3 && at + n < end && (at[n] & 0xc0) == 0x80) {
        char tail[4] = {0};
        memcpy(tail, at, n + 1);
        /* a prefix is a good one when some continuation makes it whole */
        bool good = false;
        for (int fill = 0x80; fill <= 0xbf && !good; fill += 0x3f) {
            memset(tail + n + 1, fill, sizeof(tail) - n - 1);
            good = lt_utf8_len(tail, tail + sizeof(tail)) > n + 1;
        }
        if (!good)
            break;
        n++;
    }
    return n;
}

static void write_escape(struct lt_buf *out, unsigned char c) {
    static const char names[0x80] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    static const char hex[] = "0123456789abcdef";

    if (names[c]) {
        char pair[2] = {'\\', names[c]};
        lt_buf_append(out, lt_slice(pair, 2));
    } else {
        char unit[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        lt_buf_append(out, lt_slice(unit, 6));
    }
}

void lt_json_write_string(struct lt_buf *out, struct lt_slice text) {
    const char *at = text.data ? text.data : "";
    const char *end = at + text.len;

    const char *stop = lt_json_scan_plain(at, end);
    if (stop == end) { /* most strings */
        char *to = lt_buf_reserve(out, text.len + 2);
        if (!to)
            return;
        *to = '"';
        memcpy(to + 1, at, text.len);
        to[text.len + 1] = '"';
        lt_buf_commit(out, text.len + 2);
        return;
    }
    lt_buf_append_byte(out, '"');
    for (;; stop = lt_json_scan_plain(at, end)) {
        lt_buf_append(out, lt_slice(at, (size_t)(stop - at)));
        at = stop;
        if (at == end)
            break;
        if ((unsigned char)*at < 0x80) {
            write_escape(out, (unsigned char)*at);
            at++;
            continue;
        }
        unsigned n = lt_utf8_len(at, end);
        lt_buf_append(out, n ? lt_slice(at, n) : LT_LIT("\xef\xbf\xbd"));
        at += n ? n : bad_len(at, end);
    }
    lt_buf_append_byte(out, '"');
}

void lt_json_writer_init(struct lt_json_writer *w, struct lt_buf *out) {
    *w = (struct lt_json_writer){.out = out};
}

static uint64_t level_bit(const struct lt_json_writer *w) {
    assert(w->depth > 0);
    return 1ULL << (w->depth - 1);
}

/* Before a name, or an element of an array. */
static void separate(struct lt_json_writer *w) {
    uint64_t bit = level_bit(w);

    if (w->has_members & bit)
        lt_buf_append_byte(w->out, ',');
    w->has_members |= bit;
}

void lt_json_before_value(struct lt_json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0) {
        assert(!w->done); /* a text is one value */
        return;
    }
    assert(!(w->is_object & level_bit(w))); /* a value in an object follows its key */
    separate(w);
}

void lt_json_after_value(struct lt_json_writer *w) {
    w->done = w->depth == 0;
}

static void begin(struct lt_json_writer *w, bool is_object) {
    lt_json_before_value(w);
    assert(w->depth < WRITER_DEPTH);
    w->depth++;
    uint64_t bit = level_bit(w);
    w->has_members &= ~bit;
    w->is_object = is_object ? w->is_object | bit : w->is_object & ~bit;
    lt_buf_append_byte(w->out, is_object ? '{' : '[');
}

static void end(struct lt_json_writer *w, bool is_object) {
    assert(!w->after_key); /* a key without its value */
    assert(!!(w->is_object & level_bit(w)) == is_object);
    w->depth--;
    lt_buf_append_byte(w->out, is_object ? '}' : ']');
    lt_json_after_value(w);
}

void lt_json_begin_object(struct lt_json_writer *w) {
    begin(w, true);
}

void lt_json_end_object(struct lt_json_writer *w) {
    end(w, true);
}

void lt_json_begin_array(struct lt_json_writer *w) {
    begin(w, false);
}

void lt_json_end_array(struct lt_json_writer *w) {
    end(w, false);
}

void lt_json_key_slice(struct lt_json_writer *w, struct lt_slice key) {
    assert(!w->after_key);
    assert(w->is_object & level_bit(w));
    separate(w);
    lt_json_write_string(w->out, key);
    lt_buf_append_byte(w->out, ':');
    w->after_key = true;
}

void lt_json_key(struct lt_json_writer *w, const char *key) {
    lt_json_key_slice(w, lt_slice_str(key));
}

void lt_json_put_raw(struct lt_json_writer *w, struct lt_slice json) {
    lt_json_before_value(w);
    lt_buf_append(w->out, json);
    lt_json_after_value(w);
}

void lt_json_put_string(struct lt_json_writer *w, struct lt_slice text) {
    lt_json_before_value(w);
    lt_json_write_string(w->out, text);
    lt_json_after_value(w);
}

void lt_json_put_str(struct lt_json_writer *w, const char *text) {
    lt_json_put_string(w, lt_slice_str(text));
}

void lt_json_put_uint(struct lt_json_writer *w, uint64_t value) {
    lt_json_before_value(w);
    lt_buf_append_u64(w->out, value);
    lt_json_after_value(w);
}

void lt_json_put_int(struct lt_json_writer *w, int64_t value) {
    lt_json_before_value(w);
    if (value < 0)
        lt_buf_append_byte(w->out, '-');
    lt_buf_append_u64(w->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    lt_json_after_value(w);
}

void lt_json_put_double(struct lt_json_writer *w, double value) {
    char text[32];
    size_t len = lt_json_format_double(value, text);

    lt_json_put_raw(w, lt_slice(text, len));
}

void lt_json_put_bool(struct lt_json_writer *w, bool value) {
    lt_json_put_raw(w, lt_slice_str(value ? "true" : "false"));
}

void lt_json_put_null(struct lt_json_writer *w) {
    lt_json_put_raw(w, LT_LIT("null"));
}
