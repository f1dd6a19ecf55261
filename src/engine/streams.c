/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: every stream in memory, sorted by name, each also a document of kind "stream" in
 * state.db. A shard's uid comes from a counter that is saved with the stream that takes it, so no
 * uid is used twice. What a removed stream leaves in the journal is named in a document of kind
 * "forgotten" until the journal has let go of it for good, and forgotten anew at each start.
 */
#include "engine/streams.h"

#include "base/clock.h"
#include "engine/streams_parts.h"
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 1000, MAX_SHARDS = 20000, MAX_DOCUMENT = 16 << 20, HOUR_MS = 3600 * 1000 };

/* Index of the stream, or where it would stand. */
static size_t find_place(const struct lt_streams *s, const char *name, bool *found) {
    size_t low = 0, high = s->n;

    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(s->entries[mid]->info.name, name);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

leat_status lt_streams_find(const struct lt_streams *s, const char *name,
                            struct lt_stream_entry **out, struct leat_error *err) {
    bool found;
    size_t at = find_place(s, name, &found);

    *out = found ? s->entries[at] : NULL;
    if (found)
        return LEAT_OK;
    return lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                        "Stream %s under account 000000000000 not found.", name);
}

static leat_status insert(struct lt_streams *s, struct lt_stream_entry *entry,
                          struct leat_error *err) {
    bool found;
    size_t at;

    if (s->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        struct lt_stream_entry **entries = reallocarray(s->entries, cap, sizeof(*entries));
        if (!entries)
            return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu streams", cap);
        s->entries = entries;
        s->cap = cap;
    }
    at = find_place(s, entry->info.name, &found);
    memmove(&s->entries[at + 1], &s->entries[at], (s->n - at) * sizeof(*s->entries));
    s->entries[at] = entry;
    s->n++;
    return LEAT_OK;
}

static void trim(struct lt_streams *s, const struct lt_stream_entry *entry, int64_t now_ms) {
    int64_t horizon_ms = now_ms - (int64_t)entry->info.retention_hours * HOUR_MS;

    for (size_t i = 0; i < entry->n_shards; i++)
        lt_journal_trim(s->journal, entry->shards[i].uid, horizon_ms);
}

static leat_status load_streams(struct lt_streams *s, struct leat_error *err) {
    int64_t now_ms = lt_clock_wall_ms();
    struct lt_arena arena;
    struct lt_slice from = {"", 0};
    struct lt_state_row *rows;
    size_t n = PAGE;
    leat_status status = LEAT_OK;

    lt_arena_init(&arena, 1 << 30);
    while (status == LEAT_OK && n == PAGE) {
        status = lt_state_list(s->state, "stream", from, true, PAGE, &arena, &rows, &n, err);
        for (size_t i = 0; status == LEAT_OK && i < n; i++) {
            struct lt_stream_entry *entry;

            status = lt_stream_entry_parse(&entry, rows[i].name, rows[i].body, err);
            if (status == LEAT_OK && (status = insert(s, entry, err)) != LEAT_OK)
                lt_stream_entry_free(entry);
            if (status == LEAT_OK)
                trim(s, entry, now_ms);
            from = rows[i].name;
        }
    }
    lt_arena_deinit(&arena);
    return status;
}

static leat_status load_counter(struct lt_streams *s, const char *name, uint64_t *value,
                                struct leat_error *err) {
    struct lt_arena arena;
    struct lt_slice body;
    leat_status status;

    *value = 1;
    lt_arena_init(&arena, 4096);
    status = lt_state_get(s->state, "counter", lt_slice_str(name), &arena, &body, err);
    if (status == LEAT_OK) {
        char *end;
        const char *text = lt_arena_str(&arena, body);
        *value = text ? strtoull(text, &end, 10) : 0;
        if (*value == 0)
            status = lt_fail(err, LEAT_E_CORRUPT, 0, "the counter %s is not a number", name);
    } else if (status == LEAT_E_NOT_FOUND) {
        status = LEAT_OK;
    }
    lt_arena_deinit(&arena);
    return status;
}

/* Each shard named in the "forgotten" documents; their names go to `arena`. */
static leat_status forget_again(struct lt_streams *s, struct lt_arena *arena,
                                struct lt_state_row **rows, size_t *n, struct leat_error *err) {
    leat_status status =
        lt_state_list(s->state, "forgotten", LT_LIT(""), false, PAGE, arena, rows, n, err);

    for (size_t i = 0; status == LEAT_OK && i < *n; i++) {
        struct lt_json json, uid;
        struct lt_json_iter iter;
        int64_t value;

        status = lt_json_parse(&json, (*rows)[i].body, LT_JSON_DEFAULT_DEPTH, err);
        if (status != LEAT_OK)
            break;
        iter = lt_json_iter(json);
        while (lt_json_next(&iter, &uid))
            if (lt_json_int64(uid, &value) && value > 0)
                lt_journal_forget(s->journal, (uint64_t)value);
    }
    return status;
}

leat_status lt_streams_open(struct lt_streams **out, struct lt_state *state,
                            struct lt_journal *journal, struct leat_error *err) {
    struct lt_streams *s = calloc(1, sizeof(*s));
    struct lt_state_row *rows;
    struct lt_arena arena;
    size_t n;
    leat_status status;

    *out = NULL;
    if (!s)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the catalogue of streams");
    s->state = state;
    s->journal = journal;
    pthread_mutex_init(&s->change_mu, NULL);
    pthread_rwlock_init(&s->lock, NULL);
    lt_arena_init(&arena, MAX_DOCUMENT);
    status = load_counter(s, "shard-uid", &s->next_uid, err);
    if (status == LEAT_OK)
        status = load_counter(s, "stream-id", &s->next_id, err);
    if (status == LEAT_OK)
        status = load_streams(s, err);
    if (status == LEAT_OK)
        status = forget_again(s, &arena, &rows, &n, err);
    lt_arena_deinit(&arena);
    if (status != LEAT_OK) {
        lt_streams_close(s);
        return status;
    }
    *out = s;
    return LEAT_OK;
}

void lt_streams_close(struct lt_streams *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        lt_stream_entry_free(s->entries[i]);
    free(s->entries);
    pthread_mutex_destroy(&s->change_mu);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

size_t lt_streams_count_shards(struct lt_streams *s) {
    size_t n = 0;

    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->n; i++)
        n += s->entries[i]->n_open;
    pthread_rwlock_unlock(&s->lock);
    return n;
}

/* Saves the stream and the counters after it, in one change. Called under change_mu. */
static leat_status save_new(struct lt_streams *s, const struct lt_stream_entry *entry,
                            struct leat_error *err) {
    char uid[24], id[24];
    struct lt_buf body;
    leat_status status;

    lt_buf_init(&body, MAX_DOCUMENT);
    lt_stream_entry_write(entry, &body);
    status = lt_buf_status(&body, err);
    if (status == LEAT_OK) {
        snprintf(uid, sizeof(uid), "%llu", (unsigned long long)(s->next_uid + entry->n_shards));
        snprintf(id, sizeof(id), "%llu", (unsigned long long)(s->next_id + 1));
        struct lt_state_change changes[] = {
            {"stream", lt_slice_str(entry->info.name), lt_buf_slice(&body)},
            {"counter", LT_LIT("shard-uid"), lt_slice_str(uid)},
            {"counter", LT_LIT("stream-id"), lt_slice_str(id)},
        };
        status = lt_state_apply(s->state, changes, 3, err);
    }
    lt_buf_deinit(&body);
    return status;
}

/* Called under change_mu. */
static leat_status create(struct lt_streams *s, struct lt_streams_info *info, unsigned n_shards,
                          struct leat_error *err) {
    struct lt_stream_entry *entry;
    size_t n_open = lt_streams_count_shards(s);
    leat_status status;

    if (n_open + n_shards > MAX_SHARDS)
        return lt_fail_code(
            err, LEAT_E_LIMIT, "LimitExceededException",
            "This request would exceed the shard limit for the account 000000000000 in us-east-1. "
            "Current shard count for the account: %zu. Limit: %d. Number of additional shards that "
            "would have resulted from this request: %u.",
            n_open, MAX_SHARDS, n_shards);
    info->id = s->next_id;
    status = lt_stream_entry_new(&entry, info, n_shards, s->next_uid, err);
    if (status != LEAT_OK)
        return status;
    status = save_new(s, entry, err);
    if (status != LEAT_OK) {
        lt_stream_entry_free(entry);
        return status;
    }
    s->next_uid += n_shards;
    s->next_id++;
    pthread_rwlock_wrlock(&s->lock);
    status = insert(s, entry, err);
    pthread_rwlock_unlock(&s->lock);
    if (status != LEAT_OK)
        lt_stream_entry_free(entry); /* saved, and seen after a restart */
    return status;
}

leat_status lt_streams_create(struct lt_streams *s, const char *name, unsigned n_shards,
                              bool hidden, bool on_demand, unsigned max_record_bytes,
                              struct leat_error *err) {
    struct lt_streams_info info = {
        .created_ms = lt_clock_wall_ms(),
        .retention_hours = 24,
        .max_record_bytes = max_record_bytes ? max_record_bytes : 1 << 20,
        .hidden = hidden,
        .on_demand = on_demand,
    };
    bool found;
    leat_status status;

    if (name[0] == 0 || strlen(name) >= sizeof(info.name))
        return lt_fail(err, LEAT_E_INVALID, 0, "a stream's name has 1 to 128 characters");
    if (n_shards == 0)
        return lt_fail(err, LEAT_E_INVALID, 0, "a stream has at least one shard");
    snprintf(info.name, sizeof(info.name), "%s", name);

    pthread_mutex_lock(&s->change_mu);
    pthread_rwlock_rdlock(&s->lock);
    (void)find_place(s, name, &found);
    pthread_rwlock_unlock(&s->lock);
    if (found)
        status = lt_fail_code(err, LEAT_E_EXISTS, "ResourceInUseException",
                              "Stream %s under account 000000000000 already exists.", name);
    else
        status = create(s, &info, n_shards, err);
    pthread_mutex_unlock(&s->change_mu);
    return status;
}

/* Removes the document and names the shards that the journal is to forget. Under change_mu. */
static leat_status save_removed(struct lt_streams *s, const struct lt_stream_entry *entry,
                                struct leat_error *err) {
    struct lt_json_writer w;
    struct lt_buf uids;
    char id[24];
    leat_status status;

    lt_buf_init(&uids, MAX_DOCUMENT);
    lt_json_writer_init(&w, &uids);
    lt_json_begin_array(&w);
    for (size_t i = 0; i < entry->n_shards; i++)
        lt_json_put_uint(&w, entry->shards[i].uid);
    lt_json_end_array(&w);
    status = lt_buf_status(&uids, err);
    if (status == LEAT_OK) {
        snprintf(id, sizeof(id), "%020llu", (unsigned long long)entry->info.id);
        struct lt_state_change changes[] = {
            {"stream", lt_slice_str(entry->info.name), {NULL, 0}},
            {"forgotten", lt_slice_str(id), lt_buf_slice(&uids)},
        };
        status = lt_state_apply(s->state, changes, 2, err);
    }
    lt_buf_deinit(&uids);
    return status;
}

leat_status lt_streams_remove(struct lt_streams *s, const char *name, struct leat_error *err) {
    struct lt_stream_entry *entry;
    bool found;
    leat_status status;

    pthread_mutex_lock(&s->change_mu);
    pthread_rwlock_rdlock(&s->lock);
    status = lt_streams_find(s, name, &entry, err);
    pthread_rwlock_unlock(&s->lock);
    if (status == LEAT_OK) /* entries change only under change_mu */
        status = save_removed(s, entry, err);
    if (status == LEAT_OK) {
        pthread_rwlock_wrlock(&s->lock);
        size_t at = find_place(s, name, &found);
        memmove(&s->entries[at], &s->entries[at + 1], (s->n - at - 1) * sizeof(*s->entries));
        s->n--;
        /* Under the lock, so that no put to it comes after. */
        for (size_t i = 0; i < entry->n_shards; i++)
            lt_journal_forget(s->journal, entry->shards[i].uid);
        pthread_rwlock_unlock(&s->lock);
        lt_stream_entry_free(entry);
    }
    pthread_mutex_unlock(&s->change_mu);
    return status;
}

leat_status lt_streams_info(struct lt_streams *s, const char *name, struct lt_streams_info *out,
                            struct leat_error *err) {
    struct lt_stream_entry *entry;
    leat_status status;

    pthread_rwlock_rdlock(&s->lock);
    status = lt_streams_find(s, name, &entry, err);
    if (status == LEAT_OK)
        *out = entry->info;
    pthread_rwlock_unlock(&s->lock);
    return status;
}

static bool is_past(const struct lt_stream_entry *entry, const struct lt_streams_shard *shard,
                    int64_t now_ms) {
    return shard->closed &&
           shard->closed_ms + (int64_t)entry->info.retention_hours * HOUR_MS < now_ms;
}

leat_status lt_streams_shards(struct lt_streams *s, const char *name, struct lt_arena *arena,
                              struct lt_streams_shard **shards, size_t *n, struct leat_error *err) {
    int64_t now_ms = lt_clock_wall_ms();
    struct lt_stream_entry *entry;
    leat_status status;

    *shards = NULL;
    *n = 0;
    pthread_rwlock_rdlock(&s->lock);
    status = lt_streams_find(s, name, &entry, err);
    if (status == LEAT_OK) {
        *shards = lt_arena_calloc(arena, entry->n_shards, sizeof(**shards));
        if (!*shards)
            status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for %zu shards", entry->n_shards);
    }
    for (size_t i = 0; status == LEAT_OK && i < entry->n_shards; i++)
        if (!is_past(entry, &entry->shards[i], now_ms))
            (*shards)[(*n)++] = entry->shards[i];
    pthread_rwlock_unlock(&s->lock);
    return status;
}

leat_status lt_streams_shard(struct lt_streams *s, const char *name, unsigned index,
                             struct lt_streams_shard *out, struct leat_error *err) {
    struct lt_stream_entry *entry;
    leat_status status;

    pthread_rwlock_rdlock(&s->lock);
    status = lt_streams_find(s, name, &entry, err);
    if (status == LEAT_OK &&
        (index >= entry->n_shards || is_past(entry, &entry->shards[index], lt_clock_wall_ms())))
        status = lt_fail_code(err, LEAT_E_NOT_FOUND, "ResourceNotFoundException",
                              "Shard shardId-%012u in stream %s under account 000000000000 does "
                              "not exist",
                              index, name);
    if (status == LEAT_OK)
        *out = entry->shards[index];
    pthread_rwlock_unlock(&s->lock);
    return status;
}

leat_status lt_streams_list(struct lt_streams *s, const char *after, bool hidden, size_t max,
                            struct lt_arena *arena, const char ***names, size_t *n, bool *more,
                            struct leat_error *err) {
    leat_status status = LEAT_OK;
    bool found = false;
    size_t at;

    *n = 0;
    *more = false;
    pthread_rwlock_rdlock(&s->lock);
    *names = lt_arena_calloc(arena, (max < s->n ? max : s->n) + 1, sizeof(**names));
    at = after ? find_place(s, after, &found) : 0;
    for (at += found; *names && at < s->n; at++) {
        const struct lt_streams_info *info = &s->entries[at]->info;

        if (info->hidden && !hidden)
            continue;
        if (*n == max) {
            *more = true;
            break;
        }
        (*names)[*n] = lt_arena_str(arena, lt_slice_str(info->name));
        if (!(*names)[*n])
            *names = NULL;
        else
            ++*n;
    }
    pthread_rwlock_unlock(&s->lock);
    if (!*names)
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory for the names of streams");
    return status;
}

leat_status lt_streams_maintain(struct lt_streams *s, struct leat_error *err) {
    int64_t now_ms = lt_clock_wall_ms();
    struct lt_state_row *rows;
    struct lt_arena arena;
    size_t n = 0;
    leat_status status;

    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->n; i++)
        trim(s, s->entries[i], now_ms);
    pthread_rwlock_unlock(&s->lock);

    lt_arena_init(&arena, MAX_DOCUMENT);
    status = forget_again(s, &arena, &rows, &n, err);
    if (status == LEAT_OK)
        status = lt_journal_collect(s->journal, err);
    for (size_t i = 0; status == LEAT_OK && i < n; i++)
        status = lt_state_remove(s->state, "forgotten", rows[i].name, err);
    lt_arena_deinit(&arena);
    return status;
}
