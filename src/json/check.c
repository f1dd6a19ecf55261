/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in a string: UTF-8, no control characters, escapes, surrogates in pairs. */
#include "json/scan.h"

static const char *fail_at(struct lt_json_fault *fault, const char *at, const char *expected) {
    *fault = (struct lt_json_fault){at, expected};
    return NULL;
}

const char *lt_json_check_escape(const char *at, const char *end, struct lt_json_fault *fault) {
    if (end - at < 2)
        return fail_at(fault, end, "an escape");
    if (at[1] != 'u') {
        if (at[1] && strchr("\"\\/bfnrt", at[1]))
            return at + 2;
        return fail_at(fault, at + 1, "one of \"\\/bfnrtu after a backslash");
    }
    int unit = end - at < 6 ? -1 : lt_json_hex4(at + 2);
    if (unit < 0)
        return fail_at(fault, at, "four hex digits after \\u");
    if (unit < 0xd800 || unit > 0xdfff)
        return at + 6;
    int low =
        unit > 0xdbff || end - at < 12 || at[6] != '\\' || at[7] != 'u' ? -1 : lt_json_hex4(at + 8);
    if (low < 0xdc00 || low > 0xdfff)
        return fail_at(fault, at, "a pair of surrogates");
    return at + 12;
}

const char *lt_json_check_string(const char *at, const char *end, struct lt_json_fault *fault) {
    for (;;) {
        at = lt_json_scan_plain(at, end);
        if (at == end)
            return fail_at(fault, at, "'\"' to end the string");
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            at = lt_json_check_escape(at, end, fault);
            if (!at)
                return NULL;
        } else if ((unsigned char)*at < 0x20) {
            return fail_at(fault, at, "a control character as an escape");
        } else {
            unsigned n = lt_utf8_len(at, end);
            if (!n)
                return fail_at(fault, at, "UTF-8");
            at += n;
        }
    }
}
