/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record for jq: what our reader makes of valid JSON equals what
 * jq's own reader makes of it, and what is written again reads as the same.
 */
#include "expr/expr.h"
#include "json/json.h"

#include <stdlib.h>

enum { DEPTH = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The filters live to the end, and jq keeps only pointers to the end of its stacks. */
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
    if (lt_expr_filter_run(filter, json, false, out, NULL, NULL) != LEAT_OK)
        lt_buf_clear(out); /* a number that is not finite */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static struct lt_expr_filter *same, *as_it_is;
    struct lt_buf record, out, again;
    struct lt_json value;

    if (!same) {
        must(lt_expr_filter_new(&same, LT_LIT(".v == (.t | fromjson)"), NULL) == LEAT_OK);
        must(lt_expr_filter_new(&as_it_is, LT_LIT("."), NULL) == LEAT_OK);
    }
    if (lt_json_parse(&value, lt_slice(data, len), DEPTH, NULL) != LEAT_OK)
        return 0;
    lt_buf_init(&record, SIZE_MAX);
    lt_buf_init(&out, SIZE_MAX);
    lt_buf_init(&again, SIZE_MAX);
    lt_buf_append_str(&record, "{\"v\":");
    lt_buf_append(&record, lt_slice(data, len));
    lt_buf_append_str(&record, ",\"t\":");
    lt_json_write_string(&record, lt_slice(data, len));
    lt_buf_append_byte(&record, '}');
    run(same, lt_buf_slice(&record), &out);
    must(lt_slice_eq_str(lt_buf_slice(&out), "true\n"));

    run(as_it_is, lt_slice(data, len), &out);
    if (out.len) {
        run(as_it_is, lt_buf_slice(&out), &again);
        must(lt_slice_eq(lt_buf_slice(&out), lt_buf_slice(&again)));
    }
    lt_buf_deinit(&record);
    lt_buf_deinit(&out);
    lt_buf_deinit(&again);
    return 0;
}
