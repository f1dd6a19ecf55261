/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAT_ERROR_H
#define LEAT_ERROR_H

#include <leat/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_ERROR_TEXT_BYTES 768

/**
 * Why a call failed; lives on the caller's stack. Every function that fails
 * fills it in whole, so it needs no initialiser. `text` is one line without a
 * full stop: what was being done, to what, with the numbers. It never holds a
 * secret.
 */
struct leat_error {
    leat_status status;
    int sys;             /**< errno, or 0 */
    unsigned line;       /**< 1-based line of a user's file, or 0 */
    unsigned column;     /**< 1-based column in characters, or 0 */
    long retry_after_ms; /**< how long a throttling peer asks to wait, or 0 */
    char code[64];       /**< the service's own error code ("ResourceNotFoundException"), or "" */
    char text[LEAT_ERROR_TEXT_BYTES];
};

#ifdef __cplusplus
}
#endif
#endif
