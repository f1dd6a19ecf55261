/* SPDX-License-Identifier: Apache-2.0 */
/* Help and man pages, made from the same rows as the parser. */
#include "cli/command.h"

#include <string.h>

static const char program_about[] =
    "leat moves records from REST APIs and event streams, enriches and routes them in flight,\n"
    "and lands them in streams and object stores, losing none.\n";

static const char program_more[] =
    "Without an endpoint, streams, deliveries and buckets live in an embedded engine in "
    "./leat-data\n"
    "(--data DIR, LEAT_DATA): no account, no network. With --endpoint-url, AWS_ENDPOINT_URL or\n"
    "AWS_ENDPOINT_URL_KINESIS (and _FIREHOSE, _S3) the same commands talk to that service, signed "
    "with\n"
    "the credentials of the environment or of the shared AWS files; --target aws is Amazon "
    "itself.\n";

static const struct {
    int code;
    const char *text;
} exits[] = {
    {LT_EXIT_OK, "done"},
    {LT_EXIT_FAILED, "something went wrong; what was acknowledged before it is safe"},
    {LT_EXIT_USAGE, "the command line or the file is wrong; nothing was done"},
    {LT_EXIT_PARTIAL, "done, but some records were skipped or failed"},
    {LT_EXIT_INTERRUPTED, "stopped by Ctrl-C or SIGTERM before it was done"},
};

void lt_help_program(FILE *out) {
    fprintf(out, "leat %s\n\n%s\nUsage: leat COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n",
            LEAT_VERSION, program_about);
    for (const struct lt_command *const *row = lt_commands; *row; row++)
        fprintf(out, "  %-11s %s\n", (*row)->name, (*row)->summary);
    fprintf(out, "\n%s\nExit codes:\n", program_more);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        fprintf(out, "  %-4d %s\n", exits[i].code, exits[i].text);
    fputs("\nleat COMMAND --help tells more, with examples; leat help file what may stand in a "
          "FILE.\n",
          out);
}

static void print_options(FILE *out, const struct lt_option *rows) {
    for (; rows && rows->name; rows++) {
        char left[64];
        char letter[5] = "    ";
        if (rows->letter)
            snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
        snprintf(left, sizeof(left), "%s--%s%s%s", letter, rows->name, rows->arg ? " " : "",
                 rows->arg ? rows->arg : "");
        fprintf(out, "  %-30s %s%s%s%s\n", left, rows->help, rows->env ? " [" : "",
                rows->env ? rows->env : "", rows->env ? "]" : "");
    }
}

void lt_help_command(FILE *out, const struct lt_command *command) {
    fprintf(out, "leat %s: %s\n\nUsage: leat %s [OPTIONS] %s\n", command->name, command->summary,
            command->name, command->usage);
    if (command->description)
        fprintf(out, "\n%s\n", command->description);
    if (command->options) {
        fputs("\nOptions:\n", out);
        print_options(out, command->options);
    }
    fputs("\nOptions of every command:\n", out);
    print_options(out, lt_common_options);
    if (command->examples)
        fprintf(out, "\nExamples:\n%s\n", command->examples);
}

/* man(7) takes a leading dot or quote for a macro and a backslash for an escape. */
static void print_roff(FILE *out, const char *text) {
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void print_man_options(FILE *out, const struct lt_option *rows) {
    for (; rows && rows->name; rows++) {
        fputs(".TP\n.B ", out);
        if (rows->letter)
            fprintf(out, "\\-%c, ", rows->letter);
        fputs("\\-\\-", out);
        print_roff(out, rows->name);
        if (rows->arg) {
            fputc(' ', out);
            print_roff(out, rows->arg);
        }
        fputc('\n', out);
        print_roff(out, rows->help);
        fputc('\n', out);
    }
}

static void print_man_exits(FILE *out) {
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        fprintf(out, ".TP\n.B %d\n%s\n", exits[i].code, exits[i].text);
}

void lt_help_man(FILE *out, const struct lt_command *command) {
    if (!command) {
        fprintf(out, ".TH LEAT 1 \"\" \"leat %s\"\n.SH NAME\nleat \\- ", LEAT_VERSION);
        fputs("move, enrich and route records between APIs, streams and object stores\n"
              ".SH SYNOPSIS\n.B leat\n.I COMMAND\n[OPTIONS] [ARGUMENTS]\n.SH DESCRIPTION\n",
              out);
        print_roff(out, program_about);
        fputs(".PP\n", out);
        print_roff(out, program_more);
        fputs(".SH COMMANDS\n", out);
        for (const struct lt_command *const *row = lt_commands; *row; row++)
            fprintf(out, ".TP\n.BR leat\\-%s (1)\n%s\n", (*row)->name, (*row)->summary);
        print_man_exits(out);
        return;
    }
    fprintf(out, ".TH LEAT-%s 1 \"\" \"leat %s\"\n.SH NAME\nleat\\-%s \\- %s\n", command->name,
            LEAT_VERSION, command->name, command->summary);
    fprintf(out, ".SH SYNOPSIS\n.B leat %s\n[OPTIONS] ", command->name);
    print_roff(out, command->usage);
    if (command->description) {
        fputs("\n.SH DESCRIPTION\n.nf\n", out);
        print_roff(out, command->description);
        fputs("\n.fi", out);
    }
    fputs("\n.SH OPTIONS\n", out);
    print_man_options(out, command->options);
    print_man_options(out, lt_common_options);
    if (command->examples) {
        fputs(".SH EXAMPLES\n.nf\n", out);
        print_roff(out, command->examples);
        fputs("\n.fi\n", out);
    }
    print_man_exits(out);
}
