/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_REGEX_H
#define LT_EXPR_REGEX_H

#include "expr/vm.h"

/*
 * Regular expressions by Oniguruma, the library that jq itself uses, opened when the first one is
 * met. Compiled ones are kept in the machine over its runs, the last 64 of them. A search has a
 * bound of tries and of memory, so that none runs away.
 */

struct lt_regex;

/** What jq's flags ("gin") say. */
struct lt_regex_flags {
    unsigned options; /**< Oniguruma's */
    bool global;
};

/** Reads jq's flags: a string or null. ERROR for others. */
enum lt_flow lt_regex_read_flags(struct lt_vm *vm, struct lt_val v, struct lt_regex_flags *flags);

/**
 * The compiled pattern, valid until the next call (and for good as long as fewer than 64 others are
 * asked for). ERROR "Regex failure: …".
 */
enum lt_flow lt_regex_get(struct lt_vm *vm, struct lt_slice pattern, unsigned options,
                          struct lt_regex **out);

/** Where a match or a group lies, in bytes; `from` is -1 for a group that took no part. */
struct lt_regex_span {
    int from;
    int to;
};

/**
 * Searches `subject` from byte `from` on. `*spans` is the whole match and then each group; it lives
 * until the pattern's next search.
 */
enum lt_flow lt_regex_search(struct lt_vm *vm, struct lt_regex *regex, struct lt_slice subject,
                             size_t from, bool *found, const struct lt_regex_span **spans,
                             size_t *n_spans);

/** The name of group `i` (from 1 on); `data` NULL when it has none. */
struct lt_slice lt_regex_group_name(const struct lt_regex *regex, size_t i);

#endif
