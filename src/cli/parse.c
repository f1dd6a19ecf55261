/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: one parser over the option rows. A wrong word is answered with the nearest valid
 * one, an environment variable of a row is read as if it had been written first.
 */
#include "base/units.h"
#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>

#define COMMON(member) offsetof(struct lt_common, member)

static const char *const log_formats[] = {"text", "json", NULL};

const struct lt_option lt_common_options[] = {
    {"data", 0, LT_OPTION_STRING, "DIR", COMMON(data),
     "the embedded engine's folder (default ./leat-data)", NULL, "LEAT_DATA"},
    {"endpoint-url", 0, LT_OPTION_STRING, "URL", COMMON(endpoint_url),
     "talk to this endpoint instead of the embedded engine (also AWS_ENDPOINT_URL, "
     "AWS_ENDPOINT_URL_KINESIS, …)",
     NULL, NULL},
    {"target", 0, LT_OPTION_STRING, "NAME", COMMON(target),
     "embedded (default), or aws: Amazon's own endpoints", NULL, "LEAT_TARGET"},
    {"region", 0, LT_OPTION_STRING, "NAME", COMMON(region),
     "AWS region (also AWS_REGION, AWS_DEFAULT_REGION, the profile's)", NULL, NULL},
    {"profile", 0, LT_OPTION_STRING, "NAME", COMMON(profile),
     "profile of the shared AWS files (also AWS_PROFILE)", NULL, NULL},
    {"log-format", 0, LT_OPTION_CHOICE, "text|json", COMMON(log_format), "how log lines look",
     log_formats, NULL},
    {"quiet", 'q', LT_OPTION_FLAG, NULL, COMMON(quiet), "only errors on standard error", NULL,
     NULL},
    {"verbose", 'v', LT_OPTION_FLAG, NULL, COMMON(verbose), "say more on standard error", NULL,
     NULL},
    {"help", 'h', LT_OPTION_FLAG, NULL, COMMON(help), "show this help", NULL, NULL},
    {0},
};

static const struct lt_option *find(const struct lt_option *rows, struct lt_slice name,
                                    char letter) {
    for (; rows && rows->name; rows++) {
        if (letter ? rows->letter == letter : lt_slice_eq_str(name, rows->name))
            return rows;
    }
    return NULL;
}

static const struct lt_option *find_in(const struct lt_command *command, struct lt_slice name,
                                       char letter) {
    const struct lt_option *row = find(command->options, name, letter);
    return row ? row : find(lt_common_options, name, letter);
}

static leat_status fail_unknown(const struct lt_command *command, const char *word,
                                struct leat_error *err) {
    const char *names[128];
    size_t n = 0;
    const struct lt_option *tables[] = {command->options, lt_common_options};

    for (size_t t = 0; t < 2; t++) {
        for (const struct lt_option *row = tables[t]; row && row->name && n < 127; row++)
            names[n++] = row->name;
    }
    names[n] = NULL;
    struct lt_slice given = lt_slice_str(word);
    while (given.len && *given.data == '-')
        given = lt_slice_from(given, 1);
    const char *equals = given.len ? memchr(given.data, '=', given.len) : NULL;
    if (equals)
        given.len = (size_t)(equals - given.data);
    const char *near = lt_nearest(given, names);
    return lt_fail(err, LEAT_E_INVALID, 0, "there is no option %s%s%s%s; see leat %s --help", word,
                   near ? "; did you mean --" : "", near ? near : "", near ? "?" : "",
                   command->name);
}

static leat_status set_choice(const struct lt_option *row, const char *value, int *slot,
                              struct leat_error *err) {
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], value) == 0) {
            *slot = i;
            return LEAT_OK;
        }
    }
    const char *near = lt_nearest(lt_slice_str(value), row->choices);
    return lt_fail(err, LEAT_E_INVALID, 0, "--%s takes %s, not '%s'%s%s%s", row->name, row->arg,
                   value, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static leat_status set_uint(const struct lt_option *row, const char *value, uint64_t *slot,
                            struct leat_error *err) {
    char *end;
    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno)
        return lt_fail(err, LEAT_E_INVALID, 0, "--%s takes a whole number, not '%s'", row->name,
                       value);
    *slot = n;
    return LEAT_OK;
}

static leat_status set(const struct lt_option *row, const char *value, void *values,
                       struct leat_error *err) {
    char *slot = (char *)values + row->offset;
    leat_status status = LEAT_OK;

    switch (row->type) {
    case LT_OPTION_FLAG:
        *(bool *)(void *)slot = value == NULL;
        break;
    case LT_OPTION_STRING:
        *(const char **)(void *)slot = value;
        break;
    case LT_OPTION_UINT:
        return set_uint(row, value, (uint64_t *)(void *)slot, err);
    case LT_OPTION_BYTES:
        status = lt_parse_bytes(lt_slice_str(value), (uint64_t *)(void *)slot, err);
        break;
    case LT_OPTION_DURATION:
        status = lt_parse_duration(lt_slice_str(value), (int64_t *)(void *)slot, err);
        break;
    case LT_OPTION_CHOICE:
        return set_choice(row, value, (int *)(void *)slot, err);
    case LT_OPTION_PAIRS:
        break; /* see add_pair() */
    }
    return status == LEAT_OK ? LEAT_OK : lt_error_prefix(err, "--%s", row->name);
}

static leat_status set_from_environment(const struct lt_option *rows, void *values,
                                        struct leat_error *err) {
    for (; rows && rows->name; rows++) {
        const char *value = rows->env ? getenv(rows->env) : NULL;
        if (value && *value) {
            leat_status status = set(rows, value, values, err);
            if (status != LEAT_OK)
                return lt_error_prefix(err, "%s", rows->env);
        }
    }
    return LEAT_OK;
}

/* "--name NAME VALUE" */
static leat_status add_pair(const struct lt_option *row, int argc, char *const *argv, int *i,
                            void *values, struct leat_error *err) {
    struct lt_option_pairs *pairs = (void *)((char *)values + row->offset);

    if (argc - *i < 3)
        return lt_fail(err, LEAT_E_INVALID, 0, "--%s needs two words: --%s %s", row->name,
                       row->name, row->arg);
    if (pairs->n == sizeof(pairs->names) / sizeof(pairs->names[0]))
        return lt_fail(err, LEAT_E_INVALID, 0, "--%s came more than %zu times", row->name,
                       pairs->n);
    pairs->names[pairs->n] = argv[++*i];
    pairs->values[pairs->n++] = argv[++*i];
    return LEAT_OK;
}

/* A word "--name", "--name=value" or "--no-name". */
static leat_status parse_long(const struct lt_command *command, int argc, char *const *argv, int *i,
                              void *values, struct leat_error *err) {
    const char *word = argv[*i] + 2;
    const char *equals = strchr(word, '=');
    struct lt_slice name = equals ? lt_slice(word, (size_t)(equals - word)) : lt_slice_str(word);
    const struct lt_option *row = find_in(command, name, 0);

    if (!row && !equals && strncmp(word, "no-", 3) == 0) {
        row = find_in(command, lt_slice_str(word + 3), 0);
        if (row && row->type == LT_OPTION_FLAG)
            return set(row, "", values, err);
        row = NULL;
    }
    if (!row)
        return fail_unknown(command, argv[*i], err);
    if (row->type == LT_OPTION_FLAG) {
        if (equals)
            return lt_fail(err, LEAT_E_INVALID, 0, "--%s takes no value", row->name);
        return set(row, NULL, values, err);
    }
    if (row->type == LT_OPTION_PAIRS)
        return add_pair(row, argc, argv, i, values, err);
    const char *value = equals ? equals + 1 : (*i + 1 < argc ? argv[++*i] : NULL);
    if (!value)
        return lt_fail(err, LEAT_E_INVALID, 0, "--%s needs a value: --%s %s", row->name, row->name,
                       row->arg);
    return set(row, value, values, err);
}

/* A word "-v", "-n5", "-n 5", "-qv". */
static leat_status parse_short(const struct lt_command *command, int argc, char *const *argv,
                               int *i, void *values, struct leat_error *err) {
    for (const char *letter = argv[*i] + 1; *letter; letter++) {
        const struct lt_option *row = find_in(command, lt_slice(NULL, 0), *letter);
        if (!row)
            return fail_unknown(command, argv[*i], err);
        if (row->type == LT_OPTION_FLAG) {
            leat_status status = set(row, NULL, values, err);
            if (status != LEAT_OK)
                return status;
            continue;
        }
        const char *value = letter[1] ? letter + 1 : (*i + 1 < argc ? argv[++*i] : NULL);
        if (!value)
            return lt_fail(err, LEAT_E_INVALID, 0, "-%c needs a value: -%c %s", *letter, *letter,
                           row->arg);
        return set(row, value, values, err);
    }
    return LEAT_OK;
}

/* As jq has it: "-5 % 3" and "-.a" are words; an option's name begins with a letter. */
static bool is_option(const char *word) {
    char c = word[0] == '-' ? word[1] : '\0';

    return c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

leat_status lt_command_parse(const struct lt_command *command, int argc, char *const *argv,
                             void *values, const char **args, size_t *n_args,
                             struct leat_error *err) {
    bool options_end = false;
    leat_status status = set_from_environment(lt_common_options, values, err);

    *n_args = 0;
    if (status == LEAT_OK)
        status = set_from_environment(command->options, values, err);
    for (int i = 0; i < argc && status == LEAT_OK; i++) {
        const char *word = argv[i];
        if (options_end || !is_option(word))
            args[(*n_args)++] = word;
        else if (strcmp(word, "--") == 0)
            options_end = true;
        else if (word[1] == '-')
            status = parse_long(command, argc, argv, &i, values, err);
        else
            status = parse_short(command, argc, argv, &i, values, err);
    }
    if (status != LEAT_OK || ((const struct lt_common *)values)->help)
        return status;
    if (*n_args < command->min_args || *n_args > command->max_args)
        return lt_fail(err, LEAT_E_INVALID, 0, "%s: usage: leat %s %s",
                       *n_args < command->min_args ? "something is missing" : "too many words",
                       command->name, command->usage);
    return LEAT_OK;
}
