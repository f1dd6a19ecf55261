/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <stdlib.h>

static bool starts_number(char c) {
    return c == '-' || (c >= '0' && c <= '9');
}

static bool is_number_byte(char c) {
    return starts_number(c) || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* The number at `*at`, which is moved behind it. */
static double take_number(struct lt_slice text, size_t *at) {
    char digits[512];
    size_t n = 0;

    while (*at < text.len && is_number_byte(text.data[*at]) && n + 1 < sizeof(digits))
        digits[n++] = text.data[(*at)++];
    digits[n] = '\0';
    double value = strtod(digits, NULL);
    if (value > 1.7976931348623157e308)
        return 1.7976931348623157e308; /* as jq prints what is over a double */
    return value < -1.7976931348623157e308 ? -1.7976931348623157e308 : value;
}

bool lt_texts_are_same(struct lt_slice a, struct lt_slice b) {
    size_t i = 0, k = 0;
    bool quoted = false;

    while (i < a.len && k < b.len) {
        if (!quoted && starts_number(a.data[i]) && starts_number(b.data[k])) {
            if (take_number(a, &i) != take_number(b, &k))
                return false;
            continue;
        }
        if (a.data[i] != b.data[k])
            return false;
        if (quoted && a.data[i] == '\\') {
            if (i + 1 >= a.len || k + 1 >= b.len || a.data[i + 1] != b.data[k + 1])
                return false;
            i++, k++;
        } else if (a.data[i] == '"') {
            quoted = !quoted;
        }
        i++, k++;
    }
    return i == a.len && k == b.len;
}
