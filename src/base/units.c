/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes, durations and times as people write them. A number is digits with an
 * optional fraction, read in whole thousandths of a unit's base so that "1.5h" is exact;
 * what does not fit is refused, never wrapped.
 */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t size;
};

static const struct unit byte_units[] = {
    {"", 1},
    {"b", 1},
    {"k", 1000},
    {"kb", 1000},
    {"m", 1000000},
    {"mb", 1000000},
    {"g", 1000000000},
    {"gb", 1000000000},
    {"t", 1000000000000},
    {"tb", 1000000000000},
    {"ki", 1ULL << 10},
    {"kib", 1ULL << 10},
    {"mi", 1ULL << 20},
    {"mib", 1ULL << 20},
    {"gi", 1ULL << 30},
    {"gib", 1ULL << 30},
    {"ti", 1ULL << 40},
    {"tib", 1ULL << 40},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"", 1000},     {"ms", 1},      {"s", 1000},     {"sec", 1000},    {"m", 60000},
    {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}, {NULL, 0},
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct lt_slice trim(struct lt_slice text) {
    while (text.len && text.data[0] == ' ')
        text = lt_slice_from(text, 1);
    while (text.len && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Takes digits off the front of `text`; false when there are none or they do not fit. */
static bool take_digits(struct lt_slice *text, uint64_t *value) {
    size_t n = 0;

    *value = 0;
    for (; n < text->len && is_digit(text->data[n]); n++)
        if (__builtin_mul_overflow(*value, 10U, value) ||
            __builtin_add_overflow(*value, (uint64_t)(text->data[n] - '0'), value))
            return false;
    *text = lt_slice_from(*text, n);
    return n > 0;
}

/* Takes ".5" off the front of `text`, if it is there, as a part of `size`, cut to a whole. */
static bool take_fraction(struct lt_slice *text, uint64_t size, uint64_t *part) {
    *part = 0;
    if (!text->len || text->data[0] != '.')
        return true;
    *text = lt_slice_from(*text, 1);
    if (!text->len || !is_digit(text->data[0]))
        return false;
    uint64_t value = 0, scale = 1;
    for (; text->len && is_digit(text->data[0]); *text = lt_slice_from(*text, 1))
        if (scale < 1000000) {
            value = value * 10 + (uint64_t)(text->data[0] - '0');
            scale *= 10;
        }
    *part = size / scale * value + size % scale * value / scale;
    return true;
}

static const struct unit *find_unit(const struct unit *units, struct lt_slice name) {
    for (; units->name; units++)
        if (strlen(units->name) == name.len &&
            (name.len == 0 || !strncasecmp(units->name, name.data, name.len)))
            return units;
    return NULL;
}

static struct lt_slice unit_text(struct lt_slice text) {
    while (text.len && (is_digit(text.data[0]) || text.data[0] == '.'))
        text = lt_slice_from(text, 1);
    return trim(text);
}

static bool parse_amount(struct lt_slice text, const struct unit *units, uint64_t *amount) {
    const struct unit *unit;
    uint64_t whole, part;

    text = trim(text);
    unit = find_unit(units, unit_text(text));
    if (!unit || !take_digits(&text, &whole) || !take_fraction(&text, unit->size, &part))
        return false;
    text = trim(text);
    return text.len == strlen(unit->name) && !__builtin_mul_overflow(whole, unit->size, amount) &&
           !__builtin_add_overflow(*amount, part, amount);
}

leat_status lt_parse_bytes(struct lt_slice text, uint64_t *bytes, struct leat_error *err) {
    if (parse_amount(text, byte_units, bytes))
        return LEAT_OK;
    return lt_fail(err, LEAT_E_INVALID, 0,
                   "\"%.*s\" is not a size; write it as 5MiB, 64kB, 1.5GiB or 1048576",
                   LT_FMT(lt_slice(text.data, text.len < 64 ? text.len : 64)));
}

leat_status lt_parse_duration(struct lt_slice text, int64_t *ms, struct leat_error *err) {
    uint64_t amount;

    if (parse_amount(text, duration_units, &amount) && amount <= INT64_MAX) {
        *ms = (int64_t)amount;
        return LEAT_OK;
    }
    return lt_fail(err, LEAT_E_INVALID, 0,
                   "\"%.*s\" is not a duration; write it as 60s, 250ms, 5m, 24h or 7d",
                   LT_FMT(lt_slice(text.data, text.len < 64 ? text.len : 64)));
}

char *lt_format_bytes(uint64_t bytes, char out[32]) {
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t i = 0;

    /* what would be shown as 1024 is shown as 1 of the next */
    while (value >= 1023.5 && i + 1 < sizeof(names) / sizeof(names[0])) {
        value /= 1024;
        i++;
    }
    uint64_t tenths = (uint64_t)(value * 10 + 0.5);
    if (i > 0 && tenths < 100 && tenths % 10)
        snprintf(out, 32, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, names[i]);
    else
        snprintf(out, 32, "%.0f %s", value, names[i]);
    return out;
}

char *lt_format_count(uint64_t n, char out[32]) {
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}
