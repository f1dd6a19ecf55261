/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_URL_H
#define LT_REST_URL_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * URLs as RFC 3986 has them, http and https only. What is not touched stays byte for byte: an API
 * that signs its `next` links gets them back as it gave them. All results are strings of the arena;
 * NULL is "no memory". No error text holds a URL: it may hold a secret.
 */

/** The parts of a URL, as views. */
struct lt_rest_url {
    struct lt_slice scheme;
    struct lt_slice user; /**< before '@', or empty */
    struct lt_slice host; /**< a v6 address with its brackets */
    struct lt_slice port; /**< or empty */
    struct lt_slice path; /**< empty, or begins with '/' */
    struct lt_slice query;
    struct lt_slice fragment;
    bool has_query; /**< a '?' stands there */
};

/** False for what is no absolute http or https URL. */
bool lt_rest_url_split(struct lt_slice text, struct lt_rest_url *url);
/** True when the text begins with "http://" or "https://". */
bool lt_rest_url_is_absolute(struct lt_slice text);

/** The same scheme, host and port (also where one says the default port). */
bool lt_rest_url_same_origin(struct lt_slice a, struct lt_slice b);
bool lt_rest_url_is_https(struct lt_slice url);

/** `path` beside `base`, whose own path stays: https://h/v1 and /albums is https://h/v1/albums.
 * Queries of both stay, the base's first. A `path` that is an absolute URL is the result. */
char *lt_rest_url_join(const char *base, struct lt_slice path, struct lt_arena *arena);

/**
 * A reference as seen from `base`, with its dot segments removed and without a fragment. What no
 * URL may hold (spaces, control characters, what is not ASCII) is percent-encoded. Errors:
 * LEAT_E_PARSE when that is no http or https URL; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_url_resolve(const char *base, struct lt_slice reference,
                                                struct lt_arena *arena, char **out,
                                                struct leat_error *err);

/** Sets a query parameter: where it stands (further ones of the name go), else at the end. */
char *lt_rest_url_set_param(const char *url, const char *name, struct lt_slice value,
                            struct lt_arena *arena);
char *lt_rest_url_remove_param(const char *url, const char *name, struct lt_arena *arena);
/** The decoded value of the first parameter of that name; `data` NULL when there is none. */
struct lt_slice lt_rest_url_param(const char *url, const char *name, struct lt_arena *arena);

/** Appends a value for one segment of a path, or for a query's name or value. */
void lt_rest_url_encode_path(struct lt_buf *out, struct lt_slice value);
void lt_rest_url_encode_query(struct lt_buf *out, struct lt_slice value);

/** Appends a URL's text with what no URL may hold percent-encoded. */
void lt_rest_url_append_clean(struct lt_buf *out, struct lt_slice text);

#endif
