/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding as Signature Version 4 defines it: all but RFC 3986's unreserved characters. */
#include "aws/client.h"

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void lt_aws_percent_encode(struct lt_buf *out, struct lt_slice text, bool keep_slash) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_unreserved(c) || (c == '/' && keep_slash)) {
            lt_buf_append_byte(out, (char)c);
            continue;
        }
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        lt_buf_append(out, lt_slice(code, sizeof(code)));
    }
}
