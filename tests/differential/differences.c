/* SPDX-License-Identifier: Apache-2.0 */
#include "differences.h"

#include "base/buf.h"
#include "compare.h"

#include <string.h>

/* Those that jq writes in jq, and shows an inner step of where a path is asked for. */
static bool has_inner_steps(const char *expression) {
    static const char *const names[] = {
        "ascii_downcase", "ascii_upcase", "capture(", "from_entries", "fromstream(",
        "scan(",          "split(",       "splits(",  "sub(",         "unique"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(expression, names[i]))
            return true;
    return false;
}

/* The text without what such an error shows. */
static void drop_shown(struct lt_slice text, struct lt_buf *out) {
    static const char error[] = "Invalid path expression near attempt to ";
    size_t n = sizeof(error) - 1;

    lt_buf_init(out, 64 << 20);
    for (size_t i = 0; i < text.len; i++) {
        lt_buf_append_byte(out, text.data[i]);
        if (i + 1 < n || memcmp(text.data + i + 1 - n, error, n) != 0)
            continue;
        for (; i + 1 < text.len && text.data[i + 1] != '"'; i++)
            i += text.data[i + 1] == '\\';
    }
}

static bool differ_in_what_is_shown(const char *expression, struct lt_slice a, struct lt_slice b) {
    struct lt_buf x, y;

    if (!has_inner_steps(expression))
        return false;
    drop_shown(a, &x);
    drop_shown(b, &y);
    bool same = x.len != a.len && lt_texts_are_same(lt_buf_slice(&x), lt_buf_slice(&y));
    lt_buf_deinit(&x);
    lt_buf_deinit(&y);
    return same;
}

/* The text without the numbers of breaks that a `catch` has shown. */
static void drop_labels(struct lt_slice text, struct lt_buf *out) {
    static const char name[] = "{\"__jq\":";

    lt_buf_init(out, 64 << 20);
    for (size_t i = 0; i < text.len; i++) {
        lt_buf_append_byte(out, text.data[i]);
        if (i + 1 < sizeof(name) - 1 || memcmp(text.data + i + 2 - sizeof(name), name, 8) != 0)
            continue;
        while (i + 1 < text.len && text.data[i + 1] >= '0' && text.data[i + 1] <= '9')
            i++;
    }
}

static bool differ_in_labels(struct lt_slice a, struct lt_slice b) {
    struct lt_buf x, y;

    drop_labels(a, &x);
    drop_labels(b, &y);
    bool same = x.len != a.len && lt_texts_are_same(lt_buf_slice(&x), lt_buf_slice(&y));
    lt_buf_deinit(&x);
    lt_buf_deinit(&y);
    return same;
}

/* libjq fails within `tostream`, where we go on to what takes its events. */
static bool fails_in_tostream(const char *expression, struct lt_slice expected) {
    static const char error[] = "Invalid path expression near attempt to iterate through [";

    return strstr(expression, "tostream") &&
           memmem(expected.data, expected.len, error, sizeof(error) - 1);
}

bool lt_is_known_difference(const char *expression, struct lt_slice expected, struct lt_slice got) {
    return differ_in_what_is_shown(expression, expected, got) || differ_in_labels(expected, got) ||
           fails_in_tostream(expression, expected);
}
