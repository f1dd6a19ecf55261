/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_PIPELINE_TAKEOVER_H
#define LT_PIPELINE_TAKEOVER_H

#include "engine/engine.h"

/*
 * A command that works through the engine of another command, which ends before it: a thread waits
 * for that, and opens the engine in this process. It answers where the other one did, so that calls
 * which are tried again get through. A service (`leat serve`) is waited for instead: who
 * stopped it starts it again.
 */
struct lt_takeover;

/** Owns: a copy of `data_dir`. Errors: LEAT_E_NOMEM, LEAT_E_INTERNAL. */
LEAT_MUST_CHECK leat_status lt_takeover_start(struct lt_takeover **out, const char *data_dir,
                                              struct leat_error *err);
/** Ends the thread, and closes the engine where it was opened (`flush`: lt_engine_close()). Blocks.
 * NULL is fine. */
void lt_takeover_stop(struct lt_takeover *takeover, bool flush);

#endif
