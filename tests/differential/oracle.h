/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_DIFFERENTIAL_ORACLE_H
#define LT_TEST_DIFFERENTIAL_ORACLE_H

#include "base/buf.h"

#include <jv.h>
#include <stdbool.h>

/*
 * What libjq 1.6 says. Its answer for an expression and a document is one line a document: for each
 * output [VALUE], at the end {"error": VALUE} where one was raised. Many expressions are asked in
 * one program, since libjq takes its time to compile one.
 */
enum { LT_MAX_OUTPUTS = 20 };

struct lt_oracle;

/** NULL when libjq refuses one of them. */
struct lt_oracle *lt_oracle_new(const char *const *expressions, size_t n);
void lt_oracle_free(struct lt_oracle *oracle);
/** The answers for one document, an array with one array an expression; a `jv` to be freed. Invalid
 * when an error came out that `try` does not catch. */
jv lt_oracle_ask(struct lt_oracle *oracle, const char *document);

/** Whether the last answer is missing because it took too long. */
bool lt_oracle_is_stopped(struct lt_oracle *oracle);

/** How an expression is asked, in both: at most LT_MAX_OUTPUTS of its outputs. */
void lt_oracle_bound(struct lt_buf *out, const char *expression);

#endif
