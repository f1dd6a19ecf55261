/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_HTTP_TRANSFER_H
#define LT_HTTP_TRANSFER_H

#include "http/client.h"
#include "http/curl.h"

/**
 * One request on one easy handle: what the loop's client and the blocking call have in common.
 * It must not move between prepare and deinit, for the handle points into it.
 */
struct lt_http_transfer {
    const struct lt_curl *curl;
    CURL *easy; /**< borrowed */
    struct curl_slist *headers;
    struct lt_http_answer answer;
    int64_t total_timeout_ms;
    int64_t connect_timeout_ms;
    size_t max_answer_bytes;
    unsigned n_signs; /**< of life, since the connection stands: who sees none for long gives up */
    bool over_limit;
    bool over_header_limit;
    char error[CURL_ERROR_SIZE];
};

/**
 * Sets `easy` up for `call`. Release with lt_http_transfer_deinit(), also after failure; `easy`
 * must not be used after that without a reset.
 * Errors: LEAT_E_INVALID for what is no http URL or no header line; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_http_transfer_init(struct lt_http_transfer *transfer,
                                                  const struct lt_curl *curl, CURL *easy,
                                                  const struct lt_http_call *call,
                                                  struct leat_error *err);

/** Reads off what became of it; `code` is libcurl's result. */
LEAT_MUST_CHECK leat_status lt_http_transfer_finish(struct lt_http_transfer *transfer,
                                                    CURLcode code, struct leat_error *err);

void lt_http_transfer_deinit(struct lt_http_transfer *transfer);

#endif
