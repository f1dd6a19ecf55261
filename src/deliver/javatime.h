/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_JAVATIME_H
#define LT_DELIVER_JAVATIME_H

#include "base/buf.h"

/**
 * Checks a pattern of Java's DateTimeFormatter, as Firehose's `!{timestamp:…}` takes it.
 * Errors: LEAT_E_INVALID with the letter that is unknown or too often there.
 * Source:  docs.oracle.com, java.time.format.DateTimeFormatter, "Patterns for Formatting and
 *          Parsing".
 */
LEAT_MUST_CHECK leat_status lt_javatime_check(struct lt_slice pattern, struct leat_error *err);

/**
 * Appends `time_ms` (UTC, the locale en_US) in a pattern that lt_javatime_check() accepts.
 * What an unchecked pattern has beyond that is left out.
 */
void lt_javatime_append(struct lt_buf *out, struct lt_slice pattern, int64_t time_ms);

#endif
