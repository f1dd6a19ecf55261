/* SPDX-License-Identifier: Apache-2.0 */
/* ListStreams: names in order, a page at a time; NextToken and ExclusiveStartStreamName both go on
 * after a name. */
#include "engine/kinesis/kinesis.h"

#include <stdio.h>

enum { DEFAULT_PAGE = 100 };
enum { IN_LIMIT, IN_START, IN_TOKEN };

static const struct lt_shape_member members[] = {
    [IN_LIMIT] = {.name = "Limit", .type = LT_SHAPE_INTEGER, .min = 1, .max = 10000},
    [IN_START] = {.name = "ExclusiveStartStreamName",
                  .type = LT_SHAPE_STRING,
                  .min = 1,
                  .max = 128,
                  .pattern = &lt_pattern_name},
    [IN_TOKEN] = {.name = "NextToken", .type = LT_SHAPE_STRING, .min = 1, .max = 1048576},
};
const struct lt_shape lt_kinesis_list_streams_input = LT_SHAPE(members);

static void write_summary(struct lt_json_writer *w, const struct lt_streams_info *info) {
    lt_json_begin_object(w);
    lt_json_key(w, "StreamName");
    lt_json_put_str(w, info->name);
    lt_kinesis_write_arn(w, info->name);
    lt_json_key(w, "StreamStatus");
    lt_json_put_str(w, "ACTIVE");
    lt_kinesis_write_mode(w, info->on_demand);
    lt_json_key(w, "StreamCreationTimestamp");
    lt_json_put_epoch(w, info->created_ms);
    lt_json_end_object(w);
}

/* The name after which the page begins, or NULL. */
static leat_status find_start(struct lt_service_call *call, struct lt_kinesis_token *token,
                              const char **after, struct leat_error *err) {
    struct lt_slice text = lt_service_string(call, IN_TOKEN);

    *after = lt_service_cstr(call, IN_START);
    if (!text.data)
        return LEAT_OK;
    if (!lt_kinesis_token_parse(text, LT_KINESIS_TOKEN_STREAMS, token))
        return lt_fail_code(err, LEAT_E_INVALID, "InvalidArgumentException", "Invalid NextToken.");
    if (lt_kinesis_token_is_expired(token))
        return lt_kinesis_token_expired(err);
    *after = token->name;
    return LEAT_OK;
}

leat_status lt_kinesis_list_streams(struct lt_service_call *call, struct leat_error *err) {
    size_t limit = (size_t)lt_service_int(call, IN_LIMIT, DEFAULT_PAGE);
    struct lt_kinesis_token token = {.kind = LT_KINESIS_TOKEN_STREAMS};
    struct lt_json_writer w;
    const char *after, **names;
    bool more;
    size_t n;
    leat_status status;

    status = find_start(call, &token, &after, err);
    if (status == LEAT_OK)
        status = lt_streams_list(call->env->streams, after, false, limit, call->arena, &names, &n,
                                 &more, err);
    if (status != LEAT_OK)
        return status;

    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "StreamNames");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < n; i++)
        lt_json_put_str(&w, names[i]);
    lt_json_end_array(&w);
    lt_json_key(&w, "HasMoreStreams");
    lt_json_put_bool(&w, more);
    if (more) {
        struct lt_kinesis_token next = {.kind = LT_KINESIS_TOKEN_STREAMS};
        snprintf(next.name, sizeof(next.name), "%s", names[n - 1]);
        lt_kinesis_write_token(&w, "NextToken", next);
    }
    lt_json_key(&w, "StreamSummaries");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        struct lt_streams_info info;
        /* One removed since then is left out of the summaries. */
        if (lt_streams_info(call->env->streams, names[i], &info, NULL) == LEAT_OK)
            write_summary(&w, &info);
    }
    lt_json_end_array(&w);
    lt_json_end_object(&w);
    return LEAT_OK;
}
