/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_PLAN_HANDS_H
#define LT_PIPELINE_PLAN_HANDS_H

#include "pipeline/plan.h"

/* The services that a plan works with, opened when the first item needs them. Private to plan*.c.
 */
struct lt_plan_hands {
    struct lt_target *target;
    uv_loop_t loop;
    bool loop_open;
    struct lt_stream_service *streams;
    struct lt_object_store *objects;
    const struct lt_aws_endpoint *firehose; /**< NULL: none that could read the streams */
};

/** Opens what a system of streams, buckets, deliveries needs. Close in any case. */
LEAT_MUST_CHECK leat_status lt_plan_hands_open(struct lt_plan_hands *hands,
                                               const struct lt_system *system,
                                               struct lt_target *target, struct leat_error *err);
void lt_plan_hands_close(struct lt_plan_hands *hands);

/** True when `delivery` runs inside `leat run` on this target. */
bool lt_plan_is_local(const struct lt_plan_hands *hands, const struct lt_system_delivery *delivery);

#endif
