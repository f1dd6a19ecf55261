/* SPDX-License-Identifier: Apache-2.0 */
/* The walk in plain C, 8 bytes a step: the reference for the others. */
#include "expr/fuse_run.h"

#define WALK lt_fuse_walk_portable
#define TARGET
#define COUNT(site, at) ((site)->hits++, (from = (at)))
#define NOTE(site, behind) lt_fuse_note(site, from, behind)

static inline uint64_t get_word(const char *at) {
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)(unsigned char)at[i] << 8 * i;
    return v;
}

static inline bool is_gap(const struct lt_fuse_site *site, const char *at) {
    return site->n_compared && memcmp(at, site->gap, site->n_compared) == 0;
}

static inline bool is_short_gap(const struct lt_fuse_site *site, const char *at) {
    return is_gap(site, at);
}

static inline uint64_t low_bytes(uint64_t word, uint32_t n) {
    return n >= 8 ? word : word & ((1ULL << 8 * n) - 1);
}

/* The high bit of the lowest zero byte, and perhaps of some above it. */
static inline uint64_t find_zero(uint64_t v) {
    return (v - 0x0101010101010101ULL) & ~v & 0x8080808080808080ULL;
}

enum { STEP = 8 };

static inline const char *find_stop(const char *at) {
    const uint64_t high = 0x8080808080808080ULL;
    uint64_t v = get_word(at);
    uint64_t hit = find_zero(v ^ 0x2222222222222222ULL) | find_zero(v ^ 0x5c5c5c5c5c5c5c5cULL) |
                   ((v - 0x2020202020202020ULL) & ~v & high) | (v & high);
    return hit ? at + ((unsigned)__builtin_ctzll(hit) >> 3) : at + STEP;
}

/* A bit for each byte that is no digit. */
static inline uint64_t find_others(uint64_t digits) {
    return ((digits + 0x7676767676767676ULL) | digits) & 0x8080808080808080ULL;
}

static inline unsigned count_digits(const char *at) {
    uint64_t other = find_others(get_word(at) ^ 0x3030303030303030ULL);
    return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

static inline unsigned read_digits(const char *at, uint64_t *value) {
    uint64_t v = get_word(at) ^ 0x3030303030303030ULL;
    uint64_t other = find_others(v);
    unsigned bits = other ? (unsigned)__builtin_ctzll(other) & 0x38 : 64;

    if (bits == 0)
        return 0;
    v <<= 64 - bits; /* the digits, with zeros before them */
    v = v * 10 + (v >> 8);
    v = ((v & 0x000000ff000000ffULL) * 0x000f424000000064ULL +
         ((v >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL) >>
        32;
    *value = (uint32_t)v;
    return bits >> 3;
}

static inline bool is_fixed_string(const struct lt_fuse_site *site, const char *at) {
    (void)site, (void)at;
    return false; /* whoever counts lengths takes them all the long way */
}

static inline bool is_fixed_int(const struct lt_fuse_site *site, const char *at, uint64_t *value) {
    (void)site, (void)at, (void)value;
    return false;
}

static inline bool is_fixed_number(const struct lt_fuse_site *site, const char *at) {
    (void)site, (void)at;
    return false;
}

#include "expr/fuse_walk.h"
