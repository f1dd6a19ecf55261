/* SPDX-License-Identifier: Apache-2.0 */
/* From kind to kind, as /usr/bin/jq 1.6 does it. */
#include "fn_rig.h"

static void type_names_the_kind(void **state) {
    static const struct fn_case cases[] = {
        {"type", "null", "\"null\""},     {"type", "true", "\"boolean\""},
        {"type", "false", "\"boolean\""}, {"type", "1", "\"number\""},
        {"type", "\"a\"", "\"string\""},  {"type", "[]", "\"array\""},
        {"type", "{}", "\"object\""},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void tostring_and_tojson_differ_for_strings_alone(void **state) {
    static const struct fn_case cases[] = {
        {"[tostring, tojson]", "null", "[\"null\",\"null\"]"},
        {"[tostring, tojson]", "true", "[\"true\",\"true\"]"},
        {"[tostring, tojson]", "12", "[\"12\",\"12\"]"},
        {"[tostring, tojson]", "\"a\\\"é\\u0007\"",
         "[\"a\\\"é\\u0007\",\"\\\"a\\\\\\\"é\\\\u0007\\\"\"]"},
        {"[tostring, tojson]", "[1,{\"a\":null}]",
         "[\"[1,{\\\"a\\\":null}]\",\"[1,{\\\"a\\\":null}]\"]"},
        {"[tostring, tojson]", "{\"b\":1,\"a\":[]}",
         "[\"{\\\"b\\\":1,\\\"a\\\":[]}\",\"{\\\"b\\\":1,\\\"a\\\":[]}\"]"},
        {"[nan, infinite, -infinite] | tostring", "null",
         "\"[null,1.7976931348623157e+308,-1.7976931348623157e+308]\""},
        {"[0.1, 1e17, 1e-5, 123456789012] | map(. + 0 | tostring)", "null",
         "[\"0.1\",\"1e+17\",\"1e-05\",\"123456789012\"]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void tonumber_takes_what_jqs_reader_takes(void **state) {
    static const struct fn_case cases[] = {
        {"tonumber", "\"1\"", "1"},
        {"tonumber", "\" 1 \"", "1"},
        {"tonumber", "\"0x10\"",
         "error: Invalid numeric literal at EOF at line 1, column 4 (while parsing '0x10')"},
        {"tonumber", "\"nan\"", "null"},
        {"tonumber", "\"1e1000\"", "1.7976931348623157e+308"},
        {"tonumber", "\"-1e1000\"", "-1.7976931348623157e+308"},
        {"tonumber", "\"\"", "error: Expected JSON value (while parsing '')"},
        {"tonumber", "\"abc\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing 'abc')"},
        {"tonumber", "\"[1]\"", "error: string (\"[1]\") cannot be parsed as a number"},
        {"tonumber", "\"1 2\"", "error: Unexpected extra JSON values (while parsing '1 2')"},
        {"tonumber", "\"01\"", "1"},
        {"tonumber", "\"+1\"", "1"},
        {"tonumber", "\".5\"", "0.5"},
        {"tonumber", "\"1.\"", "1"},
        {"tonumber", "\"-\"",
         "error: Invalid numeric literal at EOF at line 1, column 1 (while parsing '-')"},
        {"tonumber", "\"--1\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing '--1')"},
        {"tonumber", "\"1e5\"", "100000"},
        {"tonumber", "\"1E+2\"", "100"},
        {"tonumber", "\"NaN\"", "null"},
        {"tonumber", "\"infinity\"", "1.7976931348623157e+308"},
        {"tonumber", "\"\\u00001\"", "error: Expected JSON value (while parsing '')"},
        {"tonumber", "\"1\\u00002\"", "1"},
        {"tonumber", "\"true\"", "error: string (\"true\") cannot be parsed as a number"},
        {"tonumber", "\"\\\"1\\\"\"", "error: string (\"\\\"1\\\"\") cannot be parsed as a number"},
        {"tonumber", "\"-0\"", "-0"},
        {"tonumber", "\"1e-400\"", "0"},
        {"tonumber", "\"0b1\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing '0b1')"},
        {"tonumber", "\"1_0\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing '1_0')"},
        {"tonumber", "\"12abc\"",
         "error: Invalid numeric literal at EOF at line 1, column 5 (while parsing '12abc')"},
        {"tonumber", "\"1.2.3\"",
         "error: Invalid numeric literal at EOF at line 1, column 5 (while parsing '1.2.3')"},
        {"tonumber", "\"null\"", "error: string (\"null\") cannot be parsed as a number"},
        {"tonumber", "\"1\\n\"", "1"},
        {"tonumber", "\"inf\"", "1.7976931348623157e+308"},
        {"tonumber", "\"-inf\"", "-1.7976931348623157e+308"},
        {"tonumber", "\"nan(123)\"",
         "error: Invalid literal at EOF at line 1, column 8 (while parsing 'nan(123)')"},
        {"tonumber", "\"NaN(1)\"",
         "error: Invalid numeric literal at EOF at line 1, column 6 (while parsing 'NaN(1)')"},
        {"tonumber", "\"nanx\"",
         "error: Invalid literal at EOF at line 1, column 4 (while parsing 'nanx')"},
        {"tonumber", "\"-nan\"", "null"},
        {"tonumber", "\"nul\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing 'nul')"},
        {"tonumber", "\"infinit\"",
         "error: Invalid numeric literal at EOF at line 1, column 7 (while parsing 'infinit')"},
        {"tonumber", "\"1e\"",
         "error: Invalid numeric literal at EOF at line 1, column 2 (while parsing '1e')"},
        {"tonumber", "\"1e+\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing '1e+')"},
        {"tonumber", "\"\\u000b1\"", "1"},
        {"tonumber", "\"0.\"", "0"},
        {"tonumber", "\"-.5\"", "-0.5"},
        {"tonumber", "\".\"",
         "error: Invalid numeric literal at EOF at line 1, column 1 (while parsing '.')"},
        {"tonumber", "\"e5\"",
         "error: Invalid numeric literal at EOF at line 1, column 2 (while parsing 'e5')"},
        {"tonumber", "\"1.e5\"", "100000"},
        {"tonumber", "\"00\"", "0"},
        {"tonumber", "\"-00\"", "-0"},
        {"tonumber", "\"+\"",
         "error: Invalid numeric literal at EOF at line 1, column 1 (while parsing '+')"},
        {"tonumber", "\"1-\"",
         "error: Invalid numeric literal at EOF at line 1, column 2 (while parsing '1-')"},
        {"tonumber", "\"1,2\"",
         "error: Expected value before ',' at line 1, column 2 (while parsing '1,2')"},
        {"tonumber", "1", "1"},
        {"tonumber", "1.5", "1.5"},
        {"tonumber", "null", "error: null (null) cannot be parsed as a number"},
        {"tonumber", "true", "error: boolean (true) cannot be parsed as a number"},
        {"tonumber", "{}", "error: object ({}) cannot be parsed as a number"},
        {"tonumber", "[]", "error: array ([]) cannot be parsed as a number"},
        {"tonumber", "\"9007199254740993\"", "9007199254740993"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void fromjson_reads_json(void **state) {
    static const struct fn_case cases[] = {
        {"fromjson", "\"1\"", "1"},
        {"fromjson", "\"[1,2]\"", "[1,2]"},
        {"fromjson", "\" {\\\"a\\\" : [ 1 , 2 ] } \"", "{\"a\":[1,2]}"},
        {"fromjson", "\"\\\"a\\\\u00e9\\\\n\\\"\"", "\"aé\\n\""},
        {"fromjson", "\"{\\\"a\\\":1,\\\"a\\\":2}\"", "{\"a\":2}"},
        {"fromjson", "\"null\"", "null"},
        {"fromjson", "\"\\\"\\\\ud83d\\\\ude00\\\"\"", "\"😀\""},
        {"fromjson", "\"-0\"", "-0"},
        {"fromjson", "1", "error: number (1) only strings can be parsed"},
        {"fromjson", "null", "error: null (null) only strings can be parsed"},
        {"fromjson", "[]", "error: array ([]) only strings can be parsed"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void fromjson_takes_what_jqs_reader_takes_beyond_json(void **state) {
    static const struct fn_case cases[] = {
        {"fromjson", "\"nan\"", "null"},
        {"fromjson", "\"NaN\"", "null"},
        {"fromjson", "\"[NaN,-Infinity]\"", "[null,-1.7976931348623157e+308]"},
        {"fromjson", "\"{\\\"a\\\":nan}\"", "{\"a\":null}"},
        {"fromjson", "\"[01,+1,.5,1.]\"", "[1,1,0.5,1]"},
        {"fromjson", "\"\\\"\\\\udc00\\\"\"", "\"�\""},
        {"fromjson", "\"\\\"a\\u001fb\\\"\"", "\"a\\u001fb\""},
        {"fromjson", "\"\\\"a\\u0000b\\\"\"", "\"a\\u0000b\""},
        {"fromjson", "\"\\ufeff1\"", "1"},
        {"fromjson", "\"[1]\\u001e[2]\"", "[1]"},
        {"fromjson", "\"\\u00001\"", "0"},
        {"fromjson", "\"1\\u0000\"", "1"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void fromjson_fails_in_jqs_words(void **state) {
    static const struct fn_case cases[] = {
        {"fromjson", "\"{\"",
         "error: Unfinished JSON term at EOF at line 1, column 1 (while parsing '{')"},
        {"fromjson", "\"[1,\"",
         "error: Unfinished JSON term at EOF at line 1, column 3 (while parsing '[1,')"},
        {"fromjson", "\"[1\"",
         "error: Unfinished JSON term at EOF at line 1, column 2 (while parsing '[1')"},
        {"fromjson", "\"\\\"abc\"",
         "error: Unfinished string at EOF at line 1, column 4 (while parsing '\"abc')"},
        {"fromjson", "\"{\\\"a\\\"}\"",
         "error: Objects must consist of key:value pairs at line 1, column 5 (while parsing "
         "'{\"a\"}')"},
        {"fromjson", "\"{\\\"a\\\" 1}\"",
         "error: Expected separator between values at line 1, column 7 (while parsing '{\"a\" "
         "1}')"},
        {"fromjson", "\"{\\\"a\\\":}\"",
         "error: Unmatched '}' at line 1, column 6 (while parsing '{\"a\":}')"},
        {"fromjson", "\"{\\\"a\\\":1,}\"",
         "error: Expected another key-value pair at line 1, column 8 (while parsing '{\"a\":1,}')"},
        {"fromjson", "\"[1,]\"",
         "error: Expected another array element at line 1, column 4 (while parsing '[1,]')"},
        {"fromjson", "\"[,]\"",
         "error: Expected value before ',' at line 1, column 2 (while parsing '[,]')"},
        {"fromjson", "\"]\"", "error: Unmatched ']' at line 1, column 1 (while parsing ']')"},
        {"fromjson", "\"}\"", "error: Unmatched '}' at line 1, column 1 (while parsing '}')"},
        {"fromjson", "\"{]\"", "error: Unmatched ']' at line 1, column 2 (while parsing '{]')"},
        {"fromjson", "\"[}\"", "error: Unmatched '}' at line 1, column 2 (while parsing '[}')"},
        {"fromjson", "\"tru\"",
         "error: Invalid literal at EOF at line 1, column 3 (while parsing 'tru')"},
        {"fromjson", "\"truex\"",
         "error: Invalid literal at EOF at line 1, column 5 (while parsing 'truex')"},
        {"fromjson", "\"nulll\"",
         "error: Invalid literal at EOF at line 1, column 5 (while parsing 'nulll')"},
        {"fromjson", "\"[1 2]\"",
         "error: Expected separator between values at line 1, column 5 (while parsing '[1 2]')"},
        {"fromjson", "\"{1:2}\"",
         "error: Object keys must be strings at line 1, column 3 (while parsing '{1:2}')"},
        {"fromjson", "\"{\\\"a\\\":1 \\\"b\\\":2}\"",
         "error: Expected separator between values at line 1, column 10 (while parsing '{\"a\":1 "
         "\"b\":2}')"},
        {"fromjson", "\":\"",
         "error: Expected string key before ':' at line 1, column 1 (while parsing ':')"},
        {"fromjson", "\"\\\"a\\\":1\"",
         "error: Expected string key before ':' at line 1, column 4 (while parsing '\"a\":1')"},
        {"fromjson", "\",\"",
         "error: Expected value before ',' at line 1, column 1 (while parsing ',')"},
        {"fromjson", "\"1,2\"",
         "error: Expected value before ',' at line 1, column 2 (while parsing '1,2')"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void fromjson_fails_in_jqs_words_about_strings_and_ends(void **state) {
    static const struct fn_case cases[] = {
        {"fromjson", "\"\\\"\\\\x\\\"\"",
         "error: Invalid escape at line 1, column 4 (while parsing '\"\\x\"')"},
        {"fromjson", "\"\\\"\\\\u12\\\"\"",
         "error: Invalid \\uXXXX escape at line 1, column 6 (while parsing '\"\\u12\"')"},
        {"fromjson", "\"\\\"\\\\u12G4\\\"\"",
         "error: Invalid characters in \\uXXXX escape at line 1, column 8 (while parsing "
         "'\"\\u12G4\"')"},
        {"fromjson", "\"\\\"\\\\ud800\\\"\"",
         "error: Invalid \\uXXXX\\uXXXX surrogate pair escape at line 1, column 8 (while parsing "
         "'\"\\ud800\"')"},
        {"fromjson", "\"\\\"\\\\ud800\\\\u0041\\\"\"",
         "error: Invalid \\uXXXX\\uXXXX surrogate pair escape at line 1, column 14 (while parsing "
         "'\"\\ud800\\u0041\"')"},
        {"fromjson", "\"\\\"a\\nb\\\"\"",
         "error: Invalid string: control characters from U+0000 through U+001F must be escaped at "
         "line 2, column 2 (while parsing '\"a\nb\"')"},
        {"fromjson", "\"\\\"a\\u0001b\\\"\"",
         "error: Invalid string: control characters from U+0000 through U+001F must be escaped at "
         "line 1, column 5 (while parsing '\"a\001b\"')"},
        {"fromjson", "\"\\\"\\t\\\"\"",
         "error: Invalid string: control characters from U+0000 through U+001F must be escaped at "
         "line 1, column 3 (while parsing '\"\t\"')"},
        {"fromjson", "\"{\\\"a\\\":1,\\\"b\\\"}\"",
         "error: Objects must consist of key:value pairs at line 1, column 11 (while parsing "
         "'{\"a\":1,\"b\"}')"},
        {"fromjson", "\"{\\\"a\\\",\\\"b\\\"}\"",
         "error: Objects must consist of key:value pairs at line 1, column 5 (while parsing "
         "'{\"a\",\"b\"}')"},
        {"fromjson", "\"[1]]\"", "error: Unmatched ']' at line 1, column 4 (while parsing '[1]]')"},
        {"fromjson", "\"[1] [2]\"",
         "error: Unexpected extra JSON values (while parsing '[1] [2]')"},
        {"fromjson", "\"1 x\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing '1 x')"},
        {"fromjson", "\"\"", "error: Expected JSON value (while parsing '')"},
        {"fromjson", "\"  \"", "error: Expected JSON value (while parsing '  ')"},
        {"fromjson", "\"\\n\\n x\\n\"",
         "error: Invalid numeric literal at line 4, column 0 (while parsing '\n\n x\n')"},
        {"fromjson", "\"[1,\\n2,\\nx]\"",
         "error: Invalid numeric literal at line 3, column 2 (while parsing '[1,\n2,\nx]')"},
        {"fromjson", "\"\\\"\\\\\"",
         "error: Unfinished string at EOF at line 1, column 2 (while parsing '\"\\')"},
        {"fromjson", "\"{\\\"a\\\":1}}\"",
         "error: Unmatched '}' at line 1, column 8 (while parsing '{\"a\":1}}')"},
        {"fromjson", "\"[[]\"",
         "error: Unfinished JSON term at EOF at line 1, column 3 (while parsing '[[]')"},
        {"fromjson", "\"\\\"a\\\"\\\"b\\\"\"",
         "error: Unexpected extra JSON values (while parsing '\"a\"\"b\"')"},
        {"fromjson", "\"1\\\"a\\\"\"",
         "error: Unexpected extra JSON values (while parsing '1\"a\"')"},
        {"fromjson", "\"\\\"a\\\"1\"",
         "error: Unexpected extra JSON values (while parsing '\"a\"1')"},
        {"fromjson", "\"\\u001e1\"", "error: Expected JSON value (while parsing '\0361')"},
        {"fromjson", "\"'a'\"",
         "error: Invalid numeric literal at EOF at line 1, column 3 (while parsing ''a'')"},
        {"fromjson", "\"//c\\n1\"",
         "error: Invalid numeric literal at line 2, column 0 (while parsing '//c\n1')"},
        {"fromjson", "\"{\\\"a\\\":{\\\"b\\\":[}\"",
         "error: Unmatched '}' at line 1, column 12 (while parsing '{\"a\":{\"b\":[}')"},
        {"fromjson", "\"[\\\"a\\\":1]\"",
         "error: ':' not as part of an object at line 1, column 5 (while parsing '[\"a\":1]')"},
        {"fromjson", "\"{\\\"a\\\":1:2}\"",
         "error: ':' not as part of an object at line 1, column 7 (while parsing '{\"a\":1:2}')"},
        {"fromjson", "\"\\\"a\\u001eb\\\"\"",
         "error: Invalid numeric literal at line 1, column 3 (while parsing '\"a\036b\"')"},
        {"fromjson", "\"\\ufec01\"", "error: Malformed BOM (while parsing 'ﻀ1')"},
        {"fromjson", "\"1 [\"",
         "error: Unfinished JSON term at EOF at line 1, column 3 (while parsing '1 [')"},
        {"fromjson", "\"[1\\u001e2]\"", "error: Expected JSON value (while parsing '[1\0362]')"},
        {"fromjson", "\"{\\\"a\\\":1,\\\"b\\\":\"",
         "error: Unfinished JSON term at EOF at line 1, column 11 (while parsing "
         "'{\"a\":1,\"b\":')"},
        {"fromjson", "\"[\\\"\\u00e9\\\",]\"",
         "error: Expected another array element at line 1, column 7 (while parsing '[\"é\",]')"},
        {"[range(257) | \"[\"] | add | try fromjson catch .[0:66]", "null",
         "\"Exceeds depth limit for parsing at line 1, column 257 (while parsi\""},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void what_a_number_is(void **state) {
    static const struct fn_case cases[] = {
        {"[isinfinite, isnan, isnormal, isfinite]", "0", "[false,false,false,true]"},
        {"[isinfinite, isnan, isnormal, isfinite]", "1", "[false,false,true,true]"},
        {"[isinfinite, isnan, isnormal, isfinite]", "1e-310", "[false,false,false,true]"},
        {"[isinfinite, isnan, isnormal, isfinite]", "\"a\"", "[false,false,false,false]"},
        {"[isinfinite, isnan, isnormal, isfinite]", "null", "[false,false,false,false]"},
        {"[infinite, -infinite, nan] | map([isinfinite, isnan, isnormal, isfinite])", "null",
         "[[true,false,false,false],[true,false,false,false],[false,true,false,true]]"},
        {"[infinite, -infinite, nan]", "null",
         "[1.7976931348623157e+308,-1.7976931348623157e+308,null]"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

static void format_is_by_name(void **state) {
    static const struct fn_case cases[] = {
        {"[format(\"text\"), format(\"json\"), format(\"csv\"), format(\"tsv\"), format(\"sh\")]",
         "[1,\"a\"]", "[\"[1,\\\"a\\\"]\",\"[1,\\\"a\\\"]\",\"1,\\\"a\\\"\",\"1\\ta\",\"1 'a'\"]"},
        {"[format(\"html\"), format(\"uri\"), format(\"base64\")]", "\"<é>\"",
         "[\"&lt;é&gt;\",\"%3C%C3%A9%3E\",\"PMOpPg==\"]"},
        {"format(\"base64d\")", "\"YWI=\"", "\"ab\""},
        {"format(\"xx\")", "1", "error: xx is not a valid format"},
        {"format(.)", "\"a\\u0000b\"", "error: a"},
        {"format(1)", "1", "error: number (1) is not a valid format"},
        {"format(\"@csv\")", "[1]", "error: @csv is not a valid format"},
    };
    (void)state;
    fn_cases_hold(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_names_the_kind),
        cmocka_unit_test(tostring_and_tojson_differ_for_strings_alone),
        cmocka_unit_test(tonumber_takes_what_jqs_reader_takes),
        cmocka_unit_test(fromjson_reads_json),
        cmocka_unit_test(fromjson_takes_what_jqs_reader_takes_beyond_json),
        cmocka_unit_test(fromjson_fails_in_jqs_words),
        cmocka_unit_test(fromjson_fails_in_jqs_words_about_strings_and_ends),
        cmocka_unit_test(what_a_number_is),
        cmocka_unit_test(format_is_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
