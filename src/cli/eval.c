/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/eval_parts.h"

#include "base/units.h"

#include <errno.h>
#include <string.h>

/* As jq's, so that scripts can change from one to the other. */
enum { EXIT_FALSE = 1, EXIT_BAD_INPUT = 2, EXIT_NO_JQ = 3, EXIT_NOTHING = 4, EXIT_RAISED = 5 };
enum { MAX_INDENT = 7 };

static const struct lt_eval_values defaults = {.memory_bytes = (uint64_t)4 << 30};

#define OFFSET(member) offsetof(struct lt_eval_values, member)
#define FLAG(name, letter, member, help)                                                           \
    { name, letter, LT_OPTION_FLAG, NULL, OFFSET(member), help, NULL, NULL }

static const struct lt_option options[] = {
    FLAG("raw-output", 'r', raw, "print strings without quotes"),
    FLAG("join-output", 'j', join, "as -r, and no line end behind an output"),
    FLAG("null-input", 'n', null_input, "run once, on null; `input` and `inputs` read"),
    FLAG("slurp", 's', slurp, "run once, on an array of all inputs"),
    FLAG("raw-input", 'R', raw_input, "each line of input is a string"),
    FLAG("exit-status", 'e', exit_status,
         "exit with 1 when the last output was false or null, 4 when there was none"),
    FLAG("compact-output", 'c', compact, "one line an output (default)"),
    FLAG("sort-keys", 'S', sort, "print the names of objects in order"),
    FLAG("ascii-output", 'a', ascii, "print all that is not ASCII as \\u escapes"),
    FLAG("tab", 0, tab, "indent with tabs"),
    {"indent", 0, LT_OPTION_UINT, "N", OFFSET(indent), "indent with N spaces, at most 7", NULL,
     NULL},
    {"from-file", 'f', LT_OPTION_STRING, "FILE", OFFSET(from_file),
     "EXPR stands in a file; all words are inputs", NULL, NULL},
    {"arg", 0, LT_OPTION_PAIRS, "NAME TEXT", OFFSET(arg), "$NAME is the text", NULL, NULL},
    {"argjson", 0, LT_OPTION_PAIRS, "NAME JSON", OFFSET(argjson), "$NAME is the value", NULL, NULL},
    {"slurpfile", 0, LT_OPTION_PAIRS, "NAME FILE", OFFSET(slurpfile),
     "$NAME is an array of the values in a file", NULL, NULL},
    {"rawfile", 0, LT_OPTION_PAIRS, "NAME FILE", OFFSET(rawfile), "$NAME is a file's text", NULL,
     NULL},
    FLAG("args", 0, args, "words behind EXPR are texts in $ARGS.positional, not files"),
    FLAG("jsonargs", 0, jsonargs, "words behind EXPR are values in $ARGS.positional, not files"),
    {"memory", 0, LT_OPTION_BYTES, "BYTES", OFFSET(memory_bytes),
     "what one input may take (default 4GiB)", NULL, NULL},
    FLAG("explain", 0, explain, "say whether EXPR is compiled or runs through libjq, and why"),
    {0},
};

static int fail_compile(const struct lt_expr_text *text, const struct leat_error *err) {
    struct lt_buf place;

    lt_cli_fail("eval", err);
    lt_buf_init(&place, 1 << 20);
    lt_tree_explain(text, err, &place);
    if (!lt_cli_logs_json())
        (void)fwrite(place.data, 1, place.len, stderr);
    lt_buf_deinit(&place);
    return EXIT_NO_JQ;
}

static int explain(const struct lt_script *script) {
    const char *why = lt_script_why_libjq(script);

    printf("%s%s\n", why ? "runs through libjq: " : "compiled", why ? why : "");
    return LT_EXIT_OK;
}

static int run_script(struct lt_script *script, const struct lt_eval_values *values,
                      const struct lt_eval_args *args) {
    struct lt_eval_io io = {.files = args->files, .n_files = args->n_files, .fd = -1};
    const struct lt_script_io script_io = lt_eval_script_io(&io);
    struct lt_script_result result;
    struct leat_error err;
    leat_status status = lt_script_run(script, &script_io, &result, &err);

    if (status != LEAT_OK && err.sys == EPIPE)
        return LT_EXIT_OK;
    if (status == LEAT_E_PARSE)
        lt_error_prefix(&err, "%s", io.name ? io.name : "input");
    if (status != LEAT_OK) {
        lt_cli_fail("eval", &err);
        return status == LEAT_E_PARSE || status == LEAT_E_LIMIT ? EXIT_BAD_INPUT : LT_EXIT_FAILED;
    }
    if (result.halted)
        return result.halt_code;
    if (io.missed)
        return EXIT_BAD_INPUT;
    if (result.n_failed)
        return EXIT_RAISED;
    if (!values->exit_status)
        return LT_EXIT_OK;
    return !result.n_outputs ? EXIT_NOTHING : result.last_is_true ? LT_EXIT_OK : EXIT_FALSE;
}

static int run(const void *v, const char *const *words, size_t n_words) {
    const struct lt_eval_values *values = v;
    struct lt_eval_args args;
    struct lt_script *script = NULL;
    struct leat_error err;
    int code = LT_EXIT_USAGE;

    leat_status status = lt_eval_args_init(&args, values, words, n_words, &err);
    if (status == LEAT_OK && values->indent > MAX_INDENT)
        status = lt_fail(&err, LEAT_E_INVALID, 0, "--indent takes 0 to %d", MAX_INDENT);
    if (status != LEAT_OK) {
        lt_cli_fail("eval", &err);
        goto out;
    }
    const struct lt_script_options opt = {
        .text = {.name = LT_LIT("EXPR"), .text = args.text, .line = 1, .column = 1},
        .vars = args.vars,
        .n_vars = args.n_vars,
        .null_input = values->null_input,
        .slurp = values->slurp,
        .raw_input = values->raw_input,
        .raw_output = values->raw,
        .join = values->join,
        .style = {.indent = values->compact ? 0 : (unsigned)values->indent,
                  .tab = values->tab && !values->compact,
                  .sort_keys = values->sort,
                  .ascii = values->ascii},
        .max_value_bytes = (size_t)(values->memory_bytes / 4),
        .max_bytes = (size_t)values->memory_bytes,
    };
    status = lt_script_new(&script, &opt, &err);
    if (status == LEAT_E_CONFIG)
        code = fail_compile(&opt.text, &err);
    else if (status != LEAT_OK)
        code = lt_cli_fail("eval", &err);
    else
        code = values->explain ? explain(script) : run_script(script, values, &args);
out:
    lt_script_free(script);
    lt_eval_args_deinit(&args);
    return code;
}

const struct lt_command lt_command_eval = {
    .name = "eval",
    .summary = "evaluate jq over JSON values, fast",
    .usage = "EXPR [FILE...]",
    .description =
        "Runs a jq 1.6 expression on each JSON value of the files (or standard input), and prints "
        "each\noutput on a line, as jq -c does. It is compiled; the little that is not runs "
        "through libjq.\nInteger arithmetic is exact to 64 bits, and numbers that pass through "
        "keep their spelling.\n\nExit codes are jq's: 0; 1 and 4 with -e; 2 bad input or usage; 3 "
        "EXPR is no jq; 5 an error was raised.",
    .examples = "  leat eval .country sessions.jsonl\n"
                "  leat eval -r '[.session_id, .country] | @csv' sessions.jsonl\n"
                "  leat tail sessions -o data | leat eval 'select(.country == \"USA\") | .city'\n"
                "  leat eval -s --arg c USA 'map(select(.country == $c)) | length' sessions.jsonl",
    .options = options,
    .values_size = sizeof(struct lt_eval_values),
    .defaults = &defaults,
    .min_args = 0,
    .max_args = SIZE_MAX,
    .run = run,
};
