/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PLAN_DELIVERY_H
#define LT_PIPELINE_PLAN_DELIVERY_H

#include "aws/client.h"
#include "pipeline/system.h"

/*
 * Deliveries over the Firehose API: the embedded engine's (over its private socket, whichever
 * process has it) and Amazon's alike. All calls block.
 */

/**
 * Looks at the delivery. `*difference` (in `arena`) is NULL when it is as the file says.
 * Errors: LEAT_E_NOT_FOUND when there is none.
 */
LEAT_MUST_CHECK leat_status lt_plan_delivery_look(const struct lt_aws_endpoint *firehose,
                                                  const struct lt_system_delivery *delivery,
                                                  struct lt_arena *arena, const char **difference,
                                                  struct leat_error *err);

/** Creates it on the stream of that ARN; returns when it is ACTIVE. Errors: LEAT_E_EXISTS. */
LEAT_MUST_CHECK leat_status lt_plan_delivery_create(const struct lt_aws_endpoint *firehose,
                                                    const struct lt_system_delivery *delivery,
                                                    const char *stream_arn, struct leat_error *err);

/** Removes it; returns when it is gone. Errors: LEAT_E_NOT_FOUND. */
LEAT_MUST_CHECK leat_status lt_plan_delivery_remove(const struct lt_aws_endpoint *firehose,
                                                    const char *name, struct leat_error *err);

#endif
