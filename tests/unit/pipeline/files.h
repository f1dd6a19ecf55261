/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of files share: loading a text as a file, and problems at their places. */
#ifndef LT_TEST_PIPELINE_FILES_H
#define LT_TEST_PIPELINE_FILES_H

#include "pipeline/system.h"

#include "pipeline/config.h"
#include "json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct loaded {
    struct lt_system system;
    struct lt_problems problems;
    struct leat_error err;
    leat_status status;
};

static char *make_file(const char *text, size_t len) {
    char *path = strdup("/tmp/leat-test-system-XXXXXX");
    assert_non_null(path);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    return path;
}

static void load_bytes(struct loaded *l, const char *text, size_t len) {
    char *path = make_file(text, len);
    l->status = lt_system_load(&l->system, path, &l->problems, &l->err);
    unlink(path);
    free(path);
}

static inline void load(struct loaded *l, const char *text) {
    load_bytes(l, text, strlen(text));
}

static inline void unload(struct loaded *l) {
    lt_system_deinit(&l->system);
}

/* A good file; cases replace a part of it. */
#define STREAMS "streams: {in: {shards: 4}, out: {}, dead: {}}\n"
#define BUCKETS "buckets: [lake]\n"
#define PIPELINE                                                                                   \
    "pipelines:\n"                                                                                 \
    "  p:\n"                                                                                       \
    "    source: {stream: in}\n"

/* A source; what follows goes on under its resources, at six blanks. */
#define SOURCE                                                                                     \
    "sources:\n"                                                                                   \
    "  api:\n"                                                                                     \
    "    base_url: https://api.example.com/v1\n"                                                   \
    "    resources:\n"

static inline void load_good(struct loaded *l, const char *text) {
    load(l, text);
    for (size_t i = 0; i < l->problems.n; i++)
        print_message("  %u:%u: %s\n", l->problems.list[i].place.line,
                      l->problems.list[i].place.column, l->problems.list[i].text);
    assert_int_equal(l->status, LEAT_OK);
}

#define assert_text(slice, str)                                                                    \
    do {                                                                                           \
        if (!lt_slice_eq_str((slice), (str)))                                                      \
            fail_msg("'%.*s' is not '%s'", LT_FMT(slice), (str));                                  \
    } while (0)

/* One problem expected: its place and a part of its text. */
struct problem_case {
    const char *file;
    unsigned line, column;
    const char *text;
};

static inline void run_cases(const struct problem_case *cases, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct loaded l;
        const struct problem_case *k = &cases[i];
        bool found = false;
        load(&l, k->file);
        for (size_t p = 0; p < l.problems.n; p++) {
            const struct lt_problem *problem = &l.problems.list[p];
            found = found || (problem->place.line == k->line &&
                              problem->place.column == k->column && strstr(problem->text, k->text));
        }
        for (size_t p = 0; p < l.problems.n && !found; p++)
            print_message("  %u:%u: %s\n", l.problems.list[p].place.line,
                          l.problems.list[p].place.column, l.problems.list[p].text);
        if (!found || l.status != LEAT_E_CONFIG)
            fail_msg("case %zu: no %u:%u: %s in\n%s", i, k->line, k->column, k->text, k->file);
        unload(&l);
    }
}
#define RUN(cases) run_cases(cases, sizeof(cases) / sizeof((cases)[0]))

#endif
