/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 5, ODD_ONE_IN = 14 };

static const char type_letters[N_TYPES + 1] = "NSBnsRrOX";

uint32_t lt_random_next(struct lt_random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

static enum lt_type type_of(char letter) {
    return (enum lt_type)(strchr(type_letters, letter) - type_letters);
}

struct maker {
    struct lt_random *random;
    struct lt_arena *arena;
};

static void *take(struct lt_arena *arena, size_t len) {
    void *room = lt_arena_calloc(arena, 1, len);

    if (!room)
        abort();
    return room;
}

static struct lt_tree *leaf_of(struct maker *m, const char *text) {
    struct lt_tree *tree = take(m->arena, sizeof(*tree));

    tree->text = text;
    return tree;
}

/* What needs no parts. */
static struct lt_tree *make_leaf(struct maker *m, enum lt_type type, enum lt_type input,
                                 unsigned n_vars) {
    static const char *const texts[N_TYPES][8] = {
        [T_NUMBER] = {"0", "1", "2", "-1", "3", "0.5", "10", "1.5e1"},
        [T_STRING] = {"\"a\"", "\"b\"", "\"\"", "\"abc\"", "\"x y\"", "\"k\"", "\"2\"",
                      "\"\\u00e9<&\""},
        [T_BOOLEAN] = {"true", "false", "true", "false", ". == null", "true", "false", ". != 1"},
        [T_NUMBERS] = {"[]", "[1]", "[3,1,2]", "[1,[2]]", "[0,-1]", "[2,2]", "[1.5]", "[4,5,6]"},
        [T_STRINGS] = {"[]", "[\"a\"]", "[\"b\",\"a\"]", "[\"a\",null]", "[\"abc\",\"\"]",
                       "[\"x\"]", "[\"k\",\"v\"]", "[\"B\",\"b\"]"},
        [T_RECORD] = {"{}", "{k:\"x\",v:1}", "{v:2}", "{k:\"y\"}", "{w:true}", "{v:null}",
                      "{k:\"x\",v:[1]}", "{name:\"a\",value:1}"},
        [T_RECORDS] = {"[]", "[{k:\"x\",v:1}]", "[{k:\"x\"},{k:\"y\",v:3}]", "[{}]",
                       "[{v:1},{v:0}]", "[{k:\"z\",v:1,w:false}]", "[{key:\"a\",value:1}]",
                       "[null]"},
        [T_OBJECT] = {"{}", "{a:1,s:\"t\"}", "{ns:[1,2]}", "{o:{p:1}}", "{a:null}",
                      "{list:[{v:1}]}", "{b:false}", "{s:1}"},
        [T_ANY] = {"null", "1", "\"a\"", "[]", "{}", "true", "false", "[[1,2],[3]]"},
    };

    if (type == T_NUMBER && n_vars && lt_random_below(m->random, 2))
        return leaf_of(m,
                       n_vars > 1 && lt_random_below(m->random, 3) == 0 ? "[$x] | length" : "$x");
    if ((type == input || type == T_ANY) && lt_random_below(m->random, 3))
        return leaf_of(m, ".");
    return leaf_of(m, texts[type][lt_random_below(m->random, 8)]);
}

static bool fits(const struct lt_row *row, enum lt_type type, enum lt_type input) {
    if (row->gives != type && type != T_ANY)
        return false;
    return !row->input || strchr(row->input, type_letters[input]) || input == T_ANY;
}

static struct lt_tree *make(struct maker *m, enum lt_type type, enum lt_type input, unsigned n_vars,
                            unsigned depth);

static void make_parts(struct maker *m, struct lt_tree *tree, enum lt_type input, unsigned n_vars,
                       unsigned depth) {
    const char *at = tree->row->parts;

    while (*at) {
        enum lt_type wanted = type_of(*at++), part_input = input;
        unsigned vars = n_vars;
        for (; *at && *at != ' '; at += 2) {
            if (*at == '<')
                part_input = type_of(at[1]);
            else if (*at == '$')
                vars++;
        }
        at += *at == ' ';
        if (lt_random_below(m->random, ODD_ONE_IN) == 0)
            wanted = T_ANY;
        tree->parts[tree->n++] = make(m, wanted, part_input, vars, depth);
    }
}

static struct lt_tree *make(struct maker *m, enum lt_type type, enum lt_type input, unsigned n_vars,
                            unsigned depth) {
    const struct lt_row *row = NULL;
    unsigned n = 0;

    if (depth == 0 || lt_random_below(m->random, 8) == 0)
        return make_leaf(m, type, input, n_vars);
    for (size_t i = 0; i < lt_n_rows; i++)
        if (fits(&lt_rows[i], type, input) && lt_random_below(m->random, ++n) == 0)
            row = &lt_rows[i];
    struct lt_tree *tree = take(m->arena, sizeof(*tree));
    tree->row = row;
    make_parts(m, tree, input, n_vars, depth - 1);
    return tree;
}

struct lt_tree *lt_grammar_make(struct lt_random *random, struct lt_arena *arena) {
    struct maker m = {random, arena};
    enum lt_type type = (enum lt_type)lt_random_below(random, N_TYPES);

    return make(&m, type, T_OBJECT, 0, 1 + lt_random_below(random, MAX_DEPTH));
}

/* How tight the i-th part must bind: what stands behind '@' in its word. */
static unsigned level_of(const struct lt_row *row, unsigned part) {
    const char *at = row->parts;

    for (; part > 0; part--)
        at = strchr(at, ' ') + 1;
    for (; *at && *at != ' '; at++)
        if (*at == '@')
            return (unsigned)(at[1] - '0');
    return 0;
}

void lt_grammar_print(const struct lt_tree *tree, unsigned level, struct lt_buf *out) {
    bool parentheses =
        tree->row ? tree->row->level < level : level > 0 && strpbrk(tree->text, " -") != NULL;

    if (parentheses)
        lt_buf_append_byte(out, '(');
    for (const char *at = tree->row ? tree->row->text : tree->text; *at; at++) {
        if (tree->row && *at == '%' && at[1] >= '0' && at[1] <= '9') {
            unsigned part = (unsigned)(*++at - '0');
            lt_grammar_print(tree->parts[part], level_of(tree->row, part), out);
            continue;
        }
        at += tree->row && *at == '%' && at[1] == '%';
        lt_buf_append_byte(out, *at);
    }
    if (parentheses)
        lt_buf_append_byte(out, ')');
}

static unsigned count(const struct lt_tree *tree) {
    unsigned n = 1;

    for (unsigned i = 0; i < tree->n; i++)
        n += count(tree->parts[i]);
    return n;
}

/* A copy in which the node of number `*number` (in the order of printing) is `instead`, or the part
 * `part` of its own where that is NULL. */
static struct lt_tree *replace(const struct lt_tree *tree, unsigned *number, unsigned part,
                               struct lt_tree *instead, struct lt_arena *arena) {
    if ((*number)-- == 0) {
        if (instead)
            return instead;
        return part < tree->n ? tree->parts[part] : NULL;
    }
    struct lt_tree *copy = take(arena, sizeof(*copy));
    *copy = *tree;
    for (unsigned i = 0; i < tree->n; i++) {
        if (*number < 1000000)
            copy->parts[i] = replace(tree->parts[i], number, part, instead, arena);
        if (!copy->parts[i])
            return NULL;
    }
    return copy;
}

struct lt_tree *lt_grammar_shrink(const struct lt_tree *tree, size_t i, struct lt_arena *arena) {
    unsigned n = count(tree), number = (unsigned)(i / (LT_MAX_PARTS + 1));
    unsigned part = (unsigned)(i % (LT_MAX_PARTS + 1));
    struct lt_tree *dot = NULL, *made;

    if (number >= n)
        return NULL;
    if (part == LT_MAX_PARTS) {
        dot = take(arena, sizeof(*dot));
        dot->text = ".";
    }
    made = replace(tree, &number, part, dot, arena);
    return made ? made : (struct lt_tree *)(uintptr_t)tree;
}
