/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_API_H
#define LT_REST_API_H

#include "expr/expr.h"

/*
 * What a file says of a REST API: plain data, filled in by the reader of the file and never changed
 * after. Every string lives as long as the whole; those of `auth` are secrets, as are all values in
 * `secrets`.
 */

/** A text with jq expressions in braces, evaluated on the parent's record: "/albums/{.id}/tracks".
 * "{{" and "}}" are braces (text_scan.h). In a resource without `for_each` the input is null. */
struct lt_rest_text {
    struct lt_expr_text source; /**< the whole text as written, with its place in the file */
};

struct lt_rest_param {
    const char *name;
    struct lt_rest_text value;
};

/** A row of the table of auths (auth.h) says what each reads of this. */
struct lt_rest_auth {
    const char *kind;      /**< "none", "api_key", "basic", "bearer", "oauth2_client_credentials",
                              "oauth2_refresh_token" */
    int in;                /**< api_key: 0 header, 1 query, 2 cookie */
    const char *name;      /**< api_key: of the header, parameter or cookie */
    const char *value;     /**< api_key */
    const char *username;  /**< basic */
    const char *password;  /**< basic; NULL: empty */
    const char *token;     /**< bearer */
    const char *token_url; /**< oauth2_* */
    const char *client_id; /**< oauth2_* */
    const char *client_secret; /**< oauth2_*; may be NULL for a public client's refresh */
    const char *refresh_token; /**< oauth2_refresh_token */
    const char *scope;         /**< or NULL */
    int credentials_in;        /**< oauth2_*: 0 form, 1 basic */
};

/** A row of the table of paginators (paginate.h) says what each reads of this. */
struct lt_rest_pagination {
    const char *kind; /**< "auto", "none", "offset", "page", "cursor", "next", "link" */
    int in; /**< offset, page, cursor: where the parameters are. 0: in the query, 1: in the body,
               where a name such as "page.after" is a path of members */
    const char *offset_param; /**< offset: "offset" */
    const char *limit_param;  /**< offset, page: "limit"; its value stands in the params */
    const char *page_param;   /**< page: "page" */
    int64_t first;            /**< offset: 0; page: the first page's number, 1 */
    struct lt_expr_text
        total; /**< offset, page: the number of records in all; data NULL: unknown */
    struct lt_expr_text pages; /**< page: the number of pages; data NULL: unknown */
    struct lt_expr_text next; /**< next: the URL; cursor: the cursor in the body; data NULL: none */
    const char *cursor_header; /**< cursor: a header of the answer instead of the body, or NULL */
    const char *cursor_param;  /**< cursor: where it goes in the next request */
    struct lt_expr_text more;  /**< cursor, page: false or null ends it; data NULL: not asked */
};

enum lt_rest_on_change { LT_REST_EVOLVE, LT_REST_FREEZE, LT_REST_DEAD_LETTER };
enum lt_rest_order { LT_REST_UNORDERED, LT_REST_ASCENDING, LT_REST_DESCENDING };

struct lt_rest_incremental {
    struct lt_expr_text
        field;                /**< of each record: a text or a number; data NULL: not incremental */
    const char *start;        /**< the cursor of the first run, or NULL */
    const char *param;        /**< the parameter that takes the cursor, or NULL */
    int in;                   /**< where: as in lt_rest_pagination */
    enum lt_rest_order order; /**< DESCENDING: a page all older than the cursor is the last one */
};

/** A recorded page and what must come of it. */
struct lt_rest_test {
    const char *name;     /**< or NULL */
    struct lt_slice page; /**< JSON: the body */
    int64_t n_records;    /**< -1: not checked */
    struct lt_slice
        first;        /**< JSON of the first record, or members of it; data NULL: not checked */
    const char *next; /**< the next request's URL, "" for none; NULL: not checked */
    unsigned line, column;
};

struct lt_rest_hint {
    unsigned status;  /**< an HTTP status */
    const char *text; /**< what to do about it */
};

struct lt_rest_resource {
    const char *name;
    struct lt_rest_text path; /**< beside base_url, or a URL of its own */
    const char *method;       /**< "GET" or "POST" */
    struct lt_rest_param *params, *headers;
    size_t n_params, n_headers;
    struct lt_rest_text body;    /**< POST: JSON; source.text.data NULL: none */
    struct lt_expr_text records; /**< the records of a page; data NULL: found by themselves */
    struct lt_rest_pagination pagination;
    size_t parent; /**< index of the resource whose records it is fetched for; SIZE_MAX: none */
    struct lt_expr_text *fields; /**< added to each record: jq on the parent's record, with
                                    `$resource` and `$fetched_at` */
    size_t n_fields;
    struct lt_rest_incremental incremental;
    const char **key; /**< fields that tell a record from others (Singer's key_properties) */
    size_t n_key;
    enum lt_rest_on_change on_change;
    bool on_request; /**< only pulled when it is asked for by name */
    struct lt_rest_hint *hints;
    size_t n_hints;
    struct lt_rest_test *tests;
    size_t n_tests;
    unsigned line, column;
};

struct lt_rest_api {
    const char *name;
    const char *base_url;
    struct lt_rest_auth auth;
    struct lt_rest_param *params, *headers; /**< of every request; "{{" is a brace, too, but no
                                               expressions */
    size_t n_params, n_headers;
    double rate_per_s;    /**< requests to one host; 0: not limited until it says 429 */
    unsigned concurrency; /**< requests under way at once: 1 to 64 */
    int64_t connect_timeout_ms, read_timeout_ms, total_timeout_ms;
    unsigned max_attempts;      /**< of one request, the first one counted */
    int64_t retry_after_cap_ms; /**< a longer Retry-After fails the run */
    uint64_t max_page_bytes;
    const char *ca_file; /**< of the certificates to trust beside the system's, or NULL */
    struct lt_rest_resource *resources; /**< a parent stands before its children */
    size_t n_resources;
    const char **secrets; /**< what no text may show: values that came from the environment for
                             auth, headers and params */
    size_t n_secrets;
    unsigned line, column;
};

#endif
