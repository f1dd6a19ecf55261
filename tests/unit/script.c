/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

static bool is_asked(const struct script_line *line, const struct peer_request *request) {
    char target[128] = "", asked[2200];
    const char *dot;
    if (peer_header(request, "X-Amz-Target", target, sizeof(target)) && (dot = strchr(target, '.')))
        snprintf(asked, sizeof(asked), "%s", dot + 1);
    else
        snprintf(asked, sizeof(asked), "%s %s", request->method, request->target);
    if (strcmp(asked, line->ask) != 0)
        return false;
    if (!line->with)
        return true;
    return strncmp(line->with, "head:", 5) == 0 ? strstr(request->head, line->with + 5) != NULL
                                                : strstr(request->body, line->with) != NULL;
}

static bool is_signed(const struct peer_request *request) {
    char text[2048], date[32];
    return peer_header(request, "Authorization", text, sizeof(text)) &&
           strstr(text, "AWS4-HMAC-SHA256 Credential=") && strstr(text, "Signature=") &&
           peer_header(request, "X-Amz-Date", date, sizeof(date));
}

static bool play(void *ctx, const struct peer_request *request, int fd) {
    struct script *script = ctx;
    pthread_mutex_lock(&mu);
    const struct script_line *line =
        script->n_played < script->n_lines ? &script->lines[script->n_played] : NULL;
    if (!script->wrong[0] && (!line || !is_asked(line, request) || !is_signed(request)))
        snprintf(script->wrong, sizeof(script->wrong), "line %u (%s): was asked\n%.300s%.300s",
                 script->n_played, line ? line->ask : "the end", request->head, request->body);
    bool right = line && !script->wrong[0];
    script->n_played++;
    pthread_mutex_unlock(&mu);
    if (!right) {
        peer_answer(fd, 418, "", "not in the script");
        return false;
    }
    if (!line->status)
        return false;
    if (strcmp(request->method, "HEAD") == 0) { /* its answer is headers alone */
        char text[1024];
        int len = snprintf(text, sizeof(text), "HTTP/1.1 %u Status\r\n%s\r\n", line->status,
                           line->headers ? line->headers : "Content-Length: 0\r\n");
        peer_send(fd, text, (size_t)len);
        return true;
    }
    peer_answer(fd, line->status, line->headers ? line->headers : "",
                line->answer ? line->answer : "");
    return true;
}

void script_start(struct script *script, const char *unix_socket, const struct script_line *lines) {
    memset(script, 0, sizeof(*script));
    script->lines = lines;
    while (lines[script->n_lines].ask)
        script->n_lines++;
    script->peer = peer_start(unix_socket, play, script);
}

void script_end(struct script *script) {
    peer_stop(script->peer);
    assert_string_equal(script->wrong, "");
    assert_int_equal(script->n_played, script->n_lines);
}
