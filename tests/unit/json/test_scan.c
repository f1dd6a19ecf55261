/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "rfc8259.h"

enum { ROOM = 8192 };

static struct guarded memory;
static struct lt_json_tape wanted, found; /* by the portable scanner, and by the one on trial */

static int make_memory(void **state) {
    (void)state;
    memory = guarded_new(ROOM);
    return 0;
}

static int free_memory(void **state) {
    (void)state;
    guarded_free(memory);
    lt_json_tape_deinit(&wanted);
    lt_json_tape_deinit(&found);
    return 0;
}

static void assert_same(const char *name, struct lt_slice text, leat_status status) {
    leat_status got = lt_json_tape_scan(&found, text, NULL);

    if (got != status)
        fail_msg("%s: status %d, not %d: %.*s", name, (int)got, (int)status, LT_FMT(text));
    if (status != LEAT_OK)
        return;
    if (found.n != wanted.n || found.flags != wanted.flags)
        fail_msg("%s: %u tokens, not %u: %.*s", name, found.n, wanted.n, LT_FMT(text));
    assert_memory_equal(found.at, wanted.at, (wanted.n + 1) * sizeof(*wanted.at));
}

/* At the begin of a page, at the end of one, and at each of 64 alignments. */
static void compare_everywhere(struct lt_slice text) {
    assert_true(text.len + 64 <= ROOM);
    assert_true(lt_json_scanner_use("portable"));
    leat_status status = lt_json_tape_scan(&wanted, text, NULL);
    for (size_t s = 1; s < N_SCANNER_NAMES; s++) {
        if (!lt_json_scanner_use(scanner_names[s]))
            continue;
        for (size_t offset = 0; offset < 64; offset++)
            assert_same(scanner_names[s], guarded_at_start(memory, text, offset), status);
        assert_same(scanner_names[s], guarded_at_end(memory, text), status);
    }
}

static uint64_t random_next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void each_scanner_finds_the_tokens_of_the_portable_one(void **state) {
    (void)state;
    for (size_t i = 0; i < N_RFC8259_CASES; i++)
        compare_everywhere(rfc8259_cases[i].text);
}

static void each_byte_has_the_class_of_the_portable_scanner(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++) {
        for (size_t before = 0; before < 64; before++) {
            char text[128];
            memset(text, ' ', sizeof(text));
            memcpy(text + before, "\"\"1?2\"?\"", 8);
            text[before + 3] = (char)c;
            text[before + 6] = before % 2 ? (char)c : '"';
            assert_true(lt_json_scanner_use("portable"));
            leat_status status = lt_json_tape_scan(&wanted, lt_slice(text, sizeof(text)), NULL);
            for (size_t s = 1; s < N_SCANNER_NAMES; s++)
                if (lt_json_scanner_use(scanner_names[s]))
                    assert_same(scanner_names[s], lt_slice(text, sizeof(text)), status);
        }
    }
}

/* The cases one behind another, as elements of a text of several blocks: faults meet what is good,
 * at the borders of blocks as elsewhere. */
static void each_scanner_finds_the_tokens_of_long_texts(void **state) {
    uint64_t seed = 88172645463325252;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        char text[ROOM - 64];
        size_t len = 0;
        unsigned n = (unsigned)(random_next(&seed) % 40);
        bool only_good = round % 3 != 0;
        for (unsigned i = 0; i < n; i++) {
            const struct rfc8259_case *c = &rfc8259_cases[random_next(&seed) % N_RFC8259_CASES];
            if ((only_good && !c->accepted) || c->text.len + len + 1 > sizeof(text))
                continue;
            memcpy(text + len, c->text.data, c->text.len);
            len += c->text.len;
            text[len++] = ',';
        }
        compare_everywhere(lt_slice(text, len));
    }
}

/* Bytes that matter, in any order. */
static void each_scanner_agrees_on_noise(void **state) {
    static const char alphabet[] = "\"\"\"\"\\\\\\\\{}[]:,, \n\t\x01\x1f\x0c\x1a"
                                   "0aun/ \x7f"
                                   "\x80\xbf\xa0\xac\x90\x8f\x9f\xc2\xc0\xe0\xe2\xed\xf0\xf4\xf5";
    uint64_t seed = 424242;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        char text[200];
        size_t len = random_next(&seed) % sizeof(text);
        /* few of the bytes that end most texts at once, so that others are reached */
        size_t kinds = round % 2 ? sizeof(alphabet) - 1 : 18;
        for (size_t i = 0; i < len; i++)
            text[i] = random_next(&seed) % 3 ? 'n' : alphabet[random_next(&seed) % kinds];
        assert_true(lt_json_scanner_use("portable"));
        leat_status status = lt_json_tape_scan(&wanted, lt_slice(text, len), NULL);
        for (size_t s = 1; s < N_SCANNER_NAMES; s++)
            if (lt_json_scanner_use(scanner_names[s]))
                assert_same(scanner_names[s], guarded_at_end(memory, lt_slice(text, len)), status);
    }
}

/* A run of backslashes of each length, beginning at each place of a block, before a quote. */
static void runs_of_backslashes_are_counted_over_the_border_of_blocks(void **state) {
    (void)state;
    for (size_t before = 0; before < 66; before++) {
        for (size_t run = 0; run < 70; run++) {
            char text[200] = "\"";
            memset(text + 1, 'x', before);
            memset(text + 1 + before, '\\', run);
            strcpy(text + 1 + before + run, "\"  ,1");
            compare_everywhere(lt_slice_str(text));
            /* an odd run takes the quote, and the string does not end */
            assert_int_equal(lt_json_tape_scan(&found, lt_slice_str(text), NULL),
                             run % 2 ? LEAT_E_PARSE : LEAT_OK);
        }
    }
}

/* Each sequence of two to four bytes of a small set, where a block ends. */
static void utf_8_is_judged_over_the_border_of_blocks(void **state) {
    static const unsigned char set[] = {0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2,
                                        0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5};
    enum { N = sizeof(set) };

    (void)state;
    for (unsigned i = 0; i < N * N * N * N; i++) {
        char text[80];
        size_t at = 60 + i % 5;
        memset(text, 'x', sizeof(text));
        text[0] = text[79] = '"';
        for (unsigned k = 0, rest = i; k < 4; k++, rest /= N)
            text[at + k] = (char)set[rest % N];
        assert_true(lt_json_scanner_use("portable"));
        leat_status status = lt_json_tape_scan(&wanted, lt_slice(text, sizeof(text)), NULL);
        for (size_t s = 1; s < N_SCANNER_NAMES; s++)
            if (lt_json_scanner_use(scanner_names[s]))
                assert_same(scanner_names[s], lt_slice(text, sizeof(text)), status);
    }
}

static void a_machine_has_the_portable_scanner_and_names_the_one_in_use(void **state) {
    (void)state;
    assert_true(lt_json_scanner_use("portable"));
    assert_string_equal(lt_json_scanner_name(), "portable");
    assert_false(lt_json_scanner_use("abacus"));
    assert_string_equal(lt_json_scanner_name(), "portable");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scanner_finds_the_tokens_of_the_portable_one),
        cmocka_unit_test(each_byte_has_the_class_of_the_portable_scanner),
        cmocka_unit_test(each_scanner_finds_the_tokens_of_long_texts),
        cmocka_unit_test(each_scanner_agrees_on_noise),
        cmocka_unit_test(runs_of_backslashes_are_counted_over_the_border_of_blocks),
        cmocka_unit_test(utf_8_is_judged_over_the_border_of_blocks),
        cmocka_unit_test(a_machine_has_the_portable_scanner_and_names_the_one_in_use),
    };
    return cmocka_run_group_tests(tests, make_memory, free_memory);
}
