/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAT_TEST_FN_RIG_H
#define LEAT_TEST_FN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** An expression on an input: its outputs, a line each, then "error: " and the text if it fails. */
struct fn_case {
    const char *expr;
    const char *input;
    const char *expected;
};

/** Parses and runs each in the evaluator, and fails on the first that gives something else. */
void fn_cases_hold(const struct fn_case *cases, size_t n);

#endif
