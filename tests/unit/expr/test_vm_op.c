/* SPDX-License-Identifier: Apache-2.0 */
/* The operators and formats beside what /usr/bin/jq 1.6 gave for the same (tests/data/jq): a
 * line a case, fields between tabs, an error's text behind a `!`. */
#include "val_kit.h"

#include "expr/fn.h"

enum { ARENA_BYTES = 1 << 24 };

/* The evaluator's, as far as operators need it. */
enum lt_flow lt_vm_raise(struct lt_vm *vm, const char *fmt, ...) {
    char text[256];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    vm->error = lt_val_copy_string(&vm->heap, lt_slice(text, (size_t)len));
    return LT_FLOW_ERROR;
}

enum lt_flow lt_vm_check(struct lt_vm *vm) {
    return vm->heap.full ? LT_FLOW_STOP : LT_FLOW_ON;
}

struct bench {
    struct val_kit kit;
    struct lt_vm vm;
};

static void bench_init(struct bench *b, size_t max) {
    val_kit_init(&b->kit, max);
    b->vm = (struct lt_vm){.heap = b->kit.heap, .next_check = 1000};
}

static void expect(struct bench *b, const char *what, enum lt_flow flow, struct lt_val out,
                   const char *expected) {
    struct lt_heap *heap = &b->vm.heap;
    struct lt_slice got = {0};
    if (flow == LT_FLOW_ERROR)
        got = lt_val_bytes(heap, lt_val_concat(heap, lt_val_string(LT_LIT("!")), b->vm.error));
    else if (flow == LT_FLOW_ON)
        got = lt_val_json(heap, out);
    if (!lt_slice_eq_str(got, expected))
        fail_msg("%s: got %.*s, jq has %s", what, LT_FMT(got), expected);
}

/* Calls `run` for each line of a file, with its fields. */
static void for_each_case(const char *name, size_t n_fields,
                          void (*run)(struct bench *b, const char *line, char **fields)) {
    char path[512], line[4096], copy[4096];
    size_t n_cases = 0;
    snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *fields[8] = {0}, *at = copy;
        struct bench b;
        line[strcspn(line, "\n")] = '\0';
        strcpy(copy, line);
        for (size_t i = 0; i < n_fields; i++) {
            fields[i] = strsep(&at, "\t");
            assert_non_null(fields[i]);
        }
        bench_init(&b, ARENA_BYTES);
        run(&b, line, fields);
        val_kit_deinit(&b.kit);
        n_cases++;
    }
    fclose(file);
    assert_true(n_cases > 50);
}

static void run_binary(struct bench *b, const char *line, char **fields) {
    static const char ops[] = "+-*/%";
    enum lt_op op = (enum lt_op)(strchr(ops, *fields[0]) - ops);
    struct lt_val x = val_kit_parse(&b->kit, fields[1]), y = val_kit_parse(&b->kit, fields[2]), out;
    expect(b, line, lt_vm_binary(&b->vm, op, x, y, &out), out, fields[3]);
}

static void binary_operators_answer_as_jq(void **state) {
    (void)state;
    for_each_case("binary.tsv", 4, run_binary);
}

static void run_index(struct bench *b, const char *line, char **fields) {
    struct lt_vm *vm = &b->vm;
    struct lt_val v = val_kit_parse(&b->kit, fields[1]), k = val_kit_parse(&b->kit, fields[2]);
    struct lt_val out = lt_val_null();
    enum lt_flow flow;
    size_t n;
    if (!strcmp(fields[0], "get")) {
        flow = lt_vm_get(vm, v, k, &out);
    } else if (!strcmp(fields[0], "delpaths")) {
        flow = lt_vm_delpaths(vm, v, k, &out);
    } else {
        const struct lt_val *keys = lt_val_items(&vm->heap, k, &n);
        flow = !strcmp(fields[0], "getpath")
                   ? lt_vm_getpath(vm, v, keys, n, &out)
                   : lt_vm_setpath(vm, v, keys, n, val_kit_parse(&b->kit, fields[3]), &out);
    }
    expect(b, line, flow, out, fields[4]);
}

static void indices_paths_and_deletions_answer_as_jq(void **state) {
    (void)state;
    for_each_case("index.tsv", 5, run_index);
}

static void run_format(struct bench *b, const char *line, char **fields) {
    static const char *const names[] = {"text", "json", "csv",    "tsv",    "html",
                                        "uri",  "sh",   "base64", "base64d"};
    size_t format = 0;
    while (strcmp(names[format], fields[0]) != 0)
        format++;
    struct lt_val out = lt_val_null(), v = val_kit_parse(&b->kit, fields[1]);
    expect(b, line, lt_fn_format(&b->vm, (enum lt_format)format, v, &out), out, fields[2]);
}

static void formats_answer_as_jq(void **state) {
    (void)state;
    for_each_case("format.tsv", 3, run_format);
}

static void whole_numbers_stay_exact_where_jq_rounds(void **state) {
    static const struct {
        enum lt_op op;
        const char *a, *b, *result;
    } cases[] = {
        {LT_OP_ADD, "9007199254740993", "0", "9007199254740993"},
        {LT_OP_ADD, "9223372036854775807", "1", "9223372036854776000"},
        {LT_OP_SUB, "-9223372036854775808", "1", "-9223372036854776000"},
        {LT_OP_MUL, "3037000500", "3037000500", "9223372037000250000"},
        {LT_OP_MUL, "3037000499", "3037000499", "9223372030926249001"},
        {LT_OP_MUL, "0", "-1", "-0"},
        {LT_OP_DIV, "9007199254740993", "3", "3002399751580331"},
        {LT_OP_DIV, "-9223372036854775808", "-1", "9223372036854776000"},
        {LT_OP_DIV, "0", "-5", "-0"},
        {LT_OP_DIV, "1", "4", "0.25"},
        {LT_OP_MOD, "-9223372036854775808", "-1", "0"},
        {LT_OP_MOD, "9223372036854775807", "10", "7"},
        {LT_OP_EQ, "9007199254740993", "9007199254740992", "false"},
        {LT_OP_LT, "9007199254740992", "9007199254740993", "true"},
    };
    struct bench b;
    (void)state;
    bench_init(&b, ARENA_BYTES);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct lt_val out, x = val_kit_parse(&b.kit, cases[i].a),
                           y = val_kit_parse(&b.kit, cases[i].b);
        expect(&b, cases[i].a, lt_vm_binary(&b.vm, cases[i].op, x, y, &out), out, cases[i].result);
    }
    val_kit_deinit(&b.kit);
}

static void a_reduce_costs_its_steps(void **state) {
    enum { STEPS = 20000 };
    struct bench b;
    char name[16];
    struct lt_val array, object, counts, nested;
    (void)state;
    bench_init(&b, 1 << 25);
    array = counts = nested = lt_val_null();
    object = lt_val_object(&b.vm.heap, 0);
    for (int i = 0; i < STEPS; i++) {
        int len = snprintf(name, sizeof(name), "k%d", i % 5000);
        struct lt_val key = lt_val_copy_string(&b.vm.heap, lt_slice(name, (size_t)len)), v;
        struct lt_val one = lt_val_array_append(&b.vm.heap, lt_val_array(&b.vm.heap, 1), key);
        struct lt_val path[] = {lt_val_string(LT_LIT("a")), key};
        v = lt_val_object_set(&b.vm.heap, lt_val_object(&b.vm.heap, 1), key, lt_val_int(i));
        assert_int_equal(lt_vm_binary(&b.vm, LT_OP_ADD, array, one, &array), LT_FLOW_ON);
        assert_int_equal(lt_vm_binary(&b.vm, LT_OP_ADD, object, v, &object), LT_FLOW_ON);
        assert_int_equal(lt_vm_get(&b.vm, counts, key, &v), LT_FLOW_ON);
        assert_int_equal(lt_vm_binary(&b.vm, LT_OP_ADD, v, lt_val_int(1), &v), LT_FLOW_ON);
        assert_int_equal(lt_vm_set(&b.vm, counts, key, v, &counts), LT_FLOW_ON);
        assert_int_equal(lt_vm_setpath(&b.vm, nested, path, 2, v, &nested), LT_FLOW_ON);
    }
    assert_int_equal(lt_val_array_len(&b.vm.heap, array), STEPS);
    assert_int_equal(lt_val_object_len(&b.vm.heap, object), 5000);
    assert_int_equal(lt_val_object_len(&b.vm.heap, counts), 5000);
    val_kit_deinit(&b.kit);
}

/* All kinds of work in an arena of `max` bytes: each call succeeds or says STOP. */
static bool runs_within(size_t max) {
    static const char *const texts[] = {"[1,[2,3],{\"a\":\"b\\n\"}]", "{\"a\":{\"b\":1},\"c\":[]}",
                                        "\"a,b,c\"", "[[\"a\",\"b\"],[0],[1,0]]", "3"};
    enum { TEXTS = sizeof(texts) / sizeof(*texts) };
    struct bench b;
    struct leat_error err;
    bench_init(&b, max);
    struct lt_vm *vm = &b.vm;
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t j = 0; j < TEXTS; j++) {
            struct lt_val x, y, out = lt_val_null();
            if (lt_val_parse(&vm->heap, lt_slice_str(texts[i]), &x, &err) != LEAT_OK ||
                lt_val_parse(&vm->heap, lt_slice_str(texts[j]), &y, &err) != LEAT_OK)
                break;
            for (unsigned op = LT_OP_ADD; op <= LT_OP_GE; op++)
                assert_in_range(lt_vm_binary(vm, (enum lt_op)op, x, y, &out), LT_FLOW_ON,
                                LT_FLOW_STOP);
            (void)lt_vm_get(vm, x, y, &out);
            (void)lt_vm_set(vm, x, y, x, &out);
            (void)lt_vm_setpath(vm, x, (struct lt_val[]){y, y}, 2, y, &out);
            (void)lt_vm_delpaths(vm, x, y, &out);
            for (unsigned f = LT_FORMAT_TEXT; f <= LT_FORMAT_BASE64D; f++)
                (void)lt_fn_format(vm, (enum lt_format)f, x, &out);
        }
    bool full = vm->heap.full;
    val_kit_deinit(&b.kit);
    return !full;
}

static void without_memory_operators_stop_and_nothing_breaks(void **state) {
    (void)state;
    size_t max = 0;
    while (!runs_within(max)) {
        max += max < 4096 ? 16 : 208;
        assert_true(max < 1 << 20);
    }
    assert_true(max > 4096);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binary_operators_answer_as_jq),
        cmocka_unit_test(indices_paths_and_deletions_answer_as_jq),
        cmocka_unit_test(formats_answer_as_jq),
        cmocka_unit_test(whole_numbers_stay_exact_where_jq_rounds),
        cmocka_unit_test(a_reduce_costs_its_steps),
        cmocka_unit_test(without_memory_operators_stop_and_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
