/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"

#include <pthread.h>

static const char *hex_of(const uint8_t *bytes, size_t n) {
    static char text[2 * LT_SHA256_BYTES + 1];
    lt_hex(bytes, n, text);
    return text;
}

static void hash_digests_equal_the_published_ones(void **state) {
    uint8_t out[LT_SHA256_BYTES];

    (void)state;
    lt_md5(lt_slice(NULL, 0), out);
    assert_string_equal(hex_of(out, LT_MD5_BYTES), "d41d8cd98f00b204e9800998ecf8427e");
    lt_md5(LT_LIT("message digest"), out);
    assert_string_equal(hex_of(out, LT_MD5_BYTES), "f96b697d7cb7938d525a2f31aaf161d0");
    lt_sha1(LT_LIT("abc"), out);
    assert_string_equal(hex_of(out, LT_SHA1_BYTES), "a9993e364706816aba3e25717850c26c9cd0d89d");
    lt_sha256(LT_LIT("abc"), out);
    assert_string_equal(hex_of(out, LT_SHA256_BYTES),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hash_a_digest_does_not_depend_on_the_one_before(void **state) {
    uint8_t first[LT_MD5_BYTES], again[LT_MD5_BYTES], other[LT_SHA256_BYTES];

    (void)state;
    lt_md5(LT_LIT("session-1"), first);
    lt_md5(LT_LIT("session-2"), again);
    assert_memory_not_equal(first, again, sizeof(first));
    lt_sha256(LT_LIT("between"), other);
    lt_md5(LT_LIT("session-1"), again);
    assert_memory_equal(first, again, sizeof(first));
}

/* RFC 4231, test cases 2 and 6; then a key of no bytes. */
static void hash_hmac_takes_keys_short_long_and_empty(void **state) {
    uint8_t out[LT_SHA256_BYTES];
    char long_key[131];

    (void)state;
    lt_hmac_sha256(LT_LIT("Jefe"), LT_LIT("what do ya want for nothing?"), out);
    assert_string_equal(hex_of(out, sizeof(out)),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof(long_key));
    lt_hmac_sha256(lt_slice(long_key, sizeof(long_key)),
                   LT_LIT("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_string_equal(hex_of(out, sizeof(out)),
                        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    lt_hmac_sha256(lt_slice(NULL, 0), lt_slice(NULL, 0), out);
    assert_string_equal(hex_of(out, sizeof(out)),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hash_in_parts_equals_the_whole(void **state) {
    static const enum lt_digest_kind kinds[] = {LT_DIGEST_MD5, LT_DIGEST_SHA1, LT_DIGEST_SHA256};
    static const size_t lens[] = {LT_MD5_BYTES, LT_SHA1_BYTES, LT_SHA256_BYTES};
    static void (*const whole[])(struct lt_slice, uint8_t *) = {lt_md5, lt_sha1, lt_sha256};
    uint8_t expected[LT_SHA256_BYTES], out[LT_SHA256_BYTES];
    char data[300];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    for (size_t k = 0; k < 3; k++) {
        struct lt_digest *digest = lt_digest_new(kinds[k]);
        assert_non_null(digest);
        for (size_t at = 0; at < sizeof(data); at += 100)
            lt_digest_update(digest, lt_slice(data + at, 100));
        lt_digest_update(digest, lt_slice(NULL, 0));
        lt_digest_final(digest, out);
        lt_digest_free(digest);
        whole[k](lt_slice(data, sizeof(data)), expected);
        assert_memory_equal(out, expected, lens[k]);
    }
    lt_digest_free(NULL);
}

static void *digest_often(void *arg) {
    uint8_t *out = arg;

    for (int i = 0; i < 1000; i++) {
        lt_md5(LT_LIT("message digest"), out);
        lt_hmac_sha256(LT_LIT("Jefe"), LT_LIT("what do ya want for nothing?"), out + LT_MD5_BYTES);
    }
    return NULL;
}

static void hash_threads_digest_side_by_side(void **state) {
    uint8_t out[4][LT_MD5_BYTES + LT_SHA256_BYTES];
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, digest_often, out[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_string_equal(hex_of(out[0], LT_MD5_BYTES), "f96b697d7cb7938d525a2f31aaf161d0");
    for (size_t i = 1; i < 4; i++)
        assert_memory_equal(out[i], out[0], sizeof(out[0]));
}

/* RFC 3720, appendix B.4. */
static void md5_of_many_keys_equals_that_of_each(void **state) {
    enum { MOST = 70, TEXT = 80 };
    static char texts[MOST][TEXT];
    static uint8_t out[MOST][LT_MD5_BYTES];
    struct lt_slice keys[MOST];
    uint8_t alone[LT_MD5_BYTES];

    (void)state;
    lt_random(texts, sizeof(texts));
    for (size_t n = 0; n <= MOST; n++) {
        for (size_t shift = 0; shift < TEXT; shift += n < 20 ? 1 : 7) {
            for (size_t i = 0; i < n; i++) /* lengths on both sides of what one block takes */
                keys[i] = lt_slice(texts[i], (i * 3 + shift) % TEXT);
            lt_md5_all(keys, out, n);
            for (size_t i = 0; i < n; i++) {
                lt_md5(keys[i], alone);
                assert_memory_equal(out[i], alone, sizeof(alone));
            }
        }
    }
}

static void crc32c_equals_the_published_sums(void **state) {
    unsigned char bytes[32];

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(lt_crc32c(0, bytes, sizeof(bytes)), 0x8A9136AA);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(lt_crc32c(0, bytes, sizeof(bytes)), 0x62A8AB43);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(lt_crc32c(0, bytes, sizeof(bytes)), 0x46DD794E);
    assert_int_equal(lt_crc32c_portable(0, bytes, sizeof(bytes)), 0x46DD794E);
    assert_int_equal(lt_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(lt_crc32c(0, NULL, 0), 0);
}

static void crc32c_bodies_agree_at_every_length_and_alignment(void **state) {
    static unsigned char bytes[8000]; /* some stretches of every kind */

    (void)state;
    lt_random(bytes, sizeof(bytes));
    for (size_t from = 0; from < 9; from++)
        for (size_t len = 0; from + len <= sizeof(bytes); len += len < 1200 ? 1 : 37)
            assert_int_equal(lt_crc32c(7, bytes + from, len),
                             lt_crc32c_portable(7, bytes + from, len));
}

static void crc32c_goes_on_from_a_sum(void **state) {
    char bytes[100];

    (void)state;
    lt_random(bytes, sizeof(bytes));
    uint32_t whole = lt_crc32c(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t first = lt_crc32c(0, bytes, cut);
        assert_int_equal(lt_crc32c(first, bytes + cut, sizeof(bytes) - cut), whole);
        assert_int_equal(lt_crc32c_portable(first, bytes + cut, sizeof(bytes) - cut), whole);
    }
}

static void random_fills_what_it_is_given_and_no_more(void **state) {
    unsigned char bytes[66] = {0}, seen = 0;

    (void)state;
    for (int i = 0; i < 64; i++) {
        lt_random(bytes + 1, 64);
        seen |= bytes[64];
    }
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[65], 0);
    assert_int_not_equal(seen, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_digests_equal_the_published_ones),
        cmocka_unit_test(hash_a_digest_does_not_depend_on_the_one_before),
        cmocka_unit_test(hash_hmac_takes_keys_short_long_and_empty),
        cmocka_unit_test(hash_in_parts_equals_the_whole),
        cmocka_unit_test(hash_threads_digest_side_by_side),
        cmocka_unit_test(md5_of_many_keys_equals_that_of_each),
        cmocka_unit_test(crc32c_equals_the_published_sums),
        cmocka_unit_test(crc32c_bodies_agree_at_every_length_and_alignment),
        cmocka_unit_test(crc32c_goes_on_from_a_sum),
        cmocka_unit_test(random_fills_what_it_is_given_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
