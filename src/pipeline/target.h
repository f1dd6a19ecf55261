/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_TARGET_H
#define LT_PIPELINE_TARGET_H

#include "aws/client.h"
#include "base/arena.h"
#include "engine/engine.h"
#include "object/object.h"
#include "store/state.h"
#include "stream/stream.h"

/*
 * Where a command works: for each service either the embedded engine (in this process when nobody
 * has its folder, else over its private socket) or an endpoint of AWS' protocols. Chosen service by
 * service, so that AWS_ENDPOINT_URL_KINESIS alone moves the streams and leaves buckets and
 * deliveries embedded.
 */
struct lt_target;

struct lt_target_options {
    const char *data_dir;     /**< NULL: LEAT_DATA, else "./leat-data" */
    const char *endpoint_url; /**< for all services; before the environment's */
    const char *region;
    const char *profile;
    bool aws;   /**< the real AWS, at its own addresses */
    bool looks; /**< makes no data folder: where there is none it works in an empty one of its own,
                     which goes with the target */
};

/**
 * Reads the environment and opens what is embedded. Services are opened by the calls below.
 * Errors: LEAT_E_CONFIG, LEAT_E_AUTH (an endpoint and no credentials), LEAT_E_INVALID (no region),
 * as lt_engine_open().
 */
LEAT_MUST_CHECK leat_status lt_target_open(struct lt_target **out,
                                           const struct lt_target_options *opt,
                                           struct leat_error *err);
/** Closes the engine if this process has it (deliveries keep what they buffered, or put it with
 * `flush`). Blocks. */
void lt_target_close(struct lt_target *target, bool flush);

/** A stream service on `loop`; the caller closes it (ops->close). */
LEAT_MUST_CHECK leat_status lt_target_streams(struct lt_target *target, uv_loop_t *loop,
                                              struct lt_stream_service **out,
                                              struct leat_error *err);
/** The object store; borrowed, closed with the target. */
LEAT_MUST_CHECK leat_status lt_target_objects(struct lt_target *target,
                                              struct lt_object_store **out, struct leat_error *err);
/** Where the Firehose API is; NULL when the target has none that could read its streams (deliveries
 * then run inside `leat run`). */
LEAT_MUST_CHECK leat_status lt_target_firehose(struct lt_target *target,
                                               const struct lt_aws_endpoint **out,
                                               struct leat_error *err);
/** Local state (checkpoints): always the data folder's state.db. Borrowed. When the folder does not
 * exist, the first write fails with LEAT_E_NOT_FOUND: open something embedded before, or make it.
 */
LEAT_MUST_CHECK leat_status lt_target_state(struct lt_target *target, struct lt_state **out,
                                            struct leat_error *err);
/** The data folder's path, which may not exist yet. Lives as long as the target. */
const char *lt_target_data_dir(const struct lt_target *target);
/** Claims a pipeline for this process (see lt_claim_take()); LEAT_E_BUSY when it is running
 * elsewhere. */
LEAT_MUST_CHECK leat_status lt_target_claim_pipeline(struct lt_target *target, const char *pipeline,
                                                     int *fd, struct leat_error *err);
/** The engine when it runs in this process, else NULL. */
struct lt_engine *lt_target_engine(struct lt_target *target);
/** The embedded engine's own endpoint (opened when it is not), in whichever process it is. */
LEAT_MUST_CHECK leat_status lt_target_engine_endpoint(struct lt_target *target,
                                                      const struct lt_aws_endpoint **out,
                                                      struct leat_error *err);

bool lt_target_streams_embedded(const struct lt_target *target);
bool lt_target_objects_embedded(const struct lt_target *target);
/** For people: "embedded engine in ./leat-data", "http://localhost:4567 (region us-east-1)". */
const char *lt_target_describe(const struct lt_target *target);
/** Region of the remote services, or NULL. */
const char *lt_target_region(const struct lt_target *target);

#endif
