/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what an API sends: a link, an error's body, a token endpoint's answer, a
 * Retry-After. What comes of them fits where it goes: a URL has no byte that ends a request line, a
 * message is one line, a token can stand in a header, and no secret is left in a text.
 */
#include "rest/auth.h"
#include "rest/limit.h"
#include "rest/mask.h"
#include "rest/message.h"
#include "rest/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static void must_be_clean(const char *text) {
    for (; *text; text++)
        must((unsigned char)*text > ' ' && (unsigned char)*text < 0x7f);
}

static void follow(struct lt_slice link, struct lt_arena *arena) {
    char *url, *again;
    if (lt_rest_url_resolve("https://h:8443/v1/albums?limit=50", link, arena, &url, NULL) !=
        LEAT_OK)
        return;
    struct lt_rest_url parts;
    must_be_clean(url);
    must(lt_rest_url_split(lt_slice_str(url), &parts) && !parts.fragment.len);
    must(lt_rest_url_same_origin(lt_slice_str(url), lt_slice_str(url)));
    must(lt_rest_url_resolve(url, lt_slice_str(url), arena, &again, NULL) == LEAT_OK);
    must(strcmp(url, again) == 0);

    char *with = lt_rest_url_set_param(url, "offset", link, arena);
    struct lt_slice value = lt_rest_url_param(with, "offset", arena);
    must(lt_slice_eq(value, link));
    char *without = lt_rest_url_remove_param(with, "offset", arena);
    must(lt_rest_url_param(without, "offset", arena).data == NULL);
    must(lt_rest_url_same_origin(lt_slice_str(url), lt_slice_str(with)));
    must(lt_rest_url_same_origin(lt_slice_str(url), lt_slice_str(without)));
}

static void read_words(struct lt_slice body, struct lt_arena *arena) {
    struct lt_rest_message message;
    struct lt_rest_token token;
    int64_t wait_ms;

    lt_rest_message_find(&message, body);
    must(memchr(message.text, '\0', sizeof(message.text)) && !strpbrk(message.text, "\r\n\t"));
    must(memchr(message.code, '\0', sizeof(message.code)) && !strpbrk(message.code, "\r\n\t"));
    if (lt_rest_token_read(&token, body, arena, NULL) == LEAT_OK) {
        must(token.value[0] && token.life_ms >= 0);
        must_be_clean(token.value);
        must_be_clean(token.refresh_token ? token.refresh_token : "");
    }
    if (lt_rest_retry_after(body, 1700000000000, &wait_ms))
        must(wait_ms >= 0);
}

static void hide(struct lt_slice text, struct lt_arena *arena) {
    const char *secrets[] = {"p@ss w0rd", "p@ss"};
    const struct lt_rest_api api = {.secrets = secrets, .n_secrets = 2};
    struct lt_rest_mask *mask;
    if (lt_rest_mask_new(&mask, &api, NULL) != LEAT_OK)
        return;
    char *shown = lt_rest_mask_str(mask, text, arena);
    must(shown && !strstr(shown, "p@ss"));
    lt_rest_mask_free(mask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_slice text = lt_slice(data, len);
    struct lt_arena arena;

    lt_arena_init(&arena, (size_t)16 << 20);
    follow(text, &arena);
    read_words(text, &arena);
    hide(text, &arena);
    lt_arena_deinit(&arena);
    return 0;
}
