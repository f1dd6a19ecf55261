/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record: what the fuse says of it is what the evaluator says. The first byte
 * chooses the pipeline and the instructions; what follows is one record a line, so that sites are
 * learnt from one and used by the next. With its upper bit the first record comes so often that the
 * lengths of its values are taken for granted in those behind it.
 */
#include "../unit/expr/fuse_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { OFTEN = 300 };
enum { N_PIPELINES = sizeof(pair_pipelines) / sizeof(*pair_pipelines) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct lt_arena arena;
    struct pair p;

    if (len == 0)
        return 0;
    if (!lt_fuse_walker_use(*data & 1 ? "avx2" : "portable"))
        lt_fuse_walker_use("portable");
    pair_init(&p, &pair_pipelines[(*data & 0x7f) / 2 % N_PIPELINES], false);
    lt_arena_init(&arena, 64 << 20);
    const char *at = (const char *)data + 1, *end = (const char *)data + len;
    for (const char *eol; at < end; at = eol + 1) {
        eol = memchr(at, '\n', (size_t)(end - at));
        if (!eol)
            eol = end;
        unsigned times = *data & 0x80 && at == (const char *)data + 1 ? OFTEN : 1;
        for (unsigned i = 0; i < times; i++) {
            if (!pair_agree(&p, lt_slice(at, (size_t)(eol - at)), &arena))
                abort();
            lt_arena_reset(&arena);
        }
    }
    lt_arena_deinit(&arena);
    pair_deinit(&p);
    return 0;
}
