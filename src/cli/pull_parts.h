/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_CLI_PULL_PARTS_H
#define LT_CLI_PULL_PARTS_H

#include "pipeline/pull.h"

#include <stdio.h>

/* What `leat pull` shows while it works (pull_progress.c) and at its end (pull_summary.c). `ctx` is
 * a struct lt_cli_pull_progress. */

struct lt_cli_pull_progress {
    bool line;    /**< one line that changes, on a terminal */
    bool log;     /**< log lines, now and then */
    bool verbose; /**< each request */
    bool quiet;
    bool shown;           /**< a line stands there */
    int64_t logged_ms;    /**< when the last log line was written */
    int64_t wait_told_ms; /**< the end of the last wait that was told */
};

void lt_cli_pull_show(void *ctx, const struct lt_pull_stat *stat);
void lt_cli_pull_note(void *ctx, enum lt_rest_note note, const char *text, int64_t until_ms);
void lt_cli_pull_clear(struct lt_cli_pull_progress *progress); /**< takes the line away */

void lt_cli_pull_summary_text(FILE *out, const struct lt_pull_stat *stat);
void lt_cli_pull_summary_json(FILE *out, const struct lt_pull_stat *stat);
/** Share of the work that is done, from what the API told of its totals; below 0: not known. */
double lt_cli_pull_share(const struct lt_pull_stat *stat);

#endif
