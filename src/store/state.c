/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SQLite file in WAL mode with synchronous=FULL, one table without row
 * numbers: (kind, name) → body, where names are blobs and so order as bytes.
 * `user_version` is the format: 0 is a file that nobody has written to yet, which counts as
 * empty. As long as the file is absent or of format 0, each read looks again,
 * since another process may have made it; a writer makes it, under SQLite's own lock.
 */
#include "store/state.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FORMAT = 1, BUSY_TIMEOUT_MS = 10000, BUSY_STEP_MS = 5 };

enum statement { BEGIN, COMMIT, ROLLBACK, SET, REMOVE, GET, LIST, LIST_AFTER, CLEAR, COUNT, N_SQL };

static const char *const sql[N_SQL] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SET] = "INSERT OR REPLACE INTO document(kind, name, body) VALUES(?1, ?2, ?3)",
    [REMOVE] = "DELETE FROM document WHERE kind = ?1 AND name = ?2",
    [GET] = "SELECT body FROM document WHERE kind = ?1 AND name = ?2",
    [LIST] =
        "SELECT name, body FROM document WHERE kind = ?1 AND name >= ?2 ORDER BY name LIMIT ?3",
    [LIST_AFTER] =
        "SELECT name, body FROM document WHERE kind = ?1 AND name > ?2 ORDER BY name LIMIT ?3",
    [CLEAR] = "DELETE FROM document WHERE kind = ?1",
    [COUNT] = "SELECT count(*) FROM document WHERE kind = ?1",
};

struct lt_state {
    char *path; /* immutable after open */
    pthread_mutex_t mu;
    /* guarded by mu */
    sqlite3 *db; /* NULL until the file is there */
    bool ready;  /* the file has the table */
    sqlite3_stmt *statements[N_SQL];
};

static leat_status status_of(int code, int sys) {
    switch (code & 0xff) {
    case SQLITE_FULL:
        return LEAT_E_FULL;
    case SQLITE_NOMEM:
        return LEAT_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return LEAT_E_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return LEAT_E_CORRUPT;
    case SQLITE_TOOBIG:
        return LEAT_E_LIMIT;
    case SQLITE_IOERR:
        return sys && lt_status_from_errno(sys) == LEAT_E_FULL ? LEAT_E_FULL : LEAT_E_IO;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return LEAT_E_IO;
    default:
        return LEAT_E_INTERNAL;
    }
}

static leat_status fail(const struct lt_state *state, const char *doing, struct leat_error *err) {
    int code = state->db ? sqlite3_extended_errcode(state->db) : SQLITE_NOMEM;
    int sys = state->db ? sqlite3_system_errno(state->db) : 0;
    leat_status status = status_of(code, sys);

    return lt_fail(err, status, status == LEAT_E_IO ? sys : 0, "%s %s: %s (SQLite %d)", doing,
                   state->path, state->db ? sqlite3_errmsg(state->db) : "out of memory", code);
}

static void close_db(struct lt_state *state) {
    for (size_t i = 0; i < N_SQL; i++) {
        sqlite3_finalize(state->statements[i]);
        state->statements[i] = NULL;
    }
    sqlite3_close(state->db);
    state->db = NULL;
    state->ready = false;
}

static leat_status run(struct lt_state *state, const char *text, struct leat_error *err) {
    if (sqlite3_exec(state->db, text, NULL, NULL, NULL) != SQLITE_OK)
        return fail(state, "preparing", err);
    return LEAT_OK;
}

/* The format of the file as it is now; sets `ready`. */
static leat_status read_format(struct lt_state *state, struct leat_error *err) {
    sqlite3_stmt *stmt = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(state->db, "PRAGMA user_version", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        version = sqlite3_column_int(stmt, 0);
    leat_status status = version < 0 ? fail(state, "opening", err) : LEAT_OK;
    sqlite3_finalize(stmt);
    if (status != LEAT_OK)
        return status;
    if (version > FORMAT)
        return lt_fail(err, LEAT_E_UNSUPPORTED, 0,
                       "%s was made by a newer leat (format %d; this one knows %d)", state->path,
                       version, FORMAT);
    state->ready = version == FORMAT;
    return LEAT_OK;
}

static leat_status open_db(struct lt_state *state, bool create, struct leat_error *err) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    leat_status status;

    if (create)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(state->path, &state->db, flags, NULL) != SQLITE_OK) {
        status = fail(state, "opening", err);
        goto fail;
    }
    sqlite3_busy_timeout(state->db, BUSY_TIMEOUT_MS);
    status = run(state, "PRAGMA synchronous=FULL", err);
    if (status != LEAT_OK)
        goto fail;
    return LEAT_OK;

fail:
    close_db(state);
    return status;
}

/* Two processes may turn the file to WAL at once; SQLite does not wait for that by itself. */
static leat_status turn_to_wal(struct lt_state *state, struct leat_error *err) {
    const struct timespec step = {.tv_nsec = BUSY_STEP_MS * 1000000L};
    leat_status status = LEAT_E_BUSY;

    for (int waited_ms = 0; waited_ms < BUSY_TIMEOUT_MS; waited_ms += BUSY_STEP_MS) {
        status = run(state, "PRAGMA journal_mode=WAL", err);
        if (status != LEAT_E_BUSY)
            break;
        nanosleep(&step, NULL);
    }
    return status;
}

static leat_status make_table(struct lt_state *state, struct leat_error *err) {
    leat_status status = turn_to_wal(state, err);

    if (status == LEAT_OK)
        status = run(state, sql[BEGIN], err);
    if (status != LEAT_OK)
        return status;
    status = read_format(state, err); /* somebody else may have been first */
    if (status == LEAT_OK && !state->ready)
        status = run(state,
                     "CREATE TABLE document(kind TEXT NOT NULL, name BLOB NOT NULL, body BLOB NOT "
                     "NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID; PRAGMA user_version=1",
                     err);
    if (status == LEAT_OK)
        status = run(state, sql[COMMIT], err);
    if (status != LEAT_OK)
        (void)sqlite3_exec(state->db, sql[ROLLBACK], NULL, NULL, NULL);
    state->ready = status == LEAT_OK;
    return status;
}

/* After it `ready` says whether there is a table to read. */
static leat_status look(struct lt_state *state, struct leat_error *err) {
    leat_status status;

    if (state->ready)
        return LEAT_OK;
    if (!state->db) {
        if (access(state->path, F_OK) && errno == ENOENT)
            return LEAT_OK;
        status = open_db(state, false, err);
        if (status != LEAT_OK)
            return status;
    }
    status = read_format(state, err);
    if (status != LEAT_OK)
        close_db(state);
    return status;
}

static leat_status look_to_write(struct lt_state *state, struct leat_error *err) {
    leat_status status = look(state, err);

    if (status != LEAT_OK || state->ready)
        return status;
    if (!state->db) {
        status = open_db(state, true, err);
        if (status != LEAT_OK)
            return status;
    }
    status = make_table(state, err);
    if (status != LEAT_OK)
        close_db(state);
    return status;
}

leat_status lt_state_open(struct lt_state **out, const char *path, struct leat_error *err) {
    leat_status status;
    struct lt_state *state = calloc(1, sizeof(*state));

    *out = NULL;
    if (!state)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the state");
    pthread_mutex_init(&state->mu, NULL);
    state->path = strdup(path);
    if (!state->path) {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the state");
        goto fail;
    }
    status = look(state, err);
    if (status != LEAT_OK)
        goto fail;
    *out = state;
    return LEAT_OK;

fail:
    lt_state_close(state);
    return status;
}

void lt_state_close(struct lt_state *state) {
    if (!state)
        return;
    close_db(state);
    pthread_mutex_destroy(&state->mu);
    free(state->path);
    free(state);
}

/* The prepared statement with its first two parameters bound; NULL on failure. */
static sqlite3_stmt *bind(struct lt_state *state, enum statement which, const char *kind,
                          const struct lt_slice *name) {
    sqlite3_stmt **stmt = &state->statements[which];

    if (!*stmt && sqlite3_prepare_v3(state->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, stmt,
                                     NULL) != SQLITE_OK)
        return NULL;
    if (kind && sqlite3_bind_text(*stmt, 1, kind, -1, SQLITE_STATIC) != SQLITE_OK)
        return NULL;
    if (name && sqlite3_bind_blob64(*stmt, 2, name->len ? name->data : "", name->len,
                                    SQLITE_STATIC) != SQLITE_OK)
        return NULL;
    return *stmt;
}

/* The caller's bytes must not stay bound after its call. */
static void release(sqlite3_stmt *stmt) {
    if (!stmt)
        return;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

/* Steps a statement that gives no rows. */
static leat_status step_once(struct lt_state *state, sqlite3_stmt *stmt, struct leat_error *err) {
    leat_status status = LEAT_OK;

    if (!stmt || sqlite3_step(stmt) != SQLITE_DONE)
        status = fail(state, "writing", err);
    release(stmt);
    return status;
}

static leat_status make_change(struct lt_state *state, const struct lt_state_change *change,
                               struct leat_error *err) {
    sqlite3_stmt *stmt = bind(state, change->body.data ? SET : REMOVE, change->kind, &change->name);

    if (stmt && change->body.data &&
        sqlite3_bind_blob64(stmt, 3, change->body.data, change->body.len, SQLITE_STATIC) !=
            SQLITE_OK) {
        leat_status status = fail(state, "writing", err);
        release(stmt);
        return status;
    }
    return step_once(state, stmt, err);
}

static bool only_removes(const struct lt_state_change *changes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (changes[i].body.data)
            return false;
    return true;
}

static leat_status apply(struct lt_state *state, const struct lt_state_change *changes, size_t n,
                         struct leat_error *err) {
    leat_status status = look(state, err);

    if (status != LEAT_OK || (!state->ready && only_removes(changes, n)))
        return status;
    status = look_to_write(state, err);
    if (status != LEAT_OK)
        return status;
    if (n == 1)
        return make_change(state, changes, err); /* a transaction by itself */
    status = step_once(state, bind(state, BEGIN, NULL, NULL), err);
    if (status != LEAT_OK)
        return status;
    for (size_t i = 0; i < n && status == LEAT_OK; i++)
        status = make_change(state, &changes[i], err);
    if (status == LEAT_OK)
        status = step_once(state, bind(state, COMMIT, NULL, NULL), err);
    if (status != LEAT_OK && !sqlite3_get_autocommit(state->db))
        (void)step_once(state, bind(state, ROLLBACK, NULL, NULL), NULL);
    return status;
}

leat_status lt_state_apply(struct lt_state *state, const struct lt_state_change *changes, size_t n,
                           struct leat_error *err) {
    if (n == 0)
        return LEAT_OK;
    pthread_mutex_lock(&state->mu);
    leat_status status = apply(state, changes, n, err);
    pthread_mutex_unlock(&state->mu);
    return status;
}

leat_status lt_state_set(struct lt_state *state, const char *kind, struct lt_slice name,
                         struct lt_slice body, struct leat_error *err) {
    struct lt_state_change change = {kind, name, body.data ? body : lt_slice("", 0)};

    return lt_state_apply(state, &change, 1, err);
}

leat_status lt_state_remove(struct lt_state *state, const char *kind, struct lt_slice name,
                            struct leat_error *err) {
    struct lt_state_change change = {kind, name, {NULL, 0}};

    return lt_state_apply(state, &change, 1, err);
}

/* A column's bytes in the arena; `data` is NULL when it is full. */
static struct lt_slice copy_column(sqlite3_stmt *stmt, int column, struct lt_arena *arena) {
    const void *data = sqlite3_column_blob(stmt, column);

    return lt_arena_dup(arena, lt_slice(data, (size_t)sqlite3_column_bytes(stmt, column)));
}

static leat_status fail_full(const struct lt_arena *arena, const char *kind,
                             struct leat_error *err) {
    return lt_fail(err, LEAT_E_NOMEM, 0, "reading %s: no room in an arena of %zu bytes", kind,
                   arena->max);
}

static leat_status get(struct lt_state *state, const char *kind, struct lt_slice name,
                       struct lt_arena *arena, struct lt_slice *body, struct leat_error *err) {
    sqlite3_stmt *stmt = NULL;
    int code = SQLITE_DONE;
    leat_status status = look(state, err);

    if (status != LEAT_OK)
        return status;
    if (state->ready) {
        stmt = bind(state, GET, kind, &name);
        code = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
    }
    if (code == SQLITE_ROW) {
        *body = copy_column(stmt, 0, arena);
        if (!body->data)
            status = fail_full(arena, kind, err);
    } else if (code == SQLITE_DONE) {
        status = lt_fail(err, LEAT_E_NOT_FOUND, 0, "there is no %s \"%.*s\"", kind,
                         LT_FMT(lt_slice(name.data, name.len < 256 ? name.len : 256)));
    } else {
        status = fail(state, "reading", err);
    }
    release(stmt);
    return status;
}

leat_status lt_state_get(struct lt_state *state, const char *kind, struct lt_slice name,
                         struct lt_arena *arena, struct lt_slice *body, struct leat_error *err) {
    *body = lt_slice(NULL, 0);
    pthread_mutex_lock(&state->mu);
    leat_status status = get(state, kind, name, arena, body, err);
    pthread_mutex_unlock(&state->mu);
    return status;
}

struct rows {
    struct lt_state_row *data; /* on the heap while it grows */
    size_t n;
    size_t cap;
};

static bool add_row(struct rows *rows, sqlite3_stmt *stmt, struct lt_arena *arena) {
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 64;
        struct lt_state_row *data = reallocarray(rows->data, cap, sizeof(*data));
        if (!data)
            return false;
        rows->data = data;
        rows->cap = cap;
    }
    struct lt_state_row *row = &rows->data[rows->n++];
    row->name = copy_column(stmt, 0, arena);
    row->body = copy_column(stmt, 1, arena);
    return row->name.data && row->body.data;
}

static leat_status collect(struct lt_state *state, sqlite3_stmt *stmt, const char *kind,
                           struct lt_arena *arena, struct rows *rows, struct leat_error *err) {
    int code;

    if (!stmt)
        return fail(state, "reading", err);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
        if (!add_row(rows, stmt, arena))
            return fail_full(arena, kind, err);
    return code == SQLITE_DONE ? LEAT_OK : fail(state, "reading", err);
}

leat_status lt_state_list(struct lt_state *state, const char *kind, struct lt_slice from,
                          bool after, size_t max, struct lt_arena *arena,
                          struct lt_state_row **rows, size_t *n, struct leat_error *err) {
    struct rows found = {0};
    leat_status status;

    *rows = NULL;
    *n = 0;
    pthread_mutex_lock(&state->mu);
    status = look(state, err);
    if (status == LEAT_OK && state->ready) {
        sqlite3_stmt *stmt = bind(state, after ? LIST_AFTER : LIST, kind, &from);
        sqlite3_int64 limit = max > INT64_MAX ? INT64_MAX : (sqlite3_int64)max;
        if (stmt && sqlite3_bind_int64(stmt, 3, limit) != SQLITE_OK)
            status = fail(state, "reading", err);
        else
            status = collect(state, stmt, kind, arena, &found, err);
        release(stmt);
    }
    pthread_mutex_unlock(&state->mu);
    if (status == LEAT_OK && found.n) {
        *rows = lt_arena_calloc(arena, found.n, sizeof(**rows));
        if (*rows) {
            memcpy(*rows, found.data, found.n * sizeof(**rows));
            *n = found.n;
        } else {
            status = fail_full(arena, kind, err);
        }
    }
    free(found.data);
    return status;
}

leat_status lt_state_remove_kind(struct lt_state *state, const char *kind, struct leat_error *err) {
    pthread_mutex_lock(&state->mu);
    leat_status status = look(state, err);
    if (status == LEAT_OK && state->ready)
        status = step_once(state, bind(state, CLEAR, kind, NULL), err);
    pthread_mutex_unlock(&state->mu);
    return status;
}

leat_status lt_state_count(struct lt_state *state, const char *kind, uint64_t *n,
                           struct leat_error *err) {
    *n = 0;
    pthread_mutex_lock(&state->mu);
    leat_status status = look(state, err);
    if (status == LEAT_OK && state->ready) {
        sqlite3_stmt *stmt = bind(state, COUNT, kind, NULL);
        if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
            *n = (uint64_t)sqlite3_column_int64(stmt, 0);
        else
            status = fail(state, "reading", err);
        release(stmt);
    }
    pthread_mutex_unlock(&state->mu);
    return status;
}
