/* SPDX-License-Identifier: Apache-2.0 */
/* S3's documents, written straight into the answer. */
#include "engine/s3/call.h"

#include <stdio.h>
#include <time.h>

enum { OUT_MAX_BYTES = 64 << 20 };

/* One owner, as long as AWS' canonical user identifiers are. */
static const char owner_id[] = "6c656174000000000000000000000000000000000000000000000000000001ea";

void lt_s3_xml_start(struct lt_s3_call *call, const char *root) {
    lt_buf_deinit(&call->out);
    lt_buf_init(&call->out, OUT_MAX_BYTES);
    lt_buf_printf(&call->out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<%s xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
                  root);
    lt_s3_answer_header_str(call, "Content-Type", "application/xml");
}

void lt_s3_xml_end(struct lt_s3_call *call, const char *root) {
    lt_buf_printf(&call->out, "</%s>", root);
}

/* Text that is no UTF-8 gets '?' for its bytes: one of them would make the document unreadable. */
static void append_escaped(struct lt_buf *out, struct lt_slice text) {
    const bool is_utf8 = !text.len || lt_s3_is_utf8(text);
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char code[8];
        const char *as = c == '&'                ? "&amp;"
                         : c == '<'              ? "&lt;"
                         : c == '>'              ? "&gt;"
                         : c == '"'              ? "&quot;"
                         : !is_utf8 && c >= 0x80 ? "?"
                                                 : NULL;
        if (!as && c >= 0x20)
            continue;
        if (!as) {
            snprintf(code, sizeof(code), "&#x%X;", c);
            as = code;
        }
        lt_buf_append(out, lt_slice(text.data + from, i - from));
        lt_buf_append_str(out, as);
        from = i + 1;
    }
    lt_buf_append(out, lt_slice_from(text, from));
}

void lt_s3_xml_text(struct lt_buf *out, const char *name, struct lt_slice text) {
    lt_buf_printf(out, "<%s>", name);
    append_escaped(out, text);
    lt_buf_printf(out, "</%s>", name);
}

void lt_s3_xml_str(struct lt_buf *out, const char *name, const char *text) {
    lt_s3_xml_text(out, name, lt_slice_str(text));
}

void lt_s3_xml_u64(struct lt_buf *out, const char *name, uint64_t value) {
    lt_buf_printf(out, "<%s>%llu</%s>", name, (unsigned long long)value, name);
}

void lt_s3_xml_time(struct lt_buf *out, const char *name, int64_t ms) {
    time_t sec = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    lt_buf_printf(out, "<%s>%04d-%02d-%02dT%02d:%02d:%02d.%03dZ</%s>", name, tm.tm_year + 1900,
                  tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000),
                  name);
}

void lt_s3_xml_owner(struct lt_buf *out, const char *name) {
    lt_buf_printf(out, "<%s><ID>%s</ID><DisplayName>leat</DisplayName></%s>", name, owner_id, name);
}
