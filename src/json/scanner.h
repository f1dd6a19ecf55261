/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_SCANNER_H
#define LT_JSON_SCANNER_H

/*
 * A scanner fills a tape's `at`, `n` and `flags` from its `text` and `len`; `cap` is at least
 * len + LT_JSON_TAPE_PADDING, and what lies behind at[n] is the scanner's to overwrite. All of them
 * find the same tokens in a text without faults; each says false at a fault, and the words for it
 * are found by the validator.
 */

#include "json/tape.h"

enum { LT_JSON_TAPE_PADDING = 65 }; /**< the end's entry, and what a block's store may exceed */

/** As lt_json_parse(), byte by byte. */
LEAT_MUST_CHECK leat_status lt_json_validate(struct lt_json *out, struct lt_slice text,
                                             unsigned max_depth, struct leat_error *err);

typedef bool lt_json_scan_fn(struct lt_json_tape *tape);

/** By the scanner in use. */
bool lt_json_scan(struct lt_json_tape *tape);

/** Whether that is faster than the validator: it is not the portable one. */
bool lt_json_scan_is_fast(void);

/* A text for which the validator would take longer, and whose tape fits on the stack. */
enum {
    LT_JSON_LEAST_SMALL = 24,
    LT_JSON_MOST_SMALL = 1024,
    LT_JSON_SMALL_CAP = LT_JSON_MOST_SMALL + LT_JSON_TAPE_PADDING,
};

/** Left uninitialised: of its 9 KB a text touches what it needs. */
struct lt_json_small_tape {
    struct lt_json_tape tape;
    uint32_t at[LT_JSON_SMALL_CAP], jump[LT_JSON_SMALL_CAP];
};

/** As lt_json_tape_parse(). False where the text is no JSON, or not of that kind. */
bool lt_json_small_tape_parse(struct lt_json_small_tape *small, struct lt_slice text,
                              unsigned max_depth);

lt_json_scan_fn lt_json_scan_portable;
#ifdef __x86_64__
lt_json_scan_fn lt_json_scan_avx512, lt_json_scan_avx2, lt_json_scan_sse42;
/* Whether this machine can run it. */
bool lt_json_has_avx512(void);
bool lt_json_has_avx2(void);
bool lt_json_has_sse42(void);
#endif
#ifdef __aarch64__
lt_json_scan_fn lt_json_scan_neon;
#endif

#endif
