/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers beside the C library: any text that is a JSON number gives the double of strtod() and the
 * whole number that its digits spell, and any eight bytes as a double come out as the shortest text
 * that reads back.
 */
#include "json/json.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_LEN = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

/* Moves the point by the exponent, in text, then reads what is before it; nothing but zeros may be
 * behind it. */
static bool spelled_int64(const char *text, int64_t *out) {
    char digits[MAX_LEN + 512] = "";
    size_t n = 0, places = 0;
    bool negative = *text == '-', fraction = false, zero = true;
    const char *at = text + negative;

    for (; *at && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        digits[n++] = *at;
        places += fraction;
        zero = zero && *at == '0';
    }
    *out = 0;
    if (zero)
        return true;
    long exponent = *at ? strtol(at + 1, NULL, 10) : 0; /* saturates */
    if (exponent > MAX_LEN + 400 || exponent < -(long)n)
        return false;
    for (; exponent < 0; exponent++)
        places++;
    for (; exponent > 0 && places > 0; exponent--)
        places--;
    for (; exponent > 0; exponent--) {
        if (n == sizeof(digits) - 2)
            return false;
        digits[n++] = '0';
    }
    for (; places > 0 && n > 0; places--)
        if (digits[--n] != '0')
            return false;
    if (places > 0)
        return false;
    digits[n] = '\0';
    char *first = digits;
    while (*first == '0' && first[1])
        first++;
    char whole[sizeof(digits) + 1];
    snprintf(whole, sizeof(whole), "%s%s", negative ? "-" : "", first);
    errno = 0;
    *out = strtoll(whole, NULL, 10);
    return errno == 0;
}

static void check_text(struct lt_json number) {
    char text[MAX_LEN + 1];
    int64_t whole, spelled;
    double value;

    if (number.raw.len > MAX_LEN)
        return;
    memcpy(text, number.raw.data, number.raw.len);
    text[number.raw.len] = '\0';
    must(lt_json_double(number, &value));
    double wanted = strtod(text, NULL);
    must(memcmp(&value, &wanted, sizeof(value)) == 0);
    bool fits = spelled_int64(text, &spelled);
    must(lt_json_int64(number, &whole) == fits);
    if (fits)
        must(whole == spelled);
}

static void check_value(double value) {
    char text[32], wanted[32];
    size_t len = lt_json_format_double(value, text);

    must(len == strlen(text) && len < 32);
    if (!isfinite(value)) {
        must(strcmp(text, "null") == 0);
        return;
    }
    struct lt_json number;
    double again;
    must(lt_json_parse(&number, lt_slice(text, len), 0, NULL) == LEAT_OK);
    must(lt_json_double(number, &again) && again == value && signbit(again) == signbit(value));
    check_text(number);
    for (int precision = fabs(value) < DBL_MIN ? 1 : 15; precision <= 17; precision++) {
        snprintf(wanted, sizeof(wanted), "%.*g", precision, value);
        if (strtod(wanted, NULL) == value)
            break;
    }
    must(strcmp(text, wanted) == 0);
    /* all digits: not the shortest text, but the same value */
    snprintf(wanted, sizeof(wanted), "%.*e", 18, value);
    check_text((struct lt_json){LT_JSON_NUMBER, lt_slice_str(wanted)});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_json value;
    char *copy = malloc(len ? len : 1); /* nothing readable behind it */

    must(copy != NULL);
    if (len)
        memcpy(copy, data, len);
    if (lt_json_parse(&value, lt_slice(copy, len), 0, NULL) == LEAT_OK &&
        value.type == LT_JSON_NUMBER)
        check_text(value);
    free(copy);
    if (len >= sizeof(double)) {
        double bits;
        int32_t numerator;
        memcpy(&bits, data, sizeof(bits));
        memcpy(&numerator, data, sizeof(numerator));
        check_value(bits);
        /* what prices and measures look like */
        check_value(numerator / (double[]){1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7}[data[4] & 7]);
    }
    return 0;
}
