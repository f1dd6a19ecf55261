/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object {"GROUP": [record, …], …} of one resource, where a group is what the path takes
 * of the parent ({album_id: [tracks]}), or the resource's name where there is no parent. It is
 * written as it comes: pages of a group follow each other.
 */
#include "pipeline/pull_format.h"

static leat_status begin(struct lt_pull_formatter *f, struct leat_error *err) {
    (void)err;
    lt_buf_append_byte(f->opt.out, '{');
    return LEAT_OK;
}

/* As a key of an object: a text as it is, anything else as its JSON text. */
static void append_key(struct lt_buf *out, const struct lt_rest_page *page) {
    if (page->resource->parent == SIZE_MAX)
        lt_json_write_string(out, lt_slice_str(page->resource->name));
    else if (page->group.len && page->group.data[0] == '"')
        lt_buf_append(out, page->group);
    else
        lt_json_write_string(out, page->group);
}

static void close_group(struct lt_pull_formatter *f) {
    if (f->n_groups)
        lt_buf_append_byte(f->opt.out, ']');
}

static leat_status page(struct lt_pull_formatter *f, const struct lt_rest_page *rest_page,
                        const struct lt_slice *records, size_t n, struct leat_error *err) {
    struct lt_buf key;

    lt_buf_init(&key, f->group.max);
    append_key(&key, rest_page);
    leat_status status = lt_buf_status(&key, err);
    if (status == LEAT_OK &&
        (!f->n_groups || !lt_slice_eq(lt_buf_slice(&key), lt_buf_slice(&f->group)))) {
        close_group(f);
        lt_buf_append_str(f->opt.out, f->n_groups++ ? ",\n" : "\n");
        lt_buf_append(f->opt.out, lt_buf_slice(&key));
        lt_buf_append_str(f->opt.out, ": [");
        lt_buf_clear(&f->group);
        lt_buf_append(&f->group, lt_buf_slice(&key));
        f->n_in_group = 0;
        status = lt_buf_status(&f->group, err);
    }
    for (size_t i = 0; i < n && status == LEAT_OK; i++) {
        if (f->n_in_group++)
            lt_buf_append_str(f->opt.out, ",\n ");
        lt_buf_append(f->opt.out, records[i]);
    }
    lt_buf_deinit(&key);
    return status;
}

/* Also of a pull that failed: what is there is a whole object. */
static leat_status end(struct lt_pull_formatter *f, bool complete, const struct leat_error *failure,
                       struct leat_error *err) {
    (void)complete;
    (void)failure;
    (void)err;
    close_group(f);
    lt_buf_append_str(f->opt.out, "\n}\n");
    return LEAT_OK;
}

const struct lt_pull_format_row lt_pull_format_grouped = {
    .name = "grouped", .begin = begin, .page = page, .end = end};
