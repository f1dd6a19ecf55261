/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML value as JSON text, by the core schema of YAML 1.2: what stands in quotes is a string,
 * `no` and `yes` are words, numbers keep the digits that they were written with.
 */
#include "pipeline/config.h"

#include "json/json.h"

#include <ctype.h>
#include <stdlib.h>

static bool is_one_of(struct lt_slice text, const char *const *words) {
    for (size_t i = 0; words[i]; i++)
        if (lt_slice_eq_str(text, words[i]))
            return true;
    return false;
}

static size_t count_digits(struct lt_slice text, size_t at) {
    size_t n = 0;
    while (at + n < text.len && isdigit((unsigned char)text.data[at + n]))
        n++;
    return n;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, with its parts. */
struct number {
    bool negative;
    struct lt_slice whole, fraction, exponent; /* exponent with its sign; data NULL: none */
};

static bool parse_number(struct lt_slice text, struct number *out) {
    size_t i = 0;

    *out = (struct number){0};
    if (i < text.len && (text.data[i] == '-' || text.data[i] == '+'))
        out->negative = text.data[i++] == '-';
    out->whole = lt_slice(text.data + i, count_digits(text, i));
    i += out->whole.len;
    if (i < text.len && text.data[i] == '.') {
        out->fraction = lt_slice(text.data + i + 1, count_digits(text, i + 1));
        i += out->fraction.len + 1;
    }
    if (!out->whole.len && !out->fraction.len)
        return false;
    if (i < text.len && (text.data[i] == 'e' || text.data[i] == 'E')) {
        size_t start = ++i;
        if (i < text.len && (text.data[i] == '-' || text.data[i] == '+'))
            i++;
        size_t n = count_digits(text, i);
        if (!n)
            return false;
        i += n;
        out->exponent = lt_slice(text.data + start, i - start);
    }
    return i == text.len;
}

static void write_number(const struct number *number, struct lt_buf *out) {
    struct lt_slice whole = number->whole;

    while (whole.len > 1 && whole.data[0] == '0')
        whole = lt_slice_from(whole, 1);
    if (number->negative)
        lt_buf_append_byte(out, '-');
    lt_buf_append(out, whole.len ? whole : LT_LIT("0"));
    if (number->fraction.len) {
        lt_buf_append_byte(out, '.');
        lt_buf_append(out, number->fraction);
    }
    if (number->exponent.data) {
        lt_buf_append_byte(out, 'e');
        lt_buf_append(out, number->exponent);
    }
}

/* 0o17 and 0x1F. */
static bool write_radix(struct lt_slice text, struct lt_buf *out) {
    unsigned base = lt_slice_starts(text, LT_LIT("0o"))   ? 8
                    : lt_slice_starts(text, LT_LIT("0x")) ? 16
                                                          : 0;
    uint64_t value = 0;

    if (!base || text.len == 2)
        return false;
    for (size_t i = 2; i < text.len; i++) {
        int ch = tolower((unsigned char)text.data[i]);
        unsigned digit = isdigit(ch)              ? (unsigned)(ch - '0')
                         : ch >= 'a' && ch <= 'f' ? (unsigned)(ch - 'a') + 10
                                                  : 99;
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    lt_buf_append_u64(out, value);
    return true;
}

static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const trues[] = {"true", "True", "TRUE", NULL};
static const char *const falses[] = {"false", "False", "FALSE", NULL};
static const char *const not_numbers[] = {".inf",  ".Inf", ".INF", "+.inf", "-.inf", "-.Inf",
                                          "-.INF", ".nan", ".NaN", ".NAN",  NULL};

static bool write_plain(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out) {
    struct number number;

    if (is_one_of(node->text, nulls))
        lt_buf_append_str(out, "null");
    else if (is_one_of(node->text, trues))
        lt_buf_append_str(out, "true");
    else if (is_one_of(node->text, falses))
        lt_buf_append_str(out, "false");
    else if (is_one_of(node->text, not_numbers)) {
        lt_config_problem(c, node->offset, NULL, "'%.*s' cannot stand in JSON; put it in quotes",
                          LT_FMT(node->text));
        return false;
    } else if (parse_number(node->text, &number))
        write_number(&number, out);
    else if (!write_radix(node->text, out))
        lt_json_write_string(out, node->text);
    return true;
}

bool lt_config_is_plain_string(const struct lt_yaml_node *node) {
    struct number number;

    if (node->type != LT_YAML_SCALAR)
        return false;
    if (node->style != LT_YAML_PLAIN || lt_slice_eq_str(node->tag, "tag:yaml.org,2002:str"))
        return true;
    return !is_one_of(node->text, nulls) && !is_one_of(node->text, trues) &&
           !is_one_of(node->text, falses) && !is_one_of(node->text, not_numbers) &&
           !parse_number(node->text, &number);
}

static bool write_scalar(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out) {
    if (lt_slice_eq_str(node->tag, "tag:yaml.org,2002:str") ||
        (node->style != LT_YAML_PLAIN && !node->tag.len)) {
        lt_json_write_string(out, node->text);
        return true;
    }
    return write_plain(c, node, out);
}

/* The depth is bounded by the parser's; the size, where aliases repeat, by the buffer's maximum. */
static bool write_value(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out) {
    bool object = node->type == LT_YAML_MAPPING;
    bool ok = !out->failed;

    if (node->type == LT_YAML_SCALAR)
        return ok && write_scalar(c, node, out);
    lt_buf_append_byte(out, object ? '{' : '[');
    for (size_t i = 0; i < node->n && ok; i++) {
        if (i)
            lt_buf_append_byte(out, ',');
        if (object) {
            lt_json_write_string(out, node->pairs[i].key->text);
            lt_buf_append_byte(out, ':');
        }
        ok = write_value(c, object ? node->pairs[i].value : node->items[i], out);
    }
    lt_buf_append_byte(out, object ? '}' : ']');
    return ok;
}

bool lt_config_to_json(struct lt_config *c, const struct lt_yaml_node *node, struct lt_buf *out) {
    bool ok = write_value(c, node, out);

    if (out->failed)
        lt_config_problem(c, node->offset, NULL, "the value has more than %zu bytes as JSON",
                          out->max);
    return ok && !out->failed;
}
