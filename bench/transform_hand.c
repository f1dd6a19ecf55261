/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recommender's transform by hand, for these records alone: the members' names, their order and
 * the white space of Python's json.dumps() are written into it, and 32 bytes are compared at a
 * time. It checks as much as leat does. What looks different goes through a general parser. See
 * transform_kit.h.
 */
#include "transform_kit.h"

#include "json/json.h"
#include "json/scan.h"

#include <immintrin.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)

enum { OUT_BYTES = 256 << 10, SLOTS = 2048, KEYS = 1024 };

struct program {
    uint32_t slots[SLOTS]; /* stamp << 10 | key */
    uint64_t keys[KEYS][2];
    uint32_t stamp, n;
    char *out;
    size_t cap;
};

static inline bool is_at(const char *at, const char *text, unsigned len) {
    uint32_t want = (uint32_t)((1ULL << len) - 1);
    if (len <= 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)at),
                b = _mm_loadu_si128((const __m128i *)text);
        return ((uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) & want) == want;
    }
    __m256i a = _mm256_loadu_si256((const __m256i *)at);
    __m256i b = _mm256_loadu_si256((const __m256i *)text);
    return ((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)) & want) == want;
}
#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define IS(at, text) is_at(at, text ZEROS, sizeof(text) - 1)

/* The closing quote; NULL when the string has an escape or is not ASCII. */
static inline const char *end_string(const char *at) {
    for (;; at += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)at);
        uint32_t quote =
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')));
        uint32_t odd = (uint32_t)_mm256_movemask_epi8(
            _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v),
                            _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))));
        if (LIKELY(quote))
            return LIKELY(!(odd & (quote ^ (quote - 1)))) ? at + __builtin_ctz(quote) : NULL;
        if (odd)
            return NULL;
    }
}

/* The same for one that is only skipped, whatever it has. */
static inline const char *skip_string(const char *at, const char *end) {
    struct lt_json_fault fault;
    const char *quote = end_string(at);
    if (LIKELY(quote))
        return quote;
    at = lt_json_check_string(at, end, &fault);
    return at ? at - 1 : NULL;
}

/* The bytes of a whole number of 1 to 7 digits; 0: something else. */
static inline unsigned read_digits(const char *at, int64_t *value) {
    uint64_t v;
    memcpy(&v, at, 8);
    v ^= 0x3030303030303030ULL;
    uint64_t other = ((v + 0x7676767676767676ULL) | v) & 0x8080808080808080ULL;
    unsigned bits = other ? (unsigned)__builtin_ctzll(other) & 0x38 : 0;
    if (!bits || (*at == '0' && bits > 8))
        return 0;
    v <<= 64 - bits;
    v = v * 10 + (v >> 8);
    v = ((v & 0x000000ff000000ffULL) * 0x000f424000000064ULL +
         ((v >> 16) & 0x000000ff000000ffULL) * 0x0000271000000001ULL) >>
        32;
    *value = (uint32_t)v;
    return bits >> 3;
}

static inline bool count_code(struct program *p, const char *code, size_t len) {
    uint64_t key, more = 0;
    if (len == 0 || len > 16 || p->n == KEYS - 1)
        return false;
    memcpy(&key, code, 8);
    if (LIKELY(len <= 8)) {
        key &= ~0ULL >> (64 - 8 * len);
    } else {
        memcpy(&more, code + 8, 8);
        more &= ~0ULL >> (128 - 8 * len);
    }
    uint64_t hash = (key ^ more * 0xff51afd7ed558ccdULL) * 0x9e3779b97f4a7c15ULL;
    for (uint32_t h = (uint32_t)(hash >> 53);; h = (h + 1) % SLOTS) {
        uint32_t slot = p->slots[h];
        if (slot >> 10 != p->stamp) {
            p->slots[h] = p->stamp << 10 | p->n;
            p->keys[p->n][0] = key;
            p->keys[p->n++][1] = more;
            return true;
        }
        if (p->keys[slot % KEYS][0] == key && p->keys[slot % KEYS][1] == more)
            return true;
    }
}

static inline char *put(char *to, const char *head, size_t len, int64_t value) {
    memcpy(to, head, len);
    to += len;
    if (value >= 0 && value < 100) {
        unsigned tens = (unsigned)value / 10;
        to[0] = (char)('0' + (tens ? tens : (unsigned)value));
        to[1] = (char)('0' + value % 10);
        return to + 1 + (tens > 0);
    }
    return to + sprintf(to, "%lld", (long long)value);
}
#define PUT(to, head, value) put(to, head, sizeof(head) - 1, value)

struct totals {
    int64_t quantity, cart;
    bool usa;
    const char *end; /* of the record */
};

/* An item from its brace to behind its brace. */
static inline const char *read_item(struct program *p, const char *at, struct totals *t) {
    int64_t quantity = 0, ignored;
    unsigned n;
    if (!IS(at, "{\"product_code\": \""))
        return NULL;
    const char *end = end_string(at += 18);
    if (!end || !count_code(p, at, (size_t)(end - at)))
        return NULL;
    at = end;
    if (IS(at, "\", \"description\": \"")) {
        if (!(at = skip_string(at + 19, t->end)))
            return NULL;
    } else if (IS(at, "\", \"description\": null")) {
        at += 21; /* the gap that follows begins as that behind a string, but for the quote */
    }
    if (!IS(at + 1, ", \"quantity\": "))
        return NULL;
    at += 15;
    bool negative = *at == '-';
    if (!(n = read_digits(at + negative, &quantity)))
        return NULL;
    at += n + negative;
    quantity = negative ? -quantity : quantity;
    if (IS(at, ", \"unit_price\": ")) {
        if (!(n = read_digits(at += 16, &ignored)))
            return NULL;
        at += n;
        if (*at == '.') {
            uint64_t v;
            memcpy(&v, at + 1, 8);
            v ^= 0x3030303030303030ULL;
            v = ((v + 0x7676767676767676ULL) | v) & 0x8080808080808080ULL;
            n = v ? (unsigned)__builtin_ctzll(v) >> 3 : 0;
            if (!n)
                return NULL;
            at += 1 + n;
        }
    }
    if (!IS(at, ", \"in_shopping_cart\": "))
        return NULL;
    uint32_t word;
    memcpy(&word, at += 22, 4);
    bool is_true = word == 0x65757274, is_false = (word == 0x736c6166) & (at[4] == 'e');
    if (!(is_true | is_false))
        return NULL;
    at += 4 + is_false;
    t->quantity += quantity;
    t->cart += quantity & -(int64_t)is_true;
    return *at == '}' ? at + 1 : NULL;
}

/* Behind the list's bracket; NULL when the record is not as it is here. */
static inline const char *read_record(struct program *p, const char *at, struct totals *t) {
    int64_t ignored;
    unsigned n;
    if (!IS(at, "{\"session_id\": \"") || !(at = skip_string(at + 16, t->end)))
        return NULL;
    if (!IS(at, "\", \"customer_number\": "))
        return NULL;
    n = memcmp(at += 22, "null", 4) == 0 ? 4 : read_digits(at, &ignored);
    if (!n)
        return NULL;
    at += n;
    if (IS(at, ", \"city\": \"")) {
        if (!(at = skip_string(at + 11, t->end)))
            return NULL;
        at++;
    }
    if (!IS(at, ", \"country\": \""))
        return NULL;
    at += 14;
    uint32_t country;
    memcpy(&country, at, 4);
    t->usa = country == 0x22415355; /* USA" */
    if (!(at = skip_string(at, t->end)))
        return NULL;
    if (IS(at, "\", \"event_time\": \"")) {
        if (!(at = skip_string(at + 18, t->end)))
            return NULL;
        at++;
    } else if (IS(at, "\", \"credit_limit\": ")) {
        if (!(n = read_digits(at += 19, &ignored)))
            return NULL;
        at += n;
    } else {
        return NULL;
    }
    if (!IS(at, ", \"browsing_history\": ["))
        return NULL;
    at += 23;
    if (*at == ']')
        return at + 1;
    while ((at = read_item(p, at, t))) {
        if (*at == ']')
            return at + 1;
        if (at[0] != ',' || at[1] != ' ')
            return NULL;
        at += 2;
    }
    return NULL;
}

static bool read_quantity(struct lt_json item, int64_t *out) {
    struct lt_json v;
    *out = 0;
    if (!lt_json_get(item, "quantity", &v) || v.type == LT_JSON_NULL)
        return true;
    if (v.type == LT_JSON_STRING)
        v = (struct lt_json){LT_JSON_NUMBER, {v.raw.data + 1, v.raw.len - 2}};
    struct lt_json number;
    return lt_json_parse(&number, v.raw, 1, NULL) == LEAT_OK && lt_json_int64(number, out);
}

/* Any record; the different codes are compared one by one. */
static bool read_slowly(struct lt_slice text, struct totals *t, uint32_t *different) {
    struct lt_json record, items, item, v;
    struct lt_slice codes[KEYS];
    *t = (struct totals){0};
    *different = 0;
    if (lt_json_parse(&record, text, 256, NULL) != LEAT_OK || record.type != LT_JSON_OBJECT)
        return false;
    if (!lt_json_get(record, "browsing_history", &items) &&
        !lt_json_get(record, "browse_history", &items))
        return false;
    t->usa = lt_json_get(record, "country", &v) && lt_json_string_is(v, LT_LIT("USA"));
    struct lt_json_iter iter = lt_json_iter(items);
    while (lt_json_next(&iter, &item)) {
        int64_t quantity;
        uint32_t i = 0;
        if (!read_quantity(item, &quantity))
            return false;
        t->quantity += quantity;
        if (lt_json_get(item, "in_shopping_cart", &v) &&
            (v.type == LT_JSON_TRUE || lt_json_string_is(v, LT_LIT("true"))))
            t->cart += quantity;
        if (!lt_json_get(item, "product_code", &v))
            v.raw = LT_LIT("null");
        while (i < *different && !lt_slice_eq(codes[i], v.raw))
            i++;
        if (i == *different && i < KEYS)
            codes[(*different)++] = v.raw;
    }
    return true;
}

/* The record with its fields; `to` has room for it, 64 bytes more, and the fields. */
static char *run(struct program *p, const struct line *line, char *to, struct counts *counts) {
    struct totals t = {.end = to + line->len};
    char rest[64];

    memcpy(to, line->data, line->len);
    memset(to + line->len, 0, 64);
    p->n = 0;
    if (++p->stamp == 1U << 22) {
        memset(p->slots, 0, sizeof(p->slots));
        p->stamp = 1;
    }
    const char *at = read_record(p, to, &t);
    uint32_t different = p->n;
    const char *end = to + line->len;
    if (!at || at + 1 != end || *at != '}') {
        if (!read_slowly(lt_slice(line->data, line->len), &t, &different)) {
            counts->dead++;
            return to;
        }
        for (at = end - 1; *at != '}';)
            at--;
    }
    counts->usa += t.usa;
    memcpy(rest, at, (size_t)(end - at));
    char *tail = to + (at - to);
    tail = PUT(tail, ",\"overall_product_quantity\":", t.quantity);
    tail = PUT(tail, ",\"overall_in_shopping_cart\":", t.cart);
    tail = PUT(tail, ",\"total_different_products\":", different);
    memcpy(tail, rest, (size_t)(end - at));
    return tail + (end - at);
}

static struct counts pass(void *ctx, const struct lines *lines, FILE *out) {
    struct program *p = ctx;
    struct counts counts = {0};
    size_t used = 0;

    for (size_t i = 0; i < lines->n; i++) {
        size_t room = lines->at[i].len + 512;
        if (used + room > p->cap) {
            used = 0;
            if (room > p->cap) {
                p->cap = room;
                p->out = realloc(p->out, p->cap);
            }
        }
        char *to = p->out + used, *end = run(p, &lines->at[i], to, &counts);
        used = (size_t)(end - p->out);
        if (out && end > to) {
            fwrite(to, 1, (size_t)(end - to), out);
            fputc('\n', out);
        }
    }
    return counts;
}

int main(int argc, char **argv) {
    static struct program p = {.cap = OUT_BYTES};
    p.out = malloc(OUT_BYTES);
    return measure(argc, argv, pass, &p);
}
