/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of statuses: name, text, HTTP status and whether to retry.
 * Everything that decides by a status asks this table.
 */
#define LT_BASE_ERROR_C
#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *name;
    const char *text;
    int http;
    bool retry;
};

static const struct row rows[LEAT_N_STATUS] = {
    [LEAT_OK] = {"LEAT_OK", "no error", 200, false},
    [LEAT_E_INVALID] = {"LEAT_E_INVALID", "invalid value", 400, false},
    [LEAT_E_CONFIG] = {"LEAT_E_CONFIG", "the file is not as it should be", 400, false},
    [LEAT_E_PARSE] = {"LEAT_E_PARSE", "malformed input", 400, false},
    [LEAT_E_NOT_FOUND] = {"LEAT_E_NOT_FOUND", "not found", 404, false},
    [LEAT_E_EXISTS] = {"LEAT_E_EXISTS", "already exists", 409, false},
    [LEAT_E_BUSY] = {"LEAT_E_BUSY", "in use", 409, true},
    [LEAT_E_LIMIT] = {"LEAT_E_LIMIT", "over a limit", 413, false},
    [LEAT_E_AUTH] = {"LEAT_E_AUTH", "not authorised", 403, false},
    [LEAT_E_EXPIRED] = {"LEAT_E_EXPIRED", "expired", 400, false},
    [LEAT_E_THROTTLED] = {"LEAT_E_THROTTLED", "asked to wait", 429, true},
    [LEAT_E_TIMEOUT] = {"LEAT_E_TIMEOUT", "no answer in time", 504, true},
    [LEAT_E_NETWORK] = {"LEAT_E_NETWORK", "connection failed", 502, true},
    [LEAT_E_REMOTE] = {"LEAT_E_REMOTE", "the service failed", 502, true},
    [LEAT_E_IO] = {"LEAT_E_IO", "input or output failed", 500, false},
    [LEAT_E_FULL] = {"LEAT_E_FULL", "no space left on the disk", 507, true},
    [LEAT_E_CORRUPT] = {"LEAT_E_CORRUPT", "stored data is damaged", 500, false},
    [LEAT_E_NOMEM] = {"LEAT_E_NOMEM", "out of memory", 503, true},
    [LEAT_E_CANCELLED] = {"LEAT_E_CANCELLED", "cancelled", 503, false},
    [LEAT_E_UNSUPPORTED] = {"LEAT_E_UNSUPPORTED", "not supported", 501, false},
    [LEAT_E_INTERNAL] = {"LEAT_E_INTERNAL", "internal error", 500, false},
};

static const struct row *row_of(leat_status status) {
    if ((unsigned)status >= LEAT_N_STATUS)
        status = LEAT_E_INTERNAL;
    return &rows[status];
}

const char *leat_status_name(leat_status status) {
    return row_of(status)->name;
}

const char *leat_status_text(leat_status status) {
    return row_of(status)->text;
}

int leat_status_is_retryable(leat_status status) {
    return row_of(status)->retry;
}

int lt_status_http(leat_status status) {
    return row_of(status)->http;
}

leat_status lt_status_from_errno(int sys) {
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return LEAT_E_FULL;
    case ENOMEM:
        return LEAT_E_NOMEM;
    case ENOENT:
        return LEAT_E_NOT_FOUND;
    default:
        return LEAT_E_IO;
    }
}

static leat_status fill(struct leat_error *err, leat_status status, int sys, const char *fmt,
                        va_list args) {
    if (!err)
        return status;
    memset(err, 0, sizeof(*err));
    err->status = status;
    err->sys = sys;
    int len = vsnprintf(err->text, sizeof(err->text), fmt, args);
    if (sys && len >= 0 && (size_t)len < sizeof(err->text)) {
        char text[128];
        snprintf(err->text + len, sizeof(err->text) - (size_t)len, ": %s",
                 strerror_r(sys, text, sizeof(text)));
    }
    return status;
}

leat_status lt_fail(struct leat_error *err, leat_status status, int sys, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, sys, fmt, args);
    va_end(args);
    return status;
}

leat_status lt_fail_code(struct leat_error *err, leat_status status, const char *code,
                         const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, 0, fmt, args);
    va_end(args);
    if (err)
        snprintf(err->code, sizeof(err->code), "%.63s", code);
    return status;
}

leat_status lt_fail_sys(struct leat_error *err, int sys, const char *fmt, ...) {
    leat_status status = lt_status_from_errno(sys);
    va_list args;
    va_start(args, fmt);
    fill(err, status, sys, fmt, args);
    va_end(args);
    return status;
}

leat_status lt_error_prefix(struct leat_error *err, const char *fmt, ...) {
    char old[LEAT_ERROR_TEXT_BYTES];
    va_list args;

    if (!err)
        return LEAT_E_INTERNAL;
    memcpy(old, err->text, sizeof(old));
    va_start(args, fmt);
    int len = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(err->text))
        snprintf(err->text + len, sizeof(err->text) - (size_t)len, ": %s", old);
    return err->status;
}
