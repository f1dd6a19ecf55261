/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scan of 64 bytes a step, in masks of one bit a byte (the first byte is the lowest bit). No
 * include guard: each file scan_MACHINE.c includes it once, behind its own
 *   SCAN_FN         how a function is declared: static, inlined, for that machine
 *   struct block    64 bytes in registers
 *   load_block, load_tail (what is behind the end reads as spaces), mask_eq, mask_ge (unsigned),
 *   classify, prefix_xor, put_tokens
 * and defines the scanner itself by LT_JSON_DEFINE_SCANNER.
 *
 * A fault only sets `bad`: what is wrong, and where, is the validator's to say. From one block to
 * the next go: whether it ended in a string, behind a backslash, in a scalar, inside a UTF-8
 * sequence.
 */
#include "json/scan.h"
#include "json/scanner.h"

struct scan {
    const char *text;
    const char *end;
    uint32_t *out;
    uint64_t in_string; /* all ones or none */
    uint64_t escaped;   /* 1 when the first byte of the block follows a lone backslash */
    uint64_t scalar;    /* 1 when the byte before the block belongs to a scalar */
    uint64_t bad;
    unsigned flags;
    /* UTF-8: which of the first bytes must continue a sequence, and that the first is the second
     * byte behind one of the four leads that narrow it */
    uint64_t must_continue;
    uint64_t after_e0, after_ed, after_f0, after_f4;
    const char *low_half; /* the escape that is the second of a pair of surrogates; `end`: none */
};

/* The escape whose backslash is at `at`. Most have one byte. */
SCAN_FN bool escape_is_good(struct scan *s, const char *at) {
    static const bool simple[256] = {
        ['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
        ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true,
    };
    struct lt_json_fault fault;

    if (at + 1 < s->end && simple[(unsigned char)at[1]])
        return true;
    if (at == s->low_half)
        return true;
    const char *after = lt_json_check_escape(at, s->end, &fault);
    if (after && after - at == 12)
        s->low_half = at + 6;
    return after != NULL;
}

/* The bytes that a backslash before them takes out of the count. */
SCAN_FN uint64_t find_escaped(struct scan *s, uint64_t backslash, const char *block) {
    uint64_t escaped = s->escaped;

    s->flags |= LT_JSON_HAS_ESCAPES;
    backslash &= ~escaped;
    s->escaped = 0;
    while (backslash) {
        uint64_t first = backslash & (0 - backslash);
        if (!escape_is_good(s, block + __builtin_ctzll(backslash)))
            s->bad = 1;
        escaped |= first << 1;
        s->escaped = first >> 63;
        backslash &= ~(first | first << 1);
    }
    return escaped;
}

/* A lead that allows only a part of 0x80…0xbf behind it. */
SCAN_FN uint64_t behind(uint64_t lead, uint64_t *carry) {
    uint64_t second = lead << 1 | *carry;
    *carry = lead >> 63;
    return second;
}

SCAN_FN uint64_t find_narrow_faults(struct scan *s, struct block block) {
    uint64_t ge_90 = mask_ge(block, 0x90), ge_a0 = mask_ge(block, 0xa0);
    uint64_t bad = mask_ge(block, 0xf5);

    bad |= behind(mask_eq(block, (char)0xe0), &s->after_e0) & ~ge_a0; /* overlong */
    bad |= behind(mask_eq(block, (char)0xed), &s->after_ed) & ge_a0;  /* a surrogate */
    bad |= behind(mask_eq(block, (char)0xf0), &s->after_f0) & ~ge_90; /* overlong */
    bad |= behind(mask_eq(block, (char)0xf4), &s->after_f4) & ge_90;  /* over U+10FFFF */
    return bad;
}

/* A sequence cut off by the end of the text needs no look: no text ends in a string. */
SCAN_FN void check_utf8(struct scan *s, struct block block, uint64_t high, uint64_t in_string) {
    uint64_t ge_c0 = mask_ge(block, 0xc0), lead = mask_ge(block, 0xc2);
    uint64_t lead_3 = mask_ge(block, 0xe0), lead_4 = 0;
    uint64_t bad = (high & ~in_string) | (ge_c0 & ~lead);

    if (lead_3 | s->after_e0 | s->after_ed | s->after_f0 | s->after_f4) {
        lead_4 = mask_ge(block, 0xf0);
        bad |= find_narrow_faults(s, block);
    }
    uint64_t must = lead << 1 | lead_3 << 2 | lead_4 << 3 | s->must_continue;
    bad |= must ^ (high & ~ge_c0);
    s->must_continue = lead >> 63 | lead_3 >> 62 | lead_4 >> 61;
    s->flags |= LT_JSON_HAS_NON_ASCII;
    s->bad |= bad;
}

SCAN_FN void scan_block(struct scan *s, struct block block, const char *at) {
    struct classes c = classify(block);
    uint64_t backslash = mask_eq(block, '\\'), quote = mask_eq(block, '"');

    if (__builtin_expect((backslash | s->escaped) != 0, 0))
        quote &= ~find_escaped(s, backslash, at);
    /* from each opening quote on, without the closing one */
    uint64_t in_string = prefix_xor(quote) ^ s->in_string;
    s->in_string = 0 - (in_string >> 63);
    s->bad |= (c.control & in_string) | (backslash & ~in_string);
    if (__builtin_expect((c.high | s->must_continue) != 0, 0))
        check_utf8(s, block, c.high, in_string);

    uint64_t outside = ~(in_string | quote);
    uint64_t scalar = outside & ~c.blank_or_structure;
    uint64_t start = scalar & ~(scalar << 1 | s->scalar);
    s->scalar = scalar >> 63;
    uint64_t tokens = (c.structure & ~in_string) | (quote & in_string) | start;
    s->out = put_tokens(s->out, (uint32_t)(at - s->text), tokens);
}

SCAN_FN bool scan_text(struct lt_json_tape *tape) {
    const char *at = tape->text;
    const char *end = at + tape->len;
    struct scan s = {.text = at, .end = end, .low_half = end, .out = tape->at};

    for (; end - at >= 64; at += 64) {
        scan_block(&s, load_block(at), at);
        if (s.bad)
            return false;
    }
    if (at < end)
        scan_block(&s, load_tail(at, (unsigned)(end - at)), at);
    *s.out = tape->len;
    tape->n = (uint32_t)(s.out - tape->at);
    tape->flags = s.flags;
    return !s.bad && !s.in_string;
}
