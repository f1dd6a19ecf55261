/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_JSON_GUARDED_H
#define TEST_JSON_GUARDED_H

/* Memory between two pages that cannot be read, and the scanners to try on it. */
#include "json/tape.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const scanner_names[] = {"portable", "sse4.2", "avx2", "avx512", "neon"};
enum { N_SCANNER_NAMES = sizeof(scanner_names) / sizeof(scanner_names[0]) };

struct guarded {
    char *start;
    size_t len; /* whole pages */
};

/* Room for `len` bytes at least; for the program's life when it is not freed. */
static inline struct guarded guarded_new(size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g = {NULL, (len + page - 1) / page * page};
    char *map = mmap(NULL, g.len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED || mprotect(map + page, g.len, PROT_READ | PROT_WRITE) != 0)
        abort();
    g.start = map + page;
    return g;
}

static inline void guarded_free(struct guarded g) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(g.start - page, g.len + 2 * page);
}

/* A copy that begins with the memory, plus `offset`. */
static inline struct lt_slice guarded_at_start(struct guarded g, struct lt_slice text,
                                               size_t offset) {
    if (text.len)
        memcpy(g.start + offset, text.data, text.len);
    return lt_slice(g.start + offset, text.len);
}

/* A copy that ends with the memory. */
static inline struct lt_slice guarded_at_end(struct guarded g, struct lt_slice text) {
    return guarded_at_start(g, text, g.len - text.len);
}

#endif
