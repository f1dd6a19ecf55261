/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_TEST_EXPR_VAL_KIT_H
#define LT_TEST_EXPR_VAL_KIT_H

/* Values from JSON texts and back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "expr/val.h"

#include <stdio.h>
#include <stdlib.h>

struct val_kit {
    struct lt_arena arena;
    struct lt_heap heap;
    char shown[4096];
};

static inline void val_kit_init(struct val_kit *kit, size_t max) {
    lt_arena_init(&kit->arena, max);
    kit->heap = (struct lt_heap){.arena = &kit->arena};
}

static inline void val_kit_deinit(struct val_kit *kit) {
    lt_arena_deinit(&kit->arena);
}

static inline struct lt_val val_kit_parse(struct val_kit *kit, const char *json) {
    struct leat_error err;
    struct lt_val v;

    if (lt_val_parse(&kit->heap, lt_slice_str(json), &v, &err) != LEAT_OK && !kit->heap.full)
        fail_msg("%s: %s", json, err.text);
    return v;
}

static inline const char *val_kit_show(struct val_kit *kit, struct lt_val v) {
    struct lt_buf out;

    lt_buf_init(&out, sizeof(kit->shown) - 1);
    lt_val_write(&kit->heap, &out, v);
    assert_false(out.failed);
    memcpy(kit->shown, out.data, out.len);
    kit->shown[out.len] = '\0';
    lt_buf_deinit(&out);
    return kit->shown;
}

#endif
