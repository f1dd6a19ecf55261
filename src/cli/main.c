/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and the way from argv to one of them. */
#include "base/log.h"
#include "base/units.h"
#include "cli/file.h"
#include "expr/remote.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGE_BYTES = 1 << 20 };

const struct lt_command *const lt_commands[] = {
    &lt_command_serve,  &lt_command_put,
    &lt_command_tail,   &lt_command_up,
    &lt_command_down,   &lt_command_check,
    &lt_command_test,   &lt_command_run,
    &lt_command_pull,   &lt_command_eval,
    &lt_command_ls,     &lt_command_checkpoint,
    &lt_command_replay, NULL,
};

static const struct lt_command *find_command(const char *name) {
    for (const struct lt_command *const *row = lt_commands; *row; row++) {
        if (strcmp((*row)->name, name) == 0)
            return *row;
    }
    return NULL;
}

static void write_log(const char *line, size_t len) {
    /* standard error may be closed; there is nobody left to tell */
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

static bool logs_json; /* set before the command runs */

bool lt_cli_logs_json(void) {
    return logs_json;
}

int lt_cli_fail(const char *command, const struct leat_error *err) {
    if (logs_json && err->line)
        lt_log(LT_LOG_ERROR, command, "line %u, column %u: %s", err->line, err->column, err->text);
    else if (logs_json)
        lt_log(LT_LOG_ERROR, command, "%s", err->text);
    else if (err->line)
        fprintf(stderr, "leat %s: line %u, column %u: %s\n", command, err->line, err->column,
                err->text);
    else
        fprintf(stderr, "leat %s: %s\n", command, err->text);
    return err->status == LEAT_E_CONFIG ? LT_EXIT_USAGE : LT_EXIT_FAILED;
}

bool lt_cli_colour(FILE *file) {
    const char *none = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (!none || !*none) && (!term || strcmp(term, "dumb") != 0) && isatty(fileno(file));
}

struct lt_target_options lt_cli_target_options(const struct lt_common *common) {
    return (struct lt_target_options){
        .data_dir = common->data,
        .endpoint_url = common->endpoint_url,
        .region = common->region,
        .profile = common->profile,
        .aws = common->target && strcmp(common->target, "aws") == 0,
    };
}

static int fail_usage(const char *name, const struct leat_error *err) {
    fprintf(stderr, "leat %s: %s\n", name, err->text);
    return LT_EXIT_USAGE;
}

static int run_command(const struct lt_command *command, int argc, char **argv) {
    struct leat_error err;
    size_t n_args;
    int code = LT_EXIT_FAILED;
    const char **args = calloc((size_t)argc + 1, sizeof(*args));
    void *values = calloc(1, command->values_size);

    if (!args || !values) {
        fputs("leat: out of memory\n", stderr);
        goto out;
    }
    if (command->defaults)
        memcpy(values, command->defaults, command->values_size);
    if (lt_command_parse(command, argc, argv, values, args, &n_args, &err) != LEAT_OK) {
        code = fail_usage(command->name, &err);
        goto out;
    }
    const struct lt_common *common = values;
    if (common->help) {
        lt_help_command(stdout, command);
        code = LT_EXIT_OK;
        goto out;
    }
    if (common->target && strcmp(common->target, "aws") != 0 &&
        strcmp(common->target, "embedded") != 0) {
        lt_fail(&err, LEAT_E_INVALID, 0, "--target takes embedded or aws, not '%s'",
                common->target);
        code = fail_usage(command->name, &err);
        goto out;
    }
    lt_log_setup(common->quiet     ? LT_LOG_ERROR
                 : common->verbose ? LT_LOG_DEBUG
                                   : LT_LOG_INFO,
                 common->log_format ? LT_LOG_JSON : LT_LOG_TEXT, write_log);
    logs_json = common->log_format;
    code = command->run(values, args, n_args);

out:
    free(values);
    free(args);
    return code;
}

static int unknown_command(const char *name) {
    const char *names[64];
    size_t n = 0;
    for (const struct lt_command *const *row = lt_commands; *row && n < 63; row++)
        names[n++] = (*row)->name;
    names[n] = NULL;
    const char *near = lt_nearest(lt_slice_str(name), names);
    fprintf(stderr, "leat: there is no command '%s'%s%s%s; see leat --help\n", name,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return LT_EXIT_USAGE;
}

/* `leat help [--man] [COMMAND]` */
static int help(int argc, char **argv) {
    bool man = argc > 0 && strcmp(argv[0], "--man") == 0;
    const char *name = argc > (man ? 1 : 0) ? argv[man ? 1 : 0] : NULL;
    const struct lt_command *command = name ? find_command(name) : NULL;

    if (name && !command && lt_help_topic(stdout, name))
        return LT_EXIT_OK;
    if (name && !command)
        return unknown_command(name);
    if (man)
        lt_help_man(stdout, command);
    else if (command)
        lt_help_command(stdout, command);
    else
        lt_help_program(stdout);
    return LT_EXIT_OK;
}

/* Large buffers go back to the system when they are freed, which glibc's moving threshold would
 * prevent; few threads need few heaps. */
static void bound_heaps(void) {
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, 4 * LARGE_BYTES);
    mallopt(M_ARENA_MAX, 2);
}

static int cli_main(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : NULL;

    /* a closed pipe and a file that may not grow are errors of the write, not of the program */
    bound_heaps();
    lt_remote_use_self();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!word) {
        lt_help_program(stderr);
        return LT_EXIT_USAGE;
    }
    if (strcmp(word, LT_REMOTE_COMMAND) == 0)
        return lt_remote_helper_main();
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        printf("leat %s\n", LEAT_VERSION);
        return LT_EXIT_OK;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(0, NULL);
    if (strcmp(word, "help") == 0)
        return help(argc - 2, argv + 2);
    const struct lt_command *command = find_command(word);
    if (!command)
        return unknown_command(word);
    return run_command(command, argc - 2, argv + 2);
}

int main(int argc, char **argv) {
    int code = cli_main(argc, argv);
    if (fflush(stdout) != 0 && code == LT_EXIT_OK)
        code = LT_EXIT_FAILED;
    return code;
}
