/* SPDX-License-Identifier: Apache-2.0 */
/* The Web API's error object. */
#include "engine/spotify/parts.h"

unsigned lt_spotify_error_reason(struct lt_spotify_call *call, unsigned status, const char *message,
                                 const char *reason) {
    struct lt_json_writer w;

    lt_buf_clear(&call->out);
    lt_json_writer_init(&w, &call->out);
    lt_json_begin_object(&w);
    lt_json_key(&w, "error");
    lt_json_begin_object(&w);
    lt_json_key(&w, "status");
    lt_json_put_uint(&w, status);
    lt_json_key(&w, "message");
    lt_json_put_str(&w, message);
    if (reason) {
        lt_json_key(&w, "reason");
        lt_json_put_str(&w, reason);
    }
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    return status;
}

unsigned lt_spotify_error(struct lt_spotify_call *call, unsigned status, const char *message) {
    return lt_spotify_error_reason(call, status, message, NULL);
}
