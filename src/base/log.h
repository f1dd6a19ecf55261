/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_LOG_H
#define LT_BASE_LOG_H

#include "base/error.h"

#include <stddef.h>

enum lt_log_level { LT_LOG_ERROR, LT_LOG_WARN, LT_LOG_INFO, LT_LOG_DEBUG };
enum lt_log_format { LT_LOG_TEXT, LT_LOG_JSON };

/**
 * Where lines go, from which level, and how. `write` gets one whole line with
 * its line end; without it nothing is logged, which is the state at start.
 * Call it before threads start.
 */
void lt_log_setup(enum lt_log_level level, enum lt_log_format format,
                  void (*write)(const char *line, size_t len));

/**
 * Logs one line: time, level, `area` (the room: "engine", "delivery") and the
 * text. Never give it a secret.
 *
 * Thread: any.
 */
void lt_log(enum lt_log_level level, const char *area, const char *fmt, ...) LEAT_PRINTF(3, 4);

#endif
