/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_CLI_CHECKPOINT_PULL_H
#define LT_CLI_CHECKPOINT_PULL_H

#include "pipeline/pull.h"

/** `leat checkpoint show` and `reset` of a pipeline that pulls; `seek` is an error. */
LEAT_MUST_CHECK leat_status lt_cli_checkpoint_pull(const char *action, bool json, bool quiet,
                                                   struct lt_target *target,
                                                   const struct lt_system_pipeline *pipeline,
                                                   struct leat_error *err);

#endif
