/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the scanners: a byte at a time outside strings, the validator's own inside. */
#include "json/scan.h"
#include "json/scanner.h"

enum byte_class { SCALAR, SPACE, STRUCTURE, QUOTE };

static const unsigned char classes[256] = {
    [' '] = SPACE,     ['\t'] = SPACE,    ['\n'] = SPACE,    ['\r'] = SPACE,
    ['{'] = STRUCTURE, ['}'] = STRUCTURE, ['['] = STRUCTURE, [']'] = STRUCTURE,
    [':'] = STRUCTURE, [','] = STRUCTURE, ['"'] = QUOTE,
};

static inline enum byte_class class_of(char c) {
    return (enum byte_class)classes[(unsigned char)c];
}

/* NULL at bytes that no text has outside its strings. */
static const char *skip_scalar(const char *at, const char *end) {
    while (at < end && class_of(*at) == SCALAR) {
        if ((unsigned char)*at > 0x7f || *at == '\\')
            return NULL;
        at++;
    }
    return at;
}

/* `at` is after the opening quote. */
static const char *skip_string(const char *at, const char *end, unsigned *flags) {
    struct lt_json_fault fault;
    const char *after = lt_json_check_string(at, end, &fault);

    if (!after)
        return NULL;
    for (const char *c = at; c < after; c++) {
        if (*c == '\\')
            *flags |= LT_JSON_HAS_ESCAPES;
        if ((unsigned char)*c > 0x7f)
            *flags |= LT_JSON_HAS_NON_ASCII;
    }
    return after;
}

bool lt_json_scan_portable(struct lt_json_tape *tape) {
    const char *text = tape->text, *at = text, *end = text + tape->len;
    uint32_t *token = tape->at;
    unsigned flags = 0;

    while (at < end) {
        enum byte_class class = class_of(*at);
        if (class != SPACE)
            *token++ = (uint32_t)(at - text);
        if (class == SCALAR) {
            at = skip_scalar(at, end);
        } else if (class == QUOTE) {
            at = skip_string(at + 1, end, &flags);
        } else {
            at++;
        }
        if (!at)
            return false;
    }
    *token = tape->len;
    tape->n = (uint32_t)(token - tape->at);
    tape->flags = flags;
    return true;
}
