/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_UNITS_H
#define LT_BASE_UNITS_H

#include "base/error.h"
#include "base/slice.h"

/** "5MiB", "5MB" (10^6), "512k", "100" (bytes) to bytes. Errors: LEAT_E_INVALID with examples. */
LEAT_MUST_CHECK leat_status lt_parse_bytes(struct lt_slice text, uint64_t *bytes,
                                           struct leat_error *err);

/** "60s", "250ms", "5m", "24h", "7d", "60" (seconds) to milliseconds. Errors: LEAT_E_INVALID. */
LEAT_MUST_CHECK leat_status lt_parse_duration(struct lt_slice text, int64_t *ms,
                                              struct leat_error *err);

/** Seconds since 1970 ("1700000000", "1700000000.5"), or RFC 3339 ("2026-02-01T10:00:00Z",
 * "2026-02-01", with an offset) to milliseconds since 1970. Errors: LEAT_E_INVALID. */
LEAT_MUST_CHECK leat_status lt_parse_time(struct lt_slice text, int64_t *ms,
                                          struct leat_error *err);

/** Bytes for people: "0 B", "1.5 KiB", "12 MiB". Returns `out`. */
char *lt_format_bytes(uint64_t bytes, char out[32]);

/** Counts for people: "20,000". Returns `out`. */
char *lt_format_count(uint64_t n, char out[32]);

/** RFC 3339 in UTC with milliseconds. Returns `out`. */
char *lt_format_time(int64_t ms, char out[32]);

/**
 * The candidate nearest to `word` by edits (swaps count one; case does not
 * count), or NULL where none is near enough to be a likely slip (about a third
 * of its length). `candidates` ends with NULL.
 */
const char *lt_nearest(struct lt_slice word, const char *const *candidates);

#endif
