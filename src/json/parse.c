/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict validator, the reference of what is JSON and the words for what is not: one pass, no
 * recursion, no memory but a bit a level (is it an object?). It stops at the first byte that RFC
 * 8259 does not allow there, and says which and what was expected. The tape (scanner.c, tape.c) is
 * faster and only says yes or no; where it says no, this one is asked.
 */
#include "json/json.h"
#include "json/scan.h"
#include "json/scanner.h"

#include "base/error.h"

#include <stdio.h>

struct parser {
    const char *at;
    const char *end;
    const char *expected; /* set by whoever fails, with `at` on the byte at fault */
    unsigned depth;
    unsigned max_depth;
    uint64_t is_object[LT_JSON_MAX_DEPTH / 64];
};

/* What may come next. */
enum expect { VALUE, NAME, END_OF_VALUE, DONE, BAD };

static enum expect fail_at(struct parser *p, const char *at, const char *expected) {
    p->at = at;
    p->expected = expected;
    return BAD;
}

static bool push(struct parser *p, bool is_object) {
    if (p->depth >= p->max_depth) {
        fail_at(p, p->at, "less nesting");
        return false;
    }
    uint64_t bit = 1ULL << p->depth % 64;
    uint64_t *word = &p->is_object[p->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    p->depth++;
    return true;
}

static inline bool in_object(const struct parser *p) {
    unsigned level = p->depth - 1;
    return p->is_object[level / 64] >> level % 64 & 1;
}

/* `at` is after the opening quote and ends after the closing one. */
static bool check_string(struct parser *p) {
    struct lt_json_fault fault;
    const char *after = lt_json_check_string(p->at, p->end, &fault);

    if (!after) {
        fail_at(p, fault.at, fault.expected);
        return false;
    }
    p->at = after;
    return true;
}

static inline bool is_digit(const char *at, const char *end) {
    return at < end && *at >= '0' && *at <= '9';
}

static enum expect check_digits(struct parser *p, const char *at) {
    if (!is_digit(at, p->end))
        return fail_at(p, at, "a digit");
    while (is_digit(at, p->end))
        at++;
    p->at = at;
    return END_OF_VALUE;
}

static enum expect check_number(struct parser *p) {
    const char *at = p->at + (*p->at == '-');

    if (at < p->end && *at == '0')
        p->at = at + 1;
    else if (check_digits(p, at) == BAD)
        return BAD;
    if (p->at < p->end && *p->at == '.' && check_digits(p, p->at + 1) == BAD)
        return BAD;
    if (p->at < p->end && (*p->at | 0x20) == 'e') {
        at = p->at + 1;
        if (at < p->end && (*at == '+' || *at == '-'))
            at++;
        return check_digits(p, at);
    }
    return END_OF_VALUE;
}

static enum expect check_word(struct parser *p, const char *word, size_t len) {
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return fail_at(p, p->at, "a value");
    p->at += len;
    return END_OF_VALUE;
}

static enum expect open_container(struct parser *p, bool is_object) {
    if (!push(p, is_object))
        return BAD;
    p->at = lt_json_skip_space(p->at + 1, p->end);
    if (p->at < p->end && *p->at == (is_object ? '}' : ']')) {
        p->at++;
        p->depth--;
        return END_OF_VALUE;
    }
    return is_object ? NAME : VALUE;
}

static enum expect check_value(struct parser *p) {
    p->at = lt_json_skip_space(p->at, p->end);
    if (p->at == p->end)
        return fail_at(p, p->at, "a value");
    switch (*p->at) {
    case '"':
        p->at++;
        return check_string(p) ? END_OF_VALUE : BAD;
    case '{':
        return open_container(p, true);
    case '[':
        return open_container(p, false);
    case 't':
        return check_word(p, "true", 4);
    case 'f':
        return check_word(p, "false", 5);
    case 'n':
        return check_word(p, "null", 4);
    default:
        if (*p->at != '-' && !is_digit(p->at, p->end))
            return fail_at(p, p->at, "a value");
        return check_number(p);
    }
}

static enum expect check_name(struct parser *p) {
    p->at = lt_json_skip_space(p->at, p->end);
    if (p->at == p->end || *p->at != '"')
        return fail_at(p, p->at, "a name in quotes");
    p->at++;
    if (!check_string(p))
        return BAD;
    p->at = lt_json_skip_space(p->at, p->end);
    if (p->at == p->end || *p->at != ':')
        return fail_at(p, p->at, "':'");
    p->at++;
    return VALUE;
}

static enum expect check_end_of_value(struct parser *p) {
    if (p->depth == 0)
        return DONE;
    bool object = in_object(p);
    p->at = lt_json_skip_space(p->at, p->end);
    char c = p->at < p->end ? *p->at : '\0';
    if (c == ',') {
        p->at++;
        return object ? NAME : VALUE;
    }
    if (c == (object ? '}' : ']')) {
        p->at++;
        p->depth--;
        return END_OF_VALUE;
    }
    return fail_at(p, p->at, object ? "',' or '}'" : "',' or ']'");
}

static bool check_text(struct parser *p) {
    enum expect next = VALUE;

    for (;;) {
        switch (next) {
        case VALUE:
            next = check_value(p);
            break;
        case NAME:
            next = check_name(p);
            break;
        case END_OF_VALUE:
            next = check_end_of_value(p);
            break;
        case DONE:
            return true;
        case BAD:
            return false;
        }
    }
}

/* Never more of the text than the one byte at fault: it may hold secrets. */
static leat_status explain(const struct parser *p, const char *start, struct leat_error *err) {
    char found[32] = "the end of the text";

    if (p->at < p->end) {
        unsigned char c = (unsigned char)*p->at;
        if (c > 0x20 && c < 0x7f)
            snprintf(found, sizeof(found), "'%c'", c);
        else
            snprintf(found, sizeof(found), "byte 0x%02x", c);
    }
    return lt_fail(err, LEAT_E_PARSE, 0, "not JSON: byte %zu: expected %s, found %s",
                   (size_t)(p->at - start), p->expected, found);
}

leat_status lt_json_validate(struct lt_json *out, struct lt_slice text, unsigned max_depth,
                             struct leat_error *err) {
    const char *data = text.data ? text.data : "";
    struct parser p = {.at = data, .end = data + text.len};

    *out = (struct lt_json){LT_JSON_NULL, {NULL, 0}};
    p.max_depth = max_depth < LT_JSON_MAX_DEPTH ? max_depth : LT_JSON_MAX_DEPTH;
    const char *first = lt_json_skip_space(data, p.end);
    if (!check_text(&p))
        return explain(&p, data, err);
    const char *last = p.at;
    p.at = lt_json_skip_space(p.at, p.end);
    if (p.at < p.end) {
        p.expected = "nothing after the value";
        return explain(&p, data, err);
    }
    *out = (struct lt_json){lt_json_type_of(*first), {first, (size_t)(last - first)}};
    return LEAT_OK;
}
