/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/units.h"

static void units_sizes_are_read_with_decimal_and_binary_units(void **state) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"100", 100},
        {"5MiB", 5U << 20},
        {"5MB", 5000000},
        {"512k", 512000},
        {"1Ki", 1024},
        {"1.5 KiB", 1536},
        {" 64 MiB ", 64U << 20},
        {"2GiB", 2ULL << 30},
        {"1tb", 1000000000000},
        {"0.25MiB", 262144},
        {"18446744073709551615", UINT64_MAX},
    };
    struct leat_error err;
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(lt_parse_bytes(lt_slice_str(good[i].text), &bytes, &err), LEAT_OK);
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void units_what_is_not_a_size_is_refused_with_examples(void **state) {
    static const char *const bad[] = {"",
                                      "MiB",
                                      "-1",
                                      "5 MiBs",
                                      "1.",
                                      ".5",
                                      "1.5.5",
                                      "5 5",
                                      "0x10",
                                      "1e6",
                                      "5MiB 5",
                                      "18446744073709551616",
                                      "18446744073709551615k"};
    struct leat_error err;
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(lt_parse_bytes(lt_slice_str(bad[i]), &bytes, &err), LEAT_E_INVALID);
        assert_non_null(strstr(err.text, "5MiB"));
    }
    assert_int_equal(lt_parse_bytes(lt_slice(NULL, 0), &bytes, &err), LEAT_E_INVALID);
    assert_int_equal(lt_parse_bytes(lt_slice("5MiB", 3), &bytes, &err), LEAT_OK);
}

static void units_durations_are_read_in_milliseconds(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"60s", 60000},    {"250ms", 250},   {"5m", 300000},    {"24h", 86400000},
                {"7d", 604800000}, {"60", 60000},    {"1.5h", 5400000}, {"0", 0},
                {"0.1s", 100},     {"5 min", 300000}};
    static const char *const bad[] = {
        "", "s", "-5s", "5 years", "5ss", "1h30m", "99999999999999999d", "9223372036854775808ms"};
    struct leat_error err;
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(lt_parse_duration(lt_slice_str(good[i].text), &ms, &err), LEAT_OK);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lt_parse_duration(lt_slice_str(bad[i]), &ms, &err), LEAT_E_INVALID);
}

static void units_times_are_read_in_all_their_spellings(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},
        {"1700000000", 1700000000000},
        {"1700000000.5", 1700000000500},
        {"1700000000.0379", 1700000000037},
        {"2026-02-01T10:00:00Z", 1769940000000},
        {"2026-02-01t10:00:00.25z", 1769940000250},
        {"2026-02-01 10:00:00Z", 1769940000000},
        {"2026-02-01T11:30:00+01:30", 1769940000000},
        {"2026-02-01T05:00:00-05:00", 1769940000000},
        {"2026-02-01", 1769904000000},
        {"2024-02-29", 1709164800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    struct leat_error err;
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(lt_parse_time(lt_slice_str(good[i].text), &ms, &err), LEAT_OK);
        assert_int_equal(ms, good[i].ms);
    }
}

static void units_times_that_no_calendar_has_are_refused(void **state) {
    static const char *const bad[] = {
        "",
        "now",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "1900-02-29",
        "1969-12-31",
        "2026-2-1",
        "-5",
        "2026-02-01T10:00:00",
        "2026-02-01T24:00:00Z",
        "1700000000000000",
        "5s",
        "2026-02-01T10:00Z",
        "2026-02-01T10:00:00.Z",
        "2026-02-01T10:00:00ZZ",
        "2026-02-01T10:00:00+1",
        "2026-02-01T10:00:00+25:00",
        "1700000000.",
        "9999-12-31T23:59:59-01:00",
        "1970-01-01T00:00:00+01:00",
    };
    struct leat_error err;
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(lt_parse_time(lt_slice_str(bad[i]), &ms, &err), LEAT_E_INVALID);
        assert_non_null(strstr(err.text, "2026-02-01T10:00:00Z"));
    }
}

static void units_times_are_written_with_milliseconds_in_utc(void **state) {
    char out[32];

    (void)state;
    assert_string_equal(lt_format_time(1769940000007, out), "2026-02-01T10:00:00.007Z");
    assert_string_equal(lt_format_time(0, out), "1970-01-01T00:00:00.000Z");
    assert_string_equal(lt_format_time(-1, out), "1969-12-31T23:59:59.999Z");
    assert_string_equal(lt_format_time(INT64_MAX, out), "9223372036854775807 ms");
    assert_string_equal(lt_format_time(INT64_MIN, out), "-9223372036854775808 ms");
}

static void units_sizes_are_written_for_people(void **state) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {{0, "0 B"},
                {1, "1 B"},
                {1023, "1023 B"},
                {1024, "1 KiB"},
                {1536, "1.5 KiB"},
                {10 * 1024 + 512, "10 KiB"},
                {(1U << 20) - 1, "1 MiB"},
                {12U << 20, "12 MiB"},
                {UINT64_MAX, "16 EiB"}};
    char out[32];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(lt_format_bytes(rows[i].bytes, out), rows[i].text);
}

static void units_counts_are_written_in_groups_of_three(void **state) {
    char out[32];

    (void)state;
    assert_string_equal(lt_format_count(0, out), "0");
    assert_string_equal(lt_format_count(999, out), "999");
    assert_string_equal(lt_format_count(1000, out), "1,000");
    assert_string_equal(lt_format_count(20000, out), "20,000");
    assert_string_equal(lt_format_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

static void nearest_finds_the_likely_slip(void **state) {
    static const char *const words[] = {"streams",   "buckets", "deliveries",
                                        "pipelines", "set",     NULL};

    (void)state;
    assert_string_equal(lt_nearest(LT_LIT("stream"), words), "streams");
    assert_string_equal(lt_nearest(LT_LIT("bukcets"), words), "buckets");
    assert_string_equal(lt_nearest(LT_LIT("DELIVERYS"), words), "deliveries");
    assert_string_equal(lt_nearest(LT_LIT("Sets"), words), "set");
    assert_null(lt_nearest(LT_LIT("sources"), words));
    assert_null(lt_nearest(LT_LIT("x"), words));
    assert_null(lt_nearest(lt_slice(NULL, 0), words));
}

static void nearest_prefers_fewer_edits_and_counts_a_swap_as_one(void **state) {
    static const char *const words[] = {"limit", "list", "lits", NULL};
    static const char *const none[] = {NULL};
    char longer[1000];

    (void)state;
    assert_string_equal(lt_nearest(LT_LIT("lits"), words), "lits");
    assert_string_equal(lt_nearest(LT_LIT("lsit"), words), "list");
    assert_null(lt_nearest(LT_LIT("list"), none));
    memset(longer, 'l', sizeof(longer));
    assert_null(lt_nearest(lt_slice(longer, sizeof(longer)), words));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_sizes_are_read_with_decimal_and_binary_units),
        cmocka_unit_test(units_what_is_not_a_size_is_refused_with_examples),
        cmocka_unit_test(units_durations_are_read_in_milliseconds),
        cmocka_unit_test(units_times_are_read_in_all_their_spellings),
        cmocka_unit_test(units_times_that_no_calendar_has_are_refused),
        cmocka_unit_test(units_times_are_written_with_milliseconds_in_utc),
        cmocka_unit_test(units_sizes_are_written_for_people),
        cmocka_unit_test(units_counts_are_written_in_groups_of_three),
        cmocka_unit_test(nearest_finds_the_likely_slip),
        cmocka_unit_test(nearest_prefers_fewer_edits_and_counts_a_swap_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
