/* SPDX-License-Identifier: Apache-2.0 */
#include "pull_spool_rig.h"

const char rig_kind[] = "pull/p";

/* ---- kill points ---- */

unsigned kill_at;     /* 0: never */
unsigned n_points;    /* passed */
int fail_writes;      /* errno of every write, or 0 */
atomic_int fail_puts; /* so many puts fail first */
leat_status put_failure;

static void point(void) {
    if (__atomic_add_fetch(&n_points, 1, __ATOMIC_SEQ_CST) == kill_at)
        _exit(KILLED);
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t at) {
    point();
    if (fail_writes) {
        errno = fail_writes;
        return -1;
    }
    /* by halves, so that a kill can tear a write */
    ssize_t n = __real_pwrite64(fd, data, len > 20 ? len / 2 : len, at);
    point();
    return n;
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
    point();
    return __real_fdatasync(fd);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
    point();
    int rc = __real_unlink(path);
    point();
    return rc;
}

int unlink_really(const char *path) {
    return __real_unlink(path);
}

leat_status __real_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err);
leat_status __wrap_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err);
leat_status __wrap_lt_state_apply(struct lt_state *state, const struct lt_state_change *changes,
                                  size_t n, struct leat_error *err) {
    point();
    leat_status status = __real_lt_state_apply(state, changes, n, err);
    point();
    return status;
}

/* ---- the source, and what takes from it ---- */

static struct rig *the_rig;

static leat_status put(struct lt_object_store *store, const char *bucket,
                       const struct lt_object_put *object, struct leat_error *err) {
    (void)store;
    point();
    if (atomic_load(&fail_puts)) { /* puts come one after another, on changing threads */
        atomic_fetch_sub(&fail_puts, 1);
        return lt_fail(err, put_failure, 0, "the store does not want it");
    }
    leat_status status = the_rig->plain->ops->put(the_rig->plain, bucket, object, err);
    point();
    return status;
}

static void on_progress(void *ctx) {
    (void)ctx;
}

static void on_object(void *ctx, const char *to, uint64_t n_records) {
    struct rig *rig = ctx;
    assert_int_equal(strncmp(to, rig->place.to, strlen(rig->place.to)), 0);
    rig->n_objects++;
    rig->n_put += n_records;
}

static void on_retry(void *ctx, const struct leat_error *err, int64_t until_ms) {
    struct rig *rig = ctx;
    assert_true(until_ms > 0);
    assert_non_null(strstr(err->text, "does not want it"));
    rig->n_retries++;
}

static void on_failed(void *ctx, const struct leat_error *err) {
    struct rig *rig = ctx;
    assert_false(rig->failed);
    rig->failed = true;
    rig->error = *err;
}

leat_status try_open_spools(struct rig *rig) {
    const struct lt_pull_spools_options opt = {
        .dir = rig->spool_dir,
        .kind = rig_kind,
        .pipeline = "p",
        .state = rig->state,
        .objects = &rig->store,
        .loop = &rig->loop,
        .ctx = rig,
        .on_progress = on_progress,
        .on_object = on_object,
        .on_retry = on_retry,
        .on_failed = on_failed,
    };
    return lt_pull_spools_open(&rig->spools, &opt, &rig->err);
}

void open_rig(struct rig *rig) {
    the_rig = rig;
    rig->failed = false;
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    assert_int_equal(lt_state_open(&rig->state, rig->state_path, &rig->err), LEAT_OK);
    assert_int_equal(lt_object_plain_new(&rig->plain, rig->out_dir, &rig->err), LEAT_OK);
    rig->ops = (struct lt_object_ops){.put = put};
    rig->store.ops = &rig->ops;
    if (try_open_spools(rig) != LEAT_OK)
        fail_msg("%s", rig->err.text);
}

void close_rig(struct rig *rig) {
    lt_pull_spools_free(rig->spools);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    rig->plain->ops->close(rig->plain);
    lt_state_close(rig->state);
}

uint64_t position(struct rig *rig) {
    struct lt_arena arena;
    struct lt_slice body;
    uint64_t n = 0;
    lt_arena_init(&arena, 1 << 20);
    if (lt_state_get(rig->state, rig_kind, LT_LIT("position"), &arena, &body, &rig->err) == LEAT_OK)
        n = strtoull(body.data, NULL, 10);
    lt_arena_deinit(&arena);
    return n;
}

void wait_for_commit(struct rig *rig) {
    while (lt_pull_spools_is_committing(rig->spools))
        uv_run(&rig->loop, UV_RUN_ONCE);
}

void commit(struct rig *rig, uint64_t at) {
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)at);
    const struct lt_state_change change = {rig_kind, LT_LIT("position"), lt_slice_str(text)};
    wait_for_commit(rig);
    if (!rig->failed)
        assert_int_equal(lt_pull_spools_commit(rig->spools, &change, 1, &rig->err), LEAT_OK);
}

void append(struct rig *rig, const char *resource, uint64_t i) {
    struct lt_pull_spool *spool;
    char text[64];
    snprintf(text, sizeof(text), "{\"r\":\"%s\",\"i\":%llu}", resource, (unsigned long long)i);
    assert_int_equal(lt_pull_spools_get(rig->spools, &rig->place, resource, &spool, &rig->err),
                     LEAT_OK);
    assert_int_equal(lt_pull_spool_append(spool, i, lt_slice_str(text), &rig->err), LEAT_OK);
}

/* Puts all there is. */
void finish(struct rig *rig, uint64_t at) {
    lt_pull_spools_seal(rig->spools);
    while (!rig->failed && !lt_pull_spools_is_empty(rig->spools)) {
        commit(rig, at);
        wait_for_commit(rig);
        lt_pull_spools_tick(rig->spools);
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    }
}

/* Records with an even number go to "a", others to "b". */
void take_records(struct rig *rig, uint64_t until) {
    uint64_t i = position(rig);
    for (; i < until && !rig->failed; i++) {
        append(rig, i % 2 ? "b" : "a", i);
        if (i % COMMIT_EVERY == COMMIT_EVERY - 1)
            commit(rig, i + 1);
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    }
    rig->n_taken = i;
    if (!rig->failed)
        commit(rig, i);
    wait_for_commit(rig);
}

/* ---- a folder for each test ---- */

int set_up(void **state) {
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    kill_at = n_points = 0;
    fail_writes = 0;
    fail_puts = 0;
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/leat-spool-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->spool_dir, sizeof(rig->spool_dir), "%s/spool/p", rig->dir);
    snprintf(rig->out_dir, sizeof(rig->out_dir), "%s/out", rig->dir);
    snprintf(rig->state_path, sizeof(rig->state_path), "%s/state.db", rig->dir);
    rig->place = (struct lt_pull_place){.to = "s3://lake/x/",
                                        .bucket = "lake",
                                        .prefix = "x/",
                                        .object_bytes = OBJECT_BYTES,
                                        .object_ms = 60000};
    *state = rig;
    return 0;
}

int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int tear_down(void **state) {
    struct rig *rig = *state;
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(rig);
    return 0;
}

/* ---- what came out ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, in order; the caller frees them. */
size_t list(const char *path, char *names[256]) {
    DIR *dir = opendir(path);
    size_t n = 0;
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3)
            continue;
        assert_true(n < 256);
        names[n++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, n, sizeof(names[0]), by_name);
    return n;
}

void assert_record(const char *line, const char *resource, uint64_t i) {
    char want[64];
    snprintf(want, sizeof(want), "{\"r\":\"%s\",\"i\":%llu}\n", resource, (unsigned long long)i);
    assert_string_equal(line, want);
}

/* Each record of a resource once, in order: gzread() also reads what is not packed. */
static void assert_all_there(struct rig *rig, const char *resource, uint64_t first, uint64_t until,
                             uint64_t step) {
    char folder[128], path[512], line[128];
    char *names[256];
    uint64_t next = first;

    snprintf(folder, sizeof(folder), "%s/lake/x", rig->out_dir);
    size_t n = list(folder, names);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (strncmp(names[i], resource, 1) == 0) {
            gzFile file = gzopen(path, "r");
            assert_non_null(file);
            unsigned long long in_name = strtoull(names[i] + 2, NULL, 10);
            assert_int_equal(in_name, next);
            while (gzgets(file, line, sizeof(line))) {
                assert_record(line, resource, next);
                next += step;
            }
            gzclose(file);
        }
        free(names[i]);
    }
    assert_int_equal(next, until);
}

void assert_everything_once(struct rig *rig) {
    char *names[256];
    assert_all_there(rig, "a", 0, N_RECORDS, 2);
    assert_all_there(rig, "b", 1, N_RECORDS + 1, 2);
    assert_int_equal(list(rig->spool_dir, names), 0);
}
