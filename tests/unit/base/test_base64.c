/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/hash.h"

#include <stdlib.h>

static void base64_equals_the_published_examples(void **state) {
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[16], back[16];
        size_t n = lt_base64_encode(lt_slice_str(pairs[i][0]), text);
        assert_int_equal(n, lt_base64_encoded_len(strlen(pairs[i][0])));
        assert_true(lt_slice_eq_str(lt_slice(text, n), pairs[i][1]));
        n = lt_base64_decode(lt_slice_str(pairs[i][1]), back);
        assert_true(lt_slice_eq_str(lt_slice(back, n), pairs[i][0]));
    }
}

/* Exact allocations, so that a sanitizer sees a byte read or written too far. */
static void base64_bodies_agree_and_go_round_at_every_length(void **state) {
    (void)state;
    for (size_t len = 1; len < 300; len++) {
        char *in = malloc(len);
        char *text = malloc(lt_base64_encoded_len(len));
        char *reference = malloc(lt_base64_encoded_len(len));
        assert_true(in && text && reference);
        lt_random(in, len);
        size_t n = lt_base64_encode(lt_slice(in, len), text);
        assert_int_equal(lt_base64_encode_portable(lt_slice(in, len), reference), n);
        assert_memory_equal(text, reference, n);
        char *back = malloc(lt_base64_decoded_max(n));
        assert_non_null(back);
        assert_int_equal(lt_base64_decode(lt_slice(text, n), back), len);
        assert_memory_equal(back, in, len);
        assert_int_equal(lt_base64_decode_portable(lt_slice(text, n), back), len);
        assert_memory_equal(back, in, len);
        free(in);
        free(text);
        free(reference);
        free(back);
    }
}

static void base64_every_byte_of_the_alphabet_means_its_number(void **state) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char out[51];

    (void)state;
    assert_int_equal(lt_base64_decode(lt_slice_str(alphabet), out), 48);
    for (size_t i = 0; i < 64; i++) {
        unsigned bits = (unsigned)(unsigned char)out[i / 4 * 3] << 16 |
                        (unsigned)(unsigned char)out[i / 4 * 3 + 1] << 8 |
                        (unsigned char)out[i / 4 * 3 + 2];
        assert_int_equal(bits >> (18 - 6 * (i % 4)) & 63, i);
    }
}

static void base64_refuses_every_foreign_byte_at_every_place(void **state) {
    char text[128], out[128];

    (void)state;
    for (size_t at = 0; at < sizeof(text); at++)
        for (unsigned c = 0; c < 256; c++) {
            bool known = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                         (c >= '0' && c <= '9') || c == '+' || c == '/' ||
                         (c == '=' && at == sizeof(text) - 1);
            memset(text, 'A', sizeof(text));
            text[at] = (char)c;
            size_t n = lt_base64_decode(lt_slice(text, sizeof(text)), out);
            size_t reference = lt_base64_decode_portable(lt_slice(text, sizeof(text)), out);
            assert_int_equal(n != SIZE_MAX, known);
            assert_true(n == reference);
        }
}

static void base64_refuses_wrong_lengths_and_padding(void **state) {
    static const char *const bad[] = {
        "A",    "AA",   "AAA",  "AAAAA",    "=",        "====",   "A===",  "=AAA",  "A=AA",
        "AA=A", "Zh==", "Zm9=", "AA==AAAA", "AAA=AAAA", "Zg==\n", "Zg= =", " Zg==", "Zm-_"};
    char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_true(lt_base64_decode(lt_slice_str(bad[i]), out) == SIZE_MAX);
    assert_true(lt_base64_decode(lt_slice("Zm9\0", 4), out) == SIZE_MAX);
}

static void base64_append_respects_the_maximum(void **state) {
    struct lt_buf buf;
    struct leat_error err;

    (void)state;
    lt_buf_init(&buf, 8);
    lt_base64_append(&buf, lt_slice(NULL, 0));
    lt_base64_append(&buf, LT_LIT("foobar"));
    assert_true(lt_slice_eq_str(lt_buf_slice(&buf), "Zm9vYmFy"));
    lt_base64_append(&buf, LT_LIT("f"));
    assert_int_equal(lt_buf_status(&buf, &err), LEAT_E_NOMEM);
    assert_int_equal(buf.len, 8);
    lt_buf_deinit(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_equals_the_published_examples),
        cmocka_unit_test(base64_bodies_agree_and_go_round_at_every_length),
        cmocka_unit_test(base64_every_byte_of_the_alphabet_means_its_number),
        cmocka_unit_test(base64_refuses_every_foreign_byte_at_every_place),
        cmocka_unit_test(base64_refuses_wrong_lengths_and_padding),
        cmocka_unit_test(base64_append_respects_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
