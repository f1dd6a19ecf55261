/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: a record a line, as it is. */
#include "pipeline/pull_format.h"

static leat_status page(struct lt_pull_formatter *f, const struct lt_rest_page *rest_page,
                        const struct lt_slice *records, size_t n, struct leat_error *err) {
    (void)rest_page;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        lt_buf_append(f->opt.out, records[i]);
        lt_buf_append_byte(f->opt.out, '\n');
    }
    return LEAT_OK;
}

const struct lt_pull_format_row lt_pull_format_json = {.name = "json", .page = page};
