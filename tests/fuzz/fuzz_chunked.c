/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an "aws-chunked" body: it decodes to the same data, or fails alike, whether it comes
 * whole or byte by byte; and what any bytes decode from, once coded, are those bytes.
 */
#include "engine/s3/chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static int gather(void *ctx, struct lt_slice part) {
    lt_buf_append(ctx, part);
    return 0;
}

/** Decodes in pieces of `step`; the bytes go to `out`, the trailer that a client would send too. */
static int decode(struct lt_slice text, size_t step, struct lt_buf *out, bool *whole) {
    struct lt_s3_chunked chunked;
    int sys = 0;

    lt_s3_chunked_init(&chunked);
    for (size_t at = 0; at < text.len && !sys; at += step) {
        size_t n = text.len - at < step ? text.len - at : step;
        sys = lt_s3_chunked_feed(&chunked, lt_slice(text.data + at, n), gather, out);
    }
    must(out->len == chunked.n_bytes);
    *whole = !sys && lt_s3_chunked_is_whole(&chunked);
    lt_buf_append(out, lt_s3_chunked_trailer(&chunked, "x-amz-checksum-crc32"));
    lt_s3_chunked_deinit(&chunked);
    return sys;
}

static void check_same(struct lt_slice text) {
    struct lt_buf at_once, by_byte;
    bool whole, whole_by_byte;

    lt_buf_init(&at_once, SIZE_MAX);
    lt_buf_init(&by_byte, SIZE_MAX);
    int sys = decode(text, text.len ? text.len : 1, &at_once, &whole);
    must(decode(text, 1, &by_byte, &whole_by_byte) == sys);
    must(whole == whole_by_byte && lt_slice_eq(lt_buf_slice(&at_once), lt_buf_slice(&by_byte)));
    lt_buf_deinit(&at_once);
    lt_buf_deinit(&by_byte);
}

static void check_coded(struct lt_slice data) {
    struct lt_buf text, back;
    struct lt_slice rest = data;
    bool whole;

    lt_buf_init(&text, SIZE_MAX);
    lt_buf_init(&back, SIZE_MAX);
    for (size_t step = 1; rest.len; step = step * 3 % 61) {
        size_t n = rest.len < step ? rest.len : step;
        lt_buf_printf(&text, "%zX;chunk-signature=0\r\n", n);
        lt_buf_append(&text, lt_slice(rest.data, n));
        lt_buf_append_str(&text, "\r\n");
        rest = lt_slice_from(rest, n);
    }
    lt_buf_append_str(&text, "0\r\n\r\n");
    must(decode(lt_buf_slice(&text), 7, &back, &whole) == 0 && whole);
    must(lt_slice_eq(lt_buf_slice(&back), data));
    lt_buf_deinit(&text);
    lt_buf_deinit(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    check_same(lt_slice(data, len));
    check_coded(lt_slice(data, len));
    return 0;
}
