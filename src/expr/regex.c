/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/regex.h"

#include "base/dylib.h"
#include "expr/fn.h"
#include "expr/fn_help.h"

#include <oniguruma.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    N_KEPT = 64,
    MAX_PATTERN = 64 << 10,  /* bytes */
    MAX_SUBJECT = 1 << 30,   /* bytes; Oniguruma counts in int */
    MAX_TRIES = 10000000,    /* Oniguruma's own, for a match; here for a whole search */
    BYTES_A_STACK_ENTRY = 64 /* at least what one costs */
};

static struct {
    typeof(onig_initialize) *initialize;
    typeof(onig_new) *new;
    typeof(onig_free) *free;
    typeof(onig_search_with_param) *search;
    typeof(onig_region_new) *region_new;
    typeof(onig_region_free) *region_free;
    typeof(onig_foreach_name) *foreach_name;
    typeof(onig_error_code_to_str) *error_text;
    typeof(onig_new_match_param) *param_new;
    typeof(onig_free_match_param) *param_free;
    typeof(onig_initialize_match_param) *param_init;
    typeof(onig_set_match_stack_limit_size_of_match_param) *param_stack;
    typeof(onig_set_retry_limit_in_match_of_match_param) *param_match_tries;
    typeof(onig_set_retry_limit_in_search_of_match_param) *param_search_tries;
    OnigSyntaxType *syntax;
    OnigEncoding utf8;
} onig;

static const struct lt_dylib_symbol symbols[] = {
    {"onig_initialize", &onig.initialize},
    {"onig_new", &onig.new},
    {"onig_free", &onig.free},
    {"onig_search_with_param", &onig.search},
    {"onig_region_new", &onig.region_new},
    {"onig_region_free", &onig.region_free},
    {"onig_foreach_name", &onig.foreach_name},
    {"onig_error_code_to_str", &onig.error_text},
    {"onig_new_match_param", &onig.param_new},
    {"onig_free_match_param", &onig.param_free},
    {"onig_initialize_match_param", &onig.param_init},
    {"onig_set_match_stack_limit_size_of_match_param", &onig.param_stack},
    {"onig_set_retry_limit_in_match_of_match_param", &onig.param_match_tries},
    {"onig_set_retry_limit_in_search_of_match_param", &onig.param_search_tries},
    {"OnigSyntaxPerl_NG", &onig.syntax},
    {"OnigEncodingUTF8", &onig.utf8},
};

struct lt_regex {
    struct lt_regexes *home;
    char *pattern;
    size_t len;
    unsigned options;
    uint64_t used; /**< when it was last asked for */
    regex_t *code;
    OnigRegion *region;
    struct lt_slice *names; /**< of the groups, from 1 on */
    size_t n_names;
    struct lt_regex_span *spans;
    size_t n_spans;
};

/* What a machine keeps. */
struct lt_regexes {
    struct lt_regex *kept[N_KEPT];
    size_t n;
    uint64_t clock;
    int64_t searched_ms; /**< when the last search ended, by the coarse clock */
    OnigMatchParam *param;
};

/* --- the library ---------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static leat_status loaded;
static struct leat_error why;

static void load(void) {
    loaded = lt_dylib_open("libonig.so.5", "libonig5", symbols,
                           sizeof(symbols) / sizeof(symbols[0]), &why);
    if (loaded == LEAT_OK)
        onig.initialize(&onig.utf8, 1);
}

static void regex_free(struct lt_regex *regex) {
    if (!regex)
        return;
    if (regex->region)
        onig.region_free(regex->region, 1);
    if (regex->code)
        onig.free(regex->code);
    free(regex->names);
    free(regex->spans);
    free(regex->pattern);
    free(regex);
}

void lt_fn_regexes_free(void *regexes) {
    struct lt_regexes *all = regexes;
    if (!all)
        return;
    for (size_t i = 0; i < all->n; i++)
        regex_free(all->kept[i]);
    if (all->param)
        onig.param_free(all->param);
    free(all);
}

static enum lt_flow no_memory(struct lt_vm *vm) {
    vm->heap.full = true;
    return lt_vm_step(vm);
}

static enum lt_flow regexes_of(struct lt_vm *vm, struct lt_regexes **out) {
    pthread_once(&once, load);
    if (loaded != LEAT_OK)
        return lt_vm_raise(vm, "Regex failure: %s", why.text);
    if (!vm->regexes) {
        struct lt_regexes *all = calloc(1, sizeof(*all));
        if (!all)
            return no_memory(vm);
        all->param = onig.param_new();
        if (!all->param) {
            free(all);
            return no_memory(vm);
        }
        vm->regexes = all;
    }
    *out = vm->regexes;
    return LT_FLOW_ON;
}

/* --- compiling ------------------------------------------------------------------------------ */

static int keep_name(const OnigUChar *name, const OnigUChar *end, int n_groups, int *groups,
                     OnigRegex code, void *arg) {
    struct lt_regex *regex = arg;
    (void)code;
    for (int i = 0; i < n_groups; i++) {
        size_t group = (size_t)groups[i];
        if (group <= regex->n_names)
            regex->names[group - 1] = (struct lt_slice){(const char *)name, (size_t)(end - name)};
    }
    return 0;
}

static enum lt_flow fail(struct lt_vm *vm, int code, OnigErrorInfo *info) {
    OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1] = {0};
    if (code == ONIGERR_MEMORY)
        return no_memory(vm);
    onig.error_text(text, code, info);
    return lt_vm_raise(vm, "Regex failure: %s", (const char *)text);
}

static bool compile(struct lt_regex *regex, int *code, OnigErrorInfo *info) {
    const OnigUChar *pattern = (const OnigUChar *)regex->pattern;
    *code = onig.new(&regex->code, pattern, pattern + regex->len,
                     regex->options | ONIG_OPTION_CAPTURE_GROUP, onig.utf8, onig.syntax, info);
    if (*code != ONIG_NORMAL)
        return false;
    *code = ONIGERR_MEMORY;
    regex->region = onig.region_new();
    if (!regex->region)
        return false;
    /* the groups are counted by their closers, of which no more than bytes can stand there */
    regex->n_names = 0;
    for (size_t i = 0; i < regex->len; i++)
        regex->n_names += regex->pattern[i] == '(';
    regex->names = calloc(regex->n_names + 1, sizeof(*regex->names));
    regex->n_spans = regex->n_names + 1;
    regex->spans = calloc(regex->n_spans, sizeof(*regex->spans));
    if (!regex->names || !regex->spans)
        return false;
    onig.foreach_name(regex->code, keep_name, regex);
    return true;
}

/* Puts a new one among those kept, in the place of the one that was used longest ago. */
static void keep(struct lt_regexes *all, struct lt_regex *regex) {
    size_t oldest = 0;
    if (all->n < N_KEPT) {
        all->kept[all->n++] = regex;
        return;
    }
    for (size_t i = 1; i < all->n; i++) {
        if (all->kept[i]->used < all->kept[oldest]->used)
            oldest = i;
    }
    regex_free(all->kept[oldest]);
    all->kept[oldest] = regex;
}

static enum lt_flow make(struct lt_vm *vm, struct lt_regexes *all, struct lt_slice pattern,
                         unsigned options, struct lt_regex **out) {
    OnigErrorInfo info = {0};
    int code;

    if (pattern.len > MAX_PATTERN)
        return lt_vm_raise(vm, "Regex failure: a pattern of %zu bytes is too long", pattern.len);
    struct lt_regex *regex = calloc(1, sizeof(*regex));
    if (!regex)
        return no_memory(vm);
    regex->home = all;
    regex->pattern = malloc(pattern.len + 1);
    if (!regex->pattern) {
        free(regex);
        return no_memory(vm);
    }
    if (pattern.len)
        memcpy(regex->pattern, pattern.data, pattern.len);
    regex->len = pattern.len;
    regex->options = options;
    if (!compile(regex, &code, &info)) {
        enum lt_flow flow = fail(vm, code, &info); /* which still looks at the pattern */
        regex_free(regex);
        return flow;
    }
    keep(all, regex);
    *out = regex;
    return lt_fn_charge(vm, pattern.len);
}

enum lt_flow lt_regex_get(struct lt_vm *vm, struct lt_slice pattern, unsigned options,
                          struct lt_regex **out) {
    struct lt_regexes *all = NULL;
    enum lt_flow flow = regexes_of(vm, &all);

    *out = NULL;
    if (flow != LT_FLOW_ON || !all)
        return flow;
    for (size_t i = 0; i < all->n && !*out; i++) {
        struct lt_regex *regex = all->kept[i];
        if (regex->len == pattern.len && regex->options == options &&
            (!pattern.len || memcmp(regex->pattern, pattern.data, pattern.len) == 0))
            *out = regex;
    }
    if (!*out)
        flow = make(vm, all, pattern, options, out);
    if (*out)
        (*out)->used = ++all->clock;
    return flow;
}

struct lt_slice lt_regex_group_name(const struct lt_regex *regex, size_t i) {
    return i && i <= regex->n_names ? regex->names[i - 1] : (struct lt_slice){NULL, 0};
}

/* --- searching ------------------------------------------------------------------------------ */

/* How many tries the steps that are left allow. */
static unsigned long tries_left(const struct lt_vm *vm) {
    uint64_t max = vm->limits.max_steps;
    if (!max || max - vm->steps > MAX_TRIES)
        return MAX_TRIES;
    return vm->steps < max ? (unsigned long)(max - vm->steps) : 1;
}

/* Few steps may have taken long: the clock is looked at, too, whenever it has moved on. */
static enum lt_flow charge(struct lt_vm *vm, struct lt_regexes *all, size_t looked_at) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    bool moved = ms != all->searched_ms;
    all->searched_ms = ms;
    enum lt_flow flow = lt_fn_charge(vm, looked_at / 16);
    return flow == LT_FLOW_ON && moved ? lt_vm_check(vm) : flow;
}

enum lt_flow lt_regex_search(struct lt_vm *vm, struct lt_regex *regex, struct lt_slice subject,
                             size_t from, bool *found, const struct lt_regex_span **spans,
                             size_t *n_spans) {
    OnigMatchParam *param = regex->home->param;
    const OnigUChar *start = (const OnigUChar *)(subject.len ? subject.data : "");
    const OnigUChar *end = start + subject.len;
    unsigned long tries = tries_left(vm);
    size_t stack = vm->heap.arena->max / BYTES_A_STACK_ENTRY;

    if (subject.len > MAX_SUBJECT)
        return lt_vm_raise(vm, "Regex failure: a text of %zu bytes is too long", subject.len);
    onig.param_init(param);
    onig.param_match_tries(param, tries);
    onig.param_search_tries(param, tries);
    onig.param_stack(param, stack < UINT32_MAX ? (unsigned)stack : UINT32_MAX);
    int at = onig.search(regex->code, start, end, start + from, end, regex->region,
                         ONIG_OPTION_NONE, param);
    *found = at >= 0;
    if (at < 0 && at != ONIG_MISMATCH) {
        if ((at == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER || at == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER) &&
            tries < MAX_TRIES)
            vm->steps += tries;
        enum lt_flow flow = lt_vm_step(vm);
        return flow == LT_FLOW_ON ? fail(vm, at, NULL) : flow;
    }
    *n_spans = 0;
    for (int i = 0; *found && i < regex->region->num_regs && *n_spans < regex->n_spans; i++) {
        regex->spans[*n_spans].from = regex->region->beg[i];
        regex->spans[(*n_spans)++].to = regex->region->end[i];
    }
    *spans = regex->spans;
    return charge(vm, regex->home, subject.len - from);
}

/* --- flags ---------------------------------------------------------------------------------- */

enum lt_flow lt_regex_read_flags(struct lt_vm *vm, struct lt_val v, struct lt_regex_flags *flags) {
    static const struct {
        char letter;
        unsigned options;
    } rows[] = {
        {'g', 0},
        {'i', ONIG_OPTION_IGNORECASE},
        {'x', ONIG_OPTION_EXTEND},
        {'m', ONIG_OPTION_MULTILINE},
        {'s', ONIG_OPTION_SINGLELINE},
        {'p', ONIG_OPTION_MULTILINE | ONIG_OPTION_SINGLELINE},
        {'l', ONIG_OPTION_FIND_LONGEST},
        {'n', ONIG_OPTION_FIND_NOT_EMPTY},
    };
    *flags = (struct lt_regex_flags){0};
    if (v.kind == LT_VAL_NULL)
        return LT_FLOW_ON;
    if (v.kind != LT_VAL_STRING)
        return lt_fn_refuse(vm, v, "is not a string");
    struct lt_slice s = lt_val_bytes(&vm->heap, v);
    for (size_t i = 0; i < s.len; i++) {
        size_t row = 0;
        while (row < sizeof(rows) / sizeof(rows[0]) && rows[row].letter != s.data[i])
            row++;
        if (row == sizeof(rows) / sizeof(rows[0]))
            return lt_fn_refuse_name(vm, v, " is not a valid modifier string");
        flags->options |= rows[row].options;
        flags->global = flags->global || rows[row].letter == 'g';
    }
    return LT_FLOW_ON;
}
