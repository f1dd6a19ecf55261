/* SPDX-License-Identifier: Apache-2.0 */
/* The library's face: leat_engine is lt_engine under its public name. */
#include "engine/engine.h"

#include <leat/engine.h>

leat_status leat_engine_open(struct leat_engine **out, const struct leat_engine_options *options,
                             struct leat_error *err) {
    const struct lt_engine_options opt = {.data_dir = options->data_dir, .listen = options->listen};
    struct lt_engine *engine = NULL;
    leat_status status = lt_engine_open(&engine, &opt, err);

    *out = (struct leat_engine *)engine;
    return status;
}

unsigned leat_engine_port(const struct leat_engine *engine) {
    return lt_engine_port((const struct lt_engine *)engine);
}

void leat_engine_close(struct leat_engine *engine) {
    lt_engine_close((struct lt_engine *)engine, false);
}
