/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service's error means here: one table from its code to a status, a hint for
 * people, and whether its message may be shown (those about signatures repeat the
 * request's headers). A code that is not listed is judged by the HTTP status.
 */
#include "aws/client.h"

#include "aws/xml.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_SHOWN_MAX = 400 };

struct row {
    const char *code;
    const char *hint; /* or NULL */
    leat_status status;
    bool hide_message; /* it may hold what is secret */
};

#define HINT_KEY "check AWS_ACCESS_KEY_ID or the profile"
#define HINT_SECRET "check the secret access key, the region and this machine's clock"
#define HINT_TOKEN "the session token has expired: log in again"
#define HINT_RIGHTS "these credentials are not allowed to do it"
#define HINT_CLOCK "check this machine's clock"
#define HINT_REGION "check the region of the bucket"

static const struct row rows[] = {
    /* Who asks. An expired session token is not LEAT_E_EXPIRED: nothing here can renew it. */
    {"AccessDenied", HINT_RIGHTS, LEAT_E_AUTH, false},
    {"AccessDeniedException", HINT_RIGHTS, LEAT_E_AUTH, false},
    {"AllAccessDisabled", NULL, LEAT_E_AUTH, false},
    {"AccountProblem", NULL, LEAT_E_AUTH, false},
    {"UnauthorizedOperation", HINT_RIGHTS, LEAT_E_AUTH, false},
    {"NotAuthorized", HINT_RIGHTS, LEAT_E_AUTH, false},
    {"OptInRequired", "the account has no subscription to this service", LEAT_E_AUTH, false},
    {"UnrecognizedClientException", HINT_KEY, LEAT_E_AUTH, false},
    {"InvalidClientTokenId", HINT_KEY, LEAT_E_AUTH, false},
    {"InvalidAccessKeyId", HINT_KEY, LEAT_E_AUTH, true},
    {"MissingAuthenticationToken", HINT_KEY, LEAT_E_AUTH, true},
    {"MissingAuthenticationTokenException", HINT_KEY, LEAT_E_AUTH, true},
    {"InvalidSignatureException", HINT_SECRET, LEAT_E_AUTH, true},
    {"SignatureDoesNotMatch", HINT_SECRET, LEAT_E_AUTH, true},
    {"IncompleteSignature", HINT_SECRET, LEAT_E_AUTH, true},
    {"IncompleteSignatureException", HINT_SECRET, LEAT_E_AUTH, true},
    {"AuthorizationHeaderMalformed", HINT_REGION, LEAT_E_AUTH, true},
    {"InvalidToken", HINT_TOKEN, LEAT_E_AUTH, true},
    {"ExpiredToken", HINT_TOKEN, LEAT_E_AUTH, true},
    {"ExpiredTokenException", HINT_TOKEN, LEAT_E_AUTH, true},
    {"RequestExpired", HINT_CLOCK, LEAT_E_AUTH, true},
    {"RequestTimeTooSkewed", HINT_CLOCK, LEAT_E_AUTH, true},
    {"KMSAccessDeniedException", "these credentials may not use the stream's key", LEAT_E_AUTH,
     false},
    {"KMSOptInRequired", NULL, LEAT_E_AUTH, false},

    /* What is there and what is not. ResourceInUseException of a create call says that the name is
     * taken; a caller that removes something reads it as LEAT_E_BUSY. */
    {"ResourceNotFoundException", NULL, LEAT_E_NOT_FOUND, false},
    {"KMSNotFoundException", NULL, LEAT_E_NOT_FOUND, false},
    {"NoSuchBucket", NULL, LEAT_E_NOT_FOUND, false},
    {"NoSuchKey", NULL, LEAT_E_NOT_FOUND, false},
    {"NoSuchUpload", NULL, LEAT_E_NOT_FOUND, false},
    {"NotFound", NULL, LEAT_E_NOT_FOUND, false},
    {"ResourceInUseException", NULL, LEAT_E_EXISTS, false},
    {"BucketAlreadyOwnedByYou", NULL, LEAT_E_EXISTS, false},
    {"BucketAlreadyExists", "names of buckets are shared by all accounts, and another one has it",
     LEAT_E_BUSY, false},
    {"BucketNotEmpty", NULL, LEAT_E_BUSY, false},
    {"PreconditionFailed", NULL, LEAT_E_EXISTS, false},

    /* Wait, or ask anew. */
    {"ProvisionedThroughputExceededException", NULL, LEAT_E_THROTTLED, false},
    {"ThrottlingException", NULL, LEAT_E_THROTTLED, false},
    {"Throttling", NULL, LEAT_E_THROTTLED, false},
    {"ThrottledException", NULL, LEAT_E_THROTTLED, false},
    {"RequestThrottled", NULL, LEAT_E_THROTTLED, false},
    {"RequestLimitExceeded", NULL, LEAT_E_THROTTLED, false},
    {"TooManyRequestsException", NULL, LEAT_E_THROTTLED, false},
    {"KMSThrottlingException", NULL, LEAT_E_THROTTLED, false},
    {"SlowDown", NULL, LEAT_E_THROTTLED, false},
    {"OperationAborted", NULL, LEAT_E_THROTTLED, false},
    {"ExpiredIteratorException", NULL, LEAT_E_EXPIRED, false},
    {"ExpiredNextTokenException", NULL, LEAT_E_EXPIRED, false},
    {"RequestTimeout", NULL, LEAT_E_TIMEOUT, false},
    {"RequestTimeoutException", NULL, LEAT_E_TIMEOUT, false},

    /* The service failed. */
    {"InternalFailure", NULL, LEAT_E_REMOTE, false},
    {"InternalFailureException", NULL, LEAT_E_REMOTE, false},
    {"InternalError", NULL, LEAT_E_REMOTE, false},
    {"InternalServerError", NULL, LEAT_E_REMOTE, false},
    {"ServiceUnavailable", NULL, LEAT_E_REMOTE, false},
    {"ServiceUnavailableException", NULL, LEAT_E_REMOTE, false},

    /* What was asked for. */
    {"LimitExceededException", NULL, LEAT_E_LIMIT, false},
    {"TooManyBuckets", NULL, LEAT_E_LIMIT, false},
    {"EntityTooLarge", NULL, LEAT_E_LIMIT, false},
    {"RequestEntityTooLargeException", NULL, LEAT_E_LIMIT, false},
    {"InvalidArgumentException", NULL, LEAT_E_INVALID, false},
    {"ValidationException", NULL, LEAT_E_INVALID, false},
    {"SerializationException", NULL, LEAT_E_INVALID, false},
    {"InvalidBucketName", NULL, LEAT_E_INVALID, false},
    {"InvalidLocationConstraint", HINT_REGION, LEAT_E_INVALID, false},
    {"IllegalLocationConstraintException", HINT_REGION, LEAT_E_INVALID, false},
    {"PermanentRedirect", HINT_REGION, LEAT_E_INVALID, false},
    {"TemporaryRedirect", HINT_REGION, LEAT_E_INVALID, false},
    {"UnknownOperationException", NULL, LEAT_E_UNSUPPORTED, false},
    {"NotImplemented", NULL, LEAT_E_UNSUPPORTED, false},
};

static const struct row *find_row(const char *code) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    return NULL;
}

static leat_status status_of_http(unsigned http) {
    switch (http) {
    case 401:
    case 403:
        return LEAT_E_AUTH;
    case 404:
        return LEAT_E_NOT_FOUND;
    case 408:
        return LEAT_E_TIMEOUT;
    case 409:
        return LEAT_E_BUSY;
    case 412:
        return LEAT_E_EXISTS;
    case 413:
        return LEAT_E_LIMIT;
    case 429:
    case 503:
        return LEAT_E_THROTTLED;
    case 501:
        return LEAT_E_UNSUPPORTED;
    default:
        return http >= 500 ? LEAT_E_REMOTE : LEAT_E_INVALID;
    }
}

leat_status lt_aws_code_status(const char *code) {
    const struct row *row = find_row(code);
    return row ? row->status : LEAT_E_REMOTE;
}

struct found {
    char code[64];
    char message[MESSAGE_SHOWN_MAX + 1];
};

/* "com.amazonaws.kinesis#Code", "Code:http://…", "Code" */
static void set_code(struct found *found, struct lt_slice text) {
    const char *hash = text.len ? memchr(text.data, '#', text.len) : NULL;
    if (hash)
        text = lt_slice_from(text, (size_t)(hash - text.data) + 1);
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    if (colon)
        text.len = (size_t)(colon - text.data);
    snprintf(found->code, sizeof(found->code), "%.*s", LT_FMT(text));
}

/* One line, cut in front of a character that would not be whole. */
static void set_message(struct found *found, struct lt_slice text) {
    size_t len = text.len < MESSAGE_SHOWN_MAX ? text.len : (size_t)MESSAGE_SHOWN_MAX;
    while (len < text.len && len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
        len--;
    for (size_t i = 0; i < len; i++)
        found->message[i] = (unsigned char)text.data[i] < ' ' ? ' ' : text.data[i];
    found->message[len] = '\0';
}

static void read_json(struct lt_slice body, struct found *found) {
    struct lt_json json, value;
    struct lt_arena arena;
    if (lt_json_parse(&json, body, LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
        return;
    lt_arena_init(&arena, 1 << 20);
    if (lt_json_get(json, "__type", &value) || lt_json_get(json, "code", &value))
        set_code(found, lt_json_string(value, &arena));
    if (lt_json_get(json, "message", &value) || lt_json_get(json, "Message", &value))
        set_message(found, lt_json_string(value, &arena));
    lt_arena_deinit(&arena);
}

static leat_status on_leaf(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err) {
    (void)err;
    const char *name = strrchr(path, '/');
    if (name && !strcmp(name, "/Code"))
        set_code(ctx, text);
    else if (name && !strcmp(name, "/Message"))
        set_message(ctx, text);
    return LEAT_OK;
}

static void read_body(struct lt_slice body, struct found *found) {
    while (body.len && strchr(" \t\r\n", body.data[0]))
        body = lt_slice_from(body, 1);
    if (lt_slice_starts(body, LT_LIT("{"))) {
        read_json(body, found);
    } else if (lt_slice_starts(body, LT_LIT("<"))) {
        const struct lt_xml_visitor visitor = {found, on_leaf, NULL};
        struct leat_error ignored; /* what is no XML is told by its HTTP status */
        if (lt_xml_read(body, &visitor, &ignored) != LEAT_OK)
            found->message[0] = '\0';
    }
}

/* Whole seconds, as the services send it; a date is not honoured. */
static long retry_after_ms(const struct lt_http_answer *answer) {
    struct lt_slice value = lt_http_answer_header(answer, "Retry-After");
    char text[16];
    char *end;
    if (value.len == 0 || value.len >= sizeof(text))
        return 0;
    snprintf(text, sizeof(text), "%.*s", LT_FMT(value));
    long seconds = strtol(text, &end, 10);
    return *end || seconds < 0 || seconds > 86400 ? 0 : seconds * 1000;
}

leat_status lt_aws_error(const struct lt_http_answer *answer, struct leat_error *err) {
    struct found found = {0};
    set_code(&found, lt_http_answer_header(answer, "x-amzn-errortype"));
    read_body(lt_buf_slice(&answer->body), &found);

    const struct row *row = find_row(found.code);
    leat_status status = row ? row->status : status_of_http(answer->status);
    /* Kinesis' control operations say "Rate exceeded" with the code of a quota. */
    if (status == LEAT_E_LIMIT && lt_slice_starts(lt_slice_str(found.message), LT_LIT("Rate ")))
        status = LEAT_E_THROTTLED;
    if (row && row->hide_message)
        found.message[0] = '\0';
    const char *hint = row ? row->hint : NULL;
    if (!hint && answer->status >= 300 && answer->status < 400)
        hint = HINT_REGION;
    lt_fail_code(err, status, found.code, "%s%s%s%s%s%s (HTTP %u)",
                 found.code[0] ? found.code : "an answer without an error code",
                 found.message[0] ? ": " : "", found.message, hint ? " (" : "", hint ? hint : "",
                 hint ? ")" : "", answer->status);
    if (err)
        err->retry_after_ms = retry_after_ms(answer);
    return status;
}
