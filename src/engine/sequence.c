/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of the wire: sequence numbers of 34 digits ("49", shard uid, journal number), shard
 * ids, and hash keys, which are decimal numbers of 128 bits.
 */
#include "engine/streams.h"

enum { UID_DIGITS = 12, SEQ_DIGITS = 20 };

/* Two at a time: this is written for every record that is put or read. `digits` is even. */
static void put_digits(uint64_t value, char *out, unsigned digits) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";

    while (digits >= 2) {
        digits -= 2;
        memcpy(out + digits, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
}

static bool get_digits(const char *text, unsigned digits, uint64_t *value) {
    *value = 0;
    for (unsigned i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

void lt_sequence_format(uint64_t shard_uid, uint64_t seq, char out[LT_SEQUENCE_DIGITS + 1]) {
    out[0] = '4';
    out[1] = '9';
    put_digits(shard_uid, out + 2, UID_DIGITS);
    put_digits(seq, out + 2 + UID_DIGITS, SEQ_DIGITS);
    out[LT_SEQUENCE_DIGITS] = 0;
}

void lt_sequence_next(const char before[LT_SEQUENCE_DIGITS + 1], char out[LT_SEQUENCE_DIGITS + 1]) {
    size_t at = LT_SEQUENCE_DIGITS - 1;

    memcpy(out, before, LT_SEQUENCE_DIGITS + 1);
    while (out[at] == '9' && at > LT_SEQUENCE_DIGITS - SEQ_DIGITS)
        out[at--] = '0';
    out[at]++;
}

bool lt_sequence_parse(struct lt_slice text, uint64_t *shard_uid, uint64_t *seq) {
    return text.len == LT_SEQUENCE_DIGITS && text.data[0] == '4' && text.data[1] == '9' &&
           get_digits(text.data + 2, UID_DIGITS, shard_uid) &&
           get_digits(text.data + 2 + UID_DIGITS, SEQ_DIGITS, seq);
}

bool lt_shard_id_parse(struct lt_slice text, unsigned *index) {
    static const struct lt_slice prefix = {"shardId-", 8};
    uint64_t value;

    if (text.len != prefix.len + 12 || !lt_slice_starts(text, prefix) ||
        !get_digits(text.data + prefix.len, 12, &value) || value > INT32_MAX)
        return false;
    *index = (unsigned)value;
    return true;
}

void lt_shard_id_format(unsigned index, char out[32]) {
    memcpy(out, "shardId-", 8);
    put_digits(index, out + 8, 12);
    out[20] = 0;
}

void lt_hash_key_format(unsigned __int128 key, char out[LT_HASH_KEY_TEXT]) {
    char digits[LT_HASH_KEY_TEXT];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + (unsigned)(key % 10));
        key /= 10;
    } while (key);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    out[n] = 0;
}

bool lt_hash_key_parse(struct lt_slice text, unsigned __int128 *key) {
    *key = 0;
    if (text.len == 0 || text.len > 39 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*key, (unsigned __int128)10, key) ||
            __builtin_add_overflow(*key, (unsigned __int128)digit, key))
            return false;
    }
    return true;
}
