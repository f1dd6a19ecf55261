/* SPDX-License-Identifier: Apache-2.0 */
/* Time, as /usr/bin/jq 1.6 reads and prints it. */
#include "fn_rig.h"

static void gmtime_breaks_seconds_down(void **state) {
    static const struct fn_case cases[] = {
        {"gmtime", "1425599621", "[2015,2,5,23,53,41,4,63]"},
        {"gmtime", "1425599621.678", "[2015,2,5,23,53,41.67799997329712,4,63]"},
        {"gmtime", "-1.5", "[1969,11,31,23,59,59.5,3,364]"},
        {"gmtime", "-0.5", "[1970,0,1,0,0,0.5,4,0]"},
        {"gmtime", "0", "[1970,0,1,0,0,0,4,0]"},
        {"gmtime", "1e12", "[33658,8,27,1,46,40,5,269]"},
        {"gmtime", "1e18", "error: errror converting number of seconds since epoch to datetime"},
        {"gmtime", "\"a\"", "error: gmtime() requires numeric inputs"},
        {"gmtime", "null", "error: gmtime() requires numeric inputs"},
        {"gmtime", "[1]", "error: gmtime() requires numeric inputs"},
        {"gmtime", "-62135596800", "[1,0,1,0,0,0,1,0]"},
        {"nan | gmtime", "null",
         "error: errror converting number of seconds since epoch to datetime"},
        {"infinite | gmtime", "null",
         "error: errror converting number of seconds since epoch to datetime"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void localtime_is_of_the_time_zone(void **state) {
    static const struct fn_case cases[] = {
        {"localtime", "1425599621", "[2015,2,5,23,53,41,4,63]"},
        {"localtime", "1425599621.678", "[2015,2,5,23,53,41.67799997329712,4,63]"},
        {"localtime", "\"a\"", "error: localtime() requires numeric inputs"},
        {"localtime", "1e18", "error: error converting number of seconds since epoch to datetime"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void mktime_puts_it_together(void **state) {
    static const struct fn_case cases[] = {
        {"mktime", "[2015,2,5,23,51,47,4,63]", "1425599507"},
        {"mktime", "[2015,2,5,23,51,47.8,4,63,\"x\"]", "1425599507"},
        {"mktime", "[2015,2,5,23,51,47]", "error: mktime requires parsed datetime inputs"},
        {"mktime", "[2015,2,5]", "error: mktime requires parsed datetime inputs"},
        {"mktime", "\"a\"", "error: mktime requires array inputs"},
        {"mktime", "{}", "error: mktime requires array inputs"},
        {"mktime", "[2015,2,5,23,51,\"a\",4,63]", "error: mktime requires parsed datetime inputs"},
        {"mktime", "[2015.7,2,5,23,51,47,4,63]", "1425599507"},
        {"mktime", "[1969,11,31,23,59,59,0,0]", "error: invalid gmtime representation"},
        {"mktime", "[1900,0,1,0,0,0,0,0]", "-2208988800"},
        {"mktime", "[2015,14,35,25,61,61,0,0]", "1459821721"},
        {"mktime", "[null,0,1,0,0,0,0,0]", "error: mktime requires parsed datetime inputs"},
        {"mktime", "[2015,-1,0,0,0,0,0,0]", "1417305600"},
        {"mktime", "[1e+10,0,1,0,0,0,0,0]", "67767976233532800"},
        {"mktime", "[]", "error: mktime requires parsed datetime inputs"},
        {"gmtime | mktime", "1425599621", "1425599621"},
        {"gmtime | mktime", "1425599621.678", "1425599621"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void strptime_reads_by_a_format(void **state) {
    static const struct fn_case cases[] = {
        {"strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "\"2015-03-05T23:51:47Z\"",
         "[2015,2,5,23,51,47,4,63]"},
        {"strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "\"2015-03-05T23:51:47.123Z\"",
         "error: date \"2015-03-05T23:51:47.123Z\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""},
        {"strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "\"2015-03-05\"",
         "error: date \"2015-03-05\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""},
        {"strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "1",
         "error: strptime/1 requires string inputs and arguments"},
        {"strptime(\"%Y-%m-%dT%H:%M:%SZ\")", "null",
         "error: strptime/1 requires string inputs and arguments"},
        {"strptime(\"%F\")", "\"2015-03-05\"", "[2015,2,5,0,0,0,4,63]"},
        {"strptime(\"%Y-%m-%d\")", "\"2015-03-05\"", "[2015,2,5,0,0,0,4,63]"},
        {"strptime(1)", "\"2015-03-05\"", "error: strptime/1 requires string inputs and arguments"},
        {"strptime(\"%Y\")", "\"2015-03-05\"",
         "error: date \"2015-03-05\" does not match format \"%Y\""},
        {"strptime(\"\")", "\"2015-03-05\"",
         "error: date \"2015-03-05\" does not match format \"\""},
        {"strptime(\"%Y-%m-%d\")", "\"2015-03-05 x\"", "[2015,2,5,0,0,0,4,63,\" x\"]"},
        {"strptime(\"%Y-%m-%d\")", "\"2015-03-05x\"",
         "error: date \"2015-03-05x\" does not match format \"%Y-%m-%d\""},
        {"strptime(\"%Y-%m-%d\")", "\"2015-03-05  \"", "[2015,2,5,0,0,0,4,63,\"  \"]"},
        {"strptime(\"%Y-%m-%d\")", "\"2015-02-30\"", "[2015,1,30,0,0,0,1,60]"},
        {"strptime(\"%Y-%m-%d\")", "\"2015-13-30\"",
         "error: date \"2015-13-30\" does not match format \"%Y-%m-%d\""},
        {"strptime(\"%Y-%m-%d\")", "\"1900-02-01\"", "[1900,1,1,0,0,0,4,31]"},
        {"strptime(\"%H:%M\")", "\"10:20\"", "[1900,0,0,10,20,0,8,367]"},
        {"strptime(\"%Y %j\")", "\"2015 64\"", "[2015,2,5,0,0,0,4,63]"},
        {"strptime(\"%A, %d %b %Y %T\")", "\"Thu, 05 Mar 2015 23:51:47\"",
         "[2015,2,5,23,51,47,4,63]"},
        {"strptime(\"%s\")", "\"1425599621\"", "[2015,2,5,23,53,41,4,63]"},
        {"strptime(\"%FT%T%z\")", "\"2015-03-05T23:51:47+0100\"", "[2015,2,5,23,51,47,4,63]"},
        {"strptime(\"%y\")", "\"15\"", "[2015,0,0,0,0,0,3,-1]"},
        {"strptime(\"%m\")", "\"12\"", "[1900,11,0,0,0,0,5,333]"},
        {"strptime(\"%d\")", "\"12\"", "[1900,0,12,0,0,0,5,11]"},
        {"strptime(\"%d %m\")", "\"29 02\"", "[1900,1,29,0,0,0,4,59]"},
        {"strptime(\"a\")", "\"a\\u0000b\"", "[1900,0,0,0,0,0,8,367]"},
        {"strptime(\"\")", "\"\"", "[1900,0,0,0,0,0,8,367]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void dates_are_read_and_written(void **state) {
    static const struct fn_case cases[] = {
        {"fromdate", "\"2015-03-05T23:51:47Z\"", "1425599507"},
        {"fromdate", "\"x\"", "error: date \"x\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""},
        {"fromdate", "1", "error: strptime/1 requires string inputs and arguments"},
        {"fromdateiso8601", "\"1970-01-01T00:00:00Z\"", "0"},
        {"todate", "1425599621", "\"2015-03-05T23:53:41Z\""},
        {"todate", "1425599621.9", "\"2015-03-05T23:53:41Z\""},
        {"todate", "-1e15", "\"-31686769-06-29T22:13:20Z\""},
        {"todate", "0", "\"1970-01-01T00:00:00Z\""},
        {"todate", "\"a\"", "error: strftime/1 requires parsed datetime inputs"},
        {"todate", "null", "error: strftime/1 requires parsed datetime inputs"},
        {"todate", "[2015,2,5,23,51,47,4,63]", "\"2015-03-05T23:51:47Z\""},
        {"todateiso8601", "1e9", "\"2001-09-09T01:46:40Z\""},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void strftime_prints_by_a_format(void **state) {
    static const struct fn_case cases[] = {
        {"strftime(\"%Y-%m-%dT%H:%M:%SZ\")", "1425599621", "\"2015-03-05T23:53:41Z\""},
        {"strftime(\"%A %B %d %Y %j %U %w %p %I\")", "1425599621",
         "\"Thursday March 05 2015 064 09 4 PM 11\""},
        {"strftime(\"\")", "1425599621", "error: strftime/1: unknown system failure"},
        {"strftime(\"%%\")", "1425599621", "\"%\""},
        {"strftime(\"%500Y\")", "1425599621", "error: strftime/1: unknown system failure"},
        {"strftime(\"%Y é\")", "1425599621", "\"2015 é\""},
        {"strftime(\"%Y\\u0000%m\")", "1425599621", "\"2015\""},
        {"strftime(\"%s\")", "1425599621", "\"1425599621\""},
        {"strftime(\"%Q\")", "1425599621", "\"%Q\""},
        {"strftime(\"%Y\")", "\"a\"", "error: strftime/1 requires parsed datetime inputs"},
        {"strftime(\"%Y\")", "null", "error: strftime/1 requires parsed datetime inputs"},
        {"strftime(\"%Y\")", "[2015,2,5]", "error: strftime/1 requires parsed datetime inputs"},
        {"strftime(\"%Y\")", "{}", "error: strftime/1 requires parsed datetime inputs"},
        {"strftime(\"%Y\")", "[]", "error: strftime/1 requires parsed datetime inputs"},
        {"strftime(\"%A %B %a %b %e %C\")", "[2015,99,5,23,51,47,44,63]", "\"? ? ? ?  5 20\""},
        {"strftime(1)", "[2015,2,5,23,51,47,4,63]", "error: strftime/1 requires a string format"},
        {"strftime(\"%Y\")", "[2015,2,5,23,51,47.9,4,\"x\"]",
         "error: strftime/1 requires parsed datetime inputs"},
        {"strflocaltime(\"%Y-%m-%dT%H:%M:%S %Z\")", "1425599621", "\"2015-03-05T23:53:41 UTC\""},
        {"strflocaltime(\"%Y-%m-%dT%H:%M:%S %Z\")", "[2015,2,5,1,2,3,4,5]",
         "\"2015-03-05T01:02:03 UTC\""},
        {"strflocaltime(\"%Y-%m-%dT%H:%M:%S %Z\")", "\"a\"",
         "error: strflocaltime/1 requires parsed datetime inputs"},
        {"strflocaltime(1)", "[2015,2,5,1,2,3,4,5]",
         "error: strflocaltime/1 requires a string format"},
        {"strftime(1)", "1425599621", "error: strftime/1 requires a string format"},
        {"strftime(\"%Y\")", "1e18",
         "error: errror converting number of seconds since epoch to datetime"},
        {"strflocaltime(null)", "0", "error: strflocaltime/1 requires a string format"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void now_is_a_number(void **state) {
    static const struct fn_case cases[] = {
        {"now | type", "null", "\"number\""},
        {"now > 1.7e9", "null", "true"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gmtime_breaks_seconds_down),
        cmocka_unit_test(localtime_is_of_the_time_zone),
        cmocka_unit_test(mktime_puts_it_together),
        cmocka_unit_test(strptime_reads_by_a_format),
        cmocka_unit_test(dates_are_read_and_written),
        cmocka_unit_test(strftime_prints_by_a_format),
        cmocka_unit_test(now_is_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
