/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_DELIVERIES_PARTS_H
#define LT_ENGINE_DELIVERIES_PARTS_H

#include "deliver/work.h"
#include "engine/completions.h"
#include "engine/deliveries.h"
#include "engine/pump.h"

/* What the files of this room's deliveries share: the registry, and its documents. */

/** What a delivery stream's document says. */
struct lt_delivery_document {
    struct lt_arena arena; /**< owns all it points to */
    struct lt_delivery_config config;
    struct lt_pump_start *starts;
    size_t n_starts;
};

/** A copy of `config` in a new document without starts. NULL: no memory. */
struct lt_delivery_document *lt_delivery_document_new(const struct lt_delivery_config *config);
void lt_delivery_document_free(struct lt_delivery_document *doc);
void lt_delivery_document_write(const struct lt_delivery_document *doc, struct lt_buf *out);
/** Errors: LEAT_E_CORRUPT, LEAT_E_NOMEM. */
LEAT_MUST_CHECK leat_status lt_delivery_document_read(struct lt_delivery_document **out,
                                                      struct lt_slice name, struct lt_slice body,
                                                      struct leat_error *err);

enum lt_delivery_state { LT_DELIVERY_CREATING, LT_DELIVERY_ACTIVE, LT_DELIVERY_REMOVING };

struct lt_delivery_entry {
    struct lt_deliveries *deliveries;
    struct lt_delivery_document *doc;
    enum lt_delivery_state state;
    struct lt_pump *pump; /**< NULL when it could not be started: see `error` */
    struct leat_error error;
};

struct lt_deliveries {
    struct lt_deliveries_options env;
    struct lt_completions *completions;
    uv_async_t *async; /**< the journal has news; freed by its close callback */
    uv_timer_t *tick;  /**< so that many small groups are one read */

    struct lt_delivery_entry **entries; /**< in order of name */
    size_t n, cap;

    struct lt_delivery_change *changes; /**< being created or removed */
    struct lt_deliveries_flush *flushes;
    size_t n_puts; /**< not yet answered */
};

/** The entry of that name in any state, or NULL; `*at` is where it is or belongs. */
struct lt_delivery_entry *lt_deliveries_entry(struct lt_deliveries *deliveries, const char *name,
                                              size_t *at);

/** Makes and unmakes an entry in the list. */
LEAT_MUST_CHECK leat_status lt_deliveries_insert(struct lt_deliveries *deliveries,
                                                 struct lt_delivery_document *doc,
                                                 struct lt_delivery_entry **out,
                                                 struct leat_error *err);
void lt_deliveries_drop(struct lt_deliveries *deliveries, struct lt_delivery_entry *entry);

/** Starts the pump of an entry. Errors: as lt_pump_new(). */
LEAT_MUST_CHECK leat_status lt_deliveries_start(struct lt_delivery_entry *entry,
                                                struct leat_error *err);

/** Ends what is under way: all callbacks with LEAT_E_CANCELLED. */
void lt_deliveries_cancel_changes(struct lt_deliveries *deliveries);
void lt_deliveries_cancel_flushes(struct lt_deliveries *deliveries);

/** A delivery read or delivered something, or failed: flushes may be done. */
void lt_deliveries_check_flushes(struct lt_deliveries *deliveries);

#endif
