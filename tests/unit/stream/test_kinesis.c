/* SPDX-License-Identifier: Apache-2.0 */
#include "kinesis_fixture.h"

static void on_shards(void *ctx, leat_status status, const struct lt_stream_shard *shards, size_t n,
                      const struct leat_error *err) {
    note(ctx, status, err);
    for (size_t i = 0; i < n; i++)
        add_text(ctx, "%s%s%s%s%s%s;", shards[i].id, shards[i].parent ? "<" : "",
                 shards[i].parent ? shards[i].parent : "", shards[i].adjacent_parent ? "+" : "",
                 shards[i].adjacent_parent ? shards[i].adjacent_parent : "",
                 shards[i].closed ? "." : "");
}

static void shards_are_listed_over_all_pages(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", "{\"StreamName\":\"s\"}", 200,
         "{\"Shards\":[{\"ShardId\":\"a\",\"SequenceNumberRange\":{\"StartingSequenceNumber\":"
         "\"1\","
         "\"EndingSequenceNumber\":\"5\"}},{\"ShardId\":\"b\",\"SequenceNumberRange\":{}}],"
         "\"NextToken\":\"t\"}",
         NULL},
        {"ListShards", "{\"NextToken\":\"t\"}", 200,
         "{\"Shards\":[{\"ShardId\":\"c\",\"ParentShardId\":\"a\",\"AdjacentParentShardId\":\"b\"}]"
         "}",
         NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    assert_int_equal(o.n_calls, 0);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "a.;b;c<a+b;");
    close_all(&f);
}

static void shards_of_an_older_service_are_listed_by_describing(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", NULL, 400, "{\"__type\":\"UnknownOperationException\"}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\"}", 200,
         "{\"StreamDescription\":{\"Shards\":[{\"ShardId\":\"a\"}],\"HasMoreShards\":true}}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\",\"ExclusiveStartShardId\":\"a\"}", 200,
         "{\"StreamDescription\":{\"Shards\":[{\"ShardId\":\"b\"}],\"HasMoreShards\":false}}",
         NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_string_equal(o.text, "a;b;");
    close_all(&f);
}

static void listing_shards_waits_for_throttles_and_tells_other_errors(void **state) {
    static const struct script_line lines[] = {
        {"ListShards", NULL, 400,
         "{\"__type\":\"LimitExceededException\",\"message\":\"Rate exceeded for stream s\"}",
         NULL},
        {"ListShards", NULL, 400, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no\"}",
         NULL},
        {"ListShards", NULL, 200, "{\"Shards\":[{}]}", NULL},
        END,
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_E_NOT_FOUND);
    assert_int_equal(f.service->ops->list_shards(f.service, "s", on_shards, &o, &f.err), LEAT_OK);
    await(&f, &o, 2);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    close_all(&f);
}

static void a_put_tells_what_became_of_each_record(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords",
         "{\"StreamName\":\"s\",\"Records\":[{\"Data\":\"aGk=\",\"PartitionKey\":\"k\"},"
         "{\"Data\":\"\",\"PartitionKey\":\"\\\"\",\"ExplicitHashKey\":\"7\"}]}",
         200,
         "{\"FailedRecordCount\":1,\"Records\":["
         "{\"SequenceNumber\":\"495\",\"ShardId\":\"shardId-000000000001\",\"ErrorCode\":null},"
         "{\"ErrorCode\":\"ProvisionedThroughputExceededException\",\"ErrorMessage\":\"slow\"}]}",
         NULL},
        END,
    };
    const struct lt_stream_put records[] = {
        {.key = LT_LIT("k"), .data = LT_LIT("hi")},
        {.key = LT_LIT("\""), .hash = LT_LIT("7")},
    };
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->put(f.service, "s", records, 2, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "LEAT_OK//shardId-000000000001/495;"
                                "LEAT_E_THROTTLED/ProvisionedThroughputExceededException//;");
    close_all(&f);
}

static void a_put_is_sent_once_and_its_error_told(void **state) {
    static const struct script_line lines[] = {
        {"PutRecords", NULL, 500, "{\"__type\":\"InternalFailure\"}", NULL},
        {"PutRecords", NULL, 200, "{\"Records\":[]}", NULL},
        {"PutRecords", NULL, 200, "{\"Records\":[{}]}", NULL},
        END,
    };
    const struct lt_stream_put record = {.key = LT_LIT("k"), .data = LT_LIT("hi")};
    struct fixture f;
    struct outcome o = {0};
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 0, on_put, &o, &f.err),
                     LEAT_E_INVALID);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 501, on_put, &o, &f.err),
                     LEAT_E_INVALID);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 1);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_string_equal(o.err.code, "InternalFailure");
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 2);
    assert_int_equal(o.status, LEAT_E_REMOTE);
    assert_int_equal(f.service->ops->put(f.service, "s", &record, 1, on_put, &o, &f.err), LEAT_OK);
    await(&f, &o, 3);
    assert_int_equal(o.status, LEAT_OK);
    assert_string_equal(o.text, "LEAT_E_REMOTE///;");
    close_all(&f);
}

#define SUMMARY(status)                                                                            \
    "{\"StreamDescriptionSummary\":{\"StreamName\":\"s\",\"StreamARN\":\"arn:s\","                 \
    "\"StreamStatus\":\"" status "\",\"RetentionPeriodHours\":24,"                                 \
    "\"StreamCreationTimestamp\":1700000000.5,\"OpenShardCount\":3}}"
#define GONE "{\"__type\":\"ResourceNotFoundException\",\"message\":\"no s\"}"
#define TAKEN "{\"__type\":\"ResourceInUseException\",\"message\":\"s exists\"}"

static void creating_waits_until_the_stream_is_active(void **state) {
    static const struct script_line lines[] = {
        {"CreateStream", "{\"StreamName\":\"s\",\"ShardCount\":3}", 200, "", NULL},
        {"DescribeStreamSummary", "{\"StreamName\":\"s\"}", 200, SUMMARY("CREATING"), NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        {"CreateStream", NULL, 400, TAKEN, NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_OK);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_E_EXISTS);
    close_all(&f);
}

static void creating_waits_for_a_stream_that_is_being_deleted(void **state) {
    static const struct script_line lines[] = {
        {"CreateStream", NULL, 400, TAKEN, NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("DELETING"), NULL},
        {"DescribeStreamSummary", NULL, 400, GONE, NULL},
        {"CreateStream", NULL, 200, "", NULL},
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        END,
    };
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->create(f.service, "s", 3, &f.err), LEAT_OK);
    close_all(&f);
}

static void a_stream_is_described_by_older_services_too(void **state) {
    static const struct script_line lines[] = {
        {"DescribeStreamSummary", NULL, 200, SUMMARY("ACTIVE"), NULL},
        {"DescribeStreamSummary", NULL, 400, "{\"__type\":\"UnknownOperationException\"}", NULL},
        {"DescribeStream", "{\"StreamName\":\"s\"}", 200,
         "{\"StreamDescription\":{\"StreamName\":\"s\",\"StreamStatus\":\"ACTIVE\","
         "\"HasMoreShards\":true,"
         "\"Shards\":[{\"ShardId\":\"a\",\"SequenceNumberRange\":{\"EndingSequenceNumber\":\"5\"}},"
         "{\"ShardId\":\"b\",\"SequenceNumberRange\":{}}]}}",
         NULL},
        {"DescribeStream", "\"ExclusiveStartShardId\":\"b\"", 200,
         "{\"StreamDescription\":{\"StreamName\":\"s\",\"StreamStatus\":\"ACTIVE\","
         "\"HasMoreShards\":false,"
         "\"Shards\":[{\"ShardId\":\"c\"}]}}",
         NULL},
        {"DescribeStreamSummary", NULL, 400, GONE, NULL},
        END,
    };
    struct lt_stream_summary summary;
    struct fixture f;
    (void)state;
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_OK);
    assert_string_equal(summary.name, "s");
    assert_string_equal(summary.arn, "arn:s");
    assert_string_equal(summary.status, "ACTIVE");
    assert_int_equal(summary.n_open_shards, 3);
    assert_int_equal(summary.retention_hours, 24);
    assert_int_equal(summary.created_ms, 1700000000500);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_OK);
    assert_int_equal(summary.n_open_shards, 2);
    assert_int_equal(f.service->ops->describe(f.service, "s", &summary, &f.err), LEAT_E_NOT_FOUND);
    close_all(&f);
}

static void streams_are_removed_and_listed(void **state) {
    static const struct script_line lines[] = {
        {"DeleteStream", "{\"StreamName\":\"s\"}", 200, "", NULL},
        {"DeleteStream", NULL, 400, GONE, NULL},
        {"DeleteStream", NULL, 400, TAKEN, NULL},
        {"ListStreams", "{}", 200, "{\"StreamNames\":[\"a\",\"b\"],\"HasMoreStreams\":true}", NULL},
        {"ListStreams", "{\"ExclusiveStartStreamName\":\"b\"}", 200,
         "{\"StreamNames\":[\"c\"],\"HasMoreStreams\":false}", NULL},
        {"ListStreams", NULL, 200, "{\"StreamNames\":[],\"HasMoreStreams\":true}", NULL},
        END,
    };
    const char *const *names;
    struct lt_arena arena;
    struct fixture f;
    size_t n;
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    open_at(&f, false, lines);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_OK);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_E_NOT_FOUND);
    assert_int_equal(f.service->ops->remove(f.service, "s", &f.err), LEAT_E_BUSY);
    assert_int_equal(f.err.status, LEAT_E_BUSY);
    assert_int_equal(f.service->ops->list(f.service, &arena, &names, &n, &f.err), LEAT_OK);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[2], "c");
    assert_int_equal(f.service->ops->list(f.service, &arena, &names, &n, &f.err), LEAT_E_REMOTE);
    lt_arena_deinit(&arena);
    close_all(&f);
}

static void a_service_without_credentials_is_not_made(void **state) {
    const struct lt_aws_endpoint endpoint = {.url = "https://kinesis.us-east-1.amazonaws.com",
                                             .region = "us-east-1"};
    struct lt_stream_service *service;
    struct leat_error err;
    uv_loop_t loop;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(lt_stream_kinesis_new(&service, &loop, &endpoint, &err), LEAT_E_AUTH);
    assert_null(service);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_are_listed_over_all_pages),
        cmocka_unit_test(shards_of_an_older_service_are_listed_by_describing),
        cmocka_unit_test(listing_shards_waits_for_throttles_and_tells_other_errors),
        cmocka_unit_test(a_put_tells_what_became_of_each_record),
        cmocka_unit_test(a_put_is_sent_once_and_its_error_told),
        cmocka_unit_test(creating_waits_until_the_stream_is_active),
        cmocka_unit_test(creating_waits_for_a_stream_that_is_being_deleted),
        cmocka_unit_test(a_stream_is_described_by_older_services_too),
        cmocka_unit_test(streams_are_removed_and_listed),
        cmocka_unit_test(a_service_without_credentials_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
