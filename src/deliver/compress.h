/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_DELIVER_COMPRESS_H
#define LT_DELIVER_COMPRESS_H

#include "base/buf.h"
#include "deliver/delivery.h"

/** A row of the table of compressions. */
struct lt_compressor {
    enum lt_compression kind;
    const char *name;             /**< as Firehose spells it, or would: "GZIP" */
    bool in_firehose;             /**< Firehose's API knows it */
    const char *content_encoding; /**< of the object, or NULL */
    const char *suffix;           /**< what Firehose adds to a key without a file extension */
    /** Compresses whole: the same bytes in, the same bytes out. NULL: bytes stay as they are.
     * `out` is empty with a maximum. Errors: LEAT_E_NOMEM;
     * LEAT_E_UNSUPPORTED where its library is absent. */
    leat_status (*run)(struct lt_slice in, struct lt_buf *out, struct leat_error *err);
};

/** The row of a compression; never NULL for a member of the enum. */
const struct lt_compressor *lt_compressor_of(enum lt_compression kind);

/** The row of that name, or NULL: also of those that Firehose does not know. */
const struct lt_compressor *lt_compressor_find(struct lt_slice name);

#endif
