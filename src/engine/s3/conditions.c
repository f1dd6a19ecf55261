/* SPDX-License-Identifier: Apache-2.0 */
/* Conditional requests and ranges (RFC 9110, sections 13 and 14), as S3 keeps to them. */
#include "engine/s3/call.h"

#include <stdio.h>

static struct lt_slice trim(struct lt_slice text) {
    while (text.len && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = lt_slice_from(text, 1);
    while (text.len && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool lt_s3_etag_in(struct lt_slice list, const char *etag) {
    while (list.len) {
        const char *comma = memchr(list.data, ',', list.len);
        struct lt_slice one = lt_slice(list.data, comma ? (size_t)(comma - list.data) : list.len);
        list = lt_slice_from(list, one.len + 1);
        one = trim(one);
        if (lt_slice_starts(one, LT_LIT("W/")))
            one = lt_slice_from(one, 2);
        if (one.len >= 2 && one.data[0] == '"' && one.data[one.len - 1] == '"')
            one = lt_slice(one.data + 1, one.len - 2);
        if (lt_slice_eq_str(one, "*") || lt_slice_eq_str(one, etag))
            return true;
    }
    return false;
}

static struct lt_slice condition(const struct lt_s3_call *call, const char *prefix,
                                 const char *name) {
    char full[64];
    snprintf(full, sizeof(full), "%s%s", prefix, name);
    return lt_s3_header(call, full);
}

/** Seconds are all that such a header can say. */
static bool is_later(const struct lt_object_info *info, struct lt_slice than, bool unless) {
    int64_t ms;
    if (!than.data || !lt_s3_parse_http_date(than, &ms))
        return unless;
    return info->modified_ms / 1000 > ms / 1000;
}

enum lt_s3_verdict lt_s3_check(const struct lt_s3_call *call, const char *prefix,
                               const struct lt_object_info *info) {
    struct lt_slice match = condition(call, prefix, "if-match");
    struct lt_slice none_match = condition(call, prefix, "if-none-match");
    struct lt_slice unmodified = condition(call, prefix, "if-unmodified-since");
    struct lt_slice modified = condition(call, prefix, "if-modified-since");

    if (match.data ? !lt_s3_etag_in(match, info->etag) : is_later(info, unmodified, false))
        return LT_S3_FAILED;
    if (none_match.data ? lt_s3_etag_in(none_match, info->etag) : !is_later(info, modified, true))
        return LT_S3_NOT_MODIFIED;
    return LT_S3_GO;
}

/** Digits only; false when there is none, or too many. */
static bool parse_u64(struct lt_slice text, uint64_t *out) {
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (uint64_t)(c - '0'), &n))
            return false;
    }
    *out = n;
    return text.len > 0;
}

enum lt_s3_verdict lt_s3_range(struct lt_slice range, uint64_t size, uint64_t *offset,
                               uint64_t *len) {
    uint64_t first, last;

    range = trim(range);
    if (!lt_slice_starts(range, LT_LIT("bytes=")))
        return LT_S3_NOT_MODIFIED;
    range = trim(lt_slice_from(range, 6));
    const char *dash = range.len ? memchr(range.data, '-', range.len) : NULL;
    if (!dash)
        return LT_S3_NOT_MODIFIED;
    struct lt_slice from = trim(lt_slice(range.data, (size_t)(dash - range.data)));
    struct lt_slice to = trim(lt_slice_from(range, (size_t)(dash - range.data) + 1));
    if (!from.len) { /* the last bytes */
        if (!parse_u64(to, &last))
            return LT_S3_NOT_MODIFIED;
        *len = last < size ? last : size;
        *offset = size - *len;
        return *len ? LT_S3_GO : LT_S3_FAILED;
    }
    if (!parse_u64(from, &first))
        return LT_S3_NOT_MODIFIED;
    last = UINT64_MAX;
    if (to.len && (!parse_u64(to, &last) || last < first))
        return LT_S3_NOT_MODIFIED;
    if (first >= size)
        return LT_S3_FAILED;
    if (last >= size)
        last = size - 1;
    *offset = first;
    *len = last - first + 1;
    return LT_S3_GO;
}
