/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_SCRIPT_H
#define LT_TEST_SCRIPT_H

#include "peer.h"

/*
 * A peer that plays a dialogue: what it is asked must be what each line expects, in order, and it
 * answers what the line says. Signed requests are expected.
 */
struct script_line {
    const char *ask;  /**< the operation of X-Amz-Target, or "METHOD /target" */
    const char *with; /**< found in the body (or in the head, after "head:"); or NULL */
    unsigned status;  /**< 0: the connection is closed without an answer */
    const char *answer;
    const char *headers; /**< lines that end with CRLF, or NULL */
};

struct script {
    struct peer *peer;
    const struct script_line *lines;
    unsigned n_lines;
    unsigned n_played; /**< by the connections' threads, one request at a time */
    char wrong[1024];  /**< the first thing that went wrong, or "" */
};

/** At `unix_socket` unless it is NULL. The last line has a NULL `ask`. */
void script_start(struct script *script, const char *unix_socket, const struct script_line *lines);
/** Fails the test when something was asked that was not expected, or not all lines were played. */
void script_end(struct script *script);

#endif
