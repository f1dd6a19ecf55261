/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_AWS_INI_H
#define LT_AWS_INI_H

#include "base/error.h"
#include "base/slice.h"

/** A setting of a shared file, as the reader meets it. The slices live during the call. */
struct lt_ini_setting {
    struct lt_slice section; /**< what stands between the brackets */
    struct lt_slice parent;  /**< the setting that this one is nested under, or empty */
    struct lt_slice key;     /**< empty for a line that continues the value of `parent` */
    struct lt_slice value;
    unsigned line;
};

struct lt_ini_visitor {
    void *ctx;
    void (*on_section)(void *ctx, struct lt_slice section);
    leat_status (*on_setting)(void *ctx, const struct lt_ini_setting *setting,
                              struct leat_error *err);
};

/**
 * Reads a file of the AWS CLI's kind: `[section]`, `key = value`, comment lines that start with #
 * or ;, and settings indented below a `key =` without a value.
 *
 * Errors: LEAT_E_NOT_FOUND when it is not there; LEAT_E_CONFIG with the line, never with its text
 * (it may hold a secret).
 */
LEAT_MUST_CHECK leat_status lt_ini_read(const char *path, const struct lt_ini_visitor *visitor,
                                        struct leat_error *err);

#endif
