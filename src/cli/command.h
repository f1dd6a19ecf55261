/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_CLI_COMMAND_H
#define LT_CLI_COMMAND_H

#include "base/error.h"
#include "pipeline/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A command is data: its row in the table of main.c names a struct lt_command, whose option rows
 * make the parser, `leat COMMAND --help` and the man page.
 */

/** What the program ends with; documented in `leat --help`. */
enum lt_exit {
    LT_EXIT_OK = 0,
    LT_EXIT_FAILED = 1,       /**< something went wrong while working */
    LT_EXIT_USAGE = 2,        /**< the command line or the file is wrong; nothing was done */
    LT_EXIT_PARTIAL = 3,      /**< done, but some records were skipped or failed */
    LT_EXIT_INTERRUPTED = 130 /**< stopped by Ctrl-C or SIGTERM before it was done */
};

enum lt_option_type {
    LT_OPTION_FLAG,     /**< bool; "--no-NAME" sets it false */
    LT_OPTION_STRING,   /**< const char * */
    LT_OPTION_UINT,     /**< uint64_t */
    LT_OPTION_BYTES,    /**< uint64_t, "5MiB" */
    LT_OPTION_DURATION, /**< int64_t milliseconds, "60s" */
    LT_OPTION_CHOICE,   /**< int: index into `choices` */
    LT_OPTION_PAIRS,    /**< struct lt_option_pairs: takes two words, may come again */
};

/** What was given to an option that takes a name and a value, in order. */
struct lt_option_pairs {
    size_t n;
    const char *names[64];
    const char *values[64];
};

struct lt_option {
    const char *name; /**< without "--"; NULL ends a table */
    char letter;      /**< or 0 */
    enum lt_option_type type;
    const char *arg;            /**< what the value is called in help; NULL for a flag */
    size_t offset;              /**< of the member in the command's values */
    const char *help;           /**< one line; the default in words where there is one */
    const char *const *choices; /**< CHOICE: ended by NULL */
    const char *env;            /**< an environment variable that gives the default, or NULL */
};

/** First member of every command's values: the options that every command has. */
struct lt_common {
    bool help;
    bool quiet;
    bool verbose;
    const char *data;         /**< --data, LEAT_DATA */
    const char *endpoint_url; /**< --endpoint-url */
    const char *region;       /**< --region */
    const char *profile;      /**< --profile */
    const char *target;       /**< --target, LEAT_TARGET: "embedded" (default) or "aws" */
    int log_format;           /**< 0 text, 1 json */
};

struct lt_command {
    const char *name;
    const char *summary;     /**< one line for `leat --help` */
    const char *usage;       /**< "STREAM [JSON|@FILE|-]" */
    const char *description; /**< paragraphs for --help */
    const char *examples;    /**< lines for --help */
    const struct lt_option
        *options;         /**< its own, beside the common ones; ended by a NULL name; may be NULL */
    size_t values_size;   /**< sizeof its values struct, whose first member is struct lt_common */
    const void *defaults; /**< an initialised values struct, or NULL for all zero */
    size_t min_args, max_args; /**< positional arguments */
    int (*run)(const void *values, const char *const *args, size_t n_args); /**< an lt_exit */
};

/* Rows: one file a command. */
extern const struct lt_command lt_command_serve, lt_command_put, lt_command_tail, lt_command_up,
    lt_command_down, lt_command_check, lt_command_test, lt_command_run, lt_command_ls,
    lt_command_checkpoint, lt_command_replay, lt_command_pull, lt_command_eval;

/** The table of commands (main.c), ended by NULL. */
extern const struct lt_command *const lt_commands[];

/** The options that every command has, ended by a NULL name. */
extern const struct lt_option lt_common_options[];

/**
 * Reads a command line into `values` (values_size bytes, already holding the defaults) and `args`
 * (room for argc). "--" ends the options; "-" is an argument; "-n5", "-n 5", "--max=5" and "--max
 * 5" are the same.
 *
 * Errors: LEAT_E_INVALID with the nearest valid word.
 */
LEAT_MUST_CHECK leat_status lt_command_parse(const struct lt_command *command, int argc,
                                             char *const *argv, void *values, const char **args,
                                             size_t *n_args, struct leat_error *err);

/** `leat --help`, and `leat COMMAND --help`. */
void lt_help_program(FILE *out);
void lt_help_command(FILE *out, const struct lt_command *command);
/** The man page of a command, or with NULL of the program, in man(7) form. */
void lt_help_man(FILE *out, const struct lt_command *command);

/** --log-format json: what goes wrong is a line of the log, too. */
bool lt_cli_logs_json(void);
/** Prints "leat COMMAND: text" (with file, line and column where the error has them) on stderr, or
 * a line of the log with --log-format json, and gives the exit code that fits: LT_EXIT_USAGE for
 * LEAT_E_CONFIG, else LT_EXIT_FAILED. */
int lt_cli_fail(const char *command, const struct leat_error *err);

/** What target.h needs from the common options. */
struct lt_target_options lt_cli_target_options(const struct lt_common *common);

/** True when colours may be used on `file`: a terminal, NO_COLOR unset, TERM not "dumb". */
bool lt_cli_colour(FILE *file);

#endif
