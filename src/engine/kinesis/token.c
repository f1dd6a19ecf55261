/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token's bytes: version, kind, time, four numbers, the stream's name (little endian), then the
 * first 16 bytes of an HMAC over all before. The key is no secret: who can reach the engine may
 * read every stream; the hash is there so that a mangled or invented token is told from a real one.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "engine/kinesis/kinesis.h"

enum {
    VERSION = 1,
    MAC_BYTES = 16,
    HEAD_BYTES = 2 + 8 + 4 * 8,
    MAX_BYTES = HEAD_BYTES + 128 + MAC_BYTES
};

static void put_u64(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const uint8_t *in) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static void sign(const uint8_t *bytes, size_t len, uint8_t mac[LT_SHA256_BYTES]) {
    lt_hmac_sha256(LT_LIT("leat kinesis token"), lt_slice(bytes, len), mac);
}

void lt_kinesis_token_format(const struct lt_kinesis_token *token,
                             char out[LT_KINESIS_TOKEN_TEXT]) {
    uint8_t bytes[MAX_BYTES], mac[LT_SHA256_BYTES];
    size_t name_len = strlen(token->name), len = HEAD_BYTES + name_len;

    bytes[0] = VERSION;
    bytes[1] = (uint8_t)token->kind;
    put_u64(bytes + 2, (uint64_t)token->time_ms);
    for (int i = 0; i < 4; i++)
        put_u64(bytes + 10 + 8 * i, token->n[i]);
    memcpy(bytes + HEAD_BYTES, token->name, name_len);
    sign(bytes, len, mac);
    memcpy(bytes + len, mac, MAC_BYTES);
    out[lt_base64_encode(lt_slice(bytes, len + MAC_BYTES), out)] = 0;
}

bool lt_kinesis_token_parse(struct lt_slice text, enum lt_kinesis_token_kind kind,
                            struct lt_kinesis_token *token) {
    uint8_t bytes[LT_KINESIS_TOKEN_TEXT], mac[LT_SHA256_BYTES];
    size_t len, name_len;

    if (text.len >= LT_KINESIS_TOKEN_TEXT)
        return false;
    len = lt_base64_decode(text, (char *)bytes);
    if (len == SIZE_MAX || len < HEAD_BYTES + MAC_BYTES || len > MAX_BYTES)
        return false;
    len -= MAC_BYTES;
    sign(bytes, len, mac);
    if (memcmp(mac, bytes + len, MAC_BYTES) != 0 || bytes[0] != VERSION ||
        bytes[1] != (uint8_t)kind)
        return false;
    token->kind = kind;
    token->time_ms = (int64_t)get_u64(bytes + 2);
    for (int i = 0; i < 4; i++)
        token->n[i] = get_u64(bytes + 10 + 8 * i);
    name_len = len - HEAD_BYTES;
    memcpy(token->name, bytes + HEAD_BYTES, name_len);
    token->name[name_len] = 0;
    return true;
}

bool lt_kinesis_token_is_expired(const struct lt_kinesis_token *token) {
    return lt_clock_wall_ms() - token->time_ms > LT_KINESIS_TOKEN_LIFE_MS;
}

leat_status lt_kinesis_token_expired(struct leat_error *err) {
    return lt_fail_code(err, LEAT_E_EXPIRED, "ExpiredNextTokenException",
                        "The pagination token passed to the operation is expired.");
}

void lt_kinesis_write_token(struct lt_json_writer *w, const char *key,
                            struct lt_kinesis_token token) {
    char text[LT_KINESIS_TOKEN_TEXT];

    token.time_ms = lt_clock_wall_ms();
    lt_kinesis_token_format(&token, text);
    lt_json_key(w, key);
    lt_json_put_str(w, text);
}
