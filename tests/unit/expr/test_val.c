/* SPDX-License-Identifier: Apache-2.0 */
#include "val_kit.h"

#include <math.h>

enum { ARENA_BYTES = 1 << 26 };

static int setup(void **state) {
    static struct val_kit kit;
    val_kit_init(&kit, ARENA_BYTES);
    *state = &kit;
    return 0;
}

static int teardown(void **state) {
    struct val_kit *kit = *state;
    assert_false(kit->heap.full);
    val_kit_deinit(kit);
    return 0;
}

static struct lt_val str(const char *text) {
    return lt_val_string(lt_slice_str(text));
}

/* {"k0":0,"k1":1,…,"k0":…}: with each name twice when `again` */
static char *large_object(int n, bool again) {
    struct lt_buf out;
    lt_buf_init(&out, 1 << 24);
    for (int i = 0; i < (again ? 2 : 1) * n; i++)
        lt_buf_printf(&out, "%c\"k%d\":%d", i ? ',' : '{', i % n, i);
    lt_buf_append_byte(&out, '}');
    assert_non_null(lt_buf_cstr(&out));
    return out.data;
}

static void a_document_is_written_compact_as_jq_prints_it(void **state) {
    static const char *const cases[][2] = {
        {" [ 1 , 2.50 , -0 , 1e3 ] ", "[1,2.50,-0,1e3]"},
        {"{\"a\" : 1, \"b\":{ }, \"c\":[ ]}", "{\"a\":1,\"b\":{},\"c\":[]}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"\"\\u0041\\/\\u00e9\\ud83d\\ude00\\n\\u001f\\u007f\"", "\"A/é😀\\n\\u001f\\u007f\""},
        {"\"0123456789abcdef0123456789abcdef\x7f<>&'\"",
         "\"0123456789abcdef0123456789abcdef\\u007f<>&'\""},
        {"[null,true,false,\"\"]", "[null,true,false,\"\"]"},
    };
    struct val_kit *kit = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(val_kit_show(kit, val_kit_parse(kit, cases[i][0])), cases[i][1]);
}

static void what_is_copied_from_a_document_is_what_would_be_printed(void **state) {
    static const char *const texts[] = {
        "{ \"a\" : [ 1 , { \"b\" : \"x y\" } ] ,\n\t\"c\" : { } }",
        "{\"a\":\"\\n\\\"\\\\\", \"b\": 1}",
        "[{\"a\":\"\\/\"}, 2]",
        "[{\"a\":\"\\u00e9\"}, {\"b\" : \"\\n\"}]",
        "[1,[{\"a\":1,\"b\":2,\"a\":[3]}],{\"a\": 1}]",
        "{\"a long name indeed\":1,\"a long nemo indeed\":2, \"a long name indeed\":3}",
        "{\"a long name indeed\":1,\"a long nemo indeed\":2}",
        "{\"ab\":1,\"ba\":2,\"b\":3,\"\":4}",
        "[\"\x7f\", 1]",
        "[ ]",
        "[[[ [] ]]]",
    };
    struct val_kit *kit = *state;
    char *many = large_object(100, false), *twice = large_object(40, true);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) + 2; i++) {
        const char *text = i == 0 ? many : i == 1 ? twice : texts[i - 2];
        struct lt_buf copied, printed;
        lt_buf_init(&copied, 1 << 20);
        lt_buf_init(&printed, 1 << 20);
        struct lt_val v = val_kit_parse(kit, text);
        lt_val_write(&kit->heap, &copied, v);
        lt_val_write_styled(&kit->heap, &printed, v, &(struct lt_val_style){0});
        assert_string_equal(lt_buf_cstr(&copied), lt_buf_cstr(&printed));
        lt_buf_deinit(&copied);
        lt_buf_deinit(&printed);
    }
    free(many);
    free(twice);
}

static void doubles_are_printed_as_jq_1_6_prints_them(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {1e17, "1e+17"},
        {1e-5, "1e-05"},
        {0.0001, "0.0001"},
        {3.0, "3"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {123456789012345678.0, "123456789012345680"},
        {12345678901234567890.0, "12345678901234567000"},
        {INFINITY, "1.7976931348623157e+308"},
        {-INFINITY, "-1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {-0.0, "-0"},
        {0.1, "0.1"},
        {1.1 + 2.2, "3.3000000000000003"},
        {1e100, "1e+100"},
        {1e15 + 0.5, "1000000000000000.5"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.23e-8, "1.23e-08"},
        {0.00123, "0.00123"},
        {1.5e16, "15000000000000000"},
        {-1234567.875, "-1234567.875"},
    };
    struct val_kit *kit = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(val_kit_show(kit, lt_val_double(cases[i].value)), cases[i].text);
    assert_string_equal(val_kit_show(kit, lt_val_double(NAN)), "null");
    assert_string_equal(val_kit_show(kit, lt_val_int(INT64_MIN)), "-9223372036854775808");
    assert_string_equal(val_kit_show(kit, lt_val_int(INT64_MAX)), "9223372036854775807");
}

static void whole_numbers_are_exact_in_int64_and_doubles_beyond(void **state) {
    static const struct {
        const char *text;
        enum lt_val_form form;
    } cases[] = {
        {"0", LT_VAL_INT},
        {"-1", LT_VAL_INT},
        {"9223372036854775807", LT_VAL_INT},
        {"-9223372036854775808", LT_VAL_INT},
        {"9223372036854775808", LT_VAL_DOUBLE},
        {"-9223372036854775809", LT_VAL_DOUBLE},
        {"99999999999999999999", LT_VAL_DOUBLE},
        {"-0", LT_VAL_DOUBLE},
        {"1.0", LT_VAL_DOUBLE},
        {"1e2", LT_VAL_DOUBLE},
    };
    struct val_kit *kit = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct lt_val v = lt_val_number(val_kit_parse(kit, cases[i].text));
        assert_int_equal(v.form, cases[i].form);
        if (v.form == LT_VAL_INT)
            assert_string_equal(val_kit_show(kit, v), cases[i].text);
    }
    assert_true(signbit(lt_val_as_double(val_kit_parse(kit, "-0"))));
    assert_true(lt_val_as_double(val_kit_parse(kit, "1e2")) == 100);
}

static void an_array_keeps_each_version_whatever_is_appended_or_set(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val a = val_kit_parse(kit, "[1,2,3]");
    struct lt_val b = lt_val_array_set(heap, a, 1, str("x"));
    struct lt_val c = lt_val_array_set(heap, b, 0, str("y"));
    struct lt_val d = lt_val_array_append(heap, c, str("z"));
    struct lt_val e = lt_val_array_append(heap, c, str("other"));
    struct lt_val f = lt_val_array_set(heap, d, 5, lt_val_bool(true));
    struct lt_val g = lt_val_array_set(heap, f, 2, lt_val_null());

    assert_string_equal(val_kit_show(kit, a), "[1,2,3]");
    assert_string_equal(val_kit_show(kit, b), "[1,\"x\",3]");
    assert_string_equal(val_kit_show(kit, c), "[\"y\",\"x\",3]");
    assert_string_equal(val_kit_show(kit, d), "[\"y\",\"x\",3,\"z\"]");
    assert_string_equal(val_kit_show(kit, e), "[\"y\",\"x\",3,\"other\"]");
    assert_string_equal(val_kit_show(kit, f), "[\"y\",\"x\",3,\"z\",null,true]");
    assert_string_equal(val_kit_show(kit, g), "[\"y\",\"x\",null,\"z\",null,true]");
    assert_string_equal(val_kit_show(kit, a), "[1,2,3]");
    struct lt_val h = lt_val_array_set(heap, a, 2, lt_val_int(9));
    assert_string_equal(val_kit_show(kit, h), "[1,2,9]");
    assert_string_equal(val_kit_show(kit, b), "[1,\"x\",3]");
    assert_string_equal(val_kit_show(kit, a), "[1,2,3]");
}

static void all_versions_of_many_sets_are_found_again(void **state) {
    enum { VERSIONS = 500, ELEMENTS = 7 };
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    static struct lt_val versions[VERSIONS];
    struct lt_val v = val_kit_parse(kit, "[0,0,0,0,0,0,0]");

    for (int i = 0; i < VERSIONS; i++)
        versions[i] = v = lt_val_array_set(heap, v, (size_t)i % ELEMENTS, lt_val_int(i));
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < VERSIONS; i++)
            for (int at = 0; at < ELEMENTS; at++) {
                /* the last version up to i that set this element */
                int last = i - (i - at % ELEMENTS + ELEMENTS) % ELEMENTS;
                int64_t expected = last < 0 ? 0 : last;
                struct lt_val got = lt_val_number(lt_val_array_get(heap, versions[i], (size_t)at));
                assert_int_equal(got.i, expected);
            }
}

static void what_is_changed_step_by_step_costs_its_steps(void **state) {
    enum { STEPS = 20000 };
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val array = lt_val_array(heap, 0), object = lt_val_object(heap, 0);
    struct lt_val text = str("");
    char name[16];

    for (int i = 0; i < STEPS; i++) {
        int len = snprintf(name, sizeof(name), "k%d", i % 1000);
        struct lt_val key = lt_val_copy_string(heap, lt_slice(name, (size_t)len));
        array = lt_val_array_append(heap, array, key);
        array = lt_val_array_set(heap, array, (size_t)i / 2, lt_val_int(i));
        object = lt_val_object_set(heap, object, key, lt_val_int(i));
        text = lt_val_concat(heap, text, key);
    }
    assert_int_equal(lt_val_array_len(heap, array), STEPS);
    assert_int_equal(lt_val_object_len(heap, object), 1000);
    assert_true(lt_val_bytes(heap, text).len > 3 * STEPS);
    assert_true(kit->arena.used < (size_t)STEPS * 600);
}

static void strings_share_their_room_with_longer_ones(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val a = lt_val_concat(heap, str("one"), str(", two"));
    struct lt_val b = lt_val_concat(heap, a, str(", three"));
    struct lt_val c = lt_val_concat(heap, a, str(", other"));

    assert_string_equal(val_kit_show(kit, a), "\"one, two\"");
    assert_string_equal(val_kit_show(kit, b), "\"one, two, three\"");
    assert_string_equal(val_kit_show(kit, c), "\"one, two, other\"");
    assert_int_equal(lt_val_codepoints(LT_LIT("aé€😀")), 4);
    assert_int_equal(lt_val_codepoints(LT_LIT("0123456789éééé€€€€😀😀😀😀\x7f")), 23);
    assert_int_equal(lt_val_codepoints(LT_LIT("")), 0);
}

static void broken_bytes_become_the_replacement_character(void **state) {
    static const char *const cases[][2] = {
        {"a\xff z", "\"a� z\""},
        {"01234567\xff"
         "89",
         "\"01234567�89\""},
        {"\xe2\x82", "\"�\""},
        {"\xe2\x82z", "\"�z\""},
        {"\xc0\x80", "\"��\""},
        {"\xed\xa0\x80", "\"�\""},
        {"\xf0\x9f\x98", "\"�\""},
        {"\xf0\x9f\x98\x80", "\"😀\""},
        {"\x80\x80", "\"��\""},
        {"\xf4\x90\x80\x80", "\"�\""},
        {"", "\"\""},
    };
    struct val_kit *kit = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(
            val_kit_show(kit, lt_val_copy_string(&kit->heap, lt_slice_str(cases[i][0]))),
            cases[i][1]);
}

static void members_keep_the_order_in_which_their_names_came(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val a = val_kit_parse(kit, "{\"b\":1,\"a\":2,\"c\":3}");
    struct lt_val b = lt_val_object_set(heap, a, str("a"), lt_val_int(9));
    struct lt_val c = lt_val_object_delete(heap, b, LT_LIT("b"));
    struct lt_val d = lt_val_object_set(heap, c, str("b"), lt_val_null());
    struct lt_val e = lt_val_object_delete(heap, d, LT_LIT("b"));
    struct lt_val f = lt_val_object_set(heap, e, str("z"), lt_val_null());

    assert_string_equal(val_kit_show(kit, a), "{\"b\":1,\"a\":2,\"c\":3}");
    assert_string_equal(val_kit_show(kit, b), "{\"b\":1,\"a\":9,\"c\":3}");
    assert_string_equal(val_kit_show(kit, c), "{\"a\":9,\"c\":3}");
    assert_string_equal(val_kit_show(kit, d), "{\"a\":9,\"c\":3,\"b\":null}");
    assert_string_equal(val_kit_show(kit, e), "{\"a\":9,\"c\":3}");
    assert_string_equal(val_kit_show(kit, f), "{\"a\":9,\"c\":3,\"z\":null}");
    size_t n;
    const struct lt_member *sorted = lt_val_sorted_members(heap, a, &n);
    assert_int_equal(n, 3);
    assert_string_equal(val_kit_show(kit, sorted[0].name), "\"a\"");
    assert_string_equal(val_kit_show(kit, sorted[2].name), "\"c\"");
}

static void a_large_object_finds_every_member(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    static const int sizes[] = {15, 16, 17, 64, 5000};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
        for (int again = 0; again < 2; again++) {
            int n = sizes[s];
            char name[16];
            char *json = large_object(n, again);
            struct lt_val object = val_kit_parse(kit, json), v;
            for (int pass = 0; pass < 2; pass++) {
                for (int i = n - 1; i >= 0; i--) {
                    snprintf(name, sizeof(name), "k%d", i);
                    assert_true(lt_val_object_get(heap, object, lt_slice_str(name), &v));
                    assert_true(lt_val_as_double(v) == i + (again ? n : 0) + pass);
                }
                assert_false(lt_val_object_get(heap, object, LT_LIT("k"), &v));
                assert_int_equal(v.kind, LT_VAL_NULL);
                assert_int_equal(lt_val_object_len(heap, object), n);
                size_t len;
                const struct lt_member *members = lt_val_sorted_members(heap, object, &len);
                for (size_t i = 1; i < len; i++)
                    assert_true(lt_slice_cmp(lt_val_bytes(heap, members[i - 1].name),
                                             lt_val_bytes(heap, members[i].name)) < 0);
                for (int i = 0; i < n; i++) {
                    snprintf(name, sizeof(name), "k%d", i);
                    object = lt_val_object_set(heap, object,
                                               lt_val_copy_string(heap, lt_slice_str(name)),
                                               lt_val_int(i + (again ? n : 0) + 1));
                }
            }
            lt_arena_reset(&kit->arena);
            free(json);
        }
}

static void values_are_ordered_as_jq_orders_them(void **state) {
    static const char *const sorted[] = {
        "null",
        "false",
        "true",
        "-5",
        "-0.5",
        "0",
        "1",
        "1.5",
        "9007199254740992",
        "9007199254740993",
        "1e300",
        "\"\"",
        "\"A\"",
        "\"\\u00e9\"",
        "\"\\uffff\"",
        "\"\\ud83d\\ude00\"",
        "[]",
        "[1]",
        "[1,2]",
        "[2]",
        "{}",
        "{\"a\":1}",
        "{\"b\":1,\"a\":1}",
        "{\"a\":1,\"b\":2}",
        "{\"c\":0}",
    };
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    size_t n = sizeof(sorted) / sizeof(*sorted);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            struct lt_val a = val_kit_parse(kit, sorted[i]), b = val_kit_parse(kit, sorted[j]);
            int order = lt_val_compare(heap, a, b);
            if ((order > 0) - (order < 0) != (i > j) - (i < j))
                fail_msg("%s and %s: %d", sorted[i], sorted[j], order);
            assert_true(lt_val_equal(heap, a, b) == (i == j));
        }
    assert_true(lt_val_equal(heap, val_kit_parse(kit, "{\"a\":1,\"b\":[1.0]}"),
                             val_kit_parse(kit, "{\"b\":[1],\"a\":1e0}")));
}

static void nan_is_below_every_number_and_equal_to_none(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val nan = lt_val_double(NAN);
    struct lt_val list = lt_val_array_append(heap, lt_val_array(heap, 0), nan);

    assert_true(lt_val_compare(heap, nan, nan) < 0);
    assert_true(lt_val_compare(heap, nan, lt_val_double(-INFINITY)) < 0);
    assert_true(lt_val_compare(heap, lt_val_int(1), nan) > 0);
    assert_false(lt_val_equal(heap, nan, nan));
    assert_true(lt_val_equal(heap, list, list)); /* the very same one */
    assert_false(lt_val_equal(heap, list, lt_val_array_append(heap, lt_val_array(heap, 0), nan)));
}

static void sort_is_stable_and_in_jqs_order(void **state) {
    struct val_kit *kit = *state;
    size_t n;
    struct lt_val v = val_kit_parse(kit, "[3,\"b\",1.0,null,[1],1,\"a\",2,{},false,1e0]");
    const struct lt_val *items = lt_val_items(&kit->heap, v, &n);
    struct lt_val sorted = lt_val_array(&kit->heap, n);
    struct lt_val copy[16];
    memcpy(copy, items, n * sizeof(*copy));
    lt_val_sort(&kit->heap, copy, n);
    for (size_t i = 0; i < n; i++)
        sorted = lt_val_array_append(&kit->heap, sorted, copy[i]);
    assert_string_equal(val_kit_show(kit, sorted), "[null,false,1.0,1,1e0,2,3,\"a\",\"b\",[1],{}]");
}

static void slices_and_what_is_done_to_them_leave_the_whole_alone(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val whole = lt_val_array(heap, 0);
    for (int i = 0; i < 40; i++)
        whole = lt_val_array_append(heap, whole, lt_val_int(i));
    struct lt_val head = lt_val_array_slice(heap, whole, 0, 2);
    struct lt_val tail = lt_val_array_slice(heap, whole, 10, 40);
    struct lt_val longer = lt_val_array_append(heap, tail, str("x"));
    struct lt_val set = lt_val_array_set(heap, tail, 0, str("y"));
    struct lt_val head2 = lt_val_array_append(heap, head, str("z"));
    struct lt_val whole2 = lt_val_array_set(heap, whole, 10, str("w"));

    assert_string_equal(val_kit_show(kit, head), "[0,1]");
    assert_string_equal(val_kit_show(kit, head2), "[0,1,\"z\"]");
    assert_int_equal(lt_val_array_len(heap, longer), 31);
    assert_int_equal(lt_val_array_get(heap, longer, 0).i, 10);
    assert_int_equal(lt_val_array_get(heap, tail, 0).i, 10);
    assert_int_equal(lt_val_array_get(heap, tail, 29).i, 39);
    assert_int_equal(lt_val_array_get(heap, set, 0).kind, LT_VAL_STRING);
    assert_int_equal(lt_val_array_get(heap, whole, 10).i, 10);
    assert_int_equal(lt_val_array_len(heap, whole), 40);
    assert_int_equal(lt_val_array_get(heap, whole2, 10).kind, LT_VAL_STRING);
    assert_int_equal(lt_val_array_get(heap, whole2, 39).i, 39);
    assert_string_equal(val_kit_show(kit, lt_val_array_slice(heap, whole, 38, 99)), "[38,39]");
    assert_string_equal(val_kit_show(kit, lt_val_array_slice(heap, whole, 50, 3)), "[]");
}

static void pinned_elements_stay_while_others_set_and_append(void **state) {
    struct val_kit *kit = *state;
    struct lt_heap *heap = &kit->heap;
    struct lt_val a = val_kit_parse(kit, "[1,2,3]");
    size_t n;
    const struct lt_val *items = lt_val_items(heap, a, &n);
    void *pin = lt_val_pin(heap, a);
    struct lt_val b = lt_val_array_set(heap, a, 0, str("x"));
    struct lt_val c = lt_val_array_append(heap, a, str("y"));
    assert_int_equal(lt_val_number(items[0]).i, 1);
    assert_int_equal(lt_val_number(items[2]).i, 3);
    lt_val_unpin(pin);
    assert_string_equal(val_kit_show(kit, b), "[\"x\",2,3]");
    assert_string_equal(val_kit_show(kit, c), "[1,2,3,\"y\"]");
}

static void a_frozen_value_outlives_the_arena_of_its_changes(void **state) {
    struct val_kit *kit = *state, run;
    char *json = large_object(30, false);
    struct lt_val object = lt_val_freeze(&kit->heap, val_kit_parse(kit, json));
    struct lt_val array = lt_val_freeze(&kit->heap, val_kit_parse(kit, "[[1.0],{\"a\":\"\\n\"}]"));
    free(json);
    val_kit_init(&run, ARENA_BYTES);
    for (int i = 0; i < 3; i++) {
        struct lt_val v;
        struct lt_val changed = lt_val_array_set(&run.heap, array, 0, str("x"));
        assert_string_equal(val_kit_show(&run, changed), "[\"x\",{\"a\":\"\\n\"}]");
        changed = lt_val_array_append(&run.heap, array, str("x"));
        assert_string_equal(val_kit_show(&run, changed), "[[1],{\"a\":\"\\n\"},\"x\"]");
        changed = lt_val_object_set(&run.heap, object, str("k29"), str("x"));
        changed = lt_val_object_set(&run.heap, changed, str("new"), str("y"));
        assert_true(lt_val_object_get(&run.heap, object, LT_LIT("k29"), &v));
        assert_int_equal(v.i, 29);
        assert_int_equal(lt_val_object_len(&run.heap, changed), 31);
        lt_arena_deinit(&run.arena);
    }
    val_kit_deinit(&run);
}

static void shortened_cuts_as_jq_1_6_does(void **state) {
    static const char *const cases[][2] = {
        {"{\"abcdefghij\":\"klm\"}", "{\"abcdefghi..."},
        {"\"abcdefghijklmnop\"", "\"abcdefghij..."},
        {"\"abcdefghijkl\"", "\"abcdefghijkl\""},
        {"\"abcdefghijklm\"", "\"abcdefghij..."},
        {"[1.0,2]", "[1,2]"},
        {"1234567890123", "1234567890123"},
        {"null", "null"},
    };
    struct val_kit *kit = *state;
    char out[16];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(lt_val_shortened(&kit->heap, val_kit_parse(kit, cases[i][0]), out),
                            cases[i][1]);
}

static void people_get_indentation_order_and_ascii(void **state) {
    struct val_kit *kit = *state;
    struct lt_buf out;
    struct lt_val v = val_kit_parse(kit, "{\"b\":[1,{}],\"a\":\"\\u00e9\\ud83d\\ude00\"}");
    lt_buf_init(&out, 4096);
    lt_val_write_styled(&kit->heap, &out, v,
                        &(struct lt_val_style){.indent = 2, .sort_keys = true, .ascii = true});
    assert_string_equal(lt_buf_cstr(&out),
                        "{\n  \"a\": \"\\u00e9\\ud83d\\ude00\",\n  \"b\": [\n    "
                        "1,\n    {}\n  ]\n}");
    lt_buf_clear(&out);
    lt_val_write_styled(&kit->heap, &out, v, &(struct lt_val_style){.tab = true});
    assert_string_equal(lt_buf_cstr(&out),
                        "{\n\t\"b\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"a\": \"é😀\"\n}");
    lt_buf_clear(&out);
    lt_val_write_styled(&kit->heap, &out, v, &(struct lt_val_style){0});
    assert_string_equal(lt_buf_cstr(&out), "{\"b\":[1,{}],\"a\":\"é😀\"}");
    lt_buf_clear(&out);
    lt_val_write_styled(&kit->heap, &out, val_kit_parse(kit, "{\"a\":[1,null]}"),
                        &(struct lt_val_style){.indent = 1, .color = true});
    assert_string_equal(lt_buf_cstr(&out), /* as jq 1.6 -C --indent 1 has it */
                        "\x1b[1;39m{\n \x1b[0m\x1b[34;1m\"a\"\x1b[0m\x1b[1;39m: \x1b[0m\x1b[1;39m["
                        "\n  \x1b[0;39m1\x1b[0m\x1b[1;39m,\n  \x1b[1;30mnull\x1b[0m\x1b[1;39m\n "
                        "\x1b[1;39m]\x1b[0m\x1b[1;39m\n\x1b[1;39m}\x1b[0m");
    lt_buf_deinit(&out);
}

static void a_value_nested_too_deep_fills_the_heap_and_no_stack(void **state) {
    struct val_kit *kit = *state;
    struct lt_val v = lt_val_null(), w = lt_val_null();
    struct lt_buf out;
    for (int i = 0; i < 100000; i++) {
        v = lt_val_array_append(&kit->heap, lt_val_array(&kit->heap, 1), v);
        w = lt_val_array_append(&kit->heap, lt_val_array(&kit->heap, 1), w);
    }
    lt_buf_init(&out, 1 << 20);
    lt_val_write(&kit->heap, &out, v);
    assert_true(kit->heap.full);
    kit->heap.full = false;
    (void)lt_val_compare(&kit->heap, v, w);
    assert_true(kit->heap.full);
    kit->heap.full = false;
    lt_buf_deinit(&out);
}

/* What uses most of the functions, in an arena of `max` bytes. */
static bool runs_within(size_t max) {
    struct val_kit kit;
    struct leat_error err;
    struct lt_val v, got;
    struct lt_buf out;
    char *json = large_object(20, true);
    lt_buf_init(&out, 1 << 20);
    val_kit_init(&kit, max);
    if (lt_val_parse(&kit.heap, lt_slice_str(json), &v, &err) != LEAT_OK)
        v = lt_val_object(&kit.heap, 2);
    struct lt_val name = lt_val_concat(&kit.heap, str("k"), str("99"));
    struct lt_val list = lt_val_array(&kit.heap, 0);
    struct lt_val old = v;
    for (int i = 0; i < 20; i++) {
        v = lt_val_object_set(&kit.heap, v, i % 2 ? str("k1") : name, list);
        list = lt_val_array_append(&kit.heap, list, name);
        list = lt_val_array_set(&kit.heap, list, (size_t)i / 2, v);
        name = lt_val_concat(&kit.heap, name, str("longer and longer"));
    }
    (void)lt_val_object_get(&kit.heap, v, LT_LIT("k7"), &got);
    v = lt_val_object_delete(&kit.heap, v, LT_LIT("k3"));
    (void)lt_val_array_slice(&kit.heap, list, 1, 19);
    (void)lt_val_equal(&kit.heap, v, old);
    (void)lt_val_compare(&kit.heap, v, old);
    lt_val_write(&kit.heap, &out, old);
    (void)lt_val_json(&kit.heap, old);
    (void)lt_val_freeze(&kit.heap, old);
    lt_val_unpin(lt_val_pin(&kit.heap, old));
    bool full = kit.heap.full;
    lt_buf_deinit(&out);
    val_kit_deinit(&kit);
    free(json);
    return !full;
}

static void without_memory_the_heap_is_full_and_nothing_breaks(void **state) {
    (void)state;
    size_t max = 0;
    while (!runs_within(max)) {
        max += 16;
        assert_true(max < 1 << 20);
    }
    assert_true(max > 4096);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_document_is_written_compact_as_jq_prints_it),
        T(what_is_copied_from_a_document_is_what_would_be_printed),
        T(doubles_are_printed_as_jq_1_6_prints_them),
        T(whole_numbers_are_exact_in_int64_and_doubles_beyond),
        T(an_array_keeps_each_version_whatever_is_appended_or_set),
        T(all_versions_of_many_sets_are_found_again),
        T(what_is_changed_step_by_step_costs_its_steps),
        T(strings_share_their_room_with_longer_ones),
        T(broken_bytes_become_the_replacement_character),
        T(members_keep_the_order_in_which_their_names_came),
        T(a_large_object_finds_every_member),
        T(values_are_ordered_as_jq_orders_them),
        T(nan_is_below_every_number_and_equal_to_none),
        T(sort_is_stable_and_in_jqs_order),
        T(slices_and_what_is_done_to_them_leave_the_whole_alone),
        T(pinned_elements_stay_while_others_set_and_append),
        T(a_frozen_value_outlives_the_arena_of_its_changes),
        T(shortened_cuts_as_jq_1_6_does),
        T(people_get_indentation_order_and_ascii),
        T(a_value_nested_too_deep_fills_the_heap_and_no_stack),
        T(without_memory_the_heap_is_full_and_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
