/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_MESSAGE_H
#define LT_REST_MESSAGE_H

#include "base/slice.h"

/** What an API says of an error, on one line; both may be "". */
struct lt_rest_message {
    char text[256];
    char code[64]; /**< its own word for it: "invalid_client", "QUOTA_EXCEEDED" */
};

/**
 * Finds the message in the shapes in use: {"error":{"message"}}, {"error":"…",
 * "error_description"}, {"message"}, {"errors":[{"message"|"detail"}]}, RFC 9457's title and
 * detail, the title of an HTML page, plain text. Secrets are the caller's to mask.
 */
void lt_rest_message_find(struct lt_rest_message *out, struct lt_slice body);

#endif
