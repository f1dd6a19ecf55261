/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_EXPR_FUSE_KIT_H
#define LT_TEST_EXPR_FUSE_KIT_H

/* A pipeline twice: in a fuse, and where nothing is fused; and records made at random. */

#include "base/error.h"
#include "expr/expr.h"
#include "expr/fuse.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAIR_TEXTS = 8 };

/* name, text, name, text, ..., NULL */
struct pair_texts {
    const char *defs[2 * PAIR_TEXTS];
    const char *sets[2 * PAIR_TEXTS];
    const char *routes[2 * PAIR_TEXTS]; /* behind them stands one without a condition */
    const char *key;
    const char *vars[2 * PAIR_TEXTS]; /* name, JSON */
};

struct pair {
    struct lt_arena arena;
    struct lt_expr_text defs[PAIR_TEXTS], sets[PAIR_TEXTS], routes[PAIR_TEXTS + 2], key;
    struct lt_expr_var vars[PAIR_TEXTS];
    struct lt_expr_source source;
    struct lt_tree_part set_parts[PAIR_TEXTS], route_parts[PAIR_TEXTS], key_part;
    struct lt_fuse_parts parts;
    struct lt_fuse *fuse;
    struct lt_expr *plain;
    char why[160];
    size_t n_fused, n_asked; /* records */
};

static inline size_t pair_list(const char *const *list, struct lt_expr_text *texts) {
    size_t n = 0;

    for (; list[2 * n]; n++)
        texts[n] = (struct lt_expr_text){lt_slice_str(list[2 * n]), lt_slice_str(list[2 * n + 1]),
                                         (unsigned)n + 1, 1};
    return n;
}

static inline void pair_die(const char *what, struct lt_slice text, const char *why) {
    fprintf(stderr, "%s: %.*s: %s\n", what, LT_FMT(text), why);
    abort();
}

static inline void pair_parse(struct pair *p, struct lt_tree_part *part,
                              const struct lt_expr_text *text) {
    struct leat_error err = {0};

    if (lt_tree_parse(part, text, p->defs, p->source.n_defs, p->vars, p->source.n_vars, &p->arena,
                      &err) != LEAT_OK)
        pair_die("does not parse", text->text, err.text);
    if (!part->root)
        pair_die("is left to libjq", text->text, part->why);
}

/* With `may_not_fit` p->fuse may be NULL afterwards; p->why says why. */
static inline void pair_init(struct pair *p, const struct pair_texts *texts, bool may_not_fit) {
    struct leat_error err = {0};

    *p = (struct pair){0};
    lt_arena_init(&p->arena, 64 << 20);
    p->source = (struct lt_expr_source){
        .defs = p->defs, .sets = p->sets, .routes = p->routes, .vars = p->vars};
    for (size_t i = 0; texts->vars[2 * i]; i++, p->source.n_vars++) /* freed below */
        p->vars[i] =
            (struct lt_expr_var){texts->vars[2 * i], lt_slice_str(strdup(texts->vars[2 * i + 1]))};
    p->source.n_defs = pair_list(texts->defs, p->defs);
    p->source.n_sets = pair_list(texts->sets, p->sets);
    size_t n = pair_list(texts->routes, p->routes);
    p->routes[n] = (struct lt_expr_text){.name = LT_LIT("others")};
    p->source.n_routes = n + 1;
    if (texts->key) {
        p->key = (struct lt_expr_text){LT_LIT("key"), lt_slice_str(texts->key), 99, 1};
        p->source.key = &p->key;
        pair_parse(p, &p->key_part, &p->key);
    }
    for (size_t i = 0; i < p->source.n_sets; i++)
        pair_parse(p, &p->set_parts[i], &p->sets[i]);
    for (size_t i = 0; i < n; i++)
        pair_parse(p, &p->route_parts[i], &p->routes[i]);
    p->parts = (struct lt_fuse_parts){&p->source, p->set_parts, p->route_parts,
                                      texts->key ? &p->key_part : NULL};
    if (lt_fuse_new(&p->fuse, &p->parts, p->why, &err) != LEAT_OK)
        pair_die("fuse", lt_slice_str(""), err.text);
    if (!p->fuse && !may_not_fit)
        pair_die("does not fit", p->sets[0].text, p->why);

    /* a condition that is never asked for, and that no fuse takes */
    struct lt_expr_source plain = p->source;
    p->routes[n + 1] =
        (struct lt_expr_text){LT_LIT("never"), LT_LIT("[.. | tostring] == .x"), 1, 1};
    plain.n_routes = n + 2;
    if (lt_expr_compile(&p->plain, &plain, &err) != LEAT_OK)
        pair_die("does not compile", p->sets[0].text, err.text);
    for (size_t i = 0; i < p->source.n_vars; i++)
        free((char *)p->vars[i].json.data);
}

static inline void pair_deinit(struct pair *p) {
    lt_fuse_free(p->fuse);
    lt_expr_free(p->plain);
    lt_arena_deinit(&p->arena);
}

/* What the fuse says of a record, if it says anything, is what the others say. The record's bytes
 * stand where nothing can be read behind them. */
static inline bool pair_agree(struct pair *p, struct lt_slice record, struct lt_arena *arena) {
    struct lt_expr_result fused, plain;
    struct leat_error err;
    char *bytes = malloc(record.len ? record.len : 1);
    bool agree = true;

    if (record.len)
        memcpy(bytes, record.data, record.len);
    struct lt_slice copy = lt_slice(bytes, record.len);
    p->n_asked++;
    if (lt_fuse_run(p->fuse, copy, &fused, arena)) {
        p->n_fused++;
        if (lt_expr_run(p->plain, &copy, 1, &plain, arena, &err) != LEAT_OK)
            abort();
        agree = plain.outcome == fused.outcome && plain.route == fused.route &&
                lt_slice_eq(plain.data, fused.data) && lt_slice_eq(plain.key, fused.key) &&
                !plain.key.data == !fused.key.data;
        if (!agree)
            fprintf(stderr,
                    "%.*s\nfused: %d %zu %.*s (key %.*s)\nplain: %d %zu %.*s (key %.*s) %.*s\n",
                    LT_FMT(record), (int)fused.outcome, fused.route, LT_FMT(fused.data),
                    LT_FMT(fused.key), (int)plain.outcome, plain.route, LT_FMT(plain.data),
                    LT_FMT(plain.key), LT_FMT(plain.reason));
    }
    free(bytes);
    return agree;
}

/* --- pipelines ---------------------------------------------------------------------------- */

#define ITEMS "items", ".browsing_history // .browse_history // error(\"no browsing history\")"
#define QUANTITY "quantity", "if type == \"number\" then . elif . == null then 0 else tonumber end"

static const struct pair_texts pair_pipelines[] = {
    {.sets = {"sum", "reduce .items[] as $x (0; . + ($x.quantity // 1))", "country",
              ".country // \"nowhere\""},
     .routes = {"a", ".items == null", "b", ".country != null and (.country == \"USA\" | not)"}},
    {.routes = {"us", ".country == \"USA\"", "fr", ".country == \"France\"", "old",
                ".quantity > 2"},
     .key = ".quantity"},
    {.sets = {"some", "any(.items[]; .quantity > 3)", "every", ".items | all(.in_shopping_cart)"},
     .routes = {"some", ".some"}},
    {.sets = {"zip", ".address.zip", "country",
              "if .country == \"USA\" then \"us\" else .country end"},
     .routes = {"big", ".quantity >= 10", "small", ".quantity < 0 or .quantity == 5"}},
    {.sets = {"a", "[.items[] | if .in_shopping_cart then .quantity else -1 end] | add", "c",
              "[.items[] | select(.product_code != \"a\") | .quantity] | add // \"none\"", "d",
              "[.items[].quantity - 1] | add"}},
    {.sets = {"revenue", "[.items[]? | .quantity * .price] | add // 0", "costly",
              "[.items[]? | select(.price >= 2.5 and .quantity > 1) | .quantity] | add"},
     .key = ".address.zip"},
    {.defs = {ITEMS},
     .sets = {"total", "[items[] | .quantity] | add // 0", "cart",
              "[items[] | select(.in_shopping_cart == true or .in_shopping_cart == \"true\") | "
              ".quantity] | add // 0"},
     .routes = {"us", ".country == \"USA\""}},
    {.defs = {ITEMS, QUANTITY},
     .sets = {"total", "[items[].quantity | quantity] | add // 0", "cart",
              "[items[] | select(.in_shopping_cart == true or .in_shopping_cart == \"true\") | "
              ".quantity | quantity] | add // 0",
              "different", "[items[].product_code] | unique | length"},
     .routes = {"us", ".country == \"USA\""}},
    {.sets = {"n", ".items | length", "sum", "[.items[].quantity] | add"},
     .routes = {"many", ".n > 2", "none", ".sum == null"},
     .key = ".id"},
    {.sets = {"most", "[.items[].quantity] | max", "least", "[.items[] | .quantity] | min", "first",
              "[.items[].product_code][0]", "last", ".items | map(.product_code) | last"}},
    {.sets = {"tags", ".tags | unique | length", "sum", ".tags | map(numbers) | add", "kinds",
              "(.items // []) | unique_by(.product_code) | length"}},
    {.sets = {"of", "$resource", "half", "$factor", "sum", "[.items[].quantity * $factor] | add"},
     .routes = {"us", ".country == $country", "never", "$resource == \"albums\""},
     .key = "$resource",
     .vars = {"resource", "\"sessions\"", "country", "\"USA\"", "factor", "2.5"}},
    {.sets = {"type", ".quantity | type", "b",
              "[.items[] | .quantity | select(. != null and . > 0)] | length"}},
};

/* --- records ------------------------------------------------------------------------------ */

struct maker {
    uint64_t state;
    struct lt_buf *out;
    unsigned style; /* of white space */
};

static inline unsigned make_number(struct maker *m, unsigned below) {
    m->state = m->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(m->state >> 33) % below;
}

static inline const char *make_choice(struct maker *m, const char *const *list, unsigned n) {
    return list[make_number(m, n)];
}

static inline void make_space(struct maker *m) {
    static const char *const spaces[] = {"", " ", "\n\t", " ", ""};
    unsigned odd = make_number(m, 400);
    lt_buf_append_str(m->out, odd == 0 ? "  \r\n " : spaces[m->style]);
}

static inline void make_value(struct maker *m, unsigned depth) {
    static const char *const scalars[] = {
        "null",
        "true",
        "false",
        "0",
        "1",
        "2",
        "-3",
        "5",
        "10",
        "1.5",
        "2.50",
        "1e2",
        "-0",
        "123456789",
        "\"\"",
        "\"2\"",
        "\"-7\"",
        "\"two\"",
        "\"a\"",
        "\"true\"",
        "\"USA\"",
        "\"12345678901234567\"",
        "\"\\u0061\"",
        "\"S\\u00e3o\"",
        "\"S\xc3\xa3o Paulo\"",
        "\"a text that is longer than thirty-two bytes, as some are\"",
        "\"a text that is longer than thirty-two bytes, and \\\"quoted\\\"\"",
        "0.5",
        "100000000",
        "9007199254740993",
        "1234567890123456789",
        "-9223372036854775808",
        "9223372036854775808"};
    unsigned kind = depth < 3 ? make_number(m, 40) : 2;

    if (kind > 1) {
        lt_buf_append_str(m->out, make_choice(m, scalars, sizeof(scalars) / sizeof(*scalars)));
        return;
    }
    lt_buf_append_byte(m->out, kind ? '{' : '[');
    make_space(m);
    for (unsigned i = make_number(m, 3); i > 0; i--) {
        if (kind)
            lt_buf_append_str(m->out, i == 1 ? "\"x\":" : "\"y\":");
        make_value(m, depth + 1);
        if (i > 1)
            lt_buf_append_byte(m->out, ',');
    }
    lt_buf_append_byte(m->out, kind ? '}' : ']');
}

static inline void make_name(struct maker *m, const char *name) {
    make_space(m);
    lt_buf_append_byte(m->out, '"');
    lt_buf_append_str(m->out, make_number(m, 500) ? name : "n\\u0061me");
    lt_buf_append_byte(m->out, '"');
    lt_buf_append_byte(m->out, ':');
    make_space(m);
}

/* Of the usual type, mostly. */
static inline void make_member(struct maker *m, const char *name, const char *const *usual,
                               unsigned n, bool *more) {
    if (make_number(m, 12) == 0)
        return;
    if (*more)
        lt_buf_append_byte(m->out, ',');
    *more = true;
    make_name(m, name);
    if (make_number(m, 25) == 0)
        make_value(m, 1);
    else
        lt_buf_append_str(m->out, make_choice(m, usual, n));
}

static inline void make_item(struct maker *m) {
    static const char *const codes[] = {"\"a\"", "\"b\"", "\"S10_1678\"",
                                        "\"S18_2319-long-one-here\""};
    static const char *const quantities[] = {"1",  "2",       "3",     "7",   "12",
                                             "-1", "1234567", "\"3\"", "null"};
    static const char *const bools[] = {"true", "false", "true", "false", "\"true\""};
    static const char *const prices[] = {"1", "2.5", "9.99", "0.1", "3"};
    static const char *const others[] = {"\"some text\"", "{\"k\": [1, {}]}", "12.75", "null"};
    bool more = false;

    if (make_number(m, 40) == 0) {
        make_value(m, 1);
        return;
    }
    lt_buf_append_byte(m->out, '{');
    make_member(m, "product_code", codes, 4, &more);
    if (make_number(m, 2))
        make_member(m, "description", others, 4, &more);
    make_member(m, "quantity", quantities, make_number(m, 3) ? 6 : 9, &more);
    make_member(m, "price", prices, 5, &more);
    make_member(m, "in_shopping_cart", bools, 5, &more);
    if (make_number(m, 60) == 0)
        make_member(m, "quantity", quantities, 9, &more);
    make_space(m);
    lt_buf_append_byte(m->out, '}');
}

static inline void make_items(struct maker *m, const char *name, bool *more) {
    if (*more)
        lt_buf_append_byte(m->out, ',');
    *more = true;
    make_name(m, name);
    if (make_number(m, 20) == 0) {
        make_value(m, 1);
        return;
    }
    lt_buf_append_byte(m->out, '[');
    make_space(m);
    for (unsigned i = make_number(m, 6); i > 0; i--) {
        make_item(m);
        if (i > 1) {
            lt_buf_append_byte(m->out, ',');
            make_space(m);
        }
    }
    lt_buf_append_byte(m->out, ']');
}

/* A record, and now and then one with a wrong byte. */
static inline void make_record(struct maker *m) {
    static const char *const ids[] = {"\"id-1\"", "\"id-2\"", "17"};
    static const char *const countries[] = {"\"USA\"", "\"France\"", "\"Kenya\"", "\" usa\""};
    static const char *const quantities[] = {"1", "5", "12", "-4", "3.5"};
    static const char *const tags[] = {"[]", "[\"a\", \"b\", \"a\"]", "[1, \"1\", null]",
                                       "[ 3,4 ,4]"};
    static const char *const addresses[] = {"{\"zip\": \"8001\", \"city\": \"Z\"}",
                                            "{\"zip\": \"80\x7f\"}", "{}", "null", "{\"zip\": 12}"};
    static const char *const fields[] = {"1", "\"x\"", "[2]"};
    static const char *const lists[] = {"browsing_history", "browse_history", "items"};
    bool more = false;

    lt_buf_clear(m->out);
    m->style = make_number(m, 8) ? 1 : make_number(m, 5);
    lt_buf_append_byte(m->out, '{');
    make_member(m, "id", ids, 3, &more);
    make_member(m, "country", countries, 4, &more);
    if (make_number(m, 2))
        make_member(m, "quantity", quantities, 5, &more);
    make_items(m, lists[make_number(m, 8) ? 0 : 1], &more);
    if (make_number(m, 8))
        make_items(m, lists[2], &more);
    make_member(m, "tags", tags, 4, &more);
    make_member(m, "address", addresses, 5, &more);
    if (make_number(m, 10) == 0)
        make_member(m, make_number(m, 2) ? "sum" : "country", fields, 3, &more);
    make_space(m);
    lt_buf_append_byte(m->out, '}');
    if (make_number(m, 30) == 0)
        lt_buf_append_str(m->out, " \n");
    static const char odd[] = "\"\\{}[],:0-.eE \x01\x80\xff"
                              "x";
    if (make_number(m, 6) == 0)
        m->out->data[make_number(m, (unsigned)m->out->len)] = odd[make_number(m, sizeof(odd) - 1)];
    if (make_number(m, 40) == 0)
        m->out->len = make_number(m, (unsigned)m->out->len);
}

#endif
