/* SPDX-License-Identifier: Apache-2.0 */
/* How a plan is shown, by `leat up` and `leat down`. */
#include "base/units.h"
#include "cli/file.h"
#include "json/json.h"

static const char *const nouns[] = {
    [LT_PLAN_BUCKET] = "bucket",
    [LT_PLAN_STREAM] = "stream",
    [LT_PLAN_DELIVERY] = "delivery",
    [LT_PLAN_PIPELINE] = "pipeline",
};

static const struct {
    const char *sign, *word, *colour;
} actions[] = {
    [LT_PLAN_CREATE] = {"+", "create", "\033[32m"},  [LT_PLAN_KEEP] = {"=", "keep", "\033[2m"},
    [LT_PLAN_DIFFER] = {"~", "differs", "\033[33m"}, [LT_PLAN_LOCAL] = {">", "local", ""},
    [LT_PLAN_REMOVE] = {"-", "remove", "\033[31m"},  [LT_PLAN_ABSENT] = {" ", "absent", "\033[2m"},
};

static void print_counts(FILE *out, const struct lt_plan_item *item) {
    char count[64], bytes[32];

    if (item->action == LT_PLAN_REMOVE && item->counted)
        fprintf(out, ": %s, %s",
                lt_cli_count(item->n_records, item->kind == LT_PLAN_BUCKET ? "object" : "record",
                             count),
                lt_format_bytes(item->n_bytes, bytes));
}

void lt_cli_print_item(FILE *out, const struct lt_plan_item *item) {
    bool colour = lt_cli_colour(out) && *actions[item->action].colour;

    fprintf(out, "%s%s %s %s", colour ? actions[item->action].colour : "",
            actions[item->action].sign, nouns[item->kind], item->name);
    if (*item->detail)
        fprintf(out, " (%s)", item->detail);
    print_counts(out, item);
    if (item->action == LT_PLAN_DIFFER)
        fprintf(out, ": left as it is; would have to change: %s",
                item->difference ? item->difference : "");
    if (item->action == LT_PLAN_LOCAL)
        fprintf(out, ": runs inside `leat run`");
    if (item->action == LT_PLAN_ABSENT)
        fprintf(out, ": is not there");
    fprintf(out, "%s\n", colour ? "\033[0m" : "");
}

static void write_item(struct lt_json_writer *w, const struct lt_plan_item *item) {
    lt_json_begin_object(w);
    lt_json_key(w, "kind");
    lt_json_put_str(w, nouns[item->kind]);
    lt_json_key(w, "name");
    lt_json_put_str(w, item->name);
    lt_json_key(w, "action");
    lt_json_put_str(w, actions[item->action].word);
    lt_json_key(w, "done");
    lt_json_put_bool(w, item->done);
    if (*item->detail) {
        lt_json_key(w, "detail");
        lt_json_put_str(w, item->detail);
    }
    if (item->difference) {
        lt_json_key(w, "difference");
        lt_json_put_str(w, item->difference);
    }
    if (item->action == LT_PLAN_REMOVE && item->counted) {
        lt_json_key(w, item->kind == LT_PLAN_BUCKET ? "objects" : "records");
        lt_json_put_uint(w, item->n_records);
        lt_json_key(w, "bytes");
        lt_json_put_uint(w, item->n_bytes);
    }
    lt_json_end_object(w);
}

int lt_cli_print_plan_json(FILE *out, const char *command, const struct lt_plan *plan) {
    struct lt_json_writer w;
    struct leat_error err;
    struct lt_buf buf;

    lt_buf_init(&buf, 64 << 20);
    lt_json_writer_init(&w, &buf);
    lt_json_begin_object(&w);
    lt_json_key(&w, "file");
    lt_json_put_str(&w, plan->system->path);
    lt_json_key(&w, "target");
    lt_json_put_str(&w, lt_target_describe(plan->target));
    if (plan->account) {
        lt_json_key(&w, "account");
        lt_json_put_str(&w, plan->account);
    }
    lt_json_key(&w, "items");
    lt_json_begin_array(&w);
    for (size_t i = 0; i < plan->n; i++)
        write_item(&w, &plan->items[i]);
    lt_json_end_array(&w);
    lt_json_end_object(&w);
    leat_status status = lt_buf_status(&buf, &err);
    if (status == LEAT_OK)
        fprintf(out, "%.*s\n", LT_FMT(lt_buf_slice(&buf)));
    lt_buf_deinit(&buf);
    return status == LEAT_OK ? LT_EXIT_OK : lt_cli_fail(command, &err);
}
