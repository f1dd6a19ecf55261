/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pull_format.h"

#include "base/clock.h"

#include <stdlib.h>

enum { STATE_MAX_BYTES = 256 << 20 };

static const struct lt_pull_format_row *const rows[] = {
    [LT_PULL_JSON] = &lt_pull_format_json,
    [LT_PULL_SINGER] = &lt_pull_format_singer,
    [LT_PULL_AIRBYTE] = &lt_pull_format_airbyte,
    [LT_PULL_GROUPED] = &lt_pull_format_grouped,
};

int64_t lt_pull_format_now(const struct lt_pull_formatter *f) {
    return f->opt.now_ms ? f->opt.now_ms() : lt_clock_wall_ms();
}

leat_status lt_pull_formatter_new(struct lt_pull_formatter **out,
                                  const struct lt_pull_formatter_options *opt,
                                  struct leat_error *err) {
    struct lt_pull_formatter *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (!f)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to write records");
    f->opt = *opt;
    f->row = rows[opt->format];
    lt_buf_init(&f->group, STATE_MAX_BYTES);
    lt_buf_init(&f->last_state, STATE_MAX_BYTES);
    f->resources = calloc(opt->api->n_resources + 1, sizeof(*f->resources));
    if (!f->resources) {
        lt_pull_formatter_free(f);
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to write records");
    }
    for (size_t i = 0; i < opt->api->n_resources; i++) {
        lt_buf_init(&f->resources[i].text, STATE_MAX_BYTES);
        lt_buf_init(&f->resources[i].last_schema, STATE_MAX_BYTES);
        lt_buf_init(&f->resources[i].last_state, STATE_MAX_BYTES);
    }
    *out = f;
    return LEAT_OK;
}

void lt_pull_formatter_free(struct lt_pull_formatter *f) {
    if (!f)
        return;
    for (size_t i = 0; f->resources && i < f->opt.api->n_resources; i++) {
        lt_json_schema_free(f->resources[i].schema);
        lt_buf_deinit(&f->resources[i].text);
        lt_buf_deinit(&f->resources[i].last_schema);
        lt_buf_deinit(&f->resources[i].last_state);
    }
    free(f->resources);
    lt_buf_deinit(&f->group);
    lt_buf_deinit(&f->last_state);
    free(f);
}

leat_status lt_pull_format_begin(struct lt_pull_formatter *f, struct leat_error *err) {
    leat_status status = f->row->begin ? f->row->begin(f, err) : LEAT_OK;
    return status == LEAT_OK ? lt_buf_status(f->opt.out, err) : status;
}

leat_status lt_pull_format_page(struct lt_pull_formatter *f, const struct lt_rest_page *page,
                                const struct lt_slice *records, size_t n, struct leat_error *err) {
    leat_status status = f->row->page(f, page, records, n, err);
    f->resources[page->resource_index].n_records += n;
    return status == LEAT_OK ? lt_buf_status(f->opt.out, err) : status;
}

leat_status lt_pull_format_state(struct lt_pull_formatter *f, struct leat_error *err) {
    leat_status status = f->row->state && f->opt.position ? f->row->state(f, err) : LEAT_OK;
    return status == LEAT_OK ? lt_buf_status(f->opt.out, err) : status;
}

void lt_pull_format_note(struct lt_pull_formatter *f, const char *level, const char *text) {
    if (f->row->note)
        f->row->note(f, level, text);
}

leat_status lt_pull_format_end(struct lt_pull_formatter *f, bool complete,
                               const struct leat_error *failure, struct leat_error *err) {
    leat_status status = lt_pull_format_state(f, err);
    if (status == LEAT_OK && f->row->end)
        status = f->row->end(f, complete, failure, err);
    return status == LEAT_OK ? lt_buf_status(f->opt.out, err) : status;
}
