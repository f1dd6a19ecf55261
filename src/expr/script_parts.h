/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_SCRIPT_PARTS_H
#define LT_EXPR_SCRIPT_PARTS_H

#include "expr/remote.h"
#include "expr/script.h"
#include "expr/vm.h"
#include "json/feed.h"

/* What the files of a script share. */

struct lt_script {
    struct lt_script_options opt; /* immutable after new */
    struct lt_arena config;
    struct lt_tree_part part;
    bool copies; /* inputs outlive the next one */
    bool styled;

    const struct lt_script_io *io; /* of the run */
    struct lt_script_result *result;
    bool prompt; /* outputs are written before a read may wait */
    bool opened; /* there is an input at work */
    struct lt_json_feed feed;
    uint64_t value_line;
    struct lt_doc doc;
    struct lt_arena memory;
    struct lt_vm vm;
    struct lt_buf out;
    bool asked;         /* the value at work asked for further inputs */
    leat_status status; /* of reading or writing within a run of the evaluator */
    struct leat_error err;

    struct lt_remote *remote; /* NULL until it is needed */
};

struct lt_script_sink {
    struct lt_sink sink;
    struct lt_script *script;
};

leat_status lt_script_flush(struct lt_script *s, struct leat_error *err);
leat_status lt_script_print(struct lt_script *s, struct lt_val v, struct leat_error *err);
/** The next input; `*more` is false at the end of the last file. */
leat_status lt_script_next(struct lt_script *s, struct lt_val *out, bool *more,
                           struct leat_error *err);
/** An error that the value at work raised. */
void lt_script_complain(struct lt_script *s, struct lt_val error);

/** Runs one value through libjq, all but its first `n_done` outputs, which are printed. */
leat_status lt_script_run_libjq(struct lt_script *s, struct lt_val input, uint64_t n_done,
                                struct leat_error *err);

#endif
