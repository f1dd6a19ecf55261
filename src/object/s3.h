/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_OBJECT_S3_H
#define LT_OBJECT_S3_H

#include "aws/client.h"
#include "object/object.h"

/**
 * A store of objects over S3's protocol: AWS, what speaks its protocol, or an engine in another
 * process. `endpoint` is copied. Release with `ops->close`.
 *
 * Thread: any; each call is on its own.
 * Blocks: all its calls; they retry as lt_s3_fetch() does.
 * Errors: LEAT_E_NOMEM; of the calls also LEAT_E_AUTH, LEAT_E_NETWORK and the like. create_bucket:
 *         LEAT_E_BUSY when another account has the name.
 */
LEAT_MUST_CHECK leat_status lt_object_s3_new(struct lt_object_store **out,
                                             const struct lt_aws_endpoint *endpoint,
                                             struct leat_error *err);

#endif
