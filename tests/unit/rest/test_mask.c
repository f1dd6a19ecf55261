/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rest/mask.h"

#include <stdio.h>

static struct lt_rest_mask *mask_of(const struct lt_rest_api *api) {
    struct lt_rest_mask *mask;
    struct leat_error err;
    assert_int_equal(lt_rest_mask_new(&mask, api, &err), LEAT_OK);
    return mask;
}

static void expect(const struct lt_rest_mask *mask, const char *text, const char *shown) {
    struct lt_buf out;
    struct lt_arena arena;
    lt_buf_init(&out, 4096);
    lt_rest_mask_append(mask, lt_slice_str(text), &out);
    assert_string_equal(lt_buf_cstr(&out), shown);
    lt_buf_deinit(&out);
    lt_arena_init(&arena, 1 << 20);
    assert_string_equal(lt_rest_mask_str(mask, lt_slice_str(text), &arena), shown);
    lt_arena_deinit(&arena);
    assert_int_equal(lt_rest_mask_hides(mask, lt_slice_str(text)), strcmp(text, shown) != 0);
}

static void a_secret_is_hidden_in_every_form_it_may_take(void **state) {
    const char *secrets[] = {"p@ss w\"rd/1"};
    struct lt_rest_api api = {.secrets = secrets, .n_secrets = 1};
    struct lt_rest_mask *mask = mask_of(&api);
    (void)state;
    expect(mask, "key=p@ss w\"rd/1;", "key=***;");
    expect(mask, "?key=p%40ss%20w%22rd%2F1&a=1", "?key=***&a=1");
    expect(mask, "?key=p%40ss%20w%22rd%2f1&a=1", "?key=***&a=1");
    expect(mask, "key=p%40ss+w%22rd%2F1", "key=***");
    expect(mask, "{\"key\":\"p@ss w\\\"rd/1\"}", "{\"key\":\"***\"}");
    expect(mask, "Basic cEBzcyB3InJkLzE=", "Basic ***");
    expect(mask, "p@ss w\"rd/2 is another", "p@ss w\"rd/2 is another");
    expect(mask, "", "");
    lt_rest_mask_free(mask);
}

static void all_that_an_auth_holds_is_a_secret(void **state) {
    struct lt_rest_api api = {.auth = {.value = "key-value",
                                       .username = "user-name",
                                       .password = "pass-word",
                                       .token = "bearer-token",
                                       .client_id = "client-ident",
                                       .client_secret = "client-secret",
                                       .refresh_token = "refresh-token",
                                       .scope = "read"}};
    struct lt_rest_mask *mask = mask_of(&api);
    (void)state;
    expect(mask,
           "key-value user-name pass-word bearer-token client-ident client-secret "
           "refresh-token read",
           "*** *** *** *** *** *** *** read");
    lt_rest_mask_free(mask);
}

static void the_longest_of_overlapping_secrets_is_hidden_whole(void **state) {
    const char *secrets[] = {"abcd", "abcdefgh"};
    struct lt_rest_api api = {.secrets = secrets, .n_secrets = 2};
    struct lt_rest_mask *mask = mask_of(&api);
    (void)state;
    expect(mask, "xabcdefghx abcdx abcdabcd", "x***x ***x ******");
    lt_rest_mask_free(mask);
}

static void a_short_secret_is_hidden_only_as_a_word(void **state) {
    const char *secrets[] = {"50", "", "x"};
    struct lt_rest_api api = {.secrets = secrets, .n_secrets = 3};
    struct lt_rest_mask *mask = mask_of(&api);
    (void)state;
    expect(mask, "?limit=50&offset=1500&n=150&x", "?limit=***&offset=1500&n=150&***");
    lt_rest_mask_free(mask);
}

static void the_user_part_of_a_url_is_hidden(void **state) {
    struct lt_rest_api api = {0};
    struct lt_rest_mask *mask = mask_of(&api);
    (void)state;
    expect(mask, "GET http://me:pw@x@host/a@b", "GET http://***@host/a@b");
    expect(mask, "http://host/a@b", "http://host/a@b");
    expect(mask, "://", "://");
    lt_rest_mask_free(mask);
}

static void tokens_are_hidden_as_they_come_and_only_the_last_are_kept(void **state) {
    struct lt_rest_api api = {0};
    struct lt_rest_mask *mask = mask_of(&api);
    struct leat_error err;
    char token[32];
    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(token, sizeof(token), "token-%02d", i);
        assert_int_equal(lt_rest_mask_add_token(mask, lt_slice_str(token), &err), LEAT_OK);
        assert_int_equal(lt_rest_mask_add_token(mask, lt_slice_str(token), &err), LEAT_OK);
    }
    expect(mask, "Bearer token-19, token-12, token-11", "Bearer ***, ***, token-11");
    lt_rest_mask_free(mask);
}

static void a_secret_without_bounds_is_refused(void **state) {
    struct lt_rest_api api = {0};
    struct lt_rest_mask *mask = mask_of(&api);
    struct leat_error err;
    static char huge[70000];
    (void)state;
    memset(huge, 'a', sizeof(huge));
    assert_int_equal(lt_rest_mask_add(mask, lt_slice(huge, sizeof(huge)), &err), LEAT_E_LIMIT);
    lt_rest_mask_free(mask);
    lt_rest_mask_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_hidden_in_every_form_it_may_take),
        cmocka_unit_test(all_that_an_auth_holds_is_a_secret),
        cmocka_unit_test(the_longest_of_overlapping_secrets_is_hidden_whole),
        cmocka_unit_test(a_short_secret_is_hidden_only_as_a_word),
        cmocka_unit_test(the_user_part_of_a_url_is_hidden),
        cmocka_unit_test(tokens_are_hidden_as_they_come_and_only_the_last_are_kept),
        cmocka_unit_test(a_secret_without_bounds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
