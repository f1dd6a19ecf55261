/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_KINESIS_KINESIS_H
#define LT_ENGINE_KINESIS_KINESIS_H

#include "engine/service.h"
#include "engine/streams.h"

/*
 * Amazon Kinesis Data Streams as a table of operations: each is a file of this folder with its
 * input shape and its handler, and a row in kinesis.c.
 */
extern const struct lt_service lt_kinesis;

/* The operations. */
#define LT_KINESIS_OPERATION(name)                                                                 \
    extern const struct lt_shape lt_kinesis_##name##_input;                                        \
    lt_service_handler lt_kinesis_##name
LT_KINESIS_OPERATION(create_stream);
LT_KINESIS_OPERATION(delete_stream);
LT_KINESIS_OPERATION(decrease_retention);
LT_KINESIS_OPERATION(describe_stream);
LT_KINESIS_OPERATION(describe_stream_summary);
LT_KINESIS_OPERATION(get_records);
LT_KINESIS_OPERATION(get_shard_iterator);
LT_KINESIS_OPERATION(increase_retention);
LT_KINESIS_OPERATION(list_shards);
LT_KINESIS_OPERATION(list_streams);
LT_KINESIS_OPERATION(put_record);
LT_KINESIS_OPERATION(put_records);

/* What every operation on one stream takes: rows 0 and 1 of its shape. */
enum { LT_KINESIS_STREAM_NAME, LT_KINESIS_STREAM_ARN, LT_KINESIS_OWN };
#define LT_KINESIS_STREAM_ROWS                                                                     \
    {.name = "StreamName",                                                                         \
     .type = LT_SHAPE_STRING,                                                                      \
     .min = 1,                                                                                     \
     .max = 128,                                                                                   \
     .pattern = &lt_pattern_name},                                                                 \
    {                                                                                              \
        .name = "StreamARN", .type = LT_SHAPE_STRING, .min = 1, .max = 2048,                       \
        .pattern = &lt_kinesis_pattern_arn                                                         \
    }
extern const struct lt_shape_pattern lt_kinesis_pattern_arn;      /**< of a stream */
extern const struct lt_shape_pattern lt_kinesis_pattern_sequence; /**< 0 or up to 129 digits */
extern const struct lt_shape_pattern lt_kinesis_pattern_hash_key; /**< 0 or up to 39 digits */

/** The stream that the call names by name or ARN. Errors: InvalidArgumentException. */
LEAT_MUST_CHECK leat_status lt_kinesis_stream(struct lt_service_call *call, const char **name,
                                              struct leat_error *err);

/** The error of a call with `DryRun`, made when nothing else stands in its way. */
LEAT_MUST_CHECK leat_status lt_kinesis_dry_run(const struct lt_service_call *call, size_t member,
                                               struct leat_error *err);

/** The shard of the text `id`. Errors: ResourceNotFoundException. */
LEAT_MUST_CHECK leat_status lt_kinesis_find_shard(struct lt_service_call *call, const char *stream,
                                                  struct lt_slice id,
                                                  struct lt_streams_shard *shard,
                                                  struct leat_error *err);

void lt_kinesis_write_arn(struct lt_json_writer *w, const char *stream);
void lt_kinesis_write_mode(struct lt_json_writer *w, bool on_demand);
void lt_kinesis_write_hash_range(struct lt_json_writer *w, const struct lt_streams_shard *shard);
void lt_kinesis_write_shard(struct lt_json_writer *w, const struct lt_streams_shard *shard);
/** StreamName, StreamARN, StreamStatus, StreamModeDetails, times and the rest that both
 * descriptions of a stream have. */
void lt_kinesis_write_stream(struct lt_json_writer *w, const struct lt_streams_info *info);
/** "…" of an optional member. */
void lt_kinesis_write_shard_id(struct lt_json_writer *w, const char *key, int index);

/** Milliseconds of a timestamp member. */
int64_t lt_kinesis_time_ms(struct lt_json value);

/*
 * Opaque tokens: shard iterators and NextToken. Base64 of fixed fields under a keyed hash, so that
 * only what this engine made is taken; they outlive a restart and expire after five minutes.
 */
enum lt_kinesis_token_kind {
    LT_KINESIS_TOKEN_ITERATOR = 'I',
    LT_KINESIS_TOKEN_SHARDS = 'S',
    LT_KINESIS_TOKEN_STREAMS = 'L'
};
enum { LT_KINESIS_TOKEN_TEXT = 300, LT_KINESIS_TOKEN_LIFE_MS = 300 * 1000 };

struct lt_kinesis_token {
    enum lt_kinesis_token_kind kind;
    int64_t time_ms; /**< when it was made */
    char name[129];  /**< the stream */
    uint64_t n[4];   /**< what its kind says */
};

/* An iterator's numbers. */
enum { LT_KINESIS_ITERATOR_INDEX, LT_KINESIS_ITERATOR_UID, LT_KINESIS_ITERATOR_NEXT };

void lt_kinesis_token_format(const struct lt_kinesis_token *token, char out[LT_KINESIS_TOKEN_TEXT]);
/** False when it is not of this kind or was not made by lt_kinesis_token_format(). */
bool lt_kinesis_token_parse(struct lt_slice text, enum lt_kinesis_token_kind kind,
                            struct lt_kinesis_token *token);
bool lt_kinesis_token_is_expired(const struct lt_kinesis_token *token);
/** The error for a NextToken that is: ExpiredNextTokenException. */
leat_status lt_kinesis_token_expired(struct leat_error *err);

/** Adds "key": token, made now. */
void lt_kinesis_write_token(struct lt_json_writer *w, const char *key,
                            struct lt_kinesis_token token);

/** The ValidationException for a record larger than its stream takes; `path` as "data". */
leat_status lt_kinesis_too_large(struct leat_error *err, const char *path, size_t len,
                                 unsigned max);

#endif
