/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, opened when the first request is made: a `leat serve` without clients
 * of its own never pays for it. Loading and curl_global_init() happen once for
 * the process, whichever thread comes first; a failure is kept and told again.
 */
#include "http/curl.h"

#include "base/dylib.h"

#include <pthread.h>

static struct lt_curl curl;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static leat_status load_status;      /* immutable after `once` */
static struct leat_error load_error; /* immutable after `once` */

static const struct lt_dylib_symbol symbols[] = {
    {"curl_global_init", &curl.global_init},
    {"curl_easy_init", &curl.easy_init},
    {"curl_easy_setopt", &curl.easy_setopt},
    {"curl_easy_getinfo", &curl.easy_getinfo},
    {"curl_easy_perform", &curl.easy_perform},
    {"curl_easy_reset", &curl.easy_reset},
    {"curl_easy_cleanup", &curl.easy_cleanup},
    {"curl_easy_strerror", &curl.easy_strerror},
    {"curl_slist_append", &curl.slist_append},
    {"curl_slist_free_all", &curl.slist_free_all},
    {"curl_multi_init", &curl.multi_init},
    {"curl_multi_setopt", &curl.multi_setopt},
    {"curl_multi_add_handle", &curl.multi_add_handle},
    {"curl_multi_remove_handle", &curl.multi_remove_handle},
    {"curl_multi_socket_action", &curl.multi_socket_action},
    {"curl_multi_assign", &curl.multi_assign},
    {"curl_multi_info_read", &curl.multi_info_read},
    {"curl_multi_cleanup", &curl.multi_cleanup},
    {"curl_multi_strerror", &curl.multi_strerror},
};

static void load(void) {
    load_status = lt_dylib_open("libcurl.so.4", "libcurl4", symbols,
                                sizeof(symbols) / sizeof(symbols[0]), &load_error);
    if (load_status != LEAT_OK)
        return;
    CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        load_status = lt_fail(&load_error, LEAT_E_UNSUPPORTED, 0, "libcurl cannot start: %s",
                              curl.easy_strerror(code));
}

leat_status lt_curl_load(const struct lt_curl **out, struct leat_error *err) {
    pthread_once(&once, load);
    *out = load_status == LEAT_OK ? &curl : NULL;
    if (load_status != LEAT_OK && err)
        *err = load_error;
    return load_status;
}
