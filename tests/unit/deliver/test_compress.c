/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { TEXT_BYTES = 300000 };

static char *text_of_lines(void) {
    char *text = malloc(TEXT_BYTES);
    assert_non_null(text);
    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = i % 31 == 30 ? '\n' : (char)('a' + (i * i / 7) % 26);
    return text;
}

static size_t unpack_zstd(struct lt_slice packed, char *to, size_t room) {
    size_t len = ZSTD_decompress(to, room, packed.data, packed.len);
    assert_false(ZSTD_isError(len));
    return len;
}

static size_t unpack_gzip(struct lt_slice packed, char *to, size_t room) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data,
                  .avail_in = (uInt)packed.len,
                  .next_out = (Bytef *)to,
                  .avail_out = (uInt)room};
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    return z.total_out;
}

static void round_trip(enum lt_compression kind,
                       size_t (*unpack)(struct lt_slice, char *, size_t)) {
    const struct lt_compressor *row = lt_compressor_of(kind);
    char *text = text_of_lines(), *back = malloc(TEXT_BYTES + 1);
    const size_t lengths[] = {0, 1, 4096, TEXT_BYTES};
    struct lt_buf out, again;
    struct leat_error err;

    assert_int_equal(row->kind, kind);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        lt_buf_init(&out, 1 << 20);
        lt_buf_init(&again, 1 << 20);
        assert_int_equal(row->run(lt_slice(text, lengths[i]), &out, &err), LEAT_OK);
        assert_int_equal(row->run(lt_slice(text, lengths[i]), &again, &err), LEAT_OK);
        assert_true(lt_slice_eq(lt_buf_slice(&out), lt_buf_slice(&again)));
        assert_int_equal(unpack(lt_buf_slice(&out), back, TEXT_BYTES + 1), lengths[i]);
        assert_memory_equal(back, text, lengths[i]);
        lt_buf_deinit(&out);
        lt_buf_deinit(&again);
    }
    free(text);
    free(back);
}

static void gzip_gives_the_same_bytes_for_the_same_bytes_and_they_unpack(void **state) {
    (void)state;
    round_trip(LT_COMPRESSION_GZIP, unpack_gzip);
}

static void zstd_gives_the_same_bytes_for_the_same_bytes_and_they_unpack(void **state) {
    (void)state;
    round_trip(LT_COMPRESSION_ZSTD, unpack_zstd);
}

static void a_buffer_without_room_is_an_error(void **state) {
    char *text = text_of_lines();
    struct lt_buf out;
    struct leat_error err;
    (void)state;

    lt_buf_init(&out, 100);
    assert_int_equal(
        lt_compressor_of(LT_COMPRESSION_ZSTD)->run(lt_slice(text, TEXT_BYTES), &out, &err),
        LEAT_E_NOMEM);
    lt_buf_deinit(&out);
    free(text);
}

static void rows_are_found_by_name_and_zstd_is_not_firehoses(void **state) {
    (void)state;
    assert_int_equal(lt_compressor_find(LT_LIT("ZSTD"))->kind, LT_COMPRESSION_ZSTD);
    assert_false(lt_compressor_find(LT_LIT("ZSTD"))->in_firehose);
    assert_true(lt_compressor_find(LT_LIT("GZIP"))->in_firehose);
    assert_true(lt_compressor_find(LT_LIT("UNCOMPRESSED"))->in_firehose);
    assert_null(lt_compressor_find(LT_LIT("zstd")));
    assert_string_equal(lt_compressor_of(LT_COMPRESSION_ZSTD)->suffix, ".zst");
    assert_string_equal(lt_compressor_of(LT_COMPRESSION_ZSTD)->content_encoding, "zstd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_gives_the_same_bytes_for_the_same_bytes_and_they_unpack),
        cmocka_unit_test(zstd_gives_the_same_bytes_for_the_same_bytes_and_they_unpack),
        cmocka_unit_test(a_buffer_without_room_is_an_error),
        cmocka_unit_test(rows_are_found_by_name_and_zstd_is_not_firehoses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
