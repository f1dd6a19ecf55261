/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_STORE_FOLDER_H
#define LT_STORE_FOLDER_H

#include "base/error.h"

#include <stdbool.h>

/*
 * The engine's folder: who has it, and where that one answers. `lock` is held
 * by a file lock for the life of the process, so a crash frees it; `address` is a Unix
 * socket. The folder is opened as a descriptor, so that a socket's path is never too long:
 * it is reached as /proc/self/fd/N/address.
 */
struct lt_folder;

/**
 * Makes the folder (and those above it) and its sub-folders when absent and takes its lock; empties
 * `tmp/`.
 *
 * Errors: LEAT_E_BUSY when another process has it (use lt_folder_peer()); LEAT_E_IO; LEAT_E_FULL.
 */
LEAT_MUST_CHECK leat_status lt_folder_lock(struct lt_folder **out, const char *path,
                                           struct leat_error *err);
void lt_folder_unlock(struct lt_folder *folder);

/** Tells the others that this process has the folder only for as long as its command takes: see
 * lt_folder_is_left(). */
void lt_folder_pass(struct lt_folder *folder);

/** The folder's absolute path. Lives as long as `folder`. */
const char *lt_folder_path(const struct lt_folder *folder);

/** A listening, non-blocking Unix socket at `address`, mode 0600; the caller closes it. */
LEAT_MUST_CHECK leat_status lt_folder_listen(struct lt_folder *folder, int *fd,
                                             struct leat_error *err);

/**
 * A path by which this process can connect to whoever holds the folder, in `out`
 * (room for 64 bytes; it refers to a descriptor kept open for the process' life).
 * Waits up to a second for a holder that is just starting.
 *
 * Errors: LEAT_E_NOT_FOUND when nobody holds it, or there is no such folder; LEAT_E_BUSY when who
 *         holds it does not answer.
 */
LEAT_MUST_CHECK leat_status lt_folder_peer(const char *path, char out[64], struct leat_error *err);

/**
 * A new, empty folder for one who only looks, in `out` (room for 64 bytes), in TMPDIR or /tmp.
 * Remove it with lt_folder_remove(), which removes all that is in it, too.
 */
LEAT_MUST_CHECK leat_status lt_folder_scratch(char out[64], struct leat_error *err);
void lt_folder_remove(const char *path);

/** Whether nobody has the folder, and who had it last had it in passing (lt_folder_pass()). */
bool lt_folder_is_left(const char *path);

#endif
