/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From jq's values to bytes. jq has only doubles and prints NaN as null and an
 * infinity as the largest double; here both are refused, for they would be wrong sums.
 */
#include "expr/value.h"

#include <math.h>

enum { MAX_DEPTH = LT_JSON_DEFAULT_DEPTH };

/* NULL, or what is wrong. Takes `value`. No deeper than MAX_DEPTH, so recursion is bounded. */
static const char *find_fault(jv value, unsigned depth) {
    jv_kind kind = lt_jq.get_kind(value);
    const char *fault = NULL;

    if (kind == JV_KIND_NUMBER && !isfinite(lt_jq.number_value(value)))
        fault = "gave a number that is not finite";
    if ((kind == JV_KIND_ARRAY || kind == JV_KIND_OBJECT) && depth >= MAX_DEPTH) {
        fault = "gave a value that is nested too deep";
    } else if (kind == JV_KIND_ARRAY) {
        int n = lt_jq.array_length(lt_jq.copy(value));
        for (int i = 0; i < n && !fault; i++)
            fault = find_fault(lt_jq.array_get(lt_jq.copy(value), i), depth + 1);
    } else if (kind == JV_KIND_OBJECT) {
        for (int i = lt_jq.object_iter(value); lt_jq.object_iter_valid(value, i) && !fault;
             i = lt_jq.object_iter_next(value, i))
            fault = find_fault(lt_jq.object_iter_value(value, i), depth + 1);
    }
    lt_jq.free(value);
    return fault;
}

struct lt_slice lt_expr_string(jv string) {
    return lt_slice(lt_jq.string_value(string),
                    (size_t)lt_jq.string_length_bytes(lt_jq.copy(string)));
}

static void write_as_jq_does(struct lt_buf *out, jv value) {
    jv text = lt_jq.dump_string(lt_jq.copy(value), 0);

    lt_buf_append(out, lt_expr_string(text));
    lt_jq.free(text);
}

static const char *write_number(struct lt_buf *out, jv value) {
    double number = lt_jq.number_value(value);
    char text[32];

    if (!isfinite(number))
        return "gave a number that is not finite";
    if (fabs(number) < 1e15 && trunc(number) == number)
        lt_buf_append(out, lt_slice(text, lt_json_format_double(number, text)));
    else
        write_as_jq_does(out, value);
    return NULL;
}

const char *lt_expr_write_value(struct lt_buf *out, jv value) {
    const char *fault = NULL;

    switch (lt_jq.get_kind(value)) {
    case JV_KIND_NUMBER:
        fault = write_number(out, value);
        break;
    case JV_KIND_STRING:
        lt_json_write_string(out, lt_expr_string(value));
        break;
    default:
        fault = find_fault(lt_jq.copy(value), 0);
        if (!fault)
            write_as_jq_does(out, value);
        break;
    }
    return !fault && out->failed ? "gave too large a value" : fault;
}
