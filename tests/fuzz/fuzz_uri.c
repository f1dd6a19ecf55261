/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a path or a query: decoding never grows and undoes the encoding; and as an object's
 * key: its file lies inside its bucket's folder, whatever the key is.
 */
#include "aws/client.h"
#include "http/server.h"
#include "object/folder_parts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void check_decoding(struct lt_slice text, struct lt_arena *arena) {
    struct lt_buf coded;

    struct lt_slice plain = lt_http_percent_decode(text, true, arena);
    must(!plain.data || plain.len <= text.len);
    must(lt_http_query(text, "prefix", arena).len <= text.len);
    lt_buf_init(&coded, SIZE_MAX);
    lt_buf_append_str(&coded, "a&prefix=");
    lt_aws_percent_encode(&coded, text, false);
    lt_buf_append_str(&coded, "&prefix=later");
    must(lt_slice_eq(lt_http_query(lt_buf_slice(&coded), "prefix", arena), text));
    lt_buf_deinit(&coded);
}

/** Every step of the path goes down, and none of them is too long. */
static void check_path(const char *path) {
    must(!strncmp(path, "bucket/", 7) && strlen(path) < LT_OBJECT_PATH_BYTES);
    for (const char *at = path; at;) {
        const char *slash = strchr(at, '/');
        size_t n = slash ? (size_t)(slash - at) : strlen(at);
        must(n > 0 && n <= 255 && !(n == 1 && *at == '.') && strncmp(at, "../", 3) != 0 &&
             strcmp(at, "..") != 0);
        at = slash ? slash + 1 : NULL;
    }
}

static void check_key(struct lt_slice key) {
    char path[LT_OBJECT_PATH_BYTES];

    if (!key.len || key.len > LT_OBJECT_KEY_MAX_BYTES)
        return;
    lt_object_escaped_path("bucket", key, path);
    check_path(path);
    must(!strncmp(path, "bucket/.escaped/", 16));
    if (!lt_object_plain_path("bucket", key, path))
        return;
    check_path(path);
    must(strncmp(path, "bucket/.escaped/", 16) != 0);
    must(lt_slice_eq(lt_slice_str(path + 7), key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_arena arena;

    lt_arena_init(&arena, SIZE_MAX);
    check_decoding(lt_slice(data, len), &arena);
    check_key(lt_slice(data, len));
    lt_arena_deinit(&arena);
    return 0;
}
