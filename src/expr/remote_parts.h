/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_REMOTE_PARTS_H
#define LT_EXPR_REMOTE_PARTS_H

#include "expr/remote.h"
#include "expr/remote_wire.h"

#include <sys/types.h>

/* Private to src/expr/remote*.c. */

/** A helper process as its parent sees it; all zero with fd -1 when there is none. */
struct lt_remote_process {
    pid_t pid;
    int fd;
    struct lt_wire_shared *shared;
    size_t base_bytes; /**< resident when it had compiled */
};

/** Errors: LEAT_E_UNSUPPORTED. */
LEAT_MUST_CHECK leat_status lt_remote_spawn(struct lt_remote_process *process, bool for_people,
                                            struct leat_error *err);
/** Resident bytes; 0 when they cannot be told. */
size_t lt_remote_resident(const struct lt_remote_process *process);
/** Ends it, if it is there, and waits for it. Returns what waitpid() says; 0 when there was none.
 */
int lt_remote_stop(struct lt_remote_process *process);
/** As lt_remote_stop() for one whose socket has ended: what it died of, not our signal. */
int lt_remote_reap(struct lt_remote_process *process);

#endif
