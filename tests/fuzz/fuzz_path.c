/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a path: what our reader takes as one, libjq compiles, and both
 * give the same for some documents.
 */
#include "expr/expr.h"
#include "expr/path.h"

#include <stdlib.h>

enum { MAX_TEXT = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* libjq 1.6 loses some bytes where an error leaves an iteration over an object. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libjq.so\n";
}

static void must(bool holds) {
    if (!holds)
        abort();
}

static void run(struct lt_expr_filter *filter, struct lt_slice json, struct lt_buf *out) {
    lt_buf_clear(out);
    must(lt_expr_filter_run(filter, json, false, out, NULL, NULL) == LEAT_OK);
}

/* As "[…]" of what it gives, or "null" where it fails. */
static void walk(const struct lt_expr_path *path, struct lt_slice json, struct lt_buf *out) {
    struct lt_expr_views views = {0};
    struct lt_json doc;

    must(lt_json_parse(&doc, json, 9, NULL) == LEAT_OK);
    lt_buf_clear(out);
    if (lt_expr_path_walk(path, doc, &views, NULL) != LEAT_OK) {
        lt_buf_append_str(out, "null");
    } else {
        lt_buf_append_byte(out, '[');
        for (size_t i = 0; i < views.n; i++) {
            if (i)
                lt_buf_append_byte(out, ',');
            lt_buf_append(out, views.items[i].raw);
        }
        lt_buf_append_byte(out, ']');
    }
    free(views.items);
}

static void compare(const struct lt_expr_path *path, struct lt_slice text) {
    static const char *const docs[] = {
        "{\"a\":{\"b\":[1,{\"c\":2}]},\"a b\":\"x\",\"\":[[]],\"\\u0061\":{\"b\":[[3]]}}",
        "[{\"a\":1},{\"a\":[true,{}]},null,[5,6,[7]]]",
        "null",
    };
    static struct lt_expr_filter *same;
    struct lt_expr_filter *jq;
    struct lt_buf program, ours, out, expected;

    lt_buf_init(&program, 1 << 16);
    lt_buf_init(&ours, 1 << 16);
    lt_buf_init(&out, 1 << 16);
    lt_buf_init(&expected, 1 << 16);
    if (!same)
        must(lt_expr_filter_new(&same, LT_LIT("."), NULL) == LEAT_OK);
    lt_buf_printf(&program, "try [%.*s] catch null", LT_FMT(text));
    must(lt_expr_filter_new(&jq, lt_buf_slice(&program), NULL) == LEAT_OK);
    for (size_t i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
        walk(path, lt_slice_str(docs[i]), &ours);
        run(same, lt_buf_slice(&ours), &out);
        run(jq, lt_slice_str(docs[i]), &expected);
        must(lt_slice_eq(lt_buf_slice(&out), lt_buf_slice(&expected)));
    }
    lt_expr_filter_free(jq);
    lt_buf_deinit(&program);
    lt_buf_deinit(&ours);
    lt_buf_deinit(&out);
    lt_buf_deinit(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_slice text = lt_slice(data, len);
    struct lt_expr_path path;
    struct lt_arena arena;
    bool is_path;

    if (len > MAX_TEXT)
        return 0;
    lt_arena_init(&arena, 1 << 20);
    must(lt_expr_path_parse(&path, &is_path, text, &arena, NULL) == LEAT_OK);
    if (is_path)
        compare(&path, text);
    lt_arena_deinit(&arena);
    return 0;
}
