/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_BODY_H
#define LT_REST_BODY_H

#include "base/arena.h"
#include "json/json.h"

/*
 * Parameters that go into the JSON body of a POST instead of the query. A name is a path of
 * members: "page", "variables.after". Behind LT_REST_BODY_DEPTH members a dot is one of the name.
 */
enum { LT_REST_BODY_DEPTH = 8 };

/** The value at `path` in a body. False: there is none, or the body is no JSON. */
bool lt_rest_body_get(struct lt_slice body, const char *path, struct lt_json *value);

/**
 * Sets the value at `path` to `json`; all else stays byte for byte, and what is missing on the way
 * is made. An empty body is taken as `{}`. `*body` then lives in the arena.
 * Errors: LEAT_E_CONFIG for a body, or a member on the way, that is no object; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_body_set(struct lt_slice *body, const char *path,
                                             struct lt_slice json, struct lt_arena *arena,
                                             struct leat_error *err);

#endif
