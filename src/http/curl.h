/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_HTTP_CURL_H
#define LT_HTTP_CURL_H

#include "base/error.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/** The functions of libcurl that the client uses; filled in once, at first use. */
struct lt_curl {
    typeof(curl_global_init) *global_init;
    typeof(curl_easy_init) *easy_init;
    typeof(curl_easy_setopt) *easy_setopt;
    typeof(curl_easy_getinfo) *easy_getinfo;
    typeof(curl_easy_perform) *easy_perform;
    typeof(curl_easy_reset) *easy_reset;
    typeof(curl_easy_cleanup) *easy_cleanup;
    typeof(curl_easy_strerror) *easy_strerror;
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
    typeof(curl_multi_init) *multi_init;
    typeof(curl_multi_setopt) *multi_setopt;
    typeof(curl_multi_add_handle) *multi_add_handle;
    typeof(curl_multi_remove_handle) *multi_remove_handle;
    typeof(curl_multi_socket_action) *multi_socket_action;
    typeof(curl_multi_assign) *multi_assign;
    typeof(curl_multi_info_read) *multi_info_read;
    typeof(curl_multi_cleanup) *multi_cleanup;
    typeof(curl_multi_strerror) *multi_strerror;
};

/**
 * The library, loaded and initialised by the first caller; it stays for the life of the process.
 *
 * Thread: any.
 * Errors: LEAT_E_UNSUPPORTED when it cannot be loaded (the same to every caller).
 */
LEAT_MUST_CHECK leat_status lt_curl_load(const struct lt_curl **out, struct leat_error *err);

#endif
