/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guarded.h"
#include "rfc8259.h"

#include "json/scanner.h"

enum { DEPTH = 256, MAX_SHIFT = 130, ROOM = 8192 };

static struct guarded memory;

static int make_memory(void **state) {
    (void)state;
    memory = guarded_new(ROOM);
    return 0;
}

static int free_memory(void **state) {
    (void)state;
    guarded_free(memory);
    return 0;
}

/* A byte order mark behind spaces is not at the begin any more, and no better there. */
static void assert_verdict(const struct rfc8259_case *c, const char *how, struct lt_slice text,
                           leat_status status) {
    if (status != (c->accepted ? LEAT_OK : LEAT_E_PARSE))
        fail_msg("%s by %s (%zu bytes): status %d", c->name, how, text.len, (int)status);
}

static void the_validator_accepts_and_refuses_what_rfc_8259_says(void **state) {
    (void)state;
    for (size_t i = 0; i < N_RFC8259_CASES; i++) {
        const struct rfc8259_case *c = &rfc8259_cases[i];
        struct lt_slice text = guarded_at_end(memory, c->text);
        struct lt_json value;
        assert_verdict(c, "the validator", text, lt_json_validate(&value, text, DEPTH, NULL));
        assert_verdict(c, "lt_json_parse", text, lt_json_parse(&value, text, DEPTH, NULL));
    }
}

/* Up to MAX_SHIFT spaces before it and behind it, so that each byte of it stands at each place of
 * a block, and the fault is found wherever it is. */
static void check_shifted(const struct rfc8259_case *c, const char *how,
                          struct lt_json_tape *tape) {
    static char shifted[ROOM];

    for (size_t before = 0; before <= MAX_SHIFT; before++) {
        size_t behind = (before * 7) % 67;
        memset(shifted, ' ', before + c->text.len + behind);
        memcpy(shifted + before, c->text.data, c->text.len);
        struct lt_slice text =
            guarded_at_end(memory, lt_slice(shifted, before + c->text.len + behind));
        struct leat_error err, wanted;
        leat_status status = lt_json_tape_parse(tape, text, DEPTH, &err);
        struct lt_json value;
        assert_verdict(c, how, text, status);
        assert_verdict(c, "lt_json_parse", text, lt_json_parse(&value, text, DEPTH, NULL));
        if (lt_json_validate(&value, text, DEPTH, &wanted) != LEAT_OK)
            assert_string_equal(err.text, wanted.text);
    }
}

static void each_scanner_accepts_and_refuses_what_rfc_8259_says(void **state) {
    const char *in_use = lt_json_scanner_name();
    struct lt_json_tape tape = {0};

    (void)state;
    for (size_t s = 0; s < N_SCANNER_NAMES; s++) {
        if (!lt_json_scanner_use(scanner_names[s]))
            continue;
        for (size_t i = 0; i < N_RFC8259_CASES; i++)
            check_shifted(&rfc8259_cases[i], scanner_names[s], &tape);
    }
    assert_true(lt_json_scanner_use(in_use));
    lt_json_tape_deinit(&tape);
}

/* What is good alone is good as an element and as a member, and what begins a container alone is
 * not good. */
static void what_is_accepted_is_accepted_inside_containers(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    for (size_t i = 0; i < N_RFC8259_CASES; i++) {
        const struct rfc8259_case *c = &rfc8259_cases[i];
        struct lt_buf text;
        if (!c->accepted)
            continue;
        lt_buf_init(&text, SIZE_MAX);
        lt_buf_append(&text, LT_LIT("{\"a\":["));
        lt_buf_append(&text, c->text);
        lt_buf_append(&text, LT_LIT(","));
        lt_buf_append(&text, c->text);
        lt_buf_append(&text, LT_LIT("],\"b\":"));
        lt_buf_append(&text, c->text);
        lt_buf_append_byte(&text, '}');
        struct lt_slice whole = lt_buf_slice(&text);
        assert_verdict(c, "inside", whole, lt_json_tape_parse(&tape, whole, DEPTH, NULL));
        whole.len--;
        assert_int_equal(lt_json_tape_parse(&tape, whole, DEPTH, NULL), LEAT_E_PARSE);
        lt_buf_deinit(&text);
    }
    lt_json_tape_deinit(&tape);
}

/* The text `open` n times, and its closers; or without them. */
static void assert_nesting(const char *open, const char *close, size_t n, leat_status wanted) {
    struct lt_json_tape tape = {0};
    struct lt_json value;
    struct lt_buf text;

    lt_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        lt_buf_append(&text, lt_slice_str(open));
    lt_buf_append_byte(&text, '1');
    for (size_t i = 0; i < n; i++)
        lt_buf_append(&text, lt_slice_str(close));
    assert_int_equal(lt_json_tape_parse(&tape, lt_buf_slice(&text), DEPTH, NULL), wanted);
    assert_int_equal(lt_json_parse(&value, lt_buf_slice(&text), DEPTH, NULL), wanted);
    lt_buf_deinit(&text);
    lt_json_tape_deinit(&tape);
}

static void nesting_is_accepted_up_to_the_limit(void **state) {
    (void)state;
    assert_nesting("[", "]", DEPTH, LEAT_OK);
    assert_nesting("[", "]", DEPTH + 1, LEAT_E_PARSE);
    assert_nesting("{\"a\":", "}", DEPTH, LEAT_OK);
    assert_nesting("{\"a\":", "}", DEPTH + 1, LEAT_E_PARSE);
    assert_nesting("[", "", 100000, LEAT_E_PARSE);
    assert_nesting("[{\"\":", "", 50000, LEAT_E_PARSE);
    assert_nesting("", "]", 100000, LEAT_E_PARSE);
}

/* Each byte value alone between quotes, outside, and behind a backslash. */
static void each_byte_is_judged_alone(void **state) {
    struct lt_json_tape tape = {0};

    (void)state;
    for (int c = 0; c < 256; c++) {
        char in_string[3] = {'"', (char)c, '"'}, outside[3] = {'[', (char)c, ']'};
        char escape[4] = {'"', '\\', (char)c, '"'};
        bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
        bool alone = c == ' ' || c == '\t' || c == '\n' || c == '\r' || (c >= '0' && c <= '9');
        bool simple = c && strchr("\"\\/bfnrt", c);
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice(in_string, 3), DEPTH, NULL),
                         plain ? LEAT_OK : LEAT_E_PARSE);
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice(outside, 3), DEPTH, NULL),
                         alone ? LEAT_OK : LEAT_E_PARSE);
        assert_int_equal(lt_json_tape_parse(&tape, lt_slice(escape, 4), DEPTH, NULL),
                         simple ? LEAT_OK : LEAT_E_PARSE);
    }
    lt_json_tape_deinit(&tape);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_validator_accepts_and_refuses_what_rfc_8259_says),
        cmocka_unit_test(each_scanner_accepts_and_refuses_what_rfc_8259_says),
        cmocka_unit_test(what_is_accepted_is_accepted_inside_containers),
        cmocka_unit_test(nesting_is_accepted_up_to_the_limit),
        cmocka_unit_test(each_byte_is_judged_alone),
    };
    return cmocka_run_group_tests(tests, make_memory, free_memory);
}
