/* SPDX-License-Identifier: Apache-2.0 */
/* Which scanner this machine has, and the memory that it writes into. */
#include "json/scanner.h"

#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>

struct scanner {
    const char *name;
    lt_json_scan_fn *scan;
    bool (*is_there)(void);
};

static bool always(void) {
    return true;
}

/* The best first. */
static const struct scanner scanners[] = {
#ifdef __x86_64__
    {"avx512", lt_json_scan_avx512, lt_json_has_avx512},
    {"avx2", lt_json_scan_avx2, lt_json_has_avx2},
    {"sse4.2", lt_json_scan_sse42, lt_json_has_sse42},
#endif
#ifdef __aarch64__
    {"neon", lt_json_scan_neon, always},
#endif
    {"portable", lt_json_scan_portable, always},
};

enum { N_SCANNERS = sizeof(scanners) / sizeof(scanners[0]) };

/* Set once by whoever scans first; threads that race set the same. */
static const struct scanner *_Atomic in_use;

static const struct scanner *choose(void) {
    const struct scanner *best = scanners;

    while (!best->is_there())
        best++;
    atomic_store_explicit(&in_use, best, memory_order_relaxed);
    return best;
}

static inline const struct scanner *current(void) {
    const struct scanner *scanner = atomic_load_explicit(&in_use, memory_order_relaxed);
    return scanner ? scanner : choose();
}

const char *lt_json_scanner_name(void) {
    return current()->name;
}

bool lt_json_scanner_use(const char *name) {
    for (size_t i = 0; i < N_SCANNERS; i++) {
        if (strcmp(scanners[i].name, name) == 0 && scanners[i].is_there()) {
            atomic_store_explicit(&in_use, &scanners[i], memory_order_relaxed);
            return true;
        }
    }
    return false;
}

bool lt_json_scan(struct lt_json_tape *tape) {
    return current()->scan(tape);
}

bool lt_json_scan_is_fast(void) {
    return current()->scan != lt_json_scan_portable;
}

void lt_json_tape_deinit(struct lt_json_tape *tape) {
    free(tape->at); /* `jump` is its second half */
    *tape = (struct lt_json_tape){0};
}

/* By half more at least, so that texts that grow a little each do not allocate each time. */
static leat_status grow(struct lt_json_tape *tape, size_t cap, struct leat_error *err) {
    if (cap < tape->cap + tape->cap / 2 && tape->cap < UINT32_MAX / 2)
        cap = tape->cap + tape->cap / 2;
    lt_json_tape_deinit(tape);
    size_t bytes;
    if (!__builtin_mul_overflow(cap, 2 * sizeof(*tape->at), &bytes))
        tape->at = malloc(bytes);
    if (!tape->at)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the index of a JSON text");
    tape->jump = tape->at + cap;
    tape->cap = (uint32_t)cap;
    return LEAT_OK;
}

leat_status lt_json_tape_scan(struct lt_json_tape *tape, struct lt_slice text,
                              struct leat_error *err) {
    if (text.len > UINT32_MAX - LT_JSON_TAPE_PADDING)
        return lt_fail(err, LEAT_E_LIMIT, 0, "a JSON text of %zu bytes: 4 GiB is too much",
                       text.len);
    if (text.len + LT_JSON_TAPE_PADDING > tape->cap) {
        leat_status status = grow(tape, text.len + LT_JSON_TAPE_PADDING, err);
        if (status != LEAT_OK)
            return status;
    }
    tape->text = text.data ? text.data : "";
    tape->len = (uint32_t)text.len;
    tape->n = 0;
    if (lt_json_scan(tape))
        return LEAT_OK;

    struct lt_json value;
    leat_status status = lt_json_validate(&value, text, LT_JSON_MAX_DEPTH, err);
    if (status == LEAT_OK)
        status = lt_fail(err, LEAT_E_INTERNAL, 0, "the JSON scanner \"%s\" refused valid JSON",
                         lt_json_scanner_name());
    return status;
}
