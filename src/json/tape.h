/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_TAPE_H
#define LT_JSON_TAPE_H

#include "json/json.h"

/*
 * The structural index of one JSON text and the cursor over it. A token is each of `{ } [ ] : ,`
 * outside strings, the opening quote of each string, and the first byte of each number and word.
 * What stands between two tokens is one scalar, or white space, or nothing: so a value's bytes are
 * found from its token and the next one without looking at them again.
 *
 * A tape is reused: its memory grows to the largest text and stays (no allocation in the steady
 * state). Texts are shorter than 4 GiB.
 */

enum {
    LT_JSON_HAS_ESCAPES = 1,   /**< a backslash stands somewhere in a string */
    LT_JSON_HAS_NON_ASCII = 2, /**< a byte over 0x7f stands somewhere */
};

struct lt_json_tape {
    const char *text; /**< borrowed */
    uint32_t len;
    uint32_t n;     /**< tokens */
    uint32_t *at;   /**< byte offset of each; at[n] is `len` */
    uint32_t *jump; /**< of `{` and `[`: the token of their closer; else undefined. Only after
                       lt_json_tape_parse() */
    uint32_t cap;
    unsigned flags;
};

void lt_json_tape_deinit(struct lt_json_tape *tape);

/**
 * The scan alone: fills `at`. Finds what can be told of bytes without grammar: a string that does
 * not end, control characters in strings, bad UTF-8, bad escapes and lone surrogates. The grammar
 * (brackets, commas, colons, numbers, words, depth) is left to whoever walks the tokens: a caller
 * that finds a fault there asks lt_json_parse() for the words.
 *
 * Errors: LEAT_E_PARSE as lt_json_parse(); LEAT_E_LIMIT for 4 GiB or more; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_json_tape_scan(struct lt_json_tape *tape, struct lt_slice text,
                                              struct leat_error *err);

/**
 * Scan and grammar: after LEAT_OK the text is one valid JSON value, as lt_json_parse() would say,
 * and the tape's first token is that value.
 *
 * Errors: as lt_json_parse(), the same words and offset; LEAT_E_LIMIT; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_json_tape_parse(struct lt_json_tape *tape, struct lt_slice text,
                                               unsigned max_depth, struct leat_error *err);

/* The cursor: all of these are for a parsed tape and a token that begins a value. */

/** The value's type and own bytes. */
struct lt_json lt_json_tape_value(const struct lt_json_tape *tape, uint32_t token);

/** The type of the value alone. */
static inline enum lt_json_type lt_json_tape_type(const struct lt_json_tape *tape, uint32_t token) {
    return lt_json_type_of(tape->text[tape->at[token]]);
}

/** The token behind the value: a `,` or a closer, or `n`. */
static inline uint32_t lt_json_tape_skip(const struct lt_json_tape *tape, uint32_t token) {
    char c = tape->text[tape->at[token]];
    return c == '{' || c == '[' ? tape->jump[token] + 1 : token + 1;
}

/**
 * The bytes of a scalar (a string with its quotes): from its token to the next one, less white
 * space.
 */
static inline struct lt_slice lt_json_tape_scalar(const struct lt_json_tape *tape, uint32_t token) {
    const char *start = tape->text + tape->at[token];
    const char *end = tape->text + tape->at[token + 1];
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t')
        end--;
    return (struct lt_slice){start, (size_t)(end - start)};
}

/** First element's token, or first member's name's; 0 when the container is empty. */
static inline uint32_t lt_json_tape_first(const struct lt_json_tape *tape, uint32_t container) {
    return tape->jump[container] == container + 1 ? 0 : container + 1;
}

/** The next element's (or name's) token after the value at `token`; 0 at the end. */
static inline uint32_t lt_json_tape_next(const struct lt_json_tape *tape, uint32_t token) {
    uint32_t behind = lt_json_tape_skip(tape, token);
    return behind < tape->n && tape->text[tape->at[behind]] == ',' ? behind + 1 : 0;
}

/* In an object: `name` is a member's name token, its value stands at name + 2. */

/** The value token of the member of that name (unescaped), the last of several; 0 when absent or
 * not an object. */
uint32_t lt_json_tape_get(const struct lt_json_tape *tape, uint32_t object, struct lt_slice name);

/** As lt_json_splice(), of the tape's value at `object`. */
void lt_json_tape_splice(const struct lt_json_tape *tape, uint32_t object,
                         const struct lt_json_field *fields, size_t n_fields, struct lt_buf *out);

/** The scanner in use: "avx512", "avx2", "sse4.2", "neon", "portable". */
const char *lt_json_scanner_name(void);

/** For tests and bench: use that scanner from now on (not while another thread scans). False when
 * this machine has none of that name. */
bool lt_json_scanner_use(const char *name);

#endif
