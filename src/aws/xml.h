/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_XML_H
#define LT_AWS_XML_H

#include "base/error.h"
#include "base/slice.h"

/**
 * What a document is made of, in its order. `path` is the names from the root down, as in
 * "ListBucketResult/Contents/Key", without prefixes of name spaces. A status other than LEAT_OK
 * ends the reading with it.
 */
struct lt_xml_visitor {
    void *ctx;
    /** An element that holds no other has ended; `text` is its own, and lives during the call. */
    leat_status (*on_leaf)(void *ctx, const char *path, struct lt_slice text,
                           struct leat_error *err);
    /** An element that holds others has ended. May be NULL. */
    leat_status (*on_end)(void *ctx, const char *path, struct leat_error *err);
};

/**
 * Reads one XML document, by libexpat, loaded at first use. A document type is refused, and with it
 * entities of its own.
 *
 * Thread: any.
 * Errors: LEAT_E_PARSE with the line; LEAT_E_LIMIT deeper than 16 or text over 1 MiB;
 *         LEAT_E_UNSUPPORTED without libexpat; what the visitor returned.
 */
LEAT_MUST_CHECK leat_status lt_xml_read(struct lt_slice xml, const struct lt_xml_visitor *visitor,
                                        struct leat_error *err);

#endif
