/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_LATENCY_H
#define LT_PIPELINE_LATENCY_H

#include <stdint.h>

/* Counts of latencies in buckets that grow by an eighth, from 1 µs to over an hour: percentiles
 * within 12.5 %, in fixed memory. */
enum { LT_LATENCY_BUCKETS = 8 * 40 };

struct lt_latency {
    uint64_t n;
    uint64_t max_us;
    uint64_t buckets[LT_LATENCY_BUCKETS];
};

void lt_latency_add(struct lt_latency *latency, uint64_t us, uint64_t n);
void lt_latency_merge(struct lt_latency *into, const struct lt_latency *from);

/** The latency that `percent` of all are at or under, in microseconds; 0 when there are none. */
uint64_t lt_latency_percentile(const struct lt_latency *latency, double percent);

#endif
