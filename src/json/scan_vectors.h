/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block as several vectors of 16 or 32 bytes, for machines whose comparisons give vectors. No
 * include guard: a file scan_MACHINE.c includes it once, behind its own
 *   SCAN_FN, VEC (the type), N_VECS, and one-vector operations:
 *   vec_load, vec_set, vec_table (16 bytes, repeated), vec_eq, vec_gt (signed), vec_ge (unsigned),
 *   vec_lookup (by the low four bits; 0 for bytes over 0x7f), vec_high_nibble, vec_and
 *   to_mask(const VEC *): the highest bit of each of the block's bytes
 */
#include <stdint.h>
#include <string.h>

/* At -O2 gcc keeps these loops, and with them the vectors in memory. */
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

struct block {
    VEC v[N_VECS];
};

struct classes {
    uint64_t structure, blank_or_structure, control, high;
};

SCAN_FN struct block load_block(const char *at) {
    struct block block;

    UNROLL
    for (unsigned i = 0; i < N_VECS; i++)
        block.v[i] = vec_load(at + i * sizeof(VEC));
    return block;
}

SCAN_FN struct block load_tail(const char *at, unsigned len) {
    char padded[64];

    memset(padded, ' ', sizeof(padded));
    memcpy(padded, at, len);
    return load_block(padded);
}

SCAN_FN uint64_t mask_eq(struct block block, char c) {
    VEC wanted = vec_set(c);

    UNROLL
    for (unsigned i = 0; i < N_VECS; i++)
        block.v[i] = vec_eq(block.v[i], wanted);
    return to_mask(block.v);
}

SCAN_FN uint64_t mask_ge(struct block block, unsigned char c) {
    VEC least = vec_set((char)c);

    UNROLL
    for (unsigned i = 0; i < N_VECS; i++)
        block.v[i] = vec_ge(block.v[i], least);
    return to_mask(block.v);
}

/*
 * Two lookups whose common bits are a byte's classes: of bytes 0xHL one bit for each set of H that
 * goes with a set of L. 1: 0x20. 2: 0x09 0x0a 0x0d. 4: `,`. 8: `:`. 16: `[ ] { }`. What is over
 * 3 is structure, what is over 0 is structure or white space.
 */
SCAN_FN struct classes classify(struct block block) {
    static const char low_nibbles[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2 | 8, 16, 4, 2 | 16, 0, 0};
    static const char high_nibbles[16] = {2, 0, 1 | 4, 8, 0, 16, 0, 16};
    VEC low = vec_table(low_nibbles), high = vec_table(high_nibbles);
    struct block structure, any, control;

    UNROLL
    for (unsigned i = 0; i < N_VECS; i++) {
        VEC class =
            vec_and(vec_lookup(low, block.v[i]), vec_lookup(high, vec_high_nibble(block.v[i])));
        structure.v[i] = vec_gt(class, vec_set(3));
        any.v[i] = vec_gt(class, vec_set(0));
        control.v[i] = vec_ge(vec_set(0x1f), block.v[i]);
    }
    return (struct classes){to_mask(structure.v), to_mask(any.v), to_mask(control.v),
                            to_mask(block.v)};
}

/* Eight at a time: how many there are is known only by the machine's guess, and eight is cheap. */
SCAN_FN uint32_t *put_tokens(uint32_t *out, uint32_t base, uint64_t tokens) {
    unsigned n = (unsigned)__builtin_popcountll(tokens);

    for (unsigned done = 0; done < n; done += 8) {
        UNROLL
        for (unsigned i = 0; i < 8; i++) {
            out[done + i] = base + (uint32_t)__builtin_ctzll(tokens | 1ULL << 63);
            tokens &= tokens - 1;
        }
    }
    return out + n;
}
