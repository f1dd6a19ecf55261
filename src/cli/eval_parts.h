/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_CLI_EVAL_PARTS_H
#define LT_CLI_EVAL_PARTS_H

#include "cli/command.h"
#include "expr/script.h"

/* What the files of `leat eval` share. */

struct lt_eval_values {
    struct lt_common common;
    bool raw, join, null_input, slurp, raw_input, compact, sort, ascii, tab, explain;
    bool exit_status;
    bool args, jsonargs; /* the words behind EXPR are values */
    uint64_t indent;
    const char *from_file;
    uint64_t memory_bytes;
    struct lt_option_pairs arg, argjson, slurpfile, rawfile;
};

/** The variables of a command line, and the text. */
struct lt_eval_args {
    struct lt_arena memory; /* owns all */
    struct lt_expr_var *vars;
    size_t n_vars;
    struct lt_slice text;
    const char *const *files;
    size_t n_files;
};

/**
 * Reads the command line. Release it with lt_eval_args_deinit(), also after a failure.
 * Errors: LEAT_E_INVALID, LEAT_E_PARSE, those of reading a file.
 */
LEAT_MUST_CHECK leat_status lt_eval_args_init(struct lt_eval_args *out,
                                              const struct lt_eval_values *values,
                                              const char *const *args, size_t n_args,
                                              struct leat_error *err);
void lt_eval_args_deinit(struct lt_eval_args *args);

/** Files or standard input, one after the other, and standard output. */
struct lt_eval_io {
    const char *const *files;
    size_t n_files, next;
    const char *name; /* of the one at work, for errors */
    int fd;
    bool missed; /* a file could not be read */
};
struct lt_script_io lt_eval_script_io(struct lt_eval_io *io);

#endif
