/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_PREFIX_H
#define LT_DELIVER_PREFIX_H

#include "base/buf.h"

/* Prefixes of objects, with expressions as Firehose has them. Validation is
 * lt_delivery_check_prefix() in delivery.h. */

/** What expressions stand for. */
struct lt_prefix_values {
    int64_t time_ms;               /**< arrival of the oldest record */
    struct lt_slice seed;          /**< random-string is made of it: the same seed, the same text */
    const char *error_output_type; /**< "processing-failed", or NULL in an ordinary prefix */
    bool as_written;               /**< adds nothing to a prefix without a timestamp expression */
};

/** True where `!{` stands in it. */
bool lt_prefix_has_expression(struct lt_slice prefix);

/**
 * Appends the evaluated prefix; without a timestamp expression, `YYYY/MM/dd/HH/` (UTC) is added.
 * Errors: as lt_delivery_check_prefix(). Source: Firehose's page "Custom prefixes for Amazon S3
 * objects", whose rule asks for a timestamp expression, not for any expression.
 */
LEAT_MUST_CHECK leat_status lt_prefix_append(struct lt_buf *out, struct lt_slice prefix,
                                             const struct lt_prefix_values *values,
                                             struct leat_error *err);

#endif
