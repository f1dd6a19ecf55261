/* SPDX-License-Identifier: Apache-2.0 */
/* How the problems of a file are shown, by every command that takes a FILE. */
#include "cli/file.h"

#include "base/log.h"
#include "base/units.h"
#include "pipeline/yaml.h"

#include <unistd.h>

enum { SHOWN_COLUMNS = 100 };

char *lt_cli_count(uint64_t n, const char *noun, char out[64]) {
    char number[32];

    snprintf(out, 64, "%s %.20s%s", lt_format_count(n, number), noun, n == 1 ? "" : "s");
    return out;
}

size_t lt_cli_count_resources(const struct lt_system *system) {
    size_t n = 0;

    for (size_t i = 0; i < system->n_apis; i++)
        n += system->apis[i].n_resources;
    return n;
}

size_t lt_cli_count_tests(const struct lt_system *system) {
    size_t n = 0;

    for (size_t i = 0; i < system->n_pipelines; i++)
        n += system->pipelines[i].n_tests;
    for (size_t i = 0; i < system->n_apis; i++)
        for (size_t k = 0; k < system->apis[i].n_resources; k++)
            n += system->apis[i].resources[k].n_tests;
    return n;
}

char *lt_cli_summary(const struct lt_system *system, char out[160]) {
    size_t n_tests = lt_cli_count_tests(system), len = 0;

    const struct {
        uint64_t n;
        const char *noun;
    } parts[] = {{system->n_streams, "stream"},     {system->n_buckets, "bucket"},
                 {system->n_apis, "source"},        {lt_cli_count_resources(system), "resource"},
                 {system->n_pipelines, "pipeline"}, {n_tests, "test"}};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char text[64];
        if (parts[i].n)
            len += (size_t)snprintf(out + len, 160 - len, "%s%s", len ? ", " : "",
                                    lt_cli_count(parts[i].n, parts[i].noun, text));
        if (i == 3 && system->n_deliveries)
            len += (size_t)snprintf(out + len, 160 - len, "%s%zu deliver%s", len ? ", " : "",
                                    system->n_deliveries, system->n_deliveries == 1 ? "y" : "ies");
    }
    return out;
}

/* Bytes of the character at `i`. */
static size_t character(struct lt_slice line, size_t i) {
    size_t len = 1;
    while (i + len < line.len && ((unsigned char)line.data[i + len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* The line around the column, and a caret under it. Tabs and controls are shown as a blank. */
static void print_line(FILE *out, struct lt_slice line, const struct lt_place *place, bool colour) {
    unsigned column = 1, first = 1;

    if (place->column > SHOWN_COLUMNS * 3 / 4)
        first = place->column - SHOWN_COLUMNS / 2;
    fprintf(out, "%6u | ", place->line);
    for (size_t i = 0, step; i < line.len && column < first + SHOWN_COLUMNS; i += step, column++) {
        step = character(line, i);
        if (column < first)
            continue;
        if ((unsigned char)line.data[i] < 0x20 || line.data[i] == 0x7f)
            fputc(' ', out);
        else
            (void)fwrite(line.data + i, 1, step, out);
    }
    fprintf(out, "\n       | %*s%s^%s\n", (int)(place->column - first), "",
            colour ? "\033[1;31m" : "", colour ? "\033[0m" : "");
}

void lt_cli_print_problems(FILE *out, const struct lt_system *system,
                           const struct lt_problems *problems) {
    struct lt_yaml_source source;
    struct lt_arena arena;
    struct leat_error err;
    bool colour = lt_cli_colour(out);
    bool shown = isatty(fileno(out));
    char count[64];

    lt_arena_init(&arena, 64 << 20);
    /* a file that is no text has no lines to show */
    shown = shown && lt_yaml_source_init(&source, system->text, &arena, &err) == LEAT_OK;
    for (size_t i = 0; i < problems->n; i++) {
        const struct lt_problem *problem = &problems->list[i];
        fprintf(out, "%s:%u:%u: %s%s\n", system->path, problem->place.line, problem->place.column,
                problem->warning ? "warning: " : "", problem->text);
        if (shown)
            print_line(out, lt_yaml_line(&source, problem->place.line), &problem->place, colour);
    }
    if (problems->n_untold)
        fprintf(out, "%s: and %s\n", system->path,
                lt_cli_count(problems->n_untold, "more problem", count));
    lt_arena_deinit(&arena);
}

static void log_problems(const char *command, const struct lt_system *system,
                         const struct lt_problems *problems) {
    for (size_t i = 0; i < problems->n; i++) {
        const struct lt_problem *problem = &problems->list[i];
        lt_log(problem->warning ? LT_LOG_WARN : LT_LOG_ERROR, command, "%s:%u:%u: %s", system->path,
               problem->place.line, problem->place.column, problem->text);
    }
    if (problems->n_untold)
        lt_log(LT_LOG_ERROR, command, "%s: and %zu more problems", system->path,
               problems->n_untold);
}

int lt_cli_load(const char *command, const char *path, struct lt_system *out) {
    struct lt_problems problems;
    struct leat_error err;
    leat_status status = lt_system_load(out, path, &problems, &err);

    if (lt_cli_logs_json())
        log_problems(command, out, &problems);
    else
        lt_cli_print_problems(stderr, out, &problems);
    if (status == LEAT_OK)
        return LT_EXIT_OK;
    if (problems.n)
        return LT_EXIT_USAGE;
    int code = lt_cli_fail(command, &err);
    return status == LEAT_E_NOT_FOUND || status == LEAT_E_IO ? LT_EXIT_USAGE : code;
}
