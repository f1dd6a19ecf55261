/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_CLI_FILE_H
#define LT_CLI_FILE_H

#include "cli/command.h"
#include "pipeline/plan.h"
#include "pipeline/system.h"

/* What the commands that take a FILE share. */

/**
 * Loads `path`; problems go to standard error, each with its place, its line and a caret. Returns
 * LT_EXIT_OK, or the exit code to end with; lt_system_deinit(out) is the caller's in any case.
 */
int lt_cli_load(const char *command, const char *path, struct lt_system *out);

/** The problems as `FILE:LINE:COLUMN: text` lines; on a terminal each with its line of the file. */
void lt_cli_print_problems(FILE *out, const struct lt_system *system,
                           const struct lt_problems *problems);

/** "3 streams, 1 bucket, …": what a file holds. Returns `out`. */
char *lt_cli_summary(const struct lt_system *system, char out[160]);

/** Resources of all sources; tests of all pipelines and resources. */
size_t lt_cli_count_resources(const struct lt_system *system);
size_t lt_cli_count_tests(const struct lt_system *system);

/** "1 record", "20,000 records". Returns `out`. */
char *lt_cli_count(uint64_t n, const char *noun, char out[64]);

/** Prints the page of that name ("file", "schema"); false when there is none. */
bool lt_help_topic(FILE *out, const char *name);

/** One line: what is or was done with the item ("+ stream sessions (4 shards)"). */
void lt_cli_print_item(FILE *out, const struct lt_plan_item *item);
/** The plan as one JSON object on a line of its own; an exit code. */
int lt_cli_print_plan_json(FILE *out, const char *command, const struct lt_plan *plan);

#endif
