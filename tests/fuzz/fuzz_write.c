/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON text as a value: what is copied from the document is what is printed value by value; it
 * reads back as an equal value, which prints the same; a frozen copy is equal too.
 */
#include "expr/val.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool holds) {
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const struct lt_val_style compact;
    struct lt_arena arena;
    struct lt_val v, again;
    struct lt_buf copied, printed, reprinted;
    lt_arena_init(&arena, ARENA_BYTES);
    struct lt_heap heap = {.arena = &arena};
    if (lt_val_parse(&heap, lt_slice(data, len), &v, NULL) != LEAT_OK) {
        lt_arena_deinit(&arena);
        return 0;
    }
    lt_buf_init(&copied, SIZE_MAX);
    lt_buf_init(&printed, SIZE_MAX);
    lt_buf_init(&reprinted, SIZE_MAX);
    lt_val_write(&heap, &copied, v);
    lt_val_write_styled(&heap, &printed, v, &compact);
    must(lt_slice_eq(lt_buf_slice(&copied), lt_buf_slice(&printed)));

    must(lt_val_parse(&heap, lt_buf_slice(&copied), &again, NULL) == LEAT_OK);
    lt_val_write(&heap, &reprinted, again);
    must(lt_slice_eq(lt_buf_slice(&copied), lt_buf_slice(&reprinted)));
    must(lt_val_equal(&heap, v, again));
    must(lt_val_compare(&heap, v, lt_val_freeze(&heap, again)) == 0);
    must(!heap.full);

    lt_buf_deinit(&copied);
    lt_buf_deinit(&printed);
    lt_buf_deinit(&reprinted);
    lt_arena_deinit(&arena);
    return 0;
}
