/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request, waited for. Each thread keeps one easy handle, and with it
 * the connections of its earlier requests, until the thread ends.
 */
#include "http/transfer.h"

#include <pthread.h>

static pthread_key_t handle_key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static const struct lt_curl *loaded; /* set before the first handle is made */

static void free_handle(void *easy) {
    loaded->easy_cleanup(easy);
}

static void make_key(void) {
    struct leat_error err;
    if (lt_curl_load(&loaded, &err) == LEAT_OK && pthread_key_create(&handle_key, free_handle) != 0)
        loaded = NULL;
}

/* The calling thread's handle, as new but for its connections. */
static CURL *thread_handle(void) {
    CURL *easy = pthread_getspecific(handle_key);
    if (easy) {
        loaded->easy_reset(easy);
        return easy;
    }
    easy = loaded->easy_init();
    if (easy && pthread_setspecific(handle_key, easy) != 0) {
        loaded->easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

leat_status lt_http_fetch(const struct lt_http_call *call, struct lt_http_answer *answer,
                          struct leat_error *err) {
    const struct lt_curl *curl;
    struct lt_http_transfer transfer;

    memset(answer, 0, sizeof(*answer));
    leat_status status = lt_curl_load(&curl, err);
    if (status != LEAT_OK)
        return status;
    pthread_once(&key_once, make_key);
    CURL *easy = loaded ? thread_handle() : NULL;
    if (!easy)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a request");

    status = lt_http_transfer_init(&transfer, curl, easy, call, err);
    if (status == LEAT_OK)
        status = lt_http_transfer_finish(&transfer, curl->easy_perform(easy), err);
    if (status == LEAT_OK) {
        *answer = transfer.answer;
        memset(&transfer.answer, 0, sizeof(transfer.answer));
    }
    curl->easy_reset(easy); /* it must not point into `transfer` any longer */
    lt_http_transfer_deinit(&transfer);
    return status;
}
