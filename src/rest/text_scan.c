/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an expression in braces ends is asked of jq's lexer: read on from the opening brace, it
 * stops at the first bracket that closes nothing, and that is the end when all before it is closed
 * in itself.
 */
#include "rest/text_scan.h"

#include "expr/lex.h"

static bool is_blank(struct lt_slice text) {
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.data[i]) || !text.data[i])
            return false;
    return true;
}

leat_status lt_rest_text_expression(struct lt_slice text, size_t open, struct lt_slice *out,
                                    size_t *at, struct leat_error *err) {
    struct lt_slice rest = lt_slice_from(text, open + 1);
    struct leat_error own, ignored;
    size_t end = 0, fault;
    leat_status status;

    if (rest.len > LT_EXPR_MAX_TEXT_BYTES)
        rest.len = LT_EXPR_MAX_TEXT_BYTES;
    status = lt_expr_check_text(rest, &end, &own);
    *at = open;
    if (status == LEAT_OK)
        return lt_fail(err, LEAT_E_CONFIG, 0,
                       "the brace that opens here is not closed; expected '}' after a jq "
                       "expression, or '{{' for a brace of the text");
    *out = lt_slice(rest.data, end);
    if (end < rest.len && rest.data[end] == '}' &&
        lt_expr_check_text(*out, &fault, &ignored) == LEAT_OK) {
        if (!is_blank(*out))
            return LEAT_OK;
        return lt_fail(err, LEAT_E_CONFIG, 0,
                       "the braces are empty; expected a jq expression such as {.id}");
    }
    *at = open + 1 + end;
    if (err)
        *err = own;
    return status;
}

static leat_status give(lt_rest_text_part *each, void *ctx, bool is_expression,
                        struct lt_slice part, size_t offset, size_t *at, struct leat_error *err) {
    if (!each || !part.len)
        return LEAT_OK;
    *at = offset;
    return each(ctx, is_expression, part, offset, err);
}

leat_status lt_rest_text_each(struct lt_slice text, lt_rest_text_part *each, void *ctx, size_t *at,
                              struct leat_error *err) {
    leat_status status = LEAT_OK;
    size_t start = 0; /* of the literal bytes that are not given yet */

    *at = 0;
    for (size_t i = 0; i < text.len;) {
        char c = text.data[i];
        if (c != '{' && c != '}') {
            i++;
            continue;
        }
        bool twice = i + 1 < text.len && text.data[i + 1] == c;
        /* of "{{" the first brace goes out with what stands before it */
        status =
            give(each, ctx, false, lt_slice(text.data + start, i - start + twice), start, at, err);
        if (status != LEAT_OK)
            return status;
        if (twice) {
            start = i += 2;
            continue;
        }
        if (c == '}') {
            *at = i;
            return lt_fail(err, LEAT_E_CONFIG, 0,
                           "'}' closes nothing; expected '{' before it, or '}}' for a brace of the "
                           "text");
        }
        struct lt_slice expression;
        status = lt_rest_text_expression(text, i, &expression, at, err);
        if (status == LEAT_OK)
            status = give(each, ctx, true, expression, i + 1, at, err);
        if (status != LEAT_OK)
            return status;
        start = i = i + 1 + expression.len + 1;
    }
    return give(each, ctx, false, lt_slice_from(text, start), start, at, err);
}
