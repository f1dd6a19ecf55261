/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar over the tokens, and the cursor. Strings and white space were settled by the scan:
 * between two tokens stands one string, or one run of bytes that are not white space and then white
 * space only. What is left is the order of tokens, numbers, words and depth: one pass, no
 * recursion, no memory (while a container is open its `jump` is the token of the container around
 * it).
 *
 * This pass only says yes or no; at a no the validator says what is wrong.
 */
#include "json/tape.h"
#include "json/scan.h"
#include "json/scanner.h"

#include "base/error.h"

static inline bool is_digit(char c) {
    return (unsigned char)(c - '0') <= 9;
}

/* Eight bytes at a time while the text has them: a loop by single digits is one wrong guess a
 * number. */
static inline const char *skip_digits(const char *at, const char *end) {
    for (; end - at >= 8; at += 8) {
        uint64_t other = lt_json_not_digits(at);
        if (other)
            return at + __builtin_ctzll(other) / 8;
    }
    while (at < end && is_digit(*at))
        at++;
    return at;
}

static inline uint32_t four(const char *text) {
    uint32_t bytes;

    memcpy(&bytes, text, sizeof(bytes));
    return bytes;
}

static inline bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The byte after a number; NULL when it is not one. */
static inline const char *skip_number(const char *at, const char *end) {
    at += *at == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    at = *at == '0' ? at + 1 : skip_digits(at + 1, end);
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction)
            return NULL;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        const char *exponent = at;
        at = skip_digits(exponent, end);
        if (at == exponent)
            return NULL;
    }
    return at;
}

/* The byte after `true`, `false` or `null`; NULL when it is none of them. Which of them is not
 * asked by a branch: data that is true here and false there would be guessed wrong half the time.
 */
static inline const char *skip_word(const char *at, const char *end) {
    if (end - at < 5)
        return end - at == 4 && (four(at) == four("true") || four(at) == four("null")) ? end : NULL;
    uint32_t first = four(at);
    int is_4 = (int)(first == four("true")) | (int)(first == four("null"));
    int is_5 = (int)(first == four("fals")) & (int)(at[4] == 'e');
    return (is_4 | is_5) ? at + 4 + is_5 : NULL;
}

/* As skip_number(); a whole number of up to seven digits without a loop. */
static inline __attribute__((always_inline)) const char *skip_number_fast(const char *at,
                                                                          const char *end) {
    if (end - at >= 8) {
        uint64_t other = lt_json_not_digits(at);
        unsigned n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
        char c = at[n & 7];
        if (n - 1 < 7 && (*at != '0' || n == 1) && c != '.' && (c | 0x20) != 'e')
            return at + n;
    }
    return skip_number(at, end);
}

/* A number or a word that fills the place from its token to the next, less white space. */
static inline bool check_plain(const char *at, const char *next, const char *end) {
    const char *after = *at >= 'a' ? skip_word(at, end) : skip_number_fast(at, end);
    return after && (after == next || is_space(*after));
}

/*
 * The caller has made sure that the last token is a closer. So no token at or past `n` is read:
 * whatever is not a closer has one behind it, and after a closer `n` is looked at.
 */
static bool check_container(const struct lt_json_tape *tape, unsigned max_depth) {
    const char *const text = tape->text, *const end = text + tape->len;
    const uint32_t *const at = tape->at;
    uint32_t *const jump = tape->jump;
    const uint32_t n = tape->n;
    uint32_t i = 0, open = 0;
    unsigned depth = 0;
    char closer = 0;

    for (;;) {
        if (closer == '}') {
            if (text[at[i]] != '"' || text[at[i + 1]] != ':')
                return false;
            i += 2;
        }
        char c = text[at[i]];
        if ((c | 0x20) == '{') {
            if (depth++ == max_depth)
                return false;
            jump[i] = open;
            open = i++;
            closer = (char)(c + 2);
            if (text[at[i]] != closer)
                continue;
        } else {
            if (c != '"' && !check_plain(text + at[i], text + at[i + 1], end))
                return false;
            i++;
        }
        while (text[at[i]] != ',') {
            if (text[at[i]] != closer)
                return false;
            uint32_t around = jump[open];
            jump[open] = i++;
            if (--depth == 0 || i == n)
                return depth == 0 && i == n;
            open = around;
            closer = (char)(text[at[open]] + 2);
        }
        i++;
    }
}

static bool check_grammar(struct lt_json_tape *tape, unsigned max_depth) {
    if (tape->n == 0)
        return false;
    const char *end = tape->text + tape->len;
    char first = tape->text[tape->at[0]];
    if (first != '{' && first != '[')
        return tape->n == 1 && (first == '"' || check_plain(tape->text + tape->at[0], end, end));
    char last = tape->text[tape->at[tape->n - 1]];
    return (last == '}' || last == ']') && check_container(tape, max_depth);
}

leat_status lt_json_tape_parse(struct lt_json_tape *tape, struct lt_slice text, unsigned max_depth,
                               struct leat_error *err) {
    leat_status status = lt_json_tape_scan(tape, text, err);

    if (max_depth > LT_JSON_MAX_DEPTH)
        max_depth = LT_JSON_MAX_DEPTH;
    if (status == LEAT_OK && check_grammar(tape, max_depth))
        return LEAT_OK;
    if (status != LEAT_OK && status != LEAT_E_PARSE)
        return status;
    struct lt_json value;
    status = lt_json_validate(&value, text, max_depth, err);
    if (status == LEAT_OK)
        status = lt_fail(err, LEAT_E_INTERNAL, 0, "valid JSON refused by its tokens");
    return status;
}

bool lt_json_small_tape_parse(struct lt_json_small_tape *small, struct lt_slice text,
                              unsigned max_depth) {
    if (text.len < LT_JSON_LEAST_SMALL || text.len > LT_JSON_MOST_SMALL || !lt_json_scan_is_fast())
        return false;
    small->tape = (struct lt_json_tape){.text = text.data,
                                        .len = (uint32_t)text.len,
                                        .at = small->at,
                                        .jump = small->jump,
                                        .cap = LT_JSON_SMALL_CAP};
    return lt_json_scan(&small->tape) &&
           check_grammar(&small->tape,
                         max_depth < LT_JSON_MAX_DEPTH ? max_depth : LT_JSON_MAX_DEPTH);
}

leat_status lt_json_parse(struct lt_json *out, struct lt_slice text, unsigned max_depth,
                          struct leat_error *err) {
    struct lt_json_small_tape small;

    if (lt_json_small_tape_parse(&small, text, max_depth)) {
        *out = lt_json_tape_value(&small.tape, 0);
        return LEAT_OK;
    }
    return lt_json_validate(out, text, max_depth, err);
}

struct lt_json lt_json_tape_value(const struct lt_json_tape *tape, uint32_t token) {
    enum lt_json_type type = lt_json_tape_type(tape, token);

    if (type != LT_JSON_OBJECT && type != LT_JSON_ARRAY)
        return (struct lt_json){type, lt_json_tape_scalar(tape, token)};
    const char *start = tape->text + tape->at[token];
    const char *last = tape->text + tape->at[tape->jump[token]];
    return (struct lt_json){type, {start, (size_t)(last + 1 - start)}};
}

/* Whether two runs of `len` bytes are the same; short ones by two loads that overlap. */
static inline bool same(const char *a, const char *b, size_t len) {
    uint64_t a8[2], b8[2];

    if (len > 16 || len < 4)
        return len == 0 || memcmp(a, b, len) == 0;
    if (len < 8)
        return four(a) == four(b) && four(a + len - 4) == four(b + len - 4);
    memcpy(&a8[0], a, 8);
    memcpy(&a8[1], a + len - 8, 8);
    memcpy(&b8[0], b, 8);
    memcpy(&b8[1], b + len - 8, 8);
    return !((a8[0] ^ b8[0]) | (a8[1] ^ b8[1]));
}

/* Nearly all names have no escape, and their colon next to them: then the length says no to most.
 */
static inline bool name_is(const struct lt_json_tape *tape, uint32_t token, struct lt_slice name) {
    const char *quote = tape->text + tape->at[token];
    size_t len = tape->at[token + 1] - tape->at[token];

    if (__builtin_expect(quote[len - 1] == '"' && !(tape->flags & LT_JSON_HAS_ESCAPES), 1))
        return len == name.len + 2 && same(quote + 1, name.data, name.len);
    return lt_json_string_is((struct lt_json){LT_JSON_STRING, lt_json_tape_scalar(tape, token)},
                             name);
}

uint32_t lt_json_tape_get(const struct lt_json_tape *tape, uint32_t object, struct lt_slice name) {
    if (tape->text[tape->at[object]] != '{' || tape->jump[object] == object + 1)
        return 0;
    uint32_t closer = tape->jump[object], found = 0;
    for (uint32_t at = object + 1;; at++) {
        if (name_is(tape, at, name))
            found = at + 2;
        at = lt_json_tape_skip(tape, at + 2);
        if (at >= closer)
            return found;
    }
}
