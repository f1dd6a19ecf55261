/* SPDX-License-Identifier: Apache-2.0 */
/* libjq is opened when the first expression is compiled: what has none pays nothing for it. */
#include "expr/libjq.h"

#include "base/dylib.h"

#include <pthread.h>

struct lt_libjq lt_jq;

static const struct lt_dylib_symbol symbols[] = {
    {"jq_init", &lt_jq.init},
    {"jq_set_nomem_handler", &lt_jq.set_nomem_handler},
    {"jq_set_error_cb", &lt_jq.set_error_cb},
    {"jq_set_debug_cb", &lt_jq.set_debug_cb},
    {"jq_set_input_cb", &lt_jq.set_input_cb},
    {"jq_compile", &lt_jq.compile},
    {"jq_compile_args", &lt_jq.compile_args},
    {"jq_start", &lt_jq.start},
    {"jq_next", &lt_jq.next},
    {"jq_halted", &lt_jq.halted},
    {"jq_get_exit_code", &lt_jq.get_exit_code},
    {"jq_get_error_message", &lt_jq.get_error_message},
    {"jq_teardown", &lt_jq.teardown},
    {"jv_get_kind", &lt_jq.get_kind},
    {"jv_copy", &lt_jq.copy},
    {"jv_free", &lt_jq.free},
    {"jv_invalid", &lt_jq.invalid},
    {"jv_invalid_get_msg", &lt_jq.invalid_get_msg},
    {"jv_null", &lt_jq.null},
    {"jv_bool", &lt_jq.bool_},
    {"jv_number", &lt_jq.number},
    {"jv_number_value", &lt_jq.number_value},
    {"jv_array", &lt_jq.array},
    {"jv_array_append", &lt_jq.array_append},
    {"jv_array_length", &lt_jq.array_length},
    {"jv_array_get", &lt_jq.array_get},
    {"jv_string", &lt_jq.string},
    {"jv_string_sized", &lt_jq.string_sized},
    {"jv_string_length_bytes", &lt_jq.string_length_bytes},
    {"jv_string_value", &lt_jq.string_value},
    {"jv_object", &lt_jq.object},
    {"jv_object_get", &lt_jq.object_get},
    {"jv_object_set", &lt_jq.object_set},
    {"jv_object_iter", &lt_jq.object_iter},
    {"jv_object_iter_next", &lt_jq.object_iter_next},
    {"jv_object_iter_valid", &lt_jq.object_iter_valid},
    {"jv_object_iter_value", &lt_jq.object_iter_value},
    {"jv_dump_string", &lt_jq.dump_string},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static leat_status loaded;
static struct leat_error why;

static void load(void) {
    loaded =
        lt_dylib_open("libjq.so.1", "libjq1", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

leat_status lt_libjq_load(struct leat_error *err) {
    pthread_once(&once, load);
    if (loaded != LEAT_OK && err)
        *err = why;
    return loaded;
}
