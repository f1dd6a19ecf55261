/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"
#include "pipeline/runner.h"

enum { FLUSH_TIMEOUT_MS = 600000 };

static leat_status flush_peer(struct lt_target *target, struct leat_error *err) {
    const struct lt_aws_endpoint *endpoint;
    struct lt_http_answer answer = {0};
    leat_status status = lt_target_engine_endpoint(target, &endpoint, err);

    if (status != LEAT_OK)
        return status;
    const struct lt_http_call call = {
        .method = "POST",
        .url = "http://localhost/_leat/flush?timeout_ms=600000",
        .unix_socket = endpoint->unix_socket,
        .total_timeout_ms = FLUSH_TIMEOUT_MS + 10000,
    };
    status = lt_http_fetch(&call, &answer, err);
    if (status == LEAT_OK && answer.status != 200)
        status = lt_fail(err, LEAT_E_REMOTE, 0, "the engine did not flush its deliveries: %.*s",
                         LT_FMT(lt_buf_slice(&answer.body)));
    lt_http_answer_deinit(&answer);
    return status;
}

leat_status lt_run_flush_deliveries(struct lt_target *target, struct leat_error *err) {
    struct lt_engine *engine = lt_target_engine(target);

    if (!lt_target_streams_embedded(target))
        return LEAT_OK; /* those that run in leat run were flushed with it */
    if (engine)
        return lt_engine_flush(engine, NULL, FLUSH_TIMEOUT_MS, err);
    return flush_peer(target, err);
}
