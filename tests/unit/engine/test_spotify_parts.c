/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the sample that decide without a socket: ids, tokens, rates, settings, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/spotify/catalogue.h"
#include "engine/spotify/counters.h"
#include "engine/spotify/hash.h"
#include "engine/spotify/settings.h"
#include "engine/spotify/tokens.h"

/* Ids and the catalogue */

static void a_copy_of_an_id_leads_back_to_its_album(void **state) {
    struct lt_spotify_catalogue *catalogue;
    struct lt_spotify_album_ref ref;
    char id[LT_SPOTIFY_ID_LEN];
    struct leat_error err;
    static const uint32_t copies[] = {0, 1, 61, 62, 9999};

    (void)state;
    assert_int_equal(lt_spotify_catalogue_open(&catalogue, NULL, 10000, &err), LEAT_OK);
    for (uint32_t i = 0; i < catalogue->n_albums; i++)
        for (size_t j = 0; j < sizeof(copies) / sizeof(copies[0]); j++) {
            lt_spotify_copy_id(catalogue->albums[i].id, copies[j], id);
            assert_true(lt_spotify_is_id(lt_slice(id, sizeof(id))));
            assert_true(lt_spotify_find_album(catalogue, lt_slice(id, sizeof(id)), &ref));
            assert_ptr_equal(ref.album, &catalogue->albums[i]);
            assert_int_equal(ref.copy, copies[j]);
        }
    lt_spotify_copy_id(catalogue->albums[0].id, 10000, id);
    assert_false(lt_spotify_find_album(catalogue, lt_slice(id, sizeof(id)), &ref));
    lt_spotify_catalogue_free(catalogue);
}

static void the_last_id_is_followed_by_the_first(void **state) {
    char id[LT_SPOTIFY_ID_LEN];

    (void)state;
    lt_spotify_copy_id("000000000000000000zzzz", 1, id);
    assert_memory_equal(id, "0000000000000000000000", sizeof(id));
    lt_spotify_copy_id("0000000000000000000009", 1, id);
    assert_memory_equal(id, "000000000000000000000A", sizeof(id));
    lt_spotify_copy_id("000000000000000000000Z", 1, id);
    assert_memory_equal(id, "000000000000000000000a", sizeof(id));
}

static void what_is_no_id_is_told(void **state) {
    (void)state;
    assert_true(lt_spotify_is_id(LT_LIT("0123456789ABCXYZabcxyz")));
    assert_false(lt_spotify_is_id(LT_LIT("")));
    assert_false(lt_spotify_is_id(LT_LIT("0123456789ABCXYZabcxy")));
    assert_false(lt_spotify_is_id(LT_LIT("0123456789ABCXYZabcxyzz")));
    for (const char *bad = "-_/:@[`{ \x80"; *bad; bad++) {
        char id[] = "0123456789ABCXYZabcxyz";
        id[7] = *bad;
        assert_false(lt_spotify_is_id(lt_slice(id, LT_SPOTIFY_ID_LEN)));
    }
}

static void the_tracks_of_an_album_lie_together(void **state) {
    struct lt_spotify_catalogue *catalogue;
    struct leat_error err;
    uint32_t n = 0;

    (void)state;
    assert_int_equal(lt_spotify_catalogue_open(&catalogue, NULL, 1, &err), LEAT_OK);
    assert_int_equal(catalogue->n_albums, 852);
    assert_int_equal(catalogue->n_tracks, 1365);
    for (uint32_t i = 0; i < catalogue->n_albums; i++) {
        const struct lt_spotify_album *album = &catalogue->albums[i];
        assert_int_equal(album->first_track, n);
        for (uint32_t j = 0; j < album->n_tracks; j++, n++) {
            assert_int_equal(catalogue->tracks[n].album, i);
            assert_int_equal(catalogue->tracks[n].number, j + 1);
        }
    }
    assert_int_equal(n, catalogue->n_tracks);
    lt_spotify_catalogue_free(catalogue);
}

/* Tokens */

static void a_token_is_good_until_it_expires(void **state) {
    struct lt_spotify_tokens *tokens = lt_spotify_tokens_new();
    char text[LT_SPOTIFY_TOKEN_LEN + 1];
    unsigned slot;

    (void)state;
    memcpy(text, lt_spotify_token_issue(tokens, LT_LIT("me"), 1000), sizeof(text));
    struct lt_slice token = lt_slice_str(text);
    assert_int_equal(token.len, LT_SPOTIFY_TOKEN_LEN);
    assert_int_equal(lt_spotify_token_check(tokens, token, 999, &slot), LT_SPOTIFY_TOKEN_GOOD);
    assert_int_equal(lt_spotify_token_check(tokens, token, 1000, &slot), LT_SPOTIFY_TOKEN_EXPIRED);
    for (size_t i = 0; i < token.len; i++) {
        char other[LT_SPOTIFY_TOKEN_LEN];
        memcpy(other, text, sizeof(other));
        other[i] = other[i] == 'x' ? 'y' : 'x';
        assert_int_equal(lt_spotify_token_check(tokens, lt_slice(other, sizeof(other)), 0, &slot),
                         LT_SPOTIFY_TOKEN_WRONG);
    }
    token.len--;
    assert_int_equal(lt_spotify_token_check(tokens, token, 0, &slot), LT_SPOTIFY_TOKEN_WRONG);
    lt_spotify_tokens_free(tokens);
}

static void the_oldest_token_gives_way(void **state) {
    struct lt_spotify_tokens *tokens = lt_spotify_tokens_new();
    char first[LT_SPOTIFY_TOKEN_LEN + 1], second[LT_SPOTIFY_TOKEN_LEN + 1];
    char client[16];
    unsigned slot;

    (void)state;
    memcpy(first, lt_spotify_token_issue(tokens, LT_LIT("a"), 9), sizeof(first));
    memcpy(second, lt_spotify_token_issue(tokens, LT_LIT("a"), 9), sizeof(second));
    for (int i = 2; i < LT_SPOTIFY_MAX_TOKENS; i++) {
        snprintf(client, sizeof(client), "client %d", i); /* more than are remembered */
        assert_non_null(lt_spotify_token_issue(tokens, lt_slice_str(client), 9));
    }
    assert_int_equal(lt_spotify_token_check(tokens, lt_slice_str(first), 0, &slot),
                     LT_SPOTIFY_TOKEN_GOOD);
    assert_non_null(lt_spotify_token_issue(tokens, LT_LIT("b"), 9));
    assert_int_equal(lt_spotify_token_check(tokens, lt_slice_str(first), 0, &slot),
                     LT_SPOTIFY_TOKEN_WRONG);
    assert_int_equal(lt_spotify_token_check(tokens, lt_slice_str(second), 0, &slot),
                     LT_SPOTIFY_TOKEN_GOOD);
    lt_spotify_tokens_expire(tokens);
    assert_int_equal(lt_spotify_token_check(tokens, lt_slice_str(second), 0, &slot),
                     LT_SPOTIFY_TOKEN_EXPIRED);
    lt_spotify_tokens_free(tokens);
}

/* However the requests come, no window holds more than the rate allows, and who waits as long as
 * was told has room again. */
static void a_rate_holds_for_every_window(void **state) {
    enum { N = 5, WINDOW_US = 3000 * 1000, N_REQUESTS = 4000 };
    struct lt_spotify_tokens *tokens = lt_spotify_tokens_new();
    const struct lt_spotify_rate rate = {N, WINDOW_US / 1000};
    int64_t *taken = calloc(N_REQUESTS, sizeof(*taken)), now_us = 0;
    const char *token = lt_spotify_token_issue(tokens, LT_LIT("me"), INT64_MAX);
    size_t n = 0;
    unsigned slot;

    (void)state;
    assert_int_equal(lt_spotify_token_check(tokens, lt_slice_str(token), 0, &slot), 0);
    for (uint64_t i = 0; i < N_REQUESTS; i++) {
        now_us += (int64_t)(lt_spotify_hash(i, &i, sizeof(i)) % (WINDOW_US / 8));
        int64_t wait_ms = lt_spotify_rate_take(tokens, slot, &rate, now_us);
        assert_in_range(wait_ms, 0, WINDOW_US / 1000 + WINDOW_US / 1000 / 30 + 2);
        if (wait_ms > 0) {
            now_us += wait_ms * 1000;
            assert_int_equal(lt_spotify_rate_take(tokens, slot, &rate, now_us), 0);
        }
        taken[n++] = now_us;
        if (n > N)
            assert_true(taken[n - 1] - taken[n - 1 - N] >= WINDOW_US);
    }
    lt_spotify_rate_forget(tokens);
    for (int i = 0; i < N; i++)
        assert_int_equal(lt_spotify_rate_take(tokens, slot, &rate, now_us), 0);
    assert_true(lt_spotify_rate_take(tokens, slot, &rate, now_us) > 0);
    assert_int_equal(lt_spotify_rate_take(tokens, slot, &(struct lt_spotify_rate){-1, 0}, now_us),
                     0);
    free(taken);
    lt_spotify_tokens_free(tokens);
}

/* Settings */

static void settings_are_read_from_a_list(void **state) {
    struct lt_spotify_settings settings = lt_spotify_settings_default;
    struct leat_error err;

    (void)state;
    assert_int_equal(lt_spotify_settings_read(
                         &settings,
                         LT_LIT("latency=20ms,errors=5%,truncate=0.02,throttle=1%,retry_after=1s,"
                                "expire=1m,mode=development,rate=10/30s,quota=7,seed=3"),
                         &err),
                     LEAT_OK);
    assert_int_equal(settings.latency_ms, 20);
    assert_true(settings.errors > 0.0499 && settings.errors < 0.0501);
    assert_true(settings.truncate > 0.0199 && settings.truncate < 0.0201);
    assert_int_equal(settings.expire_ms, 60000);
    assert_int_equal(settings.mode, LT_SPOTIFY_DEVELOPMENT);
    assert_int_equal(settings.rate.n, 10);
    assert_int_equal(settings.rate.window_ms, 30000);
    assert_int_equal(settings.quota, 7);
    assert_int_equal(settings.seed, 3);
    assert_int_equal(lt_spotify_settings_read(&settings, LT_LIT("rate=none,quota=none"), &err),
                     LEAT_OK);
    assert_int_equal(settings.rate.n, -1);
    assert_int_equal(settings.quota, -1);
    assert_int_equal(lt_spotify_settings_read(&settings, LT_LIT(""), &err), LEAT_OK);
}

static void a_bad_setting_is_refused_and_changes_nothing(void **state) {
    static const char *const bad[] = {
        "latency",
        "latency=",
        "latency=1y",
        "errors=1.5",
        "errors=0x1p-3",
        "errors=5%%",
        "errors=%",
        "expire=0",
        "rate=1/1/1",
        "rate=99999999999999999/1s",
        "mode=x",
        "quota=99999999999999999999",
        ",",
        "=",
        "x=y",
        "errors=5 %",
    };
    struct lt_spotify_settings settings = lt_spotify_settings_default;
    struct leat_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(lt_spotify_settings_read(&settings, lt_slice_str(bad[i]), &err),
                         LEAT_E_INVALID);
        assert_memory_equal(&settings, &lt_spotify_settings_default, sizeof(settings));
    }
    assert_int_equal(lt_spotify_settings_read(&settings, LT_LIT("letency=1s"), &err),
                     LEAT_E_INVALID);
    assert_non_null(strstr(err.text, "did you mean latency?"));
}

/* Counts */

static void pages_are_counted_up_to_a_bound(void **state) {
    struct lt_spotify_pages pages;
    char name[32];

    (void)state;
    lt_spotify_pages_init(&pages);
    for (int round = 1; round <= 2; round++)
        for (int i = 0; i < LT_SPOTIFY_MAX_PAGES; i++) {
            snprintf(name, sizeof(name), "/page/%d", i);
            struct lt_spotify_page_count *count = lt_spotify_page_find(&pages, lt_slice_str(name));
            assert_non_null(count);
            assert_int_equal(++count->given, round);
        }
    assert_int_equal(pages.n, LT_SPOTIFY_MAX_PAGES);
    assert_null(lt_spotify_page_find(&pages, LT_LIT("/one/more")));
    lt_spotify_pages_deinit(&pages);
    assert_int_equal(lt_spotify_page_find(&pages, LT_LIT("/page/1"))->given, 0);
    lt_spotify_pages_deinit(&pages);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_an_id_leads_back_to_its_album),
        cmocka_unit_test(the_last_id_is_followed_by_the_first),
        cmocka_unit_test(what_is_no_id_is_told),
        cmocka_unit_test(the_tracks_of_an_album_lie_together),
        cmocka_unit_test(a_token_is_good_until_it_expires),
        cmocka_unit_test(the_oldest_token_gives_way),
        cmocka_unit_test(a_rate_holds_for_every_window),
        cmocka_unit_test(settings_are_read_from_a_list),
        cmocka_unit_test(a_bad_setting_is_refused_and_changes_nothing),
        cmocka_unit_test(pages_are_counted_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
