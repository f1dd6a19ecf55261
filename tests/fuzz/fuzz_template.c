/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a text with expressions in braces: it is refused with a place inside it, or its
 * parts, put together again with their braces, are the text.
 */
#include "rest/text_scan.h"

#include "base/buf.h"
#include "expr/lex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

struct reading {
    struct lt_slice text;
    struct lt_buf again;
};

static leat_status put_back(void *ctx, bool is_expression, struct lt_slice part, size_t offset,
                            struct leat_error *err) {
    struct reading *r = ctx;
    size_t at;

    must(part.data == r->text.data + offset && offset + part.len <= r->text.len);
    if (is_expression) {
        must(lt_expr_check_text(part, &at, err) == LEAT_OK);
        must(offset > 0 && part.data[-1] == '{' && part.data[part.len] == '}');
        lt_buf_append_byte(&r->again, '{');
        lt_buf_append(&r->again, part);
        lt_buf_append_byte(&r->again, '}');
        return LEAT_OK;
    }
    for (size_t i = 0; i < part.len; i++) {
        bool brace = part.data[i] == '{' || part.data[i] == '}';
        lt_buf_append_byte(&r->again, part.data[i]);
        if (brace)
            lt_buf_append_byte(&r->again, part.data[i]);
    }
    return LEAT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct reading r = {.text = lt_slice(data, len)};
    struct leat_error err = {0};
    size_t at = 0;

    lt_buf_init(&r.again, 4 * len + 16);
    leat_status status = lt_rest_text_each(r.text, put_back, &r, &at, &err);
    must(at <= len);
    if (status == LEAT_OK)
        must(lt_slice_eq(lt_buf_slice(&r.again), r.text));
    else
        must(status == LEAT_E_CONFIG && *err.text);
    lt_buf_deinit(&r.again);
    return 0;
}
