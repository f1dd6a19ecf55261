/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's life in this process: opening, its private address, its status, its end. */
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/streams.h"
#include "store/folder.h"
#include "store/journal_internal.h"
#include "json/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

static char dir[64];

static int set_up(void **state) {
    (void)state;
    strcpy(dir, "/tmp/leat-engine-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static struct lt_engine *open_engine(const char *listen) {
    struct lt_engine_options options = {.data_dir = dir, .listen = listen};
    struct lt_engine *engine;
    struct leat_error err;

    if (lt_engine_open(&engine, &options, &err) != LEAT_OK)
        fail_msg("%s", err.text);
    return engine;
}

/* One request over the folder's private address; the answer goes to `out`. */
static void ask(const char *request, char *out, size_t room) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct leat_error err;
    char path[64];
    size_t len = 0;
    ssize_t n;

    assert_int_equal(lt_folder_peer(dir, path, &err), LEAT_OK);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    while ((n = read(fd, out + len, room - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = 0;
    close(fd);
}

static void an_engine_answers_when_open_returns(void **state) {
    struct lt_engine *engine = open_engine("127.0.0.1:0");
    char answer[4096];
    (void)state;

    assert_true(lt_engine_port(engine) > 0);
    ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "\r\n\r\nok"));
    lt_engine_close(engine, false);
}

static void a_folder_has_one_engine(void **state) {
    struct lt_engine_options options = {.data_dir = dir};
    struct lt_engine *engine = open_engine(NULL), *other;
    struct leat_error err;
    (void)state;

    assert_int_equal(lt_engine_port(engine), 0);
    assert_int_equal(lt_engine_open(&other, &options, &err), LEAT_E_BUSY);
    assert_null(other);
    lt_engine_close(engine, false);
    lt_engine_close(open_engine(NULL), true);
}

static void an_address_that_cannot_be_had_leaves_nothing_behind(void **state) {
    struct lt_engine_options options = {.data_dir = dir, .listen = "nowhere"};
    struct lt_engine *engine;
    struct leat_error err;
    (void)state;

    assert_int_not_equal(lt_engine_open(&engine, &options, &err), LEAT_OK);
    assert_null(engine);
    lt_engine_close(open_engine(NULL), false);
}

static void the_status_counts_records_and_shards(void **state) {
    struct lt_engine *engine = open_engine(NULL);
    struct lt_json json, streams, stream, value;
    struct lt_json_iter iter;
    struct leat_error err;
    struct lt_buf out;
    char answer[8192];
    int64_t number = -1;
    (void)state;

    assert_int_equal(lt_streams_create(lt_engine_streams(engine), "a", 2, false, false, 0, &err),
                     LEAT_OK);
    ask("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 55\r\n"
        "X-Amz-Target: Kinesis_20131202.PutRecord\r\n\r\n"
        "{\"StreamName\":\"a\",\"PartitionKey\":\"k\",\"Data\":\"aGVsbG8h\"}",
        answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));

    lt_buf_init(&out, 1 << 20);
    assert_int_equal(lt_engine_status_json(engine, &out, &err), LEAT_OK);
    assert_int_equal(lt_json_parse(&json, lt_buf_slice(&out), 64, &err), LEAT_OK);
    assert_true(lt_json_get(json, "streams", &streams));
    iter = lt_json_iter(streams);
    assert_true(lt_json_next(&iter, &stream));
    assert_true(lt_json_get(stream, "records", &value) && lt_json_int64(value, &number));
    assert_int_equal(number, 1);
    assert_true(lt_json_get(stream, "shards", &value));
    assert_int_equal(lt_json_count(value), 2);
    assert_false(lt_json_next(&iter, &stream));
    assert_true(lt_json_get(json, "deliveries", &value));
    assert_true(lt_json_get(json, "buckets", &value));
    assert_true(lt_json_get(json, "disk_bytes", &value) && lt_json_int64(value, &number));
    assert_true(number > 0);

    ask("GET /_leat/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
        sizeof(answer));
    assert_non_null(strstr(answer, "\"name\":\"a\""));
    lt_buf_deinit(&out);
    lt_engine_close(engine, false);
}

/* A Kinesis call; the body of the answer goes to `out`. */
static void call(const char *operation, const char *body, char *out, size_t room) {
    char request[4096];

    snprintf(request, sizeof(request),
             "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n"
             "X-Amz-Target: Kinesis_20131202.%s\r\n\r\n%s",
             strlen(body), operation, body);
    ask(request, out, room);
}

static void on_durable(void *ctx, leat_status status, const struct leat_error *err) {
    (void)err;
    assert_int_equal(status, LEAT_OK);
    uv_sem_post(ctx);
}

/* A stream that was split: shard 0, with two records, ended; 1 and 2 go on. */
static void prepare_split_stream(void) {
    static const char document[] =
        "{\"id\":1,\"created_ms\":1000,\"retention_hours\":8760,\"max_record_bytes\":1048576,"
        "\"hidden\":false,\"on_demand\":false,\"shards\":["
        "{\"uid\":1,\"parent\":-1,\"adjacent_parent\":-1,\"first\":\"0\",\"last\":"
        "\"340282366920938463463374607431768211455\",\"created_ms\":1000,\"closed\":true,"
        "\"closed_after\":2,\"closed_ms\":%lld},"
        "{\"uid\":2,\"parent\":0,\"adjacent_parent\":-1,\"first\":\"0\",\"last\":\"99\","
        "\"created_ms\":%lld,\"closed\":false,\"closed_after\":0,\"closed_ms\":0},"
        "{\"uid\":3,\"parent\":0,\"adjacent_parent\":-1,\"first\":\"100\",\"last\":"
        "\"340282366920938463463374607431768211455\",\"created_ms\":%lld,\"closed\":false,"
        "\"closed_after\":0,\"closed_ms\":0}]}";
    struct lt_journal_append records[2] = {{.shard = 1, .key = LT_LIT("k"), .data = LT_LIT("1")},
                                           {.shard = 1, .key = LT_LIT("k"), .data = LT_LIT("2")}};
    long long split_ms = (long long)lt_clock_wall_ms() - 60 * 1000;
    struct lt_engine *engine = open_engine(NULL);
    struct leat_error err;
    char body[2048];
    int64_t time_ms;
    uv_sem_t done;

    snprintf(body, sizeof(body), document, split_ms, split_ms, split_ms);
    assert_int_equal(
        lt_state_set(lt_engine_state(engine), "stream", LT_LIT("a"), lt_slice_str(body), &err),
        LEAT_OK);
    uv_sem_init(&done, 0);
    assert_int_equal(
        lt_journal_append(lt_engine_journal(engine), records, 2, &time_ms, on_durable, &done, &err),
        LEAT_OK);
    uv_sem_wait(&done);
    uv_sem_destroy(&done);
    lt_engine_close(engine, false);
}

/* The string after `"key":"` in the answer. */
static char *find_text(const char *answer, const char *key) {
    char mark[64];
    const char *at;

    snprintf(mark, sizeof(mark), "\"%s\":\"", key);
    at = strstr(answer, mark);
    assert_non_null(at);
    at += strlen(mark);
    return strndup(at, strcspn(at, "\""));
}

static void a_closed_shard_is_read_to_its_end_and_names_its_children(void **state) {
    char answer[8192], body[2048];
    struct lt_engine *engine;
    char *iterator;
    (void)state;

    prepare_split_stream();
    engine = open_engine(NULL);
    call("GetShardIterator",
         "{\"StreamName\":\"a\",\"ShardId\":\"shardId-000000000000\",\"ShardIteratorType\":"
         "\"TRIM_HORIZON\"}",
         answer, sizeof(answer));
    iterator = find_text(answer, "ShardIterator");
    snprintf(body, sizeof(body), "{\"ShardIterator\":\"%s\",\"Limit\":1}", iterator);
    call("GetRecords", body, answer, sizeof(answer));
    assert_null(strstr(answer, "ChildShards"));
    free(iterator);
    iterator = find_text(answer, "NextShardIterator");
    snprintf(body, sizeof(body), "{\"ShardIterator\":\"%s\"}", iterator);
    call("GetRecords", body, answer, sizeof(answer));
    free(iterator);
    assert_non_null(strstr(answer, "\"Data\":\"Mg==\""));
    assert_null(strstr(answer, "NextShardIterator"));
    assert_non_null(strstr(answer, "\"ChildShards\":[{\"ShardId\":\"shardId-000000000001\","
                                   "\"ParentShards\":[\"shardId-000000000000\"],\"HashKeyRange\":"
                                   "{\"StartingHashKey\":\"0\",\"EndingHashKey\":\"99\"}},"
                                   "{\"ShardId\":\"shardId-000000000002\""));
    lt_engine_close(engine, false);
}

static void filters_tell_open_and_closed_shards_apart(void **state) {
    static const struct {
        const char *type;
        bool closed, open;
    } rows[] = {
        {"\"AT_LATEST\"", false, true},
        {"\"AT_TRIM_HORIZON\"", true, false},
        {"\"FROM_TRIM_HORIZON\"", true, true},
        {"\"AT_TIMESTAMP\",\"Timestamp\":1", true, false},
        {"\"FROM_TIMESTAMP\",\"Timestamp\":1", true, true},
    };
    struct lt_engine *engine;
    char answer[8192], body[512];
    (void)state;

    prepare_split_stream();
    engine = open_engine(NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(body, sizeof(body), "{\"StreamName\":\"a\",\"ShardFilter\":{\"Type\":%s}}",
                 rows[i].type);
        call("ListShards", body, answer, sizeof(answer));
        assert_int_equal(strstr(answer, "\"ShardId\":\"shardId-000000000000\"") != NULL,
                         rows[i].closed);
        assert_int_equal(strstr(answer, "\"ShardId\":\"shardId-000000000001\"") != NULL,
                         rows[i].open);
    }
    call("ListShards", "{\"StreamName\":\"a\"}", answer, sizeof(answer));
    assert_non_null(
        strstr(answer, "\"EndingSequenceNumber\":\"4900000000000100000000000000000002\""));
    assert_non_null(strstr(answer, "\"ParentShardId\":\"shardId-000000000000\""));
    call("PutRecord",
         "{\"StreamName\":\"a\",\"PartitionKey\":\"k\",\"ExplicitHashKey\":\"99\",\"Data\":"
         "\"\"}",
         answer, sizeof(answer));
    assert_non_null(strstr(answer, "shardId-000000000001"));
    lt_engine_close(engine, false);
}

static void a_flush_without_deliveries_is_done_at_once(void **state) {
    struct lt_engine *engine = open_engine(NULL);
    struct leat_error err;
    char answer[4096];
    (void)state;

    assert_int_equal(lt_engine_flush(engine, NULL, 1000, &err), LEAT_OK);
    assert_int_equal(lt_engine_flush(engine, "nowhere", 1000, &err), LEAT_E_NOT_FOUND);
    ask("POST /_leat/flush?timeout_ms=100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n",
        answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    ask("POST /_leat/flush?delivery=nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n",
        answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 404"));
    ask("GET /_leat/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
        sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 404"));
    lt_engine_close(engine, false);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int gated_fdatasync(int fd) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return fdatasync(fd);
}

static atomic_uint n_done;

static void count_done(void *ctx, leat_status status, const struct leat_error *err) {
    (void)ctx;
    (void)err;
    if (status == LEAT_OK)
        atomic_fetch_add(&n_done, 1);
}

/* Records of that size until no more may wait for the disk; how many those were. */
static unsigned fill(struct lt_engine *engine, struct lt_slice data) {
    struct lt_streams_put one = {.key = LT_LIT("k"), .data = data};
    leat_status status = LEAT_OK;
    struct leat_error err;
    unsigned n = 0;

    while ((status = lt_streams_put(lt_engine_streams(engine), "a", &one, 1, count_done, NULL,
                                    &err)) == LEAT_OK)
        n++;
    assert_int_equal(status, LEAT_E_THROTTLED);
    return n;
}

static void put(const char *operation, const char *body, char *answer, size_t room) {
    char request[1024];

    snprintf(request, sizeof(request),
             "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n"
             "X-Amz-Target: Kinesis_20131202.%s\r\n\r\n%s",
             strlen(body), operation, body);
    ask(request, answer, room);
}

static void puts_beyond_what_may_wait_for_the_disk_exceed_the_rate(void **state) {
    static const char many[] =
        "{\"StreamName\":\"a\",\"Records\":[{\"PartitionKey\":\"k\",\"Data\":"
        "\"aGVsbG8h\"},{\"PartitionKey\":\"k\",\"Data\":\"aGVsbG8h\"}]}";
    static const char one[] = "{\"StreamName\":\"a\",\"PartitionKey\":\"k\",\"Data\":\"aGVsbG8h\"}";
    static const char said[] = "Rate exceeded for shard shardId-000000000000 in stream a under";
    struct lt_engine *engine = open_engine(NULL);
    char *large = calloc(1, 1 << 20), answer[4096];
    struct leat_error err;
    (void)state;

    assert_int_equal(lt_streams_create(lt_engine_streams(engine), "a", 1, false, false, 0, &err),
                     LEAT_OK);
    pthread_mutex_lock(&gate);
    lt_journal_io.fdatasync = gated_fdatasync;
    unsigned n = fill(engine, lt_slice(large, 1 << 20));
    n += fill(engine, lt_slice("", 0));
    put("PutRecords", many, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "\"FailedRecordCount\":2"));
    assert_non_null(strstr(answer, "\"ErrorCode\":\"ProvisionedThroughputExceededException\""));
    assert_non_null(strstr(answer, said));
    put("PutRecord", one, answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 400"));
    assert_non_null(strstr(answer, "ProvisionedThroughputExceededException"));
    assert_int_equal(atomic_load(&n_done), 0);

    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 10000 && atomic_load(&n_done) < n; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&n_done), n); /* what was taken is kept */
    lt_journal_io.fdatasync = fdatasync;
    put("PutRecords", many, answer, sizeof(answer));
    assert_non_null(strstr(answer, "\"FailedRecordCount\":0"));
    lt_engine_close(engine, false);
    free(large);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_engine_answers_when_open_returns),
        TEST(a_folder_has_one_engine),
        TEST(an_address_that_cannot_be_had_leaves_nothing_behind),
        TEST(the_status_counts_records_and_shards),
        TEST(a_closed_shard_is_read_to_its_end_and_names_its_children),
        TEST(filters_tell_open_and_closed_shards_apart),
        TEST(a_flush_without_deliveries_is_done_at_once),
        TEST(puts_beyond_what_may_wait_for_the_disk_exceed_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
