/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/latency.h"

/* A value's bucket: the position of its highest bit, then its next three bits. */
static unsigned bucket_of(uint64_t us) {
    if (us < 8)
        return (unsigned)us;
    unsigned high = 63u - (unsigned)__builtin_clzll(us);
    unsigned bucket = (high - 2) * 8 + (unsigned)((us >> (high - 3)) & 7);
    return bucket < LT_LATENCY_BUCKETS ? bucket : LT_LATENCY_BUCKETS - 1;
}

/* The largest value of a bucket. */
static uint64_t top_of(unsigned bucket) {
    if (bucket < 8)
        return bucket;
    unsigned high = bucket / 8 + 2;
    return ((8ull + bucket % 8 + 1) << (high - 3)) - 1;
}

void lt_latency_add(struct lt_latency *latency, uint64_t us, uint64_t n) {
    latency->n += n;
    latency->buckets[bucket_of(us)] += n;
    if (us > latency->max_us)
        latency->max_us = us;
}

void lt_latency_merge(struct lt_latency *into, const struct lt_latency *from) {
    into->n += from->n;
    for (unsigned i = 0; i < LT_LATENCY_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
}

uint64_t lt_latency_percentile(const struct lt_latency *latency, double percent) {
    double want = (double)latency->n * percent / 100.0;
    uint64_t seen = 0;

    for (unsigned i = 0; i < LT_LATENCY_BUCKETS; i++) {
        seen += latency->buckets[i];
        if (seen && (double)seen >= want) {
            uint64_t top = top_of(i);
            return top < latency->max_us ? top : latency->max_us;
        }
    }
    return latency->max_us;
}
