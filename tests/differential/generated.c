/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generated expressions over generated documents: compiled, each gives what libjq gives. Usage:
 * generated [SEED [PROGRAMS [EXPRESSIONS [DOCUMENTS]]]], or generated EXPRESSION DOCUMENT to see
 * both answers.
 */
#include "compare.h"
#include "differences.h"
#include "grammar.h"
#include "oracle.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>

struct options {
    uint64_t seed;
    size_t programs;
    size_t expressions; /* a program */
    size_t documents;
};

struct totals {
    size_t compared, left, bailed, known, different, told, unanswered;
};

struct batch {
    const struct options *options;
    struct totals *totals;
    struct lt_arena arena;
    struct lt_tree **trees;
    char **texts;
    char **documents;
    struct lt_subject *subjects;
    bool *told; /* of an expression: that it differs */
    uint64_t seed;
};

static void *take(size_t n, size_t size) {
    void *room = calloc(n, size);

    if (!room)
        abort();
    return room;
}

static char *print(const struct lt_tree *tree) {
    struct lt_buf text;

    lt_buf_init(&text, 1 << 20);
    lt_grammar_print(tree, 0, &text);
    char *copy = strdup(lt_buf_cstr(&text));
    lt_buf_deinit(&text);
    return copy;
}

/* One expression and document by themselves: LT_ANSWERED and both texts when they differ. */
static bool differs(const char *expression, const char *document, struct lt_buf *expected,
                    struct lt_buf *got) {
    struct lt_oracle *oracle = lt_oracle_new(&expression, 1);
    struct lt_subject subject;
    bool different = false;

    lt_buf_clear(expected);
    lt_buf_clear(got);
    lt_subject_init(&subject, expression);
    if (!oracle) {
        different = subject.state == LT_ANSWERED;
        lt_buf_append_str(expected, "(refused)");
    } else if (subject.state == LT_REFUSED) {
        different = true;
        lt_buf_append_str(got, subject.why);
    } else {
        jv answer = lt_oracle_ask(oracle, document);
        jv text = jv_is_valid(answer) ? jv_dump_string(jv_array_get(answer, 0), 0)
                                      : jv_string("(an error that nothing catches)");
        lt_buf_append_str(expected, jv_string_value(text));
        jv_free(text);
        if (!jv_is_valid(answer))
            jv_free(answer);
        enum lt_answer state = lt_subject_ask(&subject, document, got);
        different =
            state == LT_STOPPED ||
            (state == LT_ANSWERED && !lt_texts_are_same(lt_buf_slice(expected), lt_buf_slice(got)));
    }
    lt_subject_deinit(&subject);
    lt_oracle_free(oracle);
    return different;
}

enum { MAX_TRIES = 150, MAX_TOLD = 20 };

/* Makes the expression smaller as long as it still differs. */
static void explain(struct batch *b, const struct lt_tree *tree, const char *document) {
    struct lt_buf expected, got;
    char *text = print(tree);
    unsigned tries = 0;

    lt_buf_init(&expected, 64 << 20);
    lt_buf_init(&got, 64 << 20);
    for (size_t i = 0; tries < MAX_TRIES; i++) {
        struct lt_tree *smaller = lt_grammar_shrink(tree, i, &b->arena);
        if (!smaller)
            break;
        char *shorter = print(smaller);
        if (strlen(shorter) < strlen(text) && tries++ < MAX_TRIES &&
            differs(shorter, document, &expected, &got)) {
            free(text);
            text = shorter;
            tree = smaller;
            i = (size_t)-1;
            continue;
        }
        free(shorter);
    }
    differs(text, document, &expected, &got);
    printf("# DIFFERENT (seed %llu)\n#   expression %s\n#   document   %s\n#   libjq      %s\n"
           "#   compiled   %s\n",
           (unsigned long long)b->seed, text, document, lt_buf_cstr(&expected), lt_buf_cstr(&got));
    fflush(stdout);
    free(text);
    lt_buf_deinit(&expected);
    lt_buf_deinit(&got);
}

static void compare(struct batch *b, size_t i, const char *document, jv expected) {
    jv text = jv_dump_string(expected, 0);
    struct lt_slice want = lt_slice_str(jv_string_value(text));
    struct lt_buf got;
    enum lt_answer state;

    lt_buf_init(&got, 64 << 20);
    state = lt_subject_ask(&b->subjects[i], document, &got);
    switch (state) {
    case LT_LEFT:
        b->totals->left++;
        break;
    case LT_BAILED:
        b->totals->bailed++;
        break;
    case LT_REFUSED:
        break;
    default:
        b->totals->compared++;
        if (state == LT_ANSWERED && lt_texts_are_same(want, lt_buf_slice(&got)))
            break;
        if (state == LT_ANSWERED && lt_is_known_difference(b->texts[i], want, lt_buf_slice(&got))) {
            b->totals->known++;
            break;
        }
        b->totals->different++;
        if (!b->told[i] && b->totals->told++ < MAX_TOLD)
            explain(b, b->trees[i], document);
        b->told[i] = true;
    }
    lt_buf_deinit(&got);
    jv_free(text);
}

static void ask_range(struct batch *b, size_t from, size_t n, size_t first_document);

/* An error that `try` does not catch, or a program that was stopped: whose it is tells itself in
 * halves. One alone has nothing to be compared with. */
static void ask(struct batch *b, struct lt_oracle *oracle, size_t from, size_t n, size_t first) {
    for (size_t d = first; d < b->options->documents; d++) {
        jv answers = lt_oracle_ask(oracle, b->documents[d]);
        if (jv_is_valid(answers)) {
            for (size_t i = from; i < from + n; i++)
                compare(b, i, b->documents[d], jv_array_get(jv_copy(answers), (int)(i - from)));
            jv_free(answers);
            continue;
        }
        jv_free(answers);
        if (n > 1) {
            ask_range(b, from, n / 2, d);
            ask_range(b, from + n / 2, n - n / 2, d);
            return;
        }
        b->totals->unanswered++;
        if (lt_oracle_is_stopped(oracle))
            return;
    }
}

/* libjq refuses one of them (it computes constants when it compiles, and fails): the rest is asked
 * in halves. */
static void ask_range(struct batch *b, size_t from, size_t n, size_t first_document) {
    struct lt_oracle *oracle = lt_oracle_new((const char *const *)b->texts + from, n);

    if (oracle) {
        ask(b, oracle, from, n, first_document);
        lt_oracle_free(oracle);
    } else if (n > 1) {
        ask_range(b, from, n / 2, first_document);
        ask_range(b, from + n / 2, n - n / 2, first_document);
    } else {
        printf("# TAKEN, but libjq refuses %s\n", b->texts[from]);
        b->totals->different++;
    }
}

/* The next expression that we take. One that we refuse must be refused by libjq too. */
static void make_expression(struct batch *b, struct lt_random *random, size_t i) {
    for (;;) {
        b->trees[i] = lt_grammar_make(random, &b->arena);
        b->texts[i] = print(b->trees[i]);
        lt_subject_init(&b->subjects[i], b->texts[i]);
        if (b->subjects[i].state != LT_REFUSED)
            return;
        struct lt_oracle *oracle = lt_oracle_new((const char *const *)&b->texts[i], 1);
        if (oracle) {
            printf("# REFUSED %s: %s\n", b->texts[i], b->subjects[i].why);
            b->totals->different++;
            lt_oracle_free(oracle);
            return;
        }
        lt_subject_deinit(&b->subjects[i]);
        free(b->texts[i]);
    }
}

static void run_batch(struct batch *b) {
    struct lt_random random = {b->seed};
    size_t n = b->options->expressions, n_docs = b->options->documents;

    lt_arena_init(&b->arena, (size_t)1 << 30);
    b->trees = take(n, sizeof(*b->trees));
    b->texts = take(n, sizeof(*b->texts));
    b->documents = take(n_docs, sizeof(*b->documents));
    b->subjects = take(n, sizeof(*b->subjects));
    b->told = take(n, sizeof(*b->told));
    for (size_t i = 0; i < n_docs; i++) {
        struct lt_buf text;
        lt_buf_init(&text, 1 << 20);
        lt_document_make(&random, &text);
        b->documents[i] = strdup(lt_buf_cstr(&text));
        lt_buf_deinit(&text);
    }
    for (size_t i = 0; i < n; i++) {
        make_expression(b, &random, i);
        if (getenv("SHOW"))
            printf("# %s\n", b->texts[i]);
    }
    ask_range(b, 0, n, 0);
    for (size_t i = 0; i < n; i++) {
        lt_subject_deinit(&b->subjects[i]);
        free(b->texts[i]);
    }
    for (size_t i = 0; i < n_docs; i++)
        free(b->documents[i]);
    free(b->trees);
    free(b->texts);
    free(b->documents);
    free(b->subjects);
    free(b->told);
    lt_arena_deinit(&b->arena);
}

static int show(const char *expression, const char *document) {
    struct lt_buf expected, got;

    lt_buf_init(&expected, 64 << 20);
    lt_buf_init(&got, 64 << 20);
    bool different = differs(expression, document, &expected, &got);
    printf("libjq    %s\ncompiled %s\n%s\n", lt_buf_cstr(&expected), lt_buf_cstr(&got),
           different ? "DIFFERENT" : "the same");
    lt_buf_deinit(&expected);
    lt_buf_deinit(&got);
    return different;
}

int main(int argc, char **argv) {
    struct options options = {1, 200, 100, 50};
    struct totals totals = {0};

    if (argc == 3 && (argv[2][0] < '0' || argv[2][0] > '9' || strspn(argv[1], "0123456789") == 0))
        return show(argv[1], argv[2]);
    if (argc > 1)
        options.seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        options.programs = strtoull(argv[2], NULL, 10);
    if (argc > 3)
        options.expressions = strtoull(argv[3], NULL, 10);
    if (argc > 4)
        options.documents = strtoull(argv[4], NULL, 10);
    size_t failed = 0;
    for (size_t i = 0; i < options.programs; i++) {
        size_t before = totals.different;
        struct batch b = {.options = &options, .totals = &totals, .seed = options.seed + i};
        run_batch(&b);
        failed += totals.different != before;
        printf("%s %zu - %zu generated expressions on %zu documents, seed %llu\n",
               totals.different == before ? "ok" : "not ok", i + 1, options.expressions,
               options.documents, (unsigned long long)b.seed);
        fflush(stdout);
    }
    printf("1..%zu\n# %zu compared, %zu different, %zu known differences, %zu left to libjq, %zu "
           "left at run time; %zu without an answer of libjq\n",
           options.programs, totals.compared, totals.different, totals.known, totals.left,
           totals.bailed, totals.unanswered);
    return failed != 0;
}
