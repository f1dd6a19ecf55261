/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PULL_SPOOL_RIG_H
#define PULL_SPOOL_RIG_H

/*
 * Spools with a source that remembers nothing and a folder of objects. Every write, sync, removal,
 * change of the state and put is a point at which the process can be killed, before and after.
 */
#include "base/clock.h"
#include "object/plain.h"
#include "pipeline/pull_spool.h"
#include "json/json.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

enum { N_RECORDS = 40, OBJECT_BYTES = 150, COMMIT_EVERY = 7, KILLED = 99, FAILED = 98 };

extern const char rig_kind[];
extern unsigned kill_at;     /* 0: never */
extern unsigned n_points;    /* passed */
extern int fail_writes;      /* errno of every write, or 0 */
extern atomic_int fail_puts; /* so many puts fail first */
extern leat_status put_failure;

struct rig {
    char dir[64];
    char spool_dir[96], out_dir[96], state_path[96];
    struct lt_object_store *plain;
    struct lt_object_store store; /* the plain one, with kill points */
    struct lt_object_ops ops;
    struct lt_state *state;
    uv_loop_t loop;
    struct lt_pull_spools *spools;
    struct lt_pull_place place;
    unsigned n_objects, n_retries;
    uint64_t n_put, n_taken;
    bool failed;
    struct leat_error error, err;
};

int set_up(void **state);
int tear_down(void **state);
leat_status try_open_spools(struct rig *rig);
void open_rig(struct rig *rig);
void close_rig(struct rig *rig);
uint64_t position(struct rig *rig);
void wait_for_commit(struct rig *rig);
void commit(struct rig *rig, uint64_t at);
void append(struct rig *rig, const char *resource, uint64_t i);
void take_records(struct rig *rig, uint64_t until); /* even numbers go to "a", others to "b" */
void finish(struct rig *rig, uint64_t at);          /* puts all there is */
int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw);
size_t list(const char *path, char *names[256]); /* in order; the caller frees them */
void assert_record(const char *line, const char *resource, uint64_t i);
void assert_everything_once(struct rig *rig);
int unlink_really(const char *path);

#endif
