/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `leat eval` that become variables, and the text of `-f`. */
#include "cli/eval_parts.h"

#include "expr/lex.h"
#include "json/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 30 };

static leat_status no_memory(struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the command line's values");
}

static leat_status read_fd(void *ctx, char *to, size_t room, size_t *n, struct leat_error *err) {
    ssize_t got = read(*(int *)ctx, to, room);

    *n = got > 0 ? (size_t)got : 0;
    return got < 0 ? lt_fail_sys(err, errno, "cannot read it") : LEAT_OK;
}

/* A whole file, or the values in it as one array. */
static leat_status read_file(struct lt_eval_args *out, const char *path, bool values,
                             struct lt_slice *text, struct leat_error *err) {
    struct lt_json_tape tape = {0};
    struct lt_json_feed feed;
    struct lt_buf buf;
    bool more = true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return lt_fail_sys(err, errno, "cannot read %s", path);
    lt_buf_init(&buf, MAX_BYTES);
    lt_json_feed_init(&feed, read_fd, &fd, MAX_BYTES);
    leat_status status = LEAT_OK;
    if (values) {
        while (status == LEAT_OK && more) {
            status = lt_json_feed_next(&feed, &tape, &more, err);
            if (status != LEAT_OK || !more)
                break;
            lt_buf_append_byte(&buf, buf.len ? ',' : '[');
            lt_buf_append(&buf, lt_json_tape_value(&tape, 0).raw);
        }
        lt_buf_append_str(&buf, buf.len ? "]" : "[]");
    } else {
        struct lt_slice rest;
        status = lt_json_feed_rest(&feed, &rest, err);
        if (status == LEAT_OK)
            lt_buf_append(&buf, rest);
    }
    if (status != LEAT_OK)
        status = lt_error_prefix(err, "%s", path);
    else
        status = lt_buf_status(&buf, err);
    if (status == LEAT_OK) {
        *text = lt_arena_dup(&out->memory, buf.len ? lt_buf_slice(&buf) : LT_LIT(""));
        if (!text->data)
            status = no_memory(err);
    }
    lt_json_feed_deinit(&feed);
    lt_json_tape_deinit(&tape);
    lt_buf_deinit(&buf);
    close(fd);
    return status;
}

static leat_status check_json(const char *option, struct lt_slice json, struct leat_error *err) {
    struct lt_json value;

    if (lt_json_parse(&value, json, LT_JSON_DEFAULT_DEPTH, err) == LEAT_OK)
        return LEAT_OK;
    return lt_error_prefix(err, "%s", option);
}

/* A text as a JSON string. */
static leat_status quote(struct lt_eval_args *out, struct lt_slice text, struct lt_slice *json,
                         struct leat_error *err) {
    struct lt_buf buf;

    lt_buf_init(&buf, MAX_BYTES);
    lt_json_write_string(&buf, text);
    *json = buf.failed ? lt_slice(NULL, 0) : lt_arena_dup(&out->memory, lt_buf_slice(&buf));
    lt_buf_deinit(&buf);
    return json->data ? LEAT_OK : no_memory(err);
}

enum kind { ARG, ARGJSON, SLURPFILE, RAWFILE };

static leat_status make_value(struct lt_eval_args *out, enum kind kind, const char *word,
                              struct lt_slice *json, struct leat_error *err) {
    struct lt_slice text = lt_slice_str(word);
    leat_status status;

    switch (kind) {
    case ARGJSON:
        *json = text;
        return check_json("--argjson", text, err);
    case SLURPFILE:
        return read_file(out, word, true, json, err);
    case RAWFILE:
        status = read_file(out, word, false, &text, err);
        return status == LEAT_OK ? quote(out, text, json, err) : status;
    case ARG:
        break;
    }
    return quote(out, text, json, err);
}

static leat_status check_name(const char *name, struct leat_error *err) {
    bool good = lt_expr_is_name_start(*name);

    for (const char *at = name; good && *at; at++)
        good = lt_expr_is_name(*at);
    return good ? LEAT_OK
                : lt_fail(err, LEAT_E_INVALID, 0,
                          "'%s' cannot be a variable's name: letters, digits and '_'", name);
}

static leat_status add_pairs(struct lt_eval_args *out, const struct lt_option_pairs *pairs,
                             enum kind kind, struct lt_json_writer *named, struct leat_error *err) {
    for (size_t i = 0; i < pairs->n; i++) {
        struct lt_expr_var *var = &out->vars[out->n_vars];
        leat_status status = check_name(pairs->names[i], err);
        if (status == LEAT_OK)
            status = make_value(out, kind, pairs->values[i], &var->json, err);
        if (status != LEAT_OK)
            return status;
        var->name = pairs->names[i];
        out->n_vars++;
        lt_json_key(named, var->name);
        lt_json_put_raw(named, var->json);
    }
    return LEAT_OK;
}

/* $ARGS: {"positional": [...], "named": {...}} */
static leat_status add_args(struct lt_eval_args *out, const struct lt_eval_values *values,
                            const char *const *words, size_t n_words, struct lt_buf *buf,
                            struct leat_error *err) {
    const struct lt_option_pairs *all[] = {&values->arg, &values->argjson, &values->slurpfile,
                                           &values->rawfile};
    struct lt_json_writer w;
    leat_status status = LEAT_OK;

    lt_json_writer_init(&w, buf);
    lt_json_begin_object(&w);
    lt_json_key(&w, "positional");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < n_words && status == LEAT_OK; i++) {
        if (values->jsonargs) {
            status = check_json("--jsonargs", lt_slice_str(words[i]), err);
            lt_json_put_raw(&w, lt_slice_str(words[i]));
        } else {
            lt_json_put_str(&w, words[i]);
        }
    }
    lt_json_end_array(&w);
    lt_json_key(&w, "named");
    lt_json_begin_object(&w);
    for (enum kind kind = ARG; kind <= RAWFILE && status == LEAT_OK; kind++)
        status = add_pairs(out, all[kind], kind, &w, err);
    lt_json_end_object(&w);
    lt_json_end_object(&w);
    return status;
}

leat_status lt_eval_args_init(struct lt_eval_args *out, const struct lt_eval_values *values,
                              const char *const *args, size_t n_args, struct leat_error *err) {
    size_t n = values->arg.n + values->argjson.n + values->slurpfile.n + values->rawfile.n + 1;
    leat_status status = LEAT_OK;
    struct lt_buf buf;

    *out = (struct lt_eval_args){0};
    lt_arena_init(&out->memory, (size_t)4 * MAX_BYTES);
    out->vars = lt_arena_calloc(&out->memory, n, sizeof(*out->vars));
    if (!out->vars)
        return no_memory(err);
    if (!values->from_file) {
        if (n_args == 0)
            return lt_fail(err, LEAT_E_INVALID, 0,
                           "something is missing: usage: leat eval EXPR [FILE...]");
        out->text = lt_slice_str(*args++);
        n_args--;
    } else {
        status = read_file(out, values->from_file, false, &out->text, err);
    }
    bool words = values->args || values->jsonargs;
    lt_buf_init(&buf, MAX_BYTES);
    if (status == LEAT_OK)
        status = add_args(out, values, args, words ? n_args : 0, &buf, err);
    if (status == LEAT_OK && buf.failed)
        status = no_memory(err);
    if (status == LEAT_OK) {
        struct lt_slice json = lt_arena_dup(&out->memory, lt_buf_slice(&buf));
        out->vars[out->n_vars++] = (struct lt_expr_var){"ARGS", json};
        status = json.data ? LEAT_OK : no_memory(err);
    }
    lt_buf_deinit(&buf);
    out->files = args;
    out->n_files = words ? 0 : n_args;
    return status;
}

void lt_eval_args_deinit(struct lt_eval_args *args) {
    lt_arena_deinit(&args->memory);
}
