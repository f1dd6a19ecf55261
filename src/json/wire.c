/* SPDX-License-Identifier: Apache-2.0 */
/* Values in the forms that AWS' JSON protocols give them: blobs as base64, time as seconds. */
#include "json/json.h"

#include "base/base64.h"

void lt_json_put_base64(struct lt_json_writer *w, struct lt_slice bytes) {
    lt_json_before_value(w);
    lt_buf_append_byte(w->out, '"');
    lt_base64_append(w->out, bytes);
    lt_buf_append_byte(w->out, '"');
    lt_json_after_value(w);
}

void lt_json_put_epoch(struct lt_json_writer *w, int64_t ms) {
    uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    unsigned rest = (unsigned)(size % 1000);
    char fraction[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                        (char)('0' + rest % 10)};

    lt_json_before_value(w);
    if (ms < 0)
        lt_buf_append_byte(w->out, '-');
    lt_buf_append_u64(w->out, size / 1000);
    lt_buf_append(w->out, lt_slice(fraction, 4));
    lt_json_after_value(w);
}
