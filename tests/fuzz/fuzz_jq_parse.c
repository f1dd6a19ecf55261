/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a jq text: it becomes a tree whose nodes lie inside the text, or is refused at a
 * place inside it; and what it is printed as is printed as the same.
 */
#include "expr/tree.h"

#include <stdlib.h>

/* what is printed of a longer text may be nested too deep to be read again */
enum { LINE = 7, MAX_TEXT = 4096, MAX_READ_AGAIN = 300, MAX_PRINTED = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static bool check_node(void *ctx, const struct lt_node *node) {
    const struct lt_tree_part *part = ctx;

    must(node->kind <= LT_NODE_ASSIGN && !node->plan);
    must(node->offset <= node->end && node->end <= part->text->text.len);
    must((node->kind == LT_NODE_CALL) == (node->def != NULL));
    must((node->kind == LT_NODE_BUILTIN) == (node->builtin != NULL));
    must(node->kind != LT_NODE_VAR || node->up || node->slot < part->main.n_vars);
    must(node->kind != LT_NODE_FIELD || (node->a && node->text.data));
    return true;
}

static void print(struct lt_slice text, struct lt_buf *out) {
    struct lt_expr_text source = {LT_LIT("x"), text, LINE, 1};
    struct leat_error err;

    lt_buf_init(out, MAX_PRINTED);
    must(lt_tree_print(&source, out, &err) == LEAT_OK);
}

static void check_printed(struct lt_slice text) {
    struct lt_buf once, twice;

    print(text, &once);
    if (text.len <= MAX_READ_AGAIN) {
        print(lt_buf_slice(&once), &twice);
        must(lt_slice_eq(lt_buf_slice(&once), lt_buf_slice(&twice)));
        lt_buf_deinit(&twice);
    }
    lt_buf_deinit(&once);
}

static void check_fault(const struct lt_expr_text *text, const struct leat_error *err) {
    struct lt_buf out;
    unsigned lines = 0;

    for (size_t i = 0; i < text->text.len; i++)
        lines += text->text.data[i] == '\n';
    must(err->line >= LINE && err->line <= LINE + lines && err->column >= 1 && err->text[0]);
    lt_buf_init(&out, 4096);
    lt_tree_explain(text, err, &out);
    must(!out.failed && out.len > 0 && memchr(out.data, '^', out.len));
    lt_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_expr_text defs[] = {
        {LT_LIT("twice(f)"), LT_LIT("f | f"), 1, 1},
        {LT_LIT("total"), LT_LIT("reduce .[] as $x (0; . + $x)"), 1, 1},
    };
    struct lt_expr_text text = {LT_LIT("x"), lt_slice(data, len), LINE, 1};
    struct lt_expr_var var = {"v", LT_LIT("1")};
    struct lt_tree_part part;
    struct leat_error err;
    struct lt_arena arena;

    if (len > MAX_TEXT)
        return 0;
    lt_arena_init(&arena, 256 << 20);
    leat_status status = lt_tree_parse(&part, &text, defs, 2, &var, 1, &arena, &err);
    must(status == LEAT_OK || status == LEAT_E_CONFIG);
    if (status == LEAT_OK) {
        must(part.root ? !part.why : part.why != NULL);
        lt_tree_walk(part.root, check_node, &part);
        lt_tree_is_constant(&part);
        check_printed(text.text);
    } else {
        must(part.failed == &text);
        check_fault(&text, &err);
    }
    lt_arena_deinit(&arena);
    return 0;
}
