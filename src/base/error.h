/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_ERROR_H
#define LT_BASE_ERROR_H

#include <leat/error.h>
#include <stdarg.h>

/**
 * Fills `err` (which may be NULL) and returns `status`. With `sys` not 0 the
 * text of that errno is added after ": ".
 */
leat_status lt_fail(struct leat_error *err, leat_status status, int sys, const char *fmt, ...)
    LEAT_PRINTF(4, 5);

/** As lt_fail(), with the service's own error code, cut to 63 bytes. */
leat_status lt_fail_code(struct leat_error *err, leat_status status, const char *code,
                         const char *fmt, ...) LEAT_PRINTF(4, 5);

/**
 * As lt_fail() for a failed system call: ENOSPC and EDQUOT become LEAT_E_FULL,
 * ENOMEM LEAT_E_NOMEM, ENOENT LEAT_E_NOT_FOUND, all others LEAT_E_IO.
 */
leat_status lt_fail_sys(struct leat_error *err, int sys, const char *fmt, ...) LEAT_PRINTF(3, 4);

/** Puts "prefix: " before the text of `err` (may be NULL); the status stays. Returns it. */
leat_status lt_error_prefix(struct leat_error *err, const char *fmt, ...) LEAT_PRINTF(2, 3);

#if defined(__clang_analyzer__) && !defined(LT_BASE_ERROR_C)
/* The analyzer sees one file at a time, and so not that these never return LEAT_OK. */
#define LT_NEVER_OK(call)                                                                          \
    __extension__({                                                                                \
        leat_status never_ok_ = (call);                                                            \
        if (never_ok_ == LEAT_OK)                                                                  \
            __builtin_unreachable();                                                               \
        never_ok_;                                                                                 \
    })
#define lt_fail(...) LT_NEVER_OK((lt_fail)(__VA_ARGS__))
#define lt_fail_code(...) LT_NEVER_OK((lt_fail_code)(__VA_ARGS__))
#define lt_fail_sys(...) LT_NEVER_OK((lt_fail_sys)(__VA_ARGS__))
#define lt_error_prefix(...) LT_NEVER_OK((lt_error_prefix)(__VA_ARGS__))
#endif

/** The HTTP status that answers `status`: 200 to 599. */
int lt_status_http(leat_status status);

/** The status for an errno, as lt_fail_sys() chooses it. */
leat_status lt_status_from_errno(int sys);

#endif
