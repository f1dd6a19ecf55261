/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values without a record: what is known of them from the classes assumed for their columns, and
 * jq's operators on them.
 */
#include "expr/fuse_sym.h"

#include <math.h>
#include <stdio.h>

enum lt_sym_status lt_sym_unsure(struct lt_sym *sym, const char *why) {
    if (!sym->why[0])
        snprintf(sym->why, 100, "%s", why);
    return LT_SYM_UNSURE;
}

struct lt_sym_value lt_sym_leaf(struct lt_sym *sym, const struct lt_fuse_leaf *leaf) {
    return (struct lt_sym_value){.kind = LT_SYM_LEAF, .leaf = lt_sym_intern_leaf(sym, leaf)};
}

struct lt_sym_value lt_sym_column(unsigned column) {
    return (struct lt_sym_value){.kind = LT_SYM_COLUMN, .column = (uint8_t)column};
}

static struct lt_sym_value make_const(struct lt_sym *sym, enum lt_fuse_class type,
                                      struct lt_slice text) {
    struct lt_fuse_leaf leaf = {.what = LT_FUSE_CONST, .type = (uint8_t)type, .text = text};
    return lt_sym_leaf(sym, &leaf);
}

struct lt_sym_value lt_sym_bool(struct lt_sym *sym, bool b) {
    return make_const(sym, b ? LT_FUSE_TRUE : LT_FUSE_FALSE, b ? LT_LIT("true") : LT_LIT("false"));
}

struct lt_sym_value lt_sym_null(struct lt_sym *sym) {
    return make_const(sym, LT_FUSE_NULL, LT_LIT("null"));
}

static enum lt_sym_status make_number(struct lt_sym *sym, struct lt_json json,
                                      struct lt_sym_value *out) {
    struct lt_fuse_leaf leaf = {.what = LT_FUSE_CONST, .type = LT_FUSE_INT, .text = json.raw};
    bool whole = !memchr(json.raw.data, '.', json.raw.len) &&
                 !memchr(json.raw.data, 'e', json.raw.len) &&
                 !memchr(json.raw.data, 'E', json.raw.len);

    if (!lt_json_double(json, &leaf.d) || !isfinite(leaf.d) || (leaf.d == 0 && signbit(leaf.d)) ||
        fabs(leaf.d) >= 1e15)
        return lt_sym_unsure(sym, "has a large number");
    /* texts of numbers are printed anew: only those are taken that stay as they are */
    if (whole && lt_json_int64(json, &leaf.i)) {
        *out = lt_sym_leaf(sym, &leaf);
        return LT_SYM_ONE;
    }
    leaf.type = LT_FUSE_NUMBER;
    char text[32];
    size_t len = lt_json_format_double(leaf.d, text);
    if (!lt_slice_eq(json.raw, lt_slice(text, len)))
        return lt_sym_unsure(sym, "has a number in an unusual spelling");
    *out = lt_sym_leaf(sym, &leaf);
    return LT_SYM_ONE;
}

enum lt_sym_status lt_sym_literal(struct lt_sym *sym, struct lt_slice text,
                                  struct lt_sym_value *out) {
    struct lt_json json;

    if (lt_json_parse(&json, text, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return lt_sym_unsure(sym, "has an unusual literal");
    switch (json.type) {
    case LT_JSON_NULL:
        *out = lt_sym_null(sym);
        return LT_SYM_ONE;
    case LT_JSON_FALSE:
    case LT_JSON_TRUE:
        *out = lt_sym_bool(sym, json.type == LT_JSON_TRUE);
        return LT_SYM_ONE;
    case LT_JSON_NUMBER:
        return make_number(sym, json, out);
    case LT_JSON_STRING:
        if (memchr(json.raw.data, '\\', json.raw.len) || memchr(json.raw.data, 0x7f, json.raw.len))
            return lt_sym_unsure(sym, "has a string with escapes");
        *out = make_const(sym, LT_FUSE_STRING, json.raw);
        return LT_SYM_ONE;
    case LT_JSON_ARRAY:
        *out = (struct lt_sym_value){.kind = LT_SYM_LIST};
        return lt_json_count(json) == 0 ? LT_SYM_ONE : lt_sym_unsure(sym, "has an array");
    default:
        return lt_sym_unsure(sym, "has an object");
    }
}

/* Columns that can be looked at where we are. */
static bool is_at_hand(const struct lt_sym *sym, unsigned column) {
    unsigned first = sym->at ? lt_fuse_element_column((unsigned)sym->at->source, 0) : 0;
    unsigned n = sym->at ? LT_FUSE_ELEMENT_COLUMNS : LT_FUSE_ROOT_COLUMNS;
    return column >= first && column < first + n;
}

enum lt_sym_status lt_sym_class(struct lt_sym *sym, struct lt_sym_value v, unsigned *class,
                                enum lt_fuse_class *type) {
    if (v.kind == LT_SYM_LEAF) {
        const struct lt_fuse_leaf *leaf = &sym->plan->leaves[v.leaf];
        *class = LT_FUSE_MAX_CLASSES;
        *type = leaf->what == LT_FUSE_CONST   ? (enum lt_fuse_class)leaf->type
                : leaf->what == LT_FUSE_TONUM ? LT_FUSE_INT
                                              : LT_FUSE_NUMBER;
        return LT_SYM_ONE;
    }
    if (v.kind == LT_SYM_LIST || v.kind == LT_SYM_UNIQUE) {
        *class = *type = LT_FUSE_ARRAY;
        return LT_SYM_ONE;
    }
    if (v.kind != LT_SYM_COLUMN)
        return lt_sym_unsure(sym, "reduces to more than a sum");
    if (v.column == LT_FUSE_ROOT) {
        *class = *type = LT_FUSE_OBJECT;
        return LT_SYM_ONE;
    }
    if (sym->assumed[v.column] < 0) {
        if (!is_at_hand(sym, v.column))
            return lt_sym_unsure(sym, "compares elements with the record");
        sym->need = v.column;
        return LT_SYM_NEED;
    }
    *class = (unsigned)sym->assumed[v.column];
    *type = lt_fuse_type(&sym->plan->columns[v.column], *class);
    return LT_SYM_ONE;
}

enum lt_sym_status lt_sym_truth(struct lt_sym *sym, struct lt_sym_value v, bool *truth) {
    enum lt_fuse_class type = LT_FUSE_NULL;
    unsigned class;

    if (v.kind == LT_SYM_LIST && v.list) /* it is true, but computing it may fail */
        return lt_sym_unsure(sym, "asks whether a list is true");
    enum lt_sym_status status = lt_sym_class(sym, v, &class, &type);
    *truth = type != LT_FUSE_NULL && type != LT_FUSE_FALSE;
    return status;
}

static bool is_number(enum lt_fuse_class type) {
    return type == LT_FUSE_INT || type == LT_FUSE_NUMBER;
}

/* --- order -------------------------------------------------------------------------------- */

/* jq's order of types. */
static int rank(enum lt_fuse_class type) {
    return (int)(type == LT_FUSE_NUMBER    ? LT_FUSE_INT
                 : type == LT_FUSE_ESCAPED ? LT_FUSE_STRING
                                           : type);
}

static enum lt_sym_status add_text(struct lt_sym *sym, struct lt_fuse_column *c,
                                   struct lt_slice text) {
    if (c->n_texts == LT_FUSE_MAX_CONSTANTS)
        return lt_sym_unsure(sym, "compares with too many texts");
    c->texts[c->n_texts++] = text;
    sym->changed = true;
    return LT_SYM_UNSURE;
}

static enum lt_sym_status add_number(struct lt_sym *sym, struct lt_fuse_column *c, double d) {
    unsigned at = 0;

    if (c->n_numbers == LT_FUSE_MAX_CONSTANTS)
        return lt_sym_unsure(sym, "compares with too many numbers");
    while (at < c->n_numbers && c->numbers[at] < d)
        at++;
    memmove(&c->numbers[at + 1], &c->numbers[at], (c->n_numbers - at) * sizeof(double));
    c->numbers[at] = d;
    c->n_numbers++;
    sym->changed = true;
    return LT_SYM_UNSURE;
}

/* A text column, of its class, beside a constant: only equal or not. */
static enum lt_sym_status compare_text(struct lt_sym *sym, unsigned column, unsigned class,
                                       struct lt_slice quoted, bool *equal) {
    struct lt_fuse_column *c = &sym->plan->columns[column];
    struct lt_slice text = lt_slice(quoted.data + 1, quoted.len - 2);

    if (class == LT_FUSE_ESCAPED)
        return LT_SYM_UNSURE;
    for (unsigned i = 0; i < c->n_texts; i++) {
        if (!lt_slice_eq(c->texts[i], text))
            continue;
        *equal = class == LT_FUSE_N_TYPES + i;
        return LT_SYM_ONE;
    }
    return add_text(sym, c, text);
}

static enum lt_sym_status compare_number(struct lt_sym *sym, unsigned column, unsigned class,
                                         double d, int *order) {
    struct lt_fuse_column *c = &sym->plan->columns[column];

    for (unsigned i = 0; i < c->n_numbers; i++) {
        if (c->numbers[i] != d)
            continue;
        unsigned n = 2U * c->n_numbers + 1;
        unsigned interval = (class - LT_FUSE_N_TYPES - c->n_texts) % n;
        *order = interval < 2 * i + 1 ? -1 : interval > 2 * i + 1;
        return LT_SYM_ONE;
    }
    return add_number(sym, c, d);
}

/* Below 0, 0, above 0. With `only_equal` any number but 0 says that they differ. */
static enum lt_sym_status compare(struct lt_sym *sym, struct lt_sym_value a, struct lt_sym_value b,
                                  bool only_equal, int *order) {
    enum lt_fuse_class type_a = LT_FUSE_NULL, type_b = LT_FUSE_NULL;
    unsigned class_a = 0, class_b = 0;
    enum lt_sym_status status = lt_sym_class(sym, a, &class_a, &type_a);

    if (status == LT_SYM_ONE)
        status = lt_sym_class(sym, b, &class_b, &type_b);
    if (status != LT_SYM_ONE)
        return status;
    *order = rank(type_a) - rank(type_b);
    if (*order || type_a <= LT_FUSE_TRUE)
        return LT_SYM_ONE;
    if (a.kind == LT_SYM_LEAF && b.kind == LT_SYM_COLUMN) {
        status = compare(sym, b, a, only_equal, order);
        *order = -*order;
        return status;
    }
    const struct lt_fuse_leaf *leaf = &sym->plan->leaves[b.leaf];
    if (b.kind != LT_SYM_LEAF || leaf->what != LT_FUSE_CONST)
        return lt_sym_unsure(sym, "compares two values of the record");
    bool equal = false;
    if (a.kind == LT_SYM_LEAF) {
        const struct lt_fuse_leaf *left = &sym->plan->leaves[a.leaf];
        if (left->what != LT_FUSE_CONST)
            return lt_sym_unsure(sym, "compares what it computes");
        *order = is_number(type_a) ? (left->d > leaf->d) - (left->d < leaf->d)
                                   : lt_slice_cmp(left->text, leaf->text);
        return is_number(type_a) || only_equal ? LT_SYM_ONE : lt_sym_unsure(sym, "orders texts");
    }
    if (is_number(type_a))
        return compare_number(sym, a.column, class_a, leaf->d, order);
    if (rank(type_a) != LT_FUSE_STRING || !only_equal)
        return lt_sym_unsure(sym, "orders texts, or compares containers");
    status = compare_text(sym, a.column, class_a, leaf->text, &equal);
    *order = !equal;
    return status;
}

/* --- operators ---------------------------------------------------------------------------- */

/* A number as an operand. */
static bool find_operand(struct lt_sym *sym, struct lt_sym_value v, uint16_t *leaf) {
    if (v.kind == LT_SYM_LEAF) {
        *leaf = v.leaf;
        return true;
    }
    struct lt_fuse_leaf cell = {.what = LT_FUSE_CELL, .column = v.column};
    *leaf = lt_sym_intern_leaf(sym, &cell);
    return v.kind == LT_SYM_COLUMN && is_at_hand(sym, v.column);
}

static enum lt_sym_status arithmetic(struct lt_sym *sym, enum lt_op op, struct lt_sym_value a,
                                     struct lt_sym_value b, struct lt_sym_value *out) {
    struct lt_fuse_leaf leaf = {.what = LT_FUSE_ARITH, .op = (uint8_t)op};
    enum lt_fuse_class type_a = LT_FUSE_NULL, type_b = LT_FUSE_NULL;
    unsigned class;
    enum lt_sym_status status = lt_sym_class(sym, a, &class, &type_a);

    if (status == LT_SYM_ONE)
        status = lt_sym_class(sym, b, &class, &type_b);
    if (status != LT_SYM_ONE)
        return status;
    if (op == LT_OP_ADD && (type_a == LT_FUSE_NULL || type_b == LT_FUSE_NULL)) {
        *out = type_a == LT_FUSE_NULL ? b : a;
        return LT_SYM_ONE;
    }
    if (op > LT_OP_MUL)
        return lt_sym_unsure(sym, "divides");
    if (!is_number(type_a) || !is_number(type_b))
        return lt_sym_unsure(sym, "computes with what is no number");
    if (!find_operand(sym, a, &leaf.a) || !find_operand(sym, b, &leaf.b))
        return lt_sym_unsure(sym, "computes with elements and the record together");
    *out = lt_sym_leaf(sym, &leaf);
    return LT_SYM_ONE;
}

enum lt_sym_status lt_sym_binary(struct lt_sym *sym, enum lt_op op, struct lt_sym_value a,
                                 struct lt_sym_value b, struct lt_sym_value *out) {
    bool only_equal = op == LT_OP_EQ || op == LT_OP_NE;
    int order = 0;

    if (op < LT_OP_EQ)
        return arithmetic(sym, op, a, b, out);
    enum lt_sym_status status = compare(sym, a, b, only_equal, &order);
    if (status != LT_SYM_ONE)
        return status;
    bool holds = op == LT_OP_EQ   ? order == 0
                 : op == LT_OP_NE ? order != 0
                 : op == LT_OP_LT ? order < 0
                 : op == LT_OP_LE ? order <= 0
                 : op == LT_OP_GT ? order > 0
                                  : order >= 0;
    *out = lt_sym_bool(sym, holds);
    return LT_SYM_ONE;
}
