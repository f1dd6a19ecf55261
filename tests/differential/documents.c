/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that the grammar's rows know: with members missing, null or of another kind now and
 * then, escapes, characters beyond ASCII, white space, and members that come twice. */
#include "grammar.h"

static uint32_t below(struct lt_random *random, uint32_t n) {
    return lt_random_below(random, n);
}

static void add_number(struct lt_random *random, struct lt_buf *out) {
    static const char *const texts[] = {"0",   "1",    "2",      "-1",  "3.5",  "10",   "1e2",
                                        "100", "0.25", "-2.75",  "7",   "1.0",  "42",   "999",
                                        "5",   "6",    "-0.125", "1E1", "12.5", "10000"};
    lt_buf_append_str(out, texts[below(random, sizeof(texts) / sizeof(texts[0]))]);
}

static void add_string(struct lt_random *random, struct lt_buf *out) {
    static const char *const texts[] = {"\"\"",          "\"a\"",
                                        "\"abc\"",       "\"B\"",
                                        "\"x y\"",       "\"12\"",
                                        "\"a,b, c\"",    "\"caf\\u00e9\"",
                                        "\"\\u20ac\"",   "\"\xc3\xa9t\"",
                                        "\"q\\\"uote\"", "\"tab\\tend\"",
                                        "\"<b>&'\"",     "\"\\ud83d\\ude00\"",
                                        "\"abcabc\"",    "\"2020-02-03T04:05:06Z\"",
                                        "\"1.5\"",       "\"k\"",
                                        "\"line\\n\"",   "\"aAbBcC\""};
    lt_buf_append_str(out, texts[below(random, sizeof(texts) / sizeof(texts[0]))]);
}

static void add_bool(struct lt_random *random, struct lt_buf *out) {
    lt_buf_append_str(out, below(random, 2) ? "true" : "false");
}

static void add_any(struct lt_random *random, struct lt_buf *out, unsigned depth) {
    switch (below(random, depth ? 7 : 5)) {
    case 0:
        lt_buf_append_str(out, "null");
        break;
    case 1:
        add_bool(random, out);
        break;
    case 2:
    case 3:
        add_number(random, out);
        break;
    case 4:
        add_string(random, out);
        break;
    case 5:
        lt_buf_append_byte(out, '[');
        for (uint32_t i = 0, n = below(random, 4); i < n; i++) {
            lt_buf_append_str(out, i ? "," : "");
            add_any(random, out, depth - 1);
        }
        lt_buf_append_byte(out, ']');
        break;
    default:
        lt_buf_append_str(out, "{\"k\":");
        add_any(random, out, depth - 1);
        lt_buf_append_str(out, ",\"v\":");
        add_any(random, out, depth - 1);
        lt_buf_append_byte(out, '}');
    }
}

/* What a member holds: as a rule what its name says. */
static void add_member(struct lt_random *random, struct lt_buf *out, bool *first, const char *name,
                       void (*add)(struct lt_random *, struct lt_buf *)) {
    if (below(random, 12) == 0)
        return;
    lt_buf_printf(out, "%s%s\"%s\"%s", *first ? "" : ",", below(random, 9) ? "" : " \n", name,
                  below(random, 9) ? ":" : " : ");
    *first = false;
    if (below(random, 12) == 0)
        add_any(random, out, 2);
    else
        add(random, out);
}

static void add_list(struct lt_random *random, struct lt_buf *out,
                     void (*add)(struct lt_random *, struct lt_buf *)) {
    lt_buf_append_byte(out, '[');
    for (uint32_t i = 0, n = below(random, 6); i < n; i++) {
        lt_buf_append_str(out, i ? "," : "");
        if (below(random, 15) == 0)
            add_any(random, out, 1);
        else
            add(random, out);
    }
    lt_buf_append_byte(out, ']');
}

static void add_numbers(struct lt_random *random, struct lt_buf *out) {
    add_list(random, out, add_number);
}

static void add_strings(struct lt_random *random, struct lt_buf *out) {
    add_list(random, out, add_string);
}

static void add_key(struct lt_random *random, struct lt_buf *out) {
    lt_buf_printf(out, "\"%c\"", "xyzaxk"[below(random, 6)]);
}

static void add_record(struct lt_random *random, struct lt_buf *out) {
    bool first = true;

    lt_buf_append_byte(out, '{');
    add_member(random, out, &first, "k", add_key);
    add_member(random, out, &first, "v", add_number);
    add_member(random, out, &first, "w", add_bool);
    if (below(random, 20) == 0) /* again: the last one counts, where the first one stands */
        add_member(random, out, &first, "k", add_key);
    lt_buf_append_byte(out, '}');
}

static void add_records(struct lt_random *random, struct lt_buf *out) {
    add_list(random, out, add_record);
}

static void add_object(struct lt_random *random, struct lt_buf *out) {
    bool first = true;

    lt_buf_append_byte(out, '{');
    add_member(random, out, &first, "q", add_string);
    add_member(random, out, &first, "p", add_number);
    lt_buf_append_byte(out, '}');
}

void lt_document_make(struct lt_random *random, struct lt_buf *out) {
    bool first = true;

    if (below(random, 16) == 0) {
        add_any(random, out, 3);
        return;
    }
    lt_buf_append_byte(out, '{');
    add_member(random, out, &first, "a", add_number);
    add_member(random, out, &first, "s", add_string);
    add_member(random, out, &first, "b", add_bool);
    add_member(random, out, &first, "ns", add_numbers);
    add_member(random, out, &first, "ss", add_strings);
    add_member(random, out, &first, "list", add_records);
    add_member(random, out, &first, "o", add_object);
    lt_buf_append_byte(out, '}');
}
