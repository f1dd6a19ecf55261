/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_EXAMPLES_H
#define LT_PIPELINE_EXAMPLES_H

#include "pipeline/system.h"
#include "json/json.h"

/*
 * The examples under `tests:`: of a pipeline, run through the same program as its records; of a
 * resource, a recorded page, run through the same steps as the API's answers. What came out is
 * compared as JSON values: the order of members does not count, 2 and 2.0 are the same.
 */

/** One place where what came out is not what was expected. */
struct lt_difference {
    const char *path;         /**< ".items[2].quantity"; "to", "dead" for the whole record */
    struct lt_slice expected; /**< JSON text or a word; `data` NULL: nothing */
    struct lt_slice got;
};

enum { LT_EXAMPLE_MAX_DIFFERENCES = 20 };

struct lt_example {
    const char *group; /**< the pipeline's name, or "API.RESOURCE" */
    size_t index;      /**< within its group, from 1 */
    const char *name;  /**< or NULL */
    unsigned line;
    const struct lt_system_pipeline *pipeline; /**< a pipeline's, and the next one; or NULL */
    const struct lt_system_test *test;
    const struct lt_rest_api *api; /**< a recorded page's, and the next two; or NULL */
    size_t resource;
    const struct lt_rest_test *page;
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
 * "PIPELINE/INDEX"; of a recorded page the resource's name, "API.RESOURCE" or
 * "API.RESOURCE/INDEX"). Release `out` with lt_examples_deinit() in any case.
 *
 * Errors: LEAT_E_NOT_FOUND, with the nearest one, for a name that picks nothing; those of
 * lt_system_compile().
 */
LEAT_MUST_CHECK leat_status lt_examples_run(struct lt_examples *out, const struct lt_system *system,
                                            const char *const *names, size_t n_names,
                                            struct leat_error *err);
void lt_examples_deinit(struct lt_examples *examples);

/** Adds a difference; what it names lives as long as the example. */
void lt_example_differ(struct lt_example *example, const char *path, struct lt_slice expected,
                       struct lt_slice got);

/** Runs a recorded page and judges what came of it (examples_page.c). */
LEAT_MUST_CHECK leat_status lt_example_run_page(struct lt_example *example, struct lt_arena *arena,
                                                struct leat_error *err);

/**
 * Compares two values; differences (up to LT_EXAMPLE_MAX_DIFFERENCES kept, all counted) go to
 * `list` with their text in `arena`. Returns their number.
 */
size_t lt_json_compare(struct lt_json expected, struct lt_json got, struct lt_arena *arena,
                       struct lt_difference *list);

#endif
