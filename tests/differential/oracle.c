/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <jq.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

/* What libjq 1.6 loses is no leak of ours. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libjq.so\n";
}

struct lt_oracle {
    jq_state *jq;
    size_t n;
};

void lt_oracle_bound(struct lt_buf *out, const char *expression) {
    lt_buf_printf(out, "limit(%d; (%s\n))", LT_MAX_OUTPUTS, expression);
}

static void ignore(void *data, jv message) {
    (void)data;
    jv_free(message);
}

struct lt_oracle *lt_oracle_new(const char *const *expressions, size_t n) {
    struct lt_oracle *oracle = calloc(1, sizeof(*oracle));
    struct lt_buf text;

    lt_buf_init(&text, 16 << 20);
    lt_buf_append_str(&text, "[");
    for (size_t i = 0; i < n; i++) {
        lt_buf_append_str(&text, i ? ",[try (" : "[try (");
        lt_oracle_bound(&text, expressions[i]);
        lt_buf_append_str(&text, " | [.]) catch {error: .}]");
    }
    lt_buf_append_str(&text, "]");
    oracle->n = n;
    oracle->jq = jq_init();
    if (!oracle->jq)
        abort();
    jq_set_error_cb(oracle->jq, ignore, NULL);
    bool compiled = jq_compile(oracle->jq, lt_buf_cstr(&text));
    lt_buf_deinit(&text);
    if (!compiled) {
        lt_oracle_free(oracle);
        return NULL;
    }
    return oracle;
}

void lt_oracle_free(struct lt_oracle *oracle) {
    if (!oracle)
        return;
    jq_teardown(&oracle->jq);
    free(oracle);
}

static jq_state *volatile at_work;

static void stop(int number) {
    (void)number;
    if (at_work && !jq_halted(at_work))
        jq_halt(at_work, jv_invalid(), jv_invalid());
}

enum { MAX_US = 500 * 1000 }; /* of the processor; most answers take a hundredth of that */

static void watch(jq_state *jq) {
    struct itimerval timer = {.it_value = {.tv_usec = jq ? MAX_US : 0}};

    signal(SIGPROF, stop);
    at_work = jq;
    setitimer(ITIMER_PROF, &timer, NULL);
}

bool lt_oracle_is_stopped(struct lt_oracle *oracle) {
    return jq_halted(oracle->jq);
}

jv lt_oracle_ask(struct lt_oracle *oracle, const char *document) {
    jv input = jv_parse(document);

    if (!jv_is_valid(input))
        abort();
    watch(oracle->jq);
    jq_start(oracle->jq, input, 0);
    jv answer = jq_next(oracle->jq);
    watch(NULL);
    return answer;
}
