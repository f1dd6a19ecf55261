/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 body of object/object.h by hand, for tests.
 *
 *     objectctl URL|unix:PATH create BUCKET | remove BUCKET [--with-objects] | stat BUCKET
 *                             put BUCKET KEY [TYPE [ENCODING]] < DATA | head BUCKET KEY
 *
 * A failure prints its status, code and text, and ends with 1.
 */
#include "base/buf.h"
#include "object/s3.h"

#include <stdio.h>
#include <unistd.h>

enum { DATA_MAX = 256 << 20 };

static leat_status put(struct lt_object_store *store, int n, char **args, struct leat_error *err) {
    struct lt_buf data;
    char *room;
    lt_buf_init(&data, DATA_MAX);
    while ((room = lt_buf_reserve(&data, 1 << 16))) {
        ssize_t got = read(STDIN_FILENO, room, 1 << 16);
        if (got <= 0)
            break;
        lt_buf_commit(&data, (size_t)got);
    }
    const struct lt_object_put object = {.key = lt_slice_str(args[2]),
                                         .data = lt_buf_slice(&data),
                                         .content_type = n > 3 ? args[3] : NULL,
                                         .content_encoding = n > 4 ? args[4] : NULL};
    leat_status status = store->ops->put(store, args[1], &object, err);
    lt_buf_deinit(&data);
    return status;
}

static leat_status head(struct lt_object_store *store, char **args, struct leat_error *err) {
    struct lt_object_info info;
    struct lt_arena arena;
    lt_arena_init(&arena, 1 << 20);
    leat_status status =
        store->ops->head(store, args[1], lt_slice_str(args[2]), &arena, &info, err);
    if (status == LEAT_OK)
        printf("%llu\t%s\t%.*s\t%.*s\t%lld\n", (unsigned long long)info.size, info.etag,
               LT_FMT(info.content_type), LT_FMT(info.content_encoding),
               (long long)info.modified_ms);
    lt_arena_deinit(&arena);
    return status;
}

static leat_status sum(struct lt_object_store *store, const char *bucket, struct leat_error *err) {
    uint64_t n_objects, n_bytes;
    leat_status status = store->ops->stat_bucket(store, bucket, &n_objects, &n_bytes, err);
    if (status == LEAT_OK)
        printf("%llu\t%llu\n", (unsigned long long)n_objects, (unsigned long long)n_bytes);
    return status;
}

static leat_status act(struct lt_object_store *store, int n, char **args, struct leat_error *err) {
    if (!strcmp(args[0], "create"))
        return store->ops->create_bucket(store, args[1], err);
    if (!strcmp(args[0], "remove"))
        return store->ops->remove_bucket(store, args[1], n > 2, err);
    if (!strcmp(args[0], "stat"))
        return sum(store, args[1], err);
    if (!strcmp(args[0], "put") && n > 2)
        return put(store, n, args, err);
    if (!strcmp(args[0], "head") && n > 2)
        return head(store, args, err);
    return lt_fail(err, LEAT_E_INVALID, 0, "see the head of objectctl.c");
}

int main(int argc, char **argv) {
    struct lt_object_store *store;
    struct lt_aws_config config;
    struct leat_error err;
    struct lt_arena arena;

    if (argc < 4)
        return 2;
    lt_arena_init(&arena, 1 << 20);
    leat_status status = lt_aws_config_load(&config, NULL, &arena, &err);
    bool is_unix = strncmp(argv[1], "unix:", 5) == 0;
    const struct lt_aws_endpoint endpoint = {
        .url = is_unix ? NULL : argv[1],
        .unix_socket = is_unix ? argv[1] + 5 : NULL,
        .region = config.region,
        .credentials = config.credentials,
    };
    if (status == LEAT_OK)
        status = lt_object_s3_new(&store, &endpoint, &err);
    if (status == LEAT_OK) {
        status = act(store, argc - 2, argv + 2, &err);
        store->ops->close(store);
    }
    lt_arena_deinit(&arena);
    if (status == LEAT_OK)
        return 0;
    fprintf(stderr, "%s %s %s\n", leat_status_name(status), err.code[0] ? err.code : "-", err.text);
    return 1;
}
