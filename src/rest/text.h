/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_REST_TEXT_H
#define LT_REST_TEXT_H

#include "expr/query.h"
#include "rest/api.h"

/*
 * A text of a resource, compiled: literal parts, and jq expressions asked of the parent's record.
 * It is filled in two steps, so that the values can be kept in a position when the parent's record
 * is gone: first each expression gives one value, then the values are written where they go.
 */
struct lt_rest_template;

/** Where the text goes, which is how its values are written. A value that is null is an error in
 * all of them. */
enum lt_rest_text_kind {
    /** Percent-encoded; no object or array, not empty, and no "." or "..", which would climb. Where
     * the text begins with an expression that gives an http or https URL, that stands as it is. */
    LT_REST_PATH,
    /** Text as it is; objects and arrays as JSON. The URL's writer encodes it. */
    LT_REST_PARAM,
    /** The same, without line ends. */
    LT_REST_HEADER,
    /** The text is JSON, and its strings are the templates. A string that is one expression and no
     * more becomes that value itself ("{.n}" of a number is a number), any other keeps its quotes.
     */
    LT_REST_BODY,
};

/**
 * Compiles. `where` ("path", "params.q") and the resource's name are for errors, and copied.
 *
 * Owns:   on LEAT_OK the caller owns `*out`; release it with lt_rest_template_free(). Nothing of
 *         `text` is kept.
 * Errors: LEAT_E_CONFIG with line and column; LEAT_E_UNSUPPORTED; LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_template_new(struct lt_rest_template **out,
                                                 const struct lt_rest_text *text,
                                                 enum lt_rest_text_kind kind, const char *resource,
                                                 const char *where, const struct lt_expr_var *vars,
                                                 size_t n_vars, struct leat_error *err);
void lt_rest_template_free(struct lt_rest_template *template);

/** How many expressions stand in it. */
size_t lt_rest_template_n_values(const struct lt_rest_template *template);

/**
 * Asks each expression of `parent` (validated) for its one value: `values` has room for all. They
 * are views of the parent, or the arena's.
 * Errors: LEAT_E_INVALID naming expression and resource, for no value, several, or jq's own error.
 */
LEAT_MUST_CHECK leat_status lt_rest_template_ask(struct lt_rest_template *template,
                                                 struct lt_json parent, struct lt_json *values,
                                                 struct lt_arena *arena, struct leat_error *err);

/**
 * Appends the text with the values in it.
 * Errors: LEAT_E_INVALID naming expression and resource, for a value that cannot stand there;
 *         LEAT_E_NOMEM.
 */
LEAT_MUST_CHECK leat_status lt_rest_template_render(const struct lt_rest_template *template,
                                                    const struct lt_json *values,
                                                    struct lt_buf *out, struct leat_error *err);

/** The text with its expressions as they were written, for people. */
void lt_rest_template_describe(const struct lt_rest_template *template, struct lt_buf *out);

#endif
