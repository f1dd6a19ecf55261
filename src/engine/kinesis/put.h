/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_KINESIS_PUT_H
#define LT_ENGINE_KINESIS_PUT_H

#include "engine/completions.h"
#include "engine/kinesis/kinesis.h"

/* A put under way, in its call's arena: PutRecord and PutRecords are the same but for their
 * input and answer. */
struct lt_kinesis_put {
    struct lt_completion completion; /* first */
    struct lt_service_call *call;
    /** Writes the answer to `call->out` when all is on disk. */
    void (*answer)(struct lt_kinesis_put *put);
    const char *stream;
    struct lt_streams_put *records;
    size_t n;
    leat_status status;
    struct leat_error err;
};

/** Puts `put->records`; the call is answered when they are on disk. */
LEAT_MUST_CHECK leat_status lt_kinesis_put_start(struct lt_service_call *call,
                                                 struct lt_kinesis_put *put,
                                                 struct leat_error *err);

#endif
