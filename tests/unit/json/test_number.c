/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "guarded.h"

static struct guarded memory;

static int make_memory(void **state) {
    (void)state;
    memory = guarded_new(1);
    return 0;
}

static int free_memory(void **state) {
    (void)state;
    guarded_free(memory);
    return 0;
}

static uint64_t random_next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* With nothing readable behind it, nor before it where it is at the begin of the page. */
static double read_double(const char *text, bool at_start) {
    struct lt_slice raw = at_start ? guarded_at_start(memory, lt_slice_str(text), 0)
                                   : guarded_at_end(memory, lt_slice_str(text));
    double value = NAN;

    assert_true(lt_json_double((struct lt_json){LT_JSON_NUMBER, raw}, &value));
    return value;
}

static void assert_nearest(const char *text) {
    double wanted = strtod(text, NULL), value = read_double(text, false);

    if (memcmp(&value, &wanted, sizeof(value)) != 0)
        fail_msg("%s: %.17g, not %.17g", text, value, wanted);
    value = read_double(text, true);
    assert_memory_equal(&value, &wanted, sizeof(value));
}

static void a_double_is_the_nearest_one_as_the_c_library_has_it(void **state) {
    uint64_t seed = 7;

    (void)state;
    assert_nearest("999999999.9999999999"); /* 19 digits, 20, 21: where 64 bits end */
    assert_nearest("9999999999.9999999999");
    assert_nearest("-9999999999.99999999999");
    for (unsigned i = 0; i < 200000; i++) {
        char text[64];
        uint64_t digits = random_next(&seed) >> random_next(&seed) % 64;
        int exponent = (int)(random_next(&seed) % 64) - 32;
        switch (i % 4) {
        case 0:
            snprintf(text, sizeof(text), "%" PRIu64, digits);
            break;
        case 1:
            snprintf(text, sizeof(text), "-%" PRIu64 "e%d", digits, exponent);
            break;
        case 2:
            snprintf(text, sizeof(text), "%" PRIu64 ".%0*" PRIu64, digits % 100000,
                     (int)(random_next(&seed) % 14 + 1), digits % 10);
            break;
        default:
            snprintf(text, sizeof(text), "%.*g", (int)(random_next(&seed) % 19 + 1),
                     (double)digits * pow(10, exponent));
            break;
        }
        assert_nearest(text);
    }
}

/* Halfway between two doubles, to the last of the digits that are handled without the C library,
 * and a little more and less. */
static void a_double_halfway_between_two_goes_to_the_even_one(void **state) {
    uint64_t seed = 99;

    (void)state;
    assert_true(read_double("9007199254740993", false) == 9007199254740992.0);
    assert_true(read_double("9007199254740995.0", false) == 9007199254740996.0);
    for (unsigned i = 0; i < 20000; i++) {
        char text[64];
        /* an odd number of 54 bits, divided by up to 2^10: at most 64 bits, so all its digits */
        uint64_t odd = (random_next(&seed) >> 10) | 1ULL << 53 | 1;
        unsigned shift = (unsigned)(random_next(&seed) % 3);
        uint64_t whole = odd >> shift, rest = (odd & ((1ULL << shift) - 1)) * (100 >> shift);
        snprintf(text, sizeof(text), "%" PRIu64 ".%02" PRIu64, whole, rest);
        assert_nearest(text);
        snprintf(text, sizeof(text), "%" PRIu64 "%02" PRIu64 "1e-3", whole, rest);
        assert_nearest(text);
        snprintf(text, sizeof(text), "%" PRIu64, odd * 2 - 1);
        assert_nearest(text);
        snprintf(text, sizeof(text), "%" PRIu64 "e%u", odd, (unsigned)(random_next(&seed) % 10));
        assert_nearest(text);
    }
}

static void whole_numbers_of_each_length_are_exact(void **state) {
    uint64_t seed = 5;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        char text[32];
        int64_t value, wanted = (int64_t)random_next(&seed) >> random_next(&seed) % 64;
        snprintf(text, sizeof(text), "%" PRId64, wanted);
        struct lt_slice raw = i % 2 ? guarded_at_start(memory, lt_slice_str(text), 0)
                                    : guarded_at_end(memory, lt_slice_str(text));
        assert_true(lt_json_int64((struct lt_json){LT_JSON_NUMBER, raw}, &value));
        assert_true(value == wanted);
        assert_true(read_double(text, i % 2) == (double)wanted);
    }
}

static void a_double_is_printed_as_its_shortest_text(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e14, "100000000000000"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {1e17, "1e+17"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {0.00012345678, "0.00012345678"},
        {99999999.99, "99999999.99"},
        {1234567.12345678, "1234567.12345678"},
        {12345678.12345678, "12345678.12345678"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {1.0 / 3, "0.3333333333333333"},
        {100.05, "100.05"},
        {-0.07, "-0.07"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        size_t len = lt_json_format_double(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static void what_is_no_number_is_refused(void **state) {
    int64_t whole;
    double value;

    (void)state;
    assert_false(lt_json_int64((struct lt_json){LT_JSON_STRING, LT_LIT("\"1\"")}, &whole));
    assert_false(lt_json_double((struct lt_json){LT_JSON_STRING, LT_LIT("\"1\"")}, &value));
    assert_false(lt_json_double((struct lt_json){LT_JSON_NUMBER, LT_LIT("")}, &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_double_is_the_nearest_one_as_the_c_library_has_it),
        cmocka_unit_test(a_double_halfway_between_two_goes_to_the_even_one),
        cmocka_unit_test(whole_numbers_of_each_length_are_exact),
        cmocka_unit_test(a_double_is_printed_as_its_shortest_text),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, make_memory, free_memory);
}
