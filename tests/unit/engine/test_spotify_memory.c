/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation fails, for each that the sample makes; the linker leads them here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/spotify/catalogue.h"
#include "engine/spotify/counters.h"
#include "engine/spotify/spotify.h"
#include "engine/spotify/tokens.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);

static unsigned n_calls;
static unsigned fail_at; /* 0: none fails */

static bool fails(void) {
    return fail_at && ++n_calls == fail_at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
    return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}

/* Fails the `nth` allocation from here; 0 ends it. True when that many were made. */
static bool fail_nth(unsigned nth) {
    bool reached = fail_at && n_calls >= fail_at;

    n_calls = 0;
    fail_at = nth;
    return reached;
}

static void an_opening_without_memory_says_so_and_leaves_nothing(void **state) {
    const struct lt_spotify_options options = {.scale = 3, .faults = "errors=5%"};
    unsigned n_failed = 0;
    bool reached = true;
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    for (unsigned nth = 1; reached; nth++) {
        struct lt_spotify_options opt = options;
        struct lt_spotify *spotify;
        struct leat_error err;

        opt.loop = &loop;
        fail_nth(nth);
        leat_status status = lt_spotify_open(&spotify, &opt, &err);
        reached = fail_nth(0);
        /* metrics go without memory, too */
        assert_true(status == LEAT_OK || (reached && status == LEAT_E_NOMEM));
        n_failed += status != LEAT_OK;
        assert_true((spotify != NULL) == (status == LEAT_OK));
        lt_spotify_close(spotify);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    assert_true(n_failed > 10);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void without_memory_no_token_is_issued_and_the_old_ones_hold(void **state) {
    struct lt_spotify_tokens *tokens = lt_spotify_tokens_new();
    char texts[20][LT_SPOTIFY_TOKEN_LEN];
    unsigned slot, n = 0;
    const char *text;

    (void)state;
    fail_nth(2); /* the first has room for 16 */
    while (n < 20 && (text = lt_spotify_token_issue(tokens, LT_LIT("me"), 9)))
        memcpy(texts[n++], text, LT_SPOTIFY_TOKEN_LEN);
    assert_true(fail_nth(0));
    assert_int_equal(n, 16);
    assert_non_null(lt_spotify_token_issue(tokens, LT_LIT("me"), 9));
    while (n-- > 0)
        assert_int_equal(
            lt_spotify_token_check(tokens, lt_slice(texts[n], LT_SPOTIFY_TOKEN_LEN), 0, &slot),
            LT_SPOTIFY_TOKEN_GOOD);
    lt_spotify_tokens_free(tokens);
}

static void without_memory_a_page_is_not_listed_and_the_others_are(void **state) {
    bool reached = true;

    (void)state;
    for (unsigned nth = 1; reached; nth++) {
        struct lt_spotify_pages pages;
        unsigned n_listed = 0;

        lt_spotify_pages_init(&pages);
        fail_nth(nth);
        for (uint32_t i = 0; i < 1000; i++) {
            struct lt_spotify_page_count *count =
                lt_spotify_page_find(&pages, lt_slice(&i, sizeof(i)));
            n_listed += count != NULL;
        }
        reached = fail_nth(0);
        assert_int_equal(n_listed, reached ? 999 : 1000);
        assert_int_equal(pages.n, n_listed);
        for (uint32_t i = 0; i < 1000; i++)
            assert_non_null(lt_spotify_page_find(&pages, lt_slice(&i, sizeof(i))));
        assert_int_equal(pages.n, 1000);
        lt_spotify_pages_deinit(&pages);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opening_without_memory_says_so_and_leaves_nothing),
        cmocka_unit_test(without_memory_no_token_is_issued_and_the_old_ones_hold),
        cmocka_unit_test(without_memory_a_page_is_not_listed_and_the_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
