/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded page of a resource: its records and the next request, against what the file expects.
 */
#include "pipeline/examples.h"

#include "rest/walk.h"

/* Compares two values whose place is `path`. */
static void compare_at(struct lt_example *example, const char *path, struct lt_json expected,
                       struct lt_json got, struct lt_arena *arena) {
    struct lt_difference found[LT_EXAMPLE_MAX_DIFFERENCES];
    size_t n = lt_json_compare(expected, got, arena, found);

    for (size_t i = 0; i < n && i < LT_EXAMPLE_MAX_DIFFERENCES; i++) {
        const char *full = lt_arena_printf(arena, "%s%s", path, found[i].path);
        lt_example_differ(example, full ? full : path, found[i].expected, found[i].got);
    }
    if (n > LT_EXAMPLE_MAX_DIFFERENCES)
        example->n_differences += n - LT_EXAMPLE_MAX_DIFFERENCES;
}

/* Records are long: of an object, the members that the file names are looked at. */
static void judge_first(struct lt_example *example, const struct lt_rest_replay *replay,
                        struct lt_arena *arena) {
    struct lt_json expected, key, value, other;
    struct leat_error err;

    if (!replay->n_records ||
        lt_json_parse(&expected, example->page->first, LT_JSON_DEFAULT_DEPTH, &err) != LEAT_OK) {
        lt_example_differ(example, "first", example->page->first, lt_slice(NULL, 0));
        return;
    }
    if (expected.type != LT_JSON_OBJECT || replay->records[0].type != LT_JSON_OBJECT) {
        compare_at(example, "first", expected, replay->records[0], arena);
        return;
    }
    struct lt_json_iter iter = lt_json_iter(expected);
    while (lt_json_next_member(&iter, &key, &value)) {
        const char *name = lt_arena_str(arena, lt_json_string(key, arena));
        const char *path = name ? lt_arena_printf(arena, "first.%s", name) : NULL;
        if (name && lt_json_get(replay->records[0], name, &other))
            compare_at(example, path ? path : "first", value, other, arena);
        else
            lt_example_differ(example, path ? path : "first", value.raw, lt_slice(NULL, 0));
    }
}

static struct lt_slice count(struct lt_arena *arena, uint64_t n) {
    const char *text = lt_arena_printf(arena, "%llu", (unsigned long long)n);
    return text ? lt_slice_str(text) : LT_LIT("?");
}

static struct lt_slice url(const char *text) {
    return *text ? lt_slice_str(text) : LT_LIT("no more requests");
}

leat_status lt_example_run_page(struct lt_example *example, struct lt_arena *arena,
                                struct leat_error *err) {
    const struct lt_rest_test *page = example->page;
    struct lt_rest_replay replay = {.next = ""};
    struct leat_error why;

    if (!page->page.data) {
        lt_example_differ(example, "page", LT_LIT("a file that can be read"), lt_slice(NULL, 0));
        return LEAT_OK;
    }
    leat_status status =
        lt_rest_replay_page(example->api, example->resource, page->page, arena, &replay, &why);
    if (status == LEAT_E_NOMEM || status == LEAT_E_UNSUPPORTED) {
        if (err)
            *err = why;
        return status;
    }
    if (status != LEAT_OK) {
        const char *text = lt_arena_str(arena, lt_slice_str(why.text));
        lt_example_differ(example, "page", LT_LIT("a page of records"),
                          lt_slice_str(text ? text : "an error"));
        return LEAT_OK;
    }
    if (page->n_records >= 0 && (uint64_t)page->n_records != replay.n_records)
        lt_example_differ(example, "records", count(arena, (uint64_t)page->n_records),
                          count(arena, replay.n_records));
    if (page->first.data)
        judge_first(example, &replay, arena);
    if (page->next && strcmp(page->next, replay.next) != 0)
        lt_example_differ(example, "next", url(page->next), url(replay.next));
    example->passed = example->n_differences == 0;
    return LEAT_OK;
}
