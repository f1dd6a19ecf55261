/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_LIBJQ_H
#define LT_EXPR_LIBJQ_H

#include "base/error.h"

#include <jq.h>

/* libjq's functions that the helper process calls (remote.h), filled in by lt_libjq_load(): nobody
 * else loads it. */
struct lt_libjq {
    typeof(jq_init) *init;
    typeof(jq_set_nomem_handler) *set_nomem_handler;
    typeof(jq_set_error_cb) *set_error_cb;
    typeof(jq_set_debug_cb) *set_debug_cb;
    typeof(jq_set_input_cb) *set_input_cb;
    typeof(jq_compile) *compile;
    typeof(jq_compile_args) *compile_args;
    typeof(jq_start) *start;
    typeof(jq_next) *next;
    typeof(jq_halted) *halted;
    typeof(jq_get_exit_code) *get_exit_code;
    typeof(jq_get_error_message) *get_error_message;
    typeof(jq_teardown) *teardown;
    typeof(jv_get_kind) *get_kind;
    typeof(jv_copy) *copy;
    typeof(jv_free) *free;
    typeof(jv_invalid) *invalid;
    typeof(jv_invalid_get_msg) *invalid_get_msg;
    typeof(jv_null) *null;
    typeof(jv_bool) *bool_;
    typeof(jv_number) *number;
    typeof(jv_number_value) *number_value;
    typeof(jv_array) *array;
    typeof(jv_array_append) *array_append;
    typeof(jv_array_length) *array_length;
    typeof(jv_array_get) *array_get;
    typeof(jv_string) *string;
    typeof(jv_string_sized) *string_sized;
    typeof(jv_string_length_bytes) *string_length_bytes;
    typeof(jv_string_value) *string_value;
    typeof(jv_object) *object;
    typeof(jv_object_get) *object_get;
    typeof(jv_object_set) *object_set;
    typeof(jv_object_iter) *object_iter;
    typeof(jv_object_iter_next) *object_iter_next;
    typeof(jv_object_iter_valid) *object_iter_valid;
    typeof(jv_object_iter_value) *object_iter_value;
    typeof(jv_dump_string) *dump_string;
};
extern struct lt_libjq lt_jq;

/**
 * Opens libjq; later calls give the first one's result.
 *
 * Thread: any.
 * Errors: LEAT_E_UNSUPPORTED.
 */
LEAT_MUST_CHECK leat_status lt_libjq_load(struct leat_error *err);

#endif
