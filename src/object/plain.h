/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_PLAIN_H
#define LT_OBJECT_PLAIN_H

#include "object/object.h"

/**
 * A plain folder as an object store: an object is the file ROOT/BUCKET/KEY (ROOT/KEY where the
 * bucket is ""), and nothing is kept beside it. It is written under a name of its own
 * (".HASH.tmp", the same for the same key, so that a crash leaves nothing that the next put does
 * not take away), synced, renamed, and the folders that changed are synced too. A key with ".",
 * ".." or nothing between its slashes is refused, so that nothing lands outside the folder.
 *
 * Objects have no etag, type or encoding; buckets are neither counted nor removed
 * (LEAT_E_UNSUPPORTED). One caller at a time puts a key.
 *
 * Owns:   `root` is copied, and made when absent. Release with ops->close().
 * Errors: LEAT_E_IO, LEAT_E_FULL, LEAT_E_NOMEM. Of a put also LEAT_E_INVALID for the key.
 */
LEAT_MUST_CHECK leat_status lt_object_plain_new(struct lt_object_store **out, const char *root,
                                                struct leat_error *err);

#endif
