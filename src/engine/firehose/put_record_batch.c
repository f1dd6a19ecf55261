/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PutRecordBatch: up to 500 records and 4 MiB, all of them in one group of the journal. When the
 * disk cannot keep up, each record has failed for itself, as the service words it, so that SDKs
 * send them again.
 */
#include "engine/firehose/put.h"

enum { IN_NAME, IN_RECORDS };
enum { MAX_RECORDS = 500, MAX_BYTES = 4 << 20 };

static const struct lt_shape_member record = {.type = LT_SHAPE_STRUCTURE,
                                              .shape = &lt_firehose_record_shape};
static const struct lt_shape_member members[] = {
    [IN_NAME] = LT_FIREHOSE_NAME_ROW,
    [IN_RECORDS] = {.name = "Records",
                    .type = LT_SHAPE_LIST,
                    .required = true,
                    .min = 1,
                    .max = MAX_RECORDS,
                    .element = &record},
};
const struct lt_shape lt_firehose_put_record_batch_input = LT_SHAPE(members);

struct batch {
    struct lt_slice records[MAX_RECORDS];
    lt_firehose_record_id ids[MAX_RECORDS];
    size_t n;
};

static leat_status read_records(struct lt_service_call *call, struct batch *batch,
                                struct leat_error *err) {
    struct lt_json_iter iter = lt_json_iter(call->in[IN_RECORDS]);
    struct lt_json item;
    size_t n_bytes = 0;

    while (lt_json_next(&iter, &item)) {
        struct lt_slice data = lt_firehose_record_data(item, call->arena);
        if (!data.data)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the records");
        batch->records[batch->n++] = data;
        n_bytes += data.len;
    }
    if (n_bytes > MAX_BYTES)
        return lt_fail(err, LEAT_E_INVALID, 0, "Records size exceeds 4 MB limit");
    return LEAT_OK;
}

static void write_answer(struct lt_service_call *call, const struct batch *batch, bool failed) {
    struct lt_json_writer w;

    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "FailedPutCount");
    lt_json_put_uint(&w, failed ? batch->n : 0);
    lt_json_key(&w, "Encrypted");
    lt_json_put_bool(&w, false);
    lt_json_key(&w, "RequestResponses");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < batch->n; i++) {
        lt_json_begin_object(&w);
        if (failed) {
            lt_json_key(&w, "ErrorCode");
            lt_json_put_str(&w, "ServiceUnavailableException");
            lt_json_key(&w, "ErrorMessage");
            lt_json_put_str(&w, "Slow down.");
        } else {
            lt_json_key(&w, "RecordId");
            lt_json_put_str(&w, batch->ids[i]);
        }
        lt_json_end_object(&w);
    }
    lt_json_end_array(&w);
    lt_json_end_object(&w);
}

leat_status lt_firehose_put_record_batch(struct lt_service_call *call, struct leat_error *err) {
    struct batch *batch = lt_arena_calloc(call->arena, 1, sizeof(*batch));
    const char *name = lt_service_cstr(call, IN_NAME);
    leat_status status;

    if (!batch || !name)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the request");
    status = read_records(call, batch, err);
    if (status != LEAT_OK)
        return status;
    status = lt_deliveries_put(call->env->deliveries, name, batch->records, batch->n, batch->ids,
                               lt_firehose_answer, call, err);
    if (status == LEAT_OK)
        call->pending = true;
    else if (status != LEAT_E_THROTTLED)
        return status;
    write_answer(call, batch, status == LEAT_E_THROTTLED);
    return LEAT_OK;
}
