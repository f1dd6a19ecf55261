/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation fails, for each that a run of a delivery makes; the linker leads them here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);

static atomic_uint n_calls;
static atomic_uint fail_at; /* 0: none fails */

static bool fails(void) {
    unsigned at = fail_at;
    return at && !fake_inside && ++n_calls == at;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size) {
    return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text) {
    return fails() ? NULL : __real_strdup(text);
}

static struct rig rig;

/* Delivers all, with a second start in the middle; the n-th allocation fails. */
static void run(unsigned nth, enum lt_compression compression) {
    struct leat_error err;

    rig_setup(&rig);
    rig.opt.compression = compression;
    rig.opt.newline = false;
    rig.scarce = true;
    rig.n_records[0] = 12;
    rig.n_records[1] = 3;
    rig.n_records[2] = 17;
    n_calls = 0;
    fail_at = nth;
    for (int life = 0; life < 2; life++) {
        leat_status status = lt_delivery_new(&rig.delivery, &rig.opt, &err);
        if (status != LEAT_OK) {
            assert_int_equal(status, LEAT_E_NOMEM);
            assert_null(rig.delivery);
            rig_start(&rig); /* only one allocation fails */
        }
        for (unsigned i = 0; i < RIG_SHARDS; i++)
            rig.cursor[i] = lt_delivery_position(rig.delivery, rig_shard(i), NULL);
        if (life == 0) {
            rig_push(&rig);
            rig_turn(&rig, 1);
            rig_stop(&rig);
        }
    }
    assert_true(rig_deliver(&rig, 10000));
    fail_at = 0;
    rig_stop(&rig);
    if (compression == LT_COMPRESSION_NONE)
        rig_check_once(&rig);
    rig_teardown(&rig);
}

static void run_each(enum lt_compression compression) {
    unsigned n = 0;
    do
        run(++n, compression);
    while (n_calls >= n);
    assert_in_range(n, 40, 2000);
}

static void delivery_survives_any_failing_allocation(void **state) {
    (void)state;
    run_each(LT_COMPRESSION_NONE);
}

static void delivery_that_packs_survives_any_failing_allocation(void **state) {
    (void)state;
    run_each(LT_COMPRESSION_GZIP);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivery_survives_any_failing_allocation),
        cmocka_unit_test(delivery_that_packs_survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
