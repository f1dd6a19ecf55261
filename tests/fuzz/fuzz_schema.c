/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any first line as a JSON Schema, the others as records for it: what is read or
 * inferred writes as JSON that reads back the same, and takes each record that was added.
 */
#include "json/schema.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

static struct lt_slice take_line(struct lt_slice *rest) {
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct lt_slice line = lt_slice(rest->data, end ? (size_t)(end - rest->data) : rest->len);

    *rest = lt_slice_from(*rest, line.len + 1);
    return line;
}

static void check_text(const struct lt_json_schema *schema) {
    struct lt_json_schema *again;
    struct lt_buf text, text_again;
    struct lt_json parsed;

    lt_buf_init(&text, SIZE_MAX);
    lt_buf_init(&text_again, SIZE_MAX);
    lt_json_schema_write(schema, NULL, &text);
    must(lt_json_parse(&parsed, lt_buf_slice(&text), LT_JSON_DEFAULT_DEPTH, NULL) == LEAT_OK);
    must(lt_json_schema_read(&again, lt_buf_slice(&text), NULL) == LEAT_OK);
    lt_json_schema_write(again, NULL, &text_again);
    must(lt_slice_eq(lt_buf_slice(&text), lt_buf_slice(&text_again)));
    lt_json_schema_free(again);
    lt_buf_deinit(&text);
    lt_buf_deinit(&text_again);
}

static void no_change(void *ctx, const char *path, const char *before, const char *now) {
    (void)ctx;
    (void)path;
    (void)before;
    (void)now;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_slice rest = lt_slice(data, len);
    struct lt_json_schema *schema;
    struct leat_error err = {0};

    leat_status status = lt_json_schema_read(&schema, take_line(&rest), &err);
    if (status != LEAT_OK) {
        must(status == LEAT_E_PARSE && err.text[0]);
        must(lt_json_schema_new(&schema, NULL) == LEAT_OK);
    }
    check_text(schema);
    while (rest.len) {
        struct lt_json_schema_misfit misfit;
        struct lt_json record;
        if (lt_json_parse(&record, take_line(&rest), LT_JSON_DEFAULT_DEPTH, NULL) != LEAT_OK)
            continue;
        if (!lt_json_schema_fits(schema, record, &misfit))
            must(misfit.path[0] == '.' && misfit.expected[0] && misfit.found[0]);
        must(lt_json_schema_add(schema, record, NULL) == LEAT_OK);
        must(lt_json_schema_fits(schema, record, NULL));
    }
    check_text(schema);
    lt_json_schema_compare(schema, schema, no_change, NULL);
    lt_json_schema_free(schema);
    return 0;
}
