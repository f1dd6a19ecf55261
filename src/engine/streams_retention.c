/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a stream's records are kept. A longer time keeps what is still there; a shorter one lets
 * go of what is older when the streams are next tended.
 */
#include "engine/streams.h"
#include "engine/streams_parts.h"

enum { MAX_DOCUMENT = 16 << 20, MIN_HOURS = 24, MAX_HOURS = 8760 };

/* The document as it will be, without touching what readers see. Called under change_mu. */
static leat_status save(struct lt_streams *s, const struct lt_stream_entry *entry, unsigned hours,
                        struct leat_error *err) {
    struct lt_stream_entry changed = *entry;
    struct lt_buf body;

    changed.info.retention_hours = hours;
    lt_buf_init(&body, MAX_DOCUMENT);
    lt_stream_entry_write(&changed, &body);
    leat_status status = lt_buf_status(&body, err);
    if (status == LEAT_OK)
        status = lt_state_set(s->state, "stream", lt_slice_str(entry->info.name),
                              lt_buf_slice(&body), err);
    lt_buf_deinit(&body);
    return status;
}

leat_status lt_streams_set_retention(struct lt_streams *s, const char *name, unsigned hours,
                                     struct leat_error *err) {
    struct lt_stream_entry *entry;

    if (hours < MIN_HOURS || hours > MAX_HOURS)
        return lt_fail(err, LEAT_E_INVALID, 0, "a retention of %u hours; expected %d to %d", hours,
                       MIN_HOURS, MAX_HOURS);
    pthread_mutex_lock(&s->change_mu);
    pthread_rwlock_rdlock(&s->lock);
    leat_status status = lt_streams_find(s, name, &entry, err);
    pthread_rwlock_unlock(&s->lock);
    if (status == LEAT_OK) /* entries change only under change_mu */
        status = save(s, entry, hours, err);
    if (status == LEAT_OK) {
        pthread_rwlock_wrlock(&s->lock);
        entry->info.retention_hours = hours;
        pthread_rwlock_unlock(&s->lock);
    }
    pthread_mutex_unlock(&s->change_mu);
    return status;
}
