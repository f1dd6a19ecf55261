/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers. An error is S3's XML document; its code's HTTP status stands in one table, and an error
 * of leat's own, without a code, gets the one of its status.
 */
#include "engine/s3/call.h"

#include <stdio.h>
#include <time.h>

enum { OUT_MAX_BYTES = 64 << 20 };

struct error_row {
    const char *code;
    unsigned http;
    const char *message; /* AWS' own words, instead of the error's; or NULL */
};

static const struct error_row errors[] = {
    {"BadDigest", 400, NULL},
    {"BucketAlreadyOwnedByYou", 409, NULL},
    {"BucketNotEmpty", 409, NULL},
    {"EntityTooLarge", 400, NULL},
    {"IncompleteBody", 400, NULL},
    {"InsufficientStorage", 507, NULL},
    {"InternalError", 500, NULL},
    {"InvalidArgument", 400, NULL},
    {"InvalidBucketName", 400, NULL},
    {"InvalidDigest", 400, NULL},
    {"InvalidLocationConstraint", 400, NULL},
    {"InvalidRange", 416, NULL},
    {"InvalidRequest", 400, NULL},
    {"InvalidURI", 400, NULL},
    {"KeyTooLongError", 400, NULL},
    {"MalformedXML", 400, NULL},
    {"MetadataTooLarge", 400, NULL},
    {"MethodNotAllowed", 405, NULL},
    {"NoSuchBucket", 404, "The specified bucket does not exist"},
    {"NoSuchKey", 404, "The specified key does not exist."},
    {"NoSuchVersion", 404, NULL},
    {"NotImplemented", 501, NULL},
    {"OperationAborted", 409, NULL},
    {"PreconditionFailed", 412, NULL},
    {"ServiceUnavailable", 503, NULL},
    {"XAmzContentSHA256Mismatch", 400, NULL},
};

static const struct error_row *row_of(const char *code) {
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (!strcmp(errors[i].code, code))
            return &errors[i];
    return NULL;
}

static const char *code_of(leat_status status) {
    switch (status) {
    case LEAT_E_FULL:
        return "InsufficientStorage";
    case LEAT_E_BUSY:
        return "OperationAborted";
    case LEAT_E_NOMEM:
    case LEAT_E_CANCELLED:
        return "ServiceUnavailable";
    case LEAT_E_UNSUPPORTED:
        return "NotImplemented";
    default:
        return "InternalError";
    }
}

void lt_s3_answer_header(struct lt_s3_call *call, const char *name, struct lt_slice value) {
    if (call->n_answer + 1 >= call->cap_answer) { /* the last one is the end */
        size_t cap = call->cap_answer ? call->cap_answer * 2 : 16;
        struct lt_http_header *more = lt_arena_calloc(call->arena, cap, sizeof(*more));
        if (!more)
            return;
        if (call->n_answer)
            memcpy(more, call->answer, call->n_answer * sizeof(*more));
        call->answer = more;
        call->cap_answer = cap;
    }
    call->answer[call->n_answer++] = (struct lt_http_header){name, value};
}

void lt_s3_answer_header_str(struct lt_s3_call *call, const char *name, const char *value) {
    if (value)
        lt_s3_answer_header(call, name, lt_slice_str(value));
}

static void start_out(struct lt_s3_call *call) {
    lt_buf_deinit(&call->out);
    lt_buf_init(&call->out, OUT_MAX_BYTES);
}

void lt_s3_answer_error(struct lt_s3_call *call, leat_status status, const struct leat_error *err) {
    const struct error_row *row = *err->code ? row_of(err->code) : NULL;

    if (!row)
        row = row_of(code_of(status));
    call->status = row->http;
    call->n_answer = 0;
    call->sends_file = false;
    start_out(call);
    struct lt_buf *out = &call->out;
    lt_buf_append_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    lt_s3_xml_str(out, "Code", row->code);
    lt_s3_xml_str(out, "Message", row->message ? row->message : err->text);
    if (*call->bucket)
        lt_s3_xml_str(out, "BucketName", call->bucket);
    if (call->key.len)
        lt_s3_xml_text(out, "Key", call->key);
    lt_s3_xml_text(out, "Resource", lt_http_raw_path(call->request));
    lt_s3_xml_str(out, "RequestId", call->id);
    lt_buf_append_str(out, "</Error>");
    lt_s3_answer_header_str(call, "Content-Type", "application/xml");
}

void lt_s3_send(struct lt_s3_call *call) {
    unsigned status = call->status ? call->status : 200;

    lt_s3_answer_header_str(call, "Server", "leat");
    lt_s3_answer_header_str(call, "x-amz-request-id", call->id);
    *lt_http_user(call->request) = NULL;
    if (call->sends_file)
        lt_http_respond_file(call->request, status, call->answer, call->fd, call->offset,
                             call->len);
    else
        lt_http_respond_take(call->request, status, call->answer, &call->out);
}

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *lt_s3_http_date(struct lt_arena *arena, int64_t ms) {
    time_t sec = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    return lt_arena_printf(arena, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
                           tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                           tm.tm_sec);
}

static int number_at(const char *digits, size_t n) {
    int value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (digits[i] - '0');
    return value;
}

bool lt_s3_parse_http_date(struct lt_slice text, int64_t *ms) {
    static const char form[] = "???, 00 ??? 0000 00:00:00 GMT"; /* IMF-fixdate */
    struct tm tm = {0};

    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] == '0' ? text.data[i] < '0' || text.data[i] > '9'
                           : form[i] != '?' && text.data[i] != form[i])
            return false;
    while (tm.tm_mon < 12 && memcmp(text.data + 8, months[tm.tm_mon], 3) != 0)
        tm.tm_mon++;
    if (tm.tm_mon == 12)
        return false;
    tm.tm_mday = number_at(text.data + 5, 2);
    tm.tm_year = number_at(text.data + 12, 4) - 1900;
    tm.tm_hour = number_at(text.data + 17, 2);
    tm.tm_min = number_at(text.data + 20, 2);
    tm.tm_sec = number_at(text.data + 23, 2);
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

const char *lt_s3_quoted(struct lt_arena *arena, const char *etag) {
    return lt_arena_printf(arena, "\"%s\"", etag);
}
