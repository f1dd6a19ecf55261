/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_SETTINGS_H
#define LT_ENGINE_SPOTIFY_SETTINGS_H

#include "base/error.h"
#include "base/slice.h"
#include "json/json.h"

/*
 * What can be set: faults and limits, each a row of the table in settings.c, which reads them from
 * the command line and from requests.
 */
enum lt_spotify_mode { LT_SPOTIFY_EXTENDED, LT_SPOTIFY_DEVELOPMENT };

struct lt_spotify_rate {
    int64_t n; /**< requests of a client in any `window_ms`; -1: no limit */
    int64_t window_ms;
};

struct lt_spotify_settings {
    int64_t latency_ms;     /**< from a request's coming to its answer */
    double errors;          /**< share of answers that are 500, 502 or 503 */
    double truncate;        /**< share of bodies that end in their middle */
    double throttle;        /**< share of answers that are 429 */
    int64_t retry_after_ms; /**< what those tell to wait */
    int64_t expire_ms;      /**< life of the tokens that are issued from now on */
    int64_t mode;           /**< enum lt_spotify_mode */
    struct lt_spotify_rate rate;
    int64_t quota; /**< requests until QUOTA_EXCEEDED; -1: no limit */
    int64_t seed;  /**< of the faults: the same seed, the same faults */
};

/** Without faults. */
extern const struct lt_spotify_settings lt_spotify_settings_default;

/** Sets one. Errors: LEAT_E_INVALID with the nearest name, or with what the value should be. */
LEAT_MUST_CHECK leat_status lt_spotify_settings_set(struct lt_spotify_settings *settings,
                                                    struct lt_slice name, struct lt_slice value,
                                                    struct leat_error *err);
/** Reads "latency=20ms,errors=5%". Errors: LEAT_E_INVALID; `settings` may then be half changed. */
LEAT_MUST_CHECK leat_status lt_spotify_settings_read(struct lt_spotify_settings *settings,
                                                     struct lt_slice list, struct leat_error *err);
/** Writes them as an object; lt_spotify_settings_set() reads each value back. */
void lt_spotify_settings_write(const struct lt_spotify_settings *settings,
                               struct lt_json_writer *w);

#endif
