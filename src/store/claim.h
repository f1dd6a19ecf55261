/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_CLAIM_H
#define LT_STORE_CLAIM_H

#include "base/error.h"

/**
 * Claims a name in the data folder for this process, by a lock on `DIR/claims/NAME` that a crash
 * frees; the folders are made when absent. `*fd` is closed to give it back.
 *
 * Errors: LEAT_E_BUSY when another process has it; LEAT_E_IO; LEAT_E_FULL.
 */
LEAT_MUST_CHECK leat_status lt_claim_take(const char *dir, const char *name, int *fd,
                                          struct leat_error *err);

#endif
