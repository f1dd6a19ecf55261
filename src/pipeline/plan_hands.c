/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/plan_hands.h"

leat_status lt_plan_hands_open(struct lt_plan_hands *hands, const struct lt_system *system,
                               struct lt_target *target, struct leat_error *err) {
    leat_status status = LEAT_OK;

    *hands = (struct lt_plan_hands){.target = target};
    if (system->n_deliveries && lt_target_streams_embedded(target) &&
        !lt_target_objects_embedded(target))
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "streams are in the embedded engine and buckets are not, but the engine's "
                       "deliveries write into its own buckets: set an endpoint for both, or for "
                       "neither");
    if (uv_loop_init(&hands->loop) != 0)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for an event loop");
    hands->loop_open = true;
    if (system->n_streams)
        status = lt_target_streams(target, &hands->loop, &hands->streams, err);
    if (status == LEAT_OK && system->n_buckets)
        status = lt_target_objects(target, &hands->objects, err);
    if (status == LEAT_OK && system->n_deliveries)
        status = lt_target_firehose(target, &hands->firehose, err);
    return status;
}

void lt_plan_hands_close(struct lt_plan_hands *hands) {
    if (hands->streams)
        hands->streams->ops->close(hands->streams);
    if (hands->loop_open) {
        uv_run(&hands->loop, UV_RUN_DEFAULT); /* handles of the service close on the loop */
        uv_loop_close(&hands->loop);
    }
    *hands = (struct lt_plan_hands){0};
}

bool lt_plan_is_local(const struct lt_plan_hands *hands,
                      const struct lt_system_delivery *delivery) {
    return !lt_target_streams_embedded(hands->target) && !delivery->role;
}
