/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/s3/chunked.h"
#include "engine/s3/sums.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const of_hello[LT_S3_N_SUMS] = {
    [LT_S3_MD5] = "XUFAKrxLKna5cZ2REBfFkg==",
    [LT_S3_CRC32] = "NhCmhg==",
    [LT_S3_CRC32C] = "mnG7TA==",
    [LT_S3_CRC64NVME] = "M3eFcAZSQlc=",
    [LT_S3_SHA1] = "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
    [LT_S3_SHA256] = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
};

static void sums_of_a_text_are_those_of_aws(void **state) {
    struct lt_s3_sums sums = {.want = {true, true, true, true, true, true}};
    struct leat_error err;
    (void)state;
    assert_int_equal(lt_s3_sums_init(&sums, &err), LEAT_OK);
    lt_s3_sums_add(&sums, LT_LIT("hel"));
    lt_s3_sums_add(&sums, LT_LIT(""));
    lt_s3_sums_add(&sums, LT_LIT("lo"));
    lt_s3_sums_end(&sums);
    for (unsigned i = 0; i < LT_S3_N_SUMS; i++) {
        assert_true(lt_s3_sum_is(&sums, i, lt_slice_str(of_hello[i])));
        assert_true(lt_s3_sum_is_valid(i, lt_slice_str(of_hello[i])));
        assert_false(lt_s3_sum_is(&sums, i, lt_slice_str(of_hello[(i + 1) % LT_S3_N_SUMS])));
        assert_false(lt_s3_sum_is_valid(i, LT_LIT("")));
        assert_false(lt_s3_sum_is_valid(i, LT_LIT("!!!!!!==")));
        assert_false(lt_s3_sum_is_valid(i, lt_slice(NULL, 0)));
    }
    lt_s3_sums_deinit(&sums);
}

/** The definition, a bit at a time. */
static uint64_t crc64_by_bits(const unsigned char *data, size_t len) {
    uint64_t crc = ~UINT64_C(0);
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT64_C(0x9a6c9329ac4bc9b5) : 0);
    }
    return ~crc;
}

static void crc64_agrees_with_its_definition_at_every_length_and_split(void **state) {
    unsigned char data[300];
    (void)state;
    assert_int_equal(lt_crc64nvme(0, "123456789", 9), UINT64_C(0xae8b14860a799888));
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t len = 0; len < sizeof(data); len++)
        assert_int_equal(lt_crc64nvme(0, data, len), crc64_by_bits(data, len));
    for (size_t at = 0; at < sizeof(data); at++)
        assert_int_equal(lt_crc64nvme(lt_crc64nvme(0, data, at), data + at, sizeof(data) - at),
                         crc64_by_bits(data, sizeof(data)));
}

static void sums_of_a_file_need_all_of_it(void **state) {
    struct lt_s3_sums sums = {.want = {[LT_S3_SHA256] = true, [LT_S3_MD5] = true}};
    struct leat_error err;
    char path[] = "/tmp/leat-sums-XXXXXX";
    (void)state;
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(lt_s3_sums_file(&sums, fd, 5, &err), LEAT_OK);
    assert_true(lt_s3_sum_is(&sums, LT_S3_SHA256, lt_slice_str(of_hello[LT_S3_SHA256])));
    lt_s3_sums_deinit(&sums);
    assert_int_equal(lt_s3_sums_file(&sums, fd, 6, &err), LEAT_E_IO);
    lt_s3_sums_deinit(&sums);
    close(fd);
}

static int gather(void *ctx, struct lt_slice part) {
    lt_buf_append(ctx, part);
    return 0;
}

/** Feeds `text` in pieces of `step` bytes; 0 when all of it was there and in order. */
static int decode(struct lt_slice text, size_t step, struct lt_s3_chunked *chunked,
                  struct lt_buf *out) {
    int sys = 0;
    lt_s3_chunked_init(chunked);
    lt_buf_clear(out);
    for (size_t at = 0; at < text.len && !sys; at += step) {
        size_t n = text.len - at < step ? text.len - at : step;
        sys = lt_s3_chunked_feed(chunked, lt_slice(text.data + at, n), gather, out);
    }
    return sys ? sys : lt_s3_chunked_is_whole(chunked) ? 0 : EAGAIN;
}

static void chunked_body_decodes_however_it_is_cut(void **state) {
    const struct lt_slice text =
        LT_LIT("5;chunk-signature=00ff\r\nhello\r\n10;x\r\n world and more!\r\n"
               "0;chunk-signature=11\r\nx-amz-checksum-crc32: AAAA== \r\nOther:1\r\n\r\n");
    struct lt_s3_chunked chunked;
    struct lt_buf out;
    (void)state;
    lt_buf_init(&out, 1000);
    for (size_t step = 1; step <= text.len; step++) {
        assert_int_equal(decode(text, step, &chunked, &out), 0);
        assert_true(lt_slice_eq_str(lt_buf_slice(&out), "hello world and more!"));
        assert_int_equal(chunked.n_bytes, 21);
        assert_true(
            lt_slice_eq_str(lt_s3_chunked_trailer(&chunked, "X-Amz-Checksum-Crc32"), "AAAA=="));
        assert_true(lt_slice_eq_str(lt_s3_chunked_trailer(&chunked, "other"), "1"));
        assert_null(lt_s3_chunked_trailer(&chunked, "othe").data);
        assert_null(lt_s3_chunked_trailer(&chunked, "none").data);
        lt_s3_chunked_deinit(&chunked);
    }
    lt_buf_deinit(&out);
}

static void chunked_body_may_lack_its_last_empty_line(void **state) {
    struct lt_s3_chunked chunked;
    struct lt_buf out;
    (void)state;
    lt_buf_init(&out, 1000);
    assert_int_equal(decode(LT_LIT("0\r\n"), 1, &chunked, &out), 0);
    lt_s3_chunked_deinit(&chunked);
    assert_int_equal(decode(LT_LIT("1\r\nx\r\n0\r\na:b\r\n"), 2, &chunked, &out), 0);
    assert_true(lt_slice_eq_str(lt_s3_chunked_trailer(&chunked, "a"), "b"));
    lt_s3_chunked_deinit(&chunked);
    lt_buf_deinit(&out);
}

static void chunked_body_that_is_malformed_or_cut_off_is_told(void **state) {
    char many[9000];
    memset(many, 'a', sizeof(many));
    memcpy(many, "0\r\nname:", 8);
    const struct {
        struct lt_slice text;
        int sys;
    } cases[] = {{LT_LIT("\r\n"), EPROTO},
                 {LT_LIT(";\r\n"), EPROTO},
                 {LT_LIT("g\r\n"), EPROTO},
                 {LT_LIT("-1\r\n"), EPROTO},
                 {LT_LIT("1234567890abc\r\n"), EPROTO},
                 {LT_LIT("1\r\nxy\r\n"), EPROTO},
                 {LT_LIT("1\r\nx\n0\r\n\r\n"), EPROTO},
                 {LT_LIT("0\r\n\r\nmore"), EPROTO},
                 {lt_slice(many, sizeof(many)), EPROTO},
                 {LT_LIT(""), EAGAIN},
                 {LT_LIT("5\r\nhell"), EAGAIN},
                 {LT_LIT("5\r\nhello"), EAGAIN},
                 {LT_LIT("5\r\nhello\r\n"), EAGAIN},
                 {LT_LIT("0\r\nhalf-a-trailer"), EAGAIN}};
    struct lt_s3_chunked chunked;
    struct lt_buf out;
    (void)state;
    lt_buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step <= 16; step += 5) {
            assert_int_equal(decode(cases[i].text, step, &chunked, &out), cases[i].sys);
            lt_s3_chunked_deinit(&chunked);
        }
    lt_buf_deinit(&out);
}

static int refuse(void *ctx, struct lt_slice part) {
    (void)ctx;
    return part.len ? ENOSPC : 0;
}

static void chunked_body_passes_the_takers_failure_on(void **state) {
    struct lt_s3_chunked chunked;
    (void)state;
    lt_s3_chunked_init(&chunked);
    assert_int_equal(lt_s3_chunked_feed(&chunked, LT_LIT("3\r\nabc\r\n"), refuse, NULL), ENOSPC);
    lt_s3_chunked_deinit(&chunked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_a_text_are_those_of_aws),
        cmocka_unit_test(crc64_agrees_with_its_definition_at_every_length_and_split),
        cmocka_unit_test(sums_of_a_file_need_all_of_it),
        cmocka_unit_test(chunked_body_decodes_however_it_is_cut),
        cmocka_unit_test(chunked_body_may_lack_its_last_empty_line),
        cmocka_unit_test(chunked_body_that_is_malformed_or_cut_off_is_told),
        cmocka_unit_test(chunked_body_passes_the_takers_failure_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
