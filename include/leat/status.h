/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAT_STATUS_H
#define LEAT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LEAT_API __attribute__((visibility("default")))
#define LEAT_MUST_CHECK __attribute__((warn_unused_result))
#define LEAT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define LEAT_API
#define LEAT_MUST_CHECK
#define LEAT_PRINTF(fmt, args)
#endif

/**
 * What came of a call. The row of each in src/base/error.c gives its text,
 * its HTTP status, and whether the same call may succeed later.
 */
typedef enum leat_status {
    LEAT_OK = 0,
    LEAT_E_INVALID,     /**< an argument or a value is not acceptable */
    LEAT_E_CONFIG,      /**< a file of the user's is wrong; the error has line and column */
    LEAT_E_PARSE,       /**< bytes are not of the form they should have */
    LEAT_E_NOT_FOUND,   /**< what was named does not exist */
    LEAT_E_EXISTS,      /**< what should be created is already there */
    LEAT_E_BUSY,        /**< somebody else has it, or it is in use */
    LEAT_E_LIMIT,       /**< larger or more than is allowed */
    LEAT_E_AUTH,        /**< credentials are missing, wrong or not sufficient */
    LEAT_E_EXPIRED,     /**< a token or an iterator is too old; get a new one */
    LEAT_E_THROTTLED,   /**< the peer asks to wait */
    LEAT_E_TIMEOUT,     /**< the peer did not answer in time */
    LEAT_E_NETWORK,     /**< no connection, or it broke */
    LEAT_E_REMOTE,      /**< the peer failed (HTTP 5xx) */
    LEAT_E_IO,          /**< reading or writing a file failed */
    LEAT_E_FULL,        /**< no space left on the disk */
    LEAT_E_CORRUPT,     /**< stored bytes fail their checksum */
    LEAT_E_NOMEM,       /**< out of memory, or over a buffer's maximum */
    LEAT_E_CANCELLED,   /**< stopped before it was done */
    LEAT_E_UNSUPPORTED, /**< known, and not done here */
    LEAT_E_INTERNAL,    /**< a defect of leat */
    LEAT_N_STATUS
} leat_status;

/** The name of a status, such as "LEAT_E_IO". Static; never NULL. */
LEAT_API const char *leat_status_name(leat_status status);

/** What a status means, in lower case without a full stop. Static; never NULL. */
LEAT_API const char *leat_status_text(leat_status status);

/** Non-zero where the same call may succeed when it is tried again later. */
LEAT_API int leat_status_is_retryable(leat_status status);

#ifdef __cplusplus
}
#endif
#endif
