/* SPDX-License-Identifier: Apache-2.0 */
/* The expressions of a list, each over all documents of another. Usage: listed CASES DOCUMENTS */
#include "compare.h"
#include "differences.h"
#include "oracle.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_LINES = 2000, MAX_LINE = 4096 };

static size_t read_lines(const char *path, char **lines) {
    static char line[MAX_LINE];
    FILE *file = fopen(path, "r");
    size_t n = 0;

    if (!file) {
        perror(path);
        exit(2);
    }
    while (n < MAX_LINES && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] && line[0] != '#')
            lines[n++] = strdup(line);
    }
    fclose(file);
    return n;
}

/* False, having told it, when the answers differ. */
static bool compare(struct lt_subject *subject, const char *expression, const char *document,
                    jv expected) {
    jv text = jv_dump_string(expected, 0);
    struct lt_slice want = lt_slice_str(jv_string_value(text));
    struct lt_buf got;
    bool same;

    lt_buf_init(&got, 64 << 20);
    enum lt_answer state = lt_subject_ask(subject, document, &got);
    same = state == LT_LEFT || state == LT_BAILED ||
           (state == LT_ANSWERED && (lt_texts_are_same(want, lt_buf_slice(&got)) ||
                                     lt_is_known_difference(expression, want, lt_buf_slice(&got))));
    if (!same)
        printf("# DIFFERENT\n#   expression %s\n#   document   %s\n#   libjq      %s\n"
               "#   compiled   %s\n",
               expression, document, want.data, lt_buf_cstr(&got));
    lt_buf_deinit(&got);
    jv_free(text);
    return same;
}

static bool check(const char *expression, char **documents, size_t n_documents) {
    struct lt_oracle *oracle = lt_oracle_new(&expression, 1);
    struct lt_subject subject;
    bool good = true;

    lt_subject_init(&subject, expression);
    if (!oracle || subject.state == LT_REFUSED) {
        good = !oracle && subject.state == LT_REFUSED;
        if (!good)
            printf("# %s refuses it: %s\n", oracle ? "the compiler" : "libjq", subject.why);
    }
    for (size_t i = 0; i < n_documents && oracle && subject.state == LT_ANSWERED; i++) {
        jv answer = lt_oracle_ask(oracle, documents[i]);
        if (jv_is_valid(answer)) /* else an error that jq's `try` does not catch */
            good = compare(&subject, expression, documents[i], jv_array_get(answer, 0)) && good;
        else
            jv_free(answer);
    }
    lt_subject_deinit(&subject);
    lt_oracle_free(oracle);
    return good;
}

int main(int argc, char **argv) {
    static char *cases[MAX_LINES], *documents[MAX_LINES];
    size_t n_failed = 0;

    if (argc != 3)
        return 2;
    size_t n_cases = read_lines(argv[1], cases), n_documents = read_lines(argv[2], documents);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n_cases; i++) {
        bool good = check(cases[i], documents, n_documents);
        n_failed += !good;
        printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, cases[i]);
        free(cases[i]);
    }
    for (size_t i = 0; i < n_documents; i++)
        free(documents[i]);
    printf("1..%zu\n", n_cases);
    return n_failed != 0;
}
