/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prefix expressions: `!{namespace:value}` between literal text. A namespace is a row of the
 * table; a row checks its value and writes it. `!{` stands nowhere else.
 */
#include "deliver/prefix.h"

#include "base/hash.h"
#include "deliver/delivery.h"
#include "deliver/javatime.h"

#include <stdio.h>

enum { EVALUATED_MAX_CHARS = 512 };

#define CONSTRAINT "The supplied prefix(es) do not satisfy the following constraint: "

struct scope {
    const struct lt_prefix_values *values;
    unsigned n_random; /* each random-string of a prefix is another one */
};

struct namespace {
    const char *name;
    leat_status (*check)(struct lt_slice value, bool is_error, struct leat_error *err);
    void (*write)(struct lt_buf * out, struct lt_slice value, struct scope * scope);
};

static leat_status check_timestamp(struct lt_slice value, bool is_error, struct leat_error *err) {
    (void)is_error;
    leat_status status = lt_javatime_check(value, err);
    if (status != LEAT_OK)
        lt_error_prefix(err,
                        CONSTRAINT "!{timestamp:%.*s} must be a valid Java DateTimeFormatter "
                                   "pattern",
                        LT_FMT(value));
    return status;
}

static void write_timestamp(struct lt_buf *out, struct lt_slice value, struct scope *scope) {
    lt_javatime_append(out, value, scope->values->time_ms);
}

static leat_status check_firehose(struct lt_slice value, bool is_error, struct leat_error *err) {
    if (lt_slice_eq(value, LT_LIT("random-string")))
        return LEAT_OK;
    if (!lt_slice_eq(value, LT_LIT("error-output-type")))
        return lt_fail(err, LEAT_E_INVALID, 0,
                       CONSTRAINT "!{firehose:%.*s} is not one of !{firehose:random-string}, "
                                  "!{firehose:error-output-type}",
                       LT_FMT(value));
    if (!is_error)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       CONSTRAINT "Prefix cannot contain !{firehose:error-output-type}");
    return LEAT_OK;
}

static void write_firehose(struct lt_buf *out, struct lt_slice value, struct scope *scope) {
    uint8_t digest[LT_SHA256_BYTES];
    char text[2 * 6 + 1];
    struct lt_buf seed;

    if (!lt_slice_eq(value, LT_LIT("random-string"))) {
        lt_buf_append_str(out, scope->values->error_output_type);
        return;
    }
    lt_buf_init(&seed, 4096);
    lt_buf_append(&seed, scope->values->seed);
    lt_buf_printf(&seed, "/random-string/%u", scope->n_random++);
    lt_sha256(lt_buf_slice(&seed), digest);
    lt_buf_deinit(&seed);
    /* AWS gives the first 11 characters of a UUID */
    lt_hex(digest, 6, text);
    lt_buf_printf(out, "%.8s-%.2s", text, text + 8);
}

static leat_status check_partition(struct lt_slice value, bool is_error, struct leat_error *err) {
    (void)value, (void)is_error;
    return lt_fail(err, LEAT_E_INVALID, 0,
                   CONSTRAINT "partitionKeyFromQuery and partitionKeyFromLambda need dynamic "
                              "partitioning, which is not enabled");
}

static const struct namespace namespaces[] = {
    {"timestamp", check_timestamp, write_timestamp},
    {"firehose", check_firehose, write_firehose},
    {"partitionKeyFromQuery", check_partition, NULL},
    {"partitionKeyFromLambda", check_partition, NULL},
};

static const struct namespace *find_namespace(struct lt_slice name) {
    for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
        if (lt_slice_eq_str(name, namespaces[i].name))
            return &namespaces[i];
    return NULL;
}

/* Offset of the next `!{` from `from`; the length where there is none. */
static size_t find_expression(struct lt_slice prefix, size_t from) {
    for (size_t i = from; i + 1 < prefix.len; i++)
        if (prefix.data[i] == '!' && prefix.data[i + 1] == '{')
            return i;
    return prefix.len;
}

/* Splits the expression at `at` (`!{`): `*end` is after its brace. */
static leat_status split(struct lt_slice prefix, size_t at, const struct namespace **ns,
                         struct lt_slice *value, size_t *end, struct leat_error *err) {
    const char *start = prefix.data + at + 2;
    size_t left = prefix.len - at - 2;
    const char *close = memchr(start, '}', left);
    const char *colon = close ? memchr(start, ':', (size_t)(close - start)) : NULL;

    if (!colon)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       CONSTRAINT "the sequence !{ can only appear in !{namespace:value} "
                                  "expressions (at character %zu)",
                       at + 1);
    *ns = find_namespace(lt_slice(start, (size_t)(colon - start)));
    if (!*ns)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       CONSTRAINT "the namespace %.*s is not one of timestamp, firehose, "
                                  "partitionKeyFromQuery, partitionKeyFromLambda",
                       (int)(colon - start > 64 ? 64 : colon - start), start);
    *value = lt_slice(colon + 1, (size_t)(close - colon - 1));
    *end = (size_t)(close + 1 - prefix.data);
    return LEAT_OK;
}

bool lt_prefix_has_expression(struct lt_slice prefix) {
    return find_expression(prefix, 0) < prefix.len;
}

static leat_status evaluate(struct lt_buf *out, struct lt_slice prefix, struct scope *scope,
                            struct leat_error *err) {
    bool is_error = scope->values->error_output_type != NULL;
    bool has_timestamp = false, has_type = false, has_any = false;
    size_t at = 0;

    while (at < prefix.len) {
        const struct namespace *ns;
        struct lt_slice value;
        size_t next = find_expression(prefix, at), end;
        lt_buf_append(out, lt_slice(prefix.data + at, next - at));
        if (next == prefix.len)
            break;
        leat_status status = split(prefix, next, &ns, &value, &end, err);
        if (status == LEAT_OK)
            status = ns->check(value, is_error, err);
        if (status != LEAT_OK)
            return status;
        ns->write(out, value, scope);
        has_any = true;
        has_timestamp |= ns->write == write_timestamp;
        has_type |= lt_slice_eq(value, LT_LIT("error-output-type"));
        at = end;
    }
    if (is_error && has_any && !has_type)
        return lt_fail(err, LEAT_E_INVALID, 0,
                       CONSTRAINT "ErrorOutputPrefix must contain at least one instance of "
                                  "!{firehose:error-output-type} when it contains expressions");
    if (!has_timestamp && !is_error && !scope->values->as_written)
        lt_javatime_append(out, LT_LIT("yyyy/MM/dd/HH/"), scope->values->time_ms);
    return lt_buf_status(out, err);
}

leat_status lt_prefix_append(struct lt_buf *out, struct lt_slice prefix,
                             const struct lt_prefix_values *values, struct leat_error *err) {
    struct scope scope = {.values = values};
    return evaluate(out, prefix, &scope, err);
}

leat_status lt_delivery_check_prefix(struct lt_slice prefix, bool is_error_prefix,
                                     struct leat_error *err) {
    /* a September 30: the longest month's name and two-digit numbers */
    struct lt_prefix_values values = {.time_ms = 1695995999999, .seed = LT_LIT("check")};
    struct lt_buf out;

    values.error_output_type = is_error_prefix ? "processing-failed" : NULL;
    if (prefix.len && memchr(prefix.data, '\0', prefix.len))
        return lt_fail(err, LEAT_E_INVALID, 0, CONSTRAINT "a prefix cannot contain a NUL");
    lt_buf_init(&out, 64 << 10);
    leat_status status = lt_prefix_append(&out, prefix, &values, err);
    if (status == LEAT_OK && out.len > EVALUATED_MAX_CHARS)
        status =
            lt_fail(err, LEAT_E_INVALID, 0,
                    CONSTRAINT "%s cannot be greater than %d characters after it is "
                               "evaluated (it has %zu)",
                    is_error_prefix ? "ErrorOutputPrefix" : "Prefix", EVALUATED_MAX_CHARS, out.len);
    lt_buf_deinit(&out);
    return status;
}
