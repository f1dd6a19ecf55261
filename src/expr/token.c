/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/token.h"

#include "expr/lex.h"

const char *const lt_token_keywords[] = {
    "and",    "as",      "break", "catch",   "def",    "elif", "else",   "end",  "foreach", "if",
    "import", "include", "label", "__loc__", "module", "or",   "reduce", "then", "try",     NULL,
};

/* Signs of several bytes, the longest first. */
static const struct sign {
    const char *text;
    int kind;
} signs[] = {
    {"//=", LT_TOKEN_ALTERNATIVE_UPDATE},
    {"?//", LT_TOKEN_PATTERN_OR},
    {"!=", LT_TOKEN_NE},
    {"==", LT_TOKEN_EQ},
    {"//", LT_TOKEN_ALTERNATIVE},
    {"|=", LT_TOKEN_UPDATE},
    {"+=", LT_TOKEN_ADD_UPDATE},
    {"-=", LT_TOKEN_SUB_UPDATE},
    {"*=", LT_TOKEN_MUL_UPDATE},
    {"/=", LT_TOKEN_DIV_UPDATE},
    {"%=", LT_TOKEN_MOD_UPDATE},
    {"<=", LT_TOKEN_LE},
    {">=", LT_TOKEN_GE},
};

const char *lt_token_sign(int kind) {
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (signs[i].kind == kind)
            return signs[i].text;
    return NULL;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t skip_blank(struct lt_slice text, size_t at) {
    while (at < text.len) {
        char c = text.data[at];
        if (c == '#') {
            while (at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
                at++;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            at++;
        } else {
            break;
        }
    }
    return at;
}

static size_t skip_name(struct lt_slice text, size_t at) {
    while (at < text.len && lt_expr_is_name(text.data[at]))
        at++;
    return at;
}

/* A name may have parts with "::" between them, as those of modules. */
static size_t skip_long_name(struct lt_slice text, size_t at) {
    at = skip_name(text, at);
    while (text.len - at > 2 && text.data[at] == ':' && text.data[at + 1] == ':' &&
           lt_expr_is_name_start(text.data[at + 2]))
        at = skip_name(text, at + 2);
    return at;
}

static size_t skip_number(struct lt_slice text, size_t at) {
    while (at < text.len && (is_digit(text.data[at]) || text.data[at] == '.'))
        at++;
    size_t exponent = at;
    if (exponent < text.len && (text.data[exponent] == 'e' || text.data[exponent] == 'E')) {
        exponent++;
        if (exponent < text.len && (text.data[exponent] == '+' || text.data[exponent] == '-'))
            exponent++;
        size_t digits = exponent;
        while (exponent < text.len && is_digit(text.data[exponent]))
            exponent++;
        if (exponent > digits)
            return exponent;
    }
    return at;
}

static struct lt_token make(struct lt_slice text, int kind, size_t at, size_t end) {
    return (struct lt_token){kind, at, end, lt_slice(text.data + at, end - at)};
}

static struct lt_token take_word(struct lt_slice text, size_t at) {
    struct lt_token token = make(text, LT_TOKEN_NAME, at, skip_long_name(text, at));

    for (int i = 0; lt_token_keywords[i]; i++)
        if (lt_slice_eq_str(token.text, lt_token_keywords[i]))
            token.kind = LT_TOKEN_KEYWORD + i;
    return token;
}

/* Of the readings of a point the longest counts; a number before a field of the same length. */
static struct lt_token take_point(struct lt_slice text, size_t at) {
    size_t number = skip_number(text, at);
    size_t field = at + 1;

    if (field < text.len && lt_expr_is_name_start(text.data[field]))
        field = skip_name(text, field);
    else
        field = at;
    if (field > number) {
        struct lt_token token = make(text, LT_TOKEN_FIELD, at, field);
        token.text = lt_slice_from(token.text, 1);
        return token;
    }
    struct lt_token token = make(text, LT_TOKEN_NUMBER, at, number);
    if (lt_slice_eq_str(token.text, "."))
        token.kind = '.';
    else if (lt_slice_eq_str(token.text, ".."))
        token.kind = LT_TOKEN_RECURSE;
    return token;
}

static struct lt_token take_format(struct lt_slice text, size_t at) {
    size_t end = skip_name(text, at + 1);

    if (end == at + 1)
        return make(text, LT_TOKEN_BAD, at, at + 1);
    struct lt_token token = make(text, LT_TOKEN_FORMAT, at, end);
    token.text = lt_slice_from(token.text, 1);
    return token;
}

/* A byte that begins nothing, as the whole character that it is part of. */
static struct lt_token take_bad(struct lt_slice text, size_t at) {
    size_t end = at + 1;

    while (end < text.len && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end++;
    return make(text, LT_TOKEN_BAD, at, end);
}

struct lt_token lt_token_next(struct lt_slice text, size_t at) {
    at = skip_blank(text, at);
    if (at >= text.len)
        return make(text, LT_TOKEN_END, text.len, text.len);
    char c = text.data[at];
    if (lt_expr_is_name_start(c))
        return take_word(text, at);
    if (is_digit(c))
        return make(text, LT_TOKEN_NUMBER, at, skip_number(text, at));
    if (c == '.')
        return take_point(text, at);
    if (c == '"')
        return make(text, LT_TOKEN_QUOTE, at, at + 1);
    if (c == '@')
        return take_format(text, at);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (lt_slice_starts(lt_slice_from(text, at), lt_slice_str(signs[i].text)))
            return make(text, signs[i].kind, at, at + strlen(signs[i].text));
    if (c && strchr("?=;,:|+-*/%$<>[](){}", c))
        return make(text, (unsigned char)c, at, at + 1);
    return take_bad(text, at);
}

bool lt_token_number(struct lt_slice written, struct lt_buf *json) {
    size_t n_points = 0, n_digits = 0, at = 0;
    size_t mantissa = 0; /* bytes before the exponent */

    while (mantissa < written.len &&
           (is_digit(written.data[mantissa]) || written.data[mantissa] == '.')) {
        n_points += written.data[mantissa] == '.';
        n_digits += is_digit(written.data[mantissa++]);
    }
    if (n_points > 1 || !n_digits)
        return false;
    while (at < mantissa && written.data[at] == '0')
        at++;
    if (at == mantissa || written.data[at] == '.')
        lt_buf_append_byte(json, '0');
    size_t end = mantissa;
    if (written.data[end - 1] == '.')
        end--;
    if (at < end)
        lt_buf_append(json, lt_slice(written.data + at, end - at));
    lt_buf_append(json, lt_slice_from(written, mantissa));
    return true;
}

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of "\uXXXX" at `at`, which is on the backslash; below 0 when they are none. */
static long hex_escape(struct lt_slice text, size_t at) {
    long value = 0;

    if (text.len - at < 6 || text.data[at] != '\\' || text.data[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void append_codepoint(struct lt_buf *out, unsigned long c) {
    if (c < 0x80) {
        lt_buf_append_byte(out, (char)c);
    } else if (c < 0x800) {
        lt_buf_append_byte(out, (char)(0xc0 | c >> 6));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        lt_buf_append_byte(out, (char)(0xe0 | c >> 12));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    } else {
        lt_buf_append_byte(out, (char)(0xf0 | c >> 18));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 12 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
        lt_buf_append_byte(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* "\uXXXX", a pair of them for what lies behind U+FFFF. A lone second half becomes U+FFFD, as in
 * jq; a lone first half is refused, as in jq. */
static const char *take_hex_escape(struct lt_slice text, size_t *at, struct lt_buf *out) {
    long c = hex_escape(text, *at);

    if (c < 0)
        return "\\u wants four hexadecimal digits";
    *at += 6;
    if (c >= 0xd800 && c <= 0xdbff) {
        long second = hex_escape(text, *at);
        if (second < 0xdc00 || second > 0xdfff) {
            *at -= 6;
            return "half of a surrogate pair: \\uD800 to \\uDBFF want \\uDC00 to \\uDFFF behind "
                   "them";
        }
        *at += 6;
        c = 0x10000 + ((c - 0xd800) << 10 | (second - 0xdc00));
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        c = 0xfffd;
    }
    append_codepoint(out, (unsigned long)c);
    return NULL;
}

static const char *take_escape(struct lt_slice text, size_t *at, struct lt_buf *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = text.data[*at + 1];
    const char *found = c ? strchr(from, c) : NULL;

    if (c == 'u')
        return take_hex_escape(text, at, out);
    if (!found)
        return "no such escape; expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX or \\(";
    lt_buf_append_byte(out, to[found - from]);
    *at += 2;
    return NULL;
}

/* Bytes of the UTF-8 character at `at`, 0 when it is none. */
static size_t character_len(struct lt_slice text, size_t at) {
    const unsigned char *s = (const unsigned char *)text.data + at;
    size_t left = text.len - at;
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (!len || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

enum lt_token_stop lt_token_string(struct lt_slice text, size_t *at, struct lt_buf *out,
                                   const char **why) {
    *why = NULL;
    while (*at < text.len) {
        char c = text.data[*at];
        if (c == '"') {
            ++*at;
            return LT_TOKEN_STRING_END;
        }
        if (c == '\\') {
            if (*at + 1 == text.len)
                return LT_TOKEN_STRING_OPEN;
            if (text.data[*at + 1] == '(') {
                *at += 2;
                return LT_TOKEN_STRING_INSERT;
            }
            *why = take_escape(text, at, out);
            if (*why)
                return LT_TOKEN_STRING_BAD;
            continue;
        }
        size_t len = character_len(text, *at);
        if (!len) {
            *why = "bytes that are not UTF-8";
            return LT_TOKEN_STRING_BAD;
        }
        lt_buf_append(out, lt_slice(text.data + *at, len));
        *at += len;
    }
    return LT_TOKEN_STRING_OPEN;
}
