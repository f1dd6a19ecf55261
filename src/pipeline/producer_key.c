/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "pipeline/producer.h"
#include "json/json.h"

enum { RANDOM_BYTES = 16, KEY_MAX_CHARACTERS = 256, KEY_TEXT_MAX_BYTES = 1 << 20 };

static struct lt_slice random_key(struct lt_arena *arena) {
    uint8_t bytes[RANDOM_BYTES];
    char *text = lt_arena_alloc(arena, 2 * RANDOM_BYTES + 1);

    if (!text)
        return lt_slice(NULL, 0);
    lt_random(bytes, sizeof(bytes));
    lt_hex(bytes, sizeof(bytes), text);
    return lt_slice(text, 2 * RANDOM_BYTES);
}

/* jq's `.session_id // .id`: null and false do not count. A string gives its text, other values
 * their JSON. */
static struct lt_slice default_key(struct lt_json record, struct lt_arena *arena) {
    static const char *const names[] = {"session_id", "id"};
    struct lt_json value;

    for (size_t i = 0; i < 2; i++) {
        if (!lt_json_get(record, names[i], &value) || value.type == LT_JSON_NULL ||
            value.type == LT_JSON_FALSE)
            continue;
        struct lt_slice key =
            value.type == LT_JSON_STRING ? lt_json_string(value, arena) : value.raw;
        if (key.len)
            return key;
    }
    return random_key(arena);
}

static leat_status filter_key(struct lt_expr_filter *filter, struct lt_slice record,
                              struct lt_arena *arena, struct lt_slice *key,
                              struct leat_error *err) {
    struct lt_buf out;
    size_t n = 0;

    lt_buf_init(&out, KEY_TEXT_MAX_BYTES);
    leat_status status = lt_expr_filter_run(filter, record, true, &out, &n, err);
    struct lt_slice text = lt_buf_slice(&out);
    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    if (status == LEAT_OK && n != 1)
        status = lt_fail(err, LEAT_E_INVALID, 0, "--key gives %zu values, not one", n);
    else if (status == LEAT_OK && lt_slice_eq_str(text, "null"))
        status = lt_fail(err, LEAT_E_INVALID, 0, "--key gives null");
    if (status == LEAT_OK)
        *key = lt_arena_dup(arena, text);
    lt_buf_deinit(&out);
    return status;
}

static size_t n_characters(struct lt_slice key) {
    size_t n = 0;
    for (size_t i = 0; i < key.len; i++)
        n += ((unsigned char)key.data[i] & 0xC0) != 0x80;
    return n;
}

leat_status lt_produce_key(struct lt_expr_filter *filter, struct lt_slice record,
                           struct lt_arena *arena, struct lt_slice *key, struct leat_error *err) {
    struct lt_json doc;
    leat_status status = lt_json_parse(&doc, record, LT_JSON_DEFAULT_DEPTH, err);

    if (status != LEAT_OK)
        return status;
    if (filter)
        status = filter_key(filter, record, arena, key, err);
    else
        *key = default_key(doc, arena);
    if (status != LEAT_OK)
        return status;
    if (!key->data)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a partition key");
    if (!key->len || n_characters(*key) > KEY_MAX_CHARACTERS)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "a partition key has 1 to %d characters, this one has %zu",
                       KEY_MAX_CHARACTERS, n_characters(*key));
    if (key->len + record.len > LT_STREAM_RECORD_MAX_BYTES)
        return lt_fail(err, LEAT_E_LIMIT, 0,
                       "a record with its key has at most %d bytes, this one has %zu",
                       LT_STREAM_RECORD_MAX_BYTES, key->len + record.len);
    return LEAT_OK;
}
