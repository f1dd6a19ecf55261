/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_EXAMPLES_H
#define LT_PIPELINE_EXAMPLES_H

#include "pipeline/system.h"
#include "json/json.h"

/*
 * The examples under `tests:`, run through the same program as the pipeline's records. What came
 * out is compared as JSON values: the order of members does not count, 2 and 2.0 are the same.
 */

/** One place where what came out is not what was expected. */
struct lt_difference {
    const char *path;         /**< ".items[2].quantity"; "to", "dead" for the whole record */
    struct lt_slice expected; /**< JSON text or a word; `data` NULL: nothing */
    struct lt_slice got;
};

enum { LT_EXAMPLE_MAX_DIFFERENCES = 20 };

struct lt_example {
    const struct lt_system_pipeline *pipeline;
    const struct lt_system_test *test;
    size_t index; /**< within its pipeline, from 1 */
    bool passed;
    struct lt_difference *differences;
    size_t n_differences; /**< all of them; the first LT_EXAMPLE_MAX_DIFFERENCES are kept */
};

struct lt_examples {
    struct lt_arena arena;
    struct lt_example *list; /**< in the order of the file */
    size_t n;
    size_t n_failed;
};

/**
 * Runs the examples: all, or those that a name picks (an example's name, a pipeline's name, or
 * "PIPELINE/INDEX"). Release `out` with lt_examples_deinit() in any case.
 *
 * Errors: LEAT_E_NOT_FOUND, with the nearest one, for a name that picks nothing; those of
 * lt_system_compile().
 */
LEAT_MUST_CHECK leat_status lt_examples_run(struct lt_examples *out, const struct lt_system *system,
                                            const char *const *names, size_t n_names,
                                            struct leat_error *err);
void lt_examples_deinit(struct lt_examples *examples);

/**
 * Compares two values; differences (up to LT_EXAMPLE_MAX_DIFFERENCES kept, all counted) go to
 * `list` with their text in `arena`. Returns their number.
 */
size_t lt_json_compare(struct lt_json expected, struct lt_json got, struct lt_arena *arena,
                       struct lt_difference *list);

#endif
