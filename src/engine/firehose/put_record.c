/* SPDX-License-Identifier: Apache-2.0 */
/* PutRecord: answered when the record is on disk; its id is its sequence number. */
#include "base/base64.h"
#include "engine/firehose/put.h"

enum { IN_NAME, IN_RECORD };

static const struct lt_shape_member record_members[] = {
    {.name = "Data", .type = LT_SHAPE_BLOB, .required = true, .max = 1024000},
};
const struct lt_shape lt_firehose_record_shape = LT_SHAPE(record_members);

static const struct lt_shape_member members[] = {
    [IN_NAME] = LT_FIREHOSE_NAME_ROW,
    [IN_RECORD] = {.name = "Record",
                   .type = LT_SHAPE_STRUCTURE,
                   .required = true,
                   .shape = &lt_firehose_record_shape},
};
const struct lt_shape lt_firehose_put_record_input = LT_SHAPE(members);

struct lt_slice lt_firehose_record_data(struct lt_json record, struct lt_arena *arena) {
    static const struct lt_slice none = {NULL, 0};
    struct lt_json in;
    struct lt_slice text;
    char *room;
    size_t len;

    lt_shape_pick(&lt_firehose_record_shape, record, &in);
    text = lt_json_string(in, arena);
    if (!text.data)
        return none;
    /* the decoder may write a little past the end */
    room = lt_arena_alloc(arena, lt_base64_decoded_max(text.len) + 64);
    if (!room)
        return none;
    len = lt_base64_decode(text, room);
    return len == SIZE_MAX ? none : lt_slice(room, len);
}

leat_status lt_firehose_put_record(struct lt_service_call *call, struct leat_error *err) {
    const char *name = lt_service_cstr(call, IN_NAME);
    struct lt_slice data = lt_firehose_record_data(call->in[IN_RECORD], call->arena);
    lt_firehose_record_id id;
    struct lt_json_writer w;

    if (!name || !data.data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the record");
    leat_status status = lt_deliveries_put(call->env->deliveries, name, &data, 1, &id,
                                           lt_firehose_answer, call, err);
    if (status != LEAT_OK)
        return status;
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "RecordId");
    lt_json_put_str(&w, id);
    lt_json_key(&w, "Encrypted");
    lt_json_put_bool(&w, false);
    lt_json_end_object(&w);
    call->pending = true;
    return LEAT_OK;
}
