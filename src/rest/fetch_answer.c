/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of an answer: it is given on, or the request goes out once more, or it has failed.
 */
#include "base/clock.h"
#include "base/units.h"
#include "rest/fetch_parts.h"
#include "rest/url.h"

#include <stdio.h>
#include <stdlib.h>

enum { THROTTLED_FLOOR_MS = 250, LONGEST_FLOOR_MS = 10000 };

enum verdict { GIVE, AGAIN, FAIL };

/* An answer, for -v. */
static void note_answer(struct lt_rest_fetching *fetching, leat_status status,
                        const struct lt_http_answer *answer) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    char name[320];
    if (!fetcher->on_note || !fetching->resource || status != LEAT_OK)
        return;
    lt_rest_note(fetcher, LT_REST_NOTE_ANSWER, 0, "%u %s: %zu bytes in %lld ms", answer->status,
                 lt_rest_fetching_name(fetching, name), answer->body.len,
                 (long long)((int64_t)uv_now(fetcher->loop) - fetching->sent_ms));
}

static bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_passing(unsigned status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

static leat_status refuse_redirect(const struct lt_rest_fetching *fetching, unsigned status,
                                   const char *why, struct leat_error *err) {
    char name[320];
    lt_rest_fetching_name(fetching, name);
    if (!fetching->resource)
        return lt_fail(err, LEAT_E_AUTH, 0, "asking for a token: %s: HTTP %u: %s", name, status,
                       why);
    return lt_fail(err, LEAT_E_REMOTE, 0, "resource %s: %s: HTTP %u: %s", fetching->resource->name,
                   name, status, why);
}

/* GET and HEAD only: what else is sent is not sent to where nobody asked for it to go. */
static enum verdict redirect(struct lt_rest_fetching *fetching, const struct lt_http_answer *answer,
                             struct leat_error *err) {
    struct lt_slice location = lt_http_answer_header(answer, "Location");
    const char *why = NULL;
    char *target = NULL;

    if (!fetching->resource)
        why = "the token endpoint redirects, which is not followed; token_url should name the "
              "place itself";
    else if (strcmp(fetching->method, "GET") != 0 && strcmp(fetching->method, "HEAD") != 0)
        why = "a redirect of a request that is no GET is not followed";
    else if (!location.len)
        why = "a redirect without a Location";
    else if (fetching->n_redirects >= LT_REST_MAX_REDIRECTS)
        why = "more than 5 redirects";
    else if (lt_rest_url_resolve(fetching->url, location, &fetching->arena, &target, NULL) !=
             LEAT_OK)
        why = "a redirect to what is no http or https URL";
    else if (lt_rest_url_is_https(lt_slice_str(fetching->url)) &&
             !lt_rest_url_is_https(lt_slice_str(target)))
        why = "a redirect from https to http is not followed";
    if (!why && !lt_rest_fetching_aim(fetching, target))
        why = "no memory for the redirect";
    if (why) {
        refuse_redirect(fetching, answer->status, why, err);
        return FAIL;
    }
    fetching->n_redirects++;
    lt_rest_fetching_wait(fetching, 0);
    return AGAIN;
}

/* How long this request waits before it is tried again; what was asked for is in `err`. Who was
 * told "too many" waits half of the longest wait at least, so that a Retry-After of 0 does not burn
 * all attempts in a moment. */
static int64_t draw_wait(const struct lt_rest_fetching *fetching, const struct leat_error *err,
                         bool throttled) {
    struct lt_retry_policy policy = fetching->fetcher->retry;
    struct leat_error retryable = *err;
    int64_t wait_ms = 0, floor_ms = 0;
    policy.max_attempts = 0;
    struct lt_retry retry = {.policy = &policy, .n_attempts = fetching->n_failed - 1};

    retryable.status = LEAT_E_NETWORK;
    lt_retry_next(&retry, &retryable, &wait_ms);
    if (throttled) {
        floor_ms = THROTTLED_FLOOR_MS;
        for (unsigned i = 1; i < fetching->n_failed && floor_ms < LONGEST_FLOOR_MS; i++)
            floor_ms *= 2;
    }
    return wait_ms > floor_ms ? wait_ms : floor_ms;
}

/* Slows the host down as it asked, and says so where it is worth a line. */
static void hold_host(struct lt_rest_fetching *fetching, unsigned status, int64_t wait_ms,
                      const struct leat_error *err) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_rest_budget *budget = &fetching->host->budget;
    int64_t now_ms = (int64_t)uv_now(fetcher->loop), was_ms = budget->paused_to_ms;

    if (status == 429)
        lt_rest_budget_slow(budget, fetching->sent_ms, now_ms);
    lt_rest_budget_pause(budget, now_ms, wait_ms);
    if (budget->paused_to_ms <= was_ms || (was_ms > now_ms && budget->paused_to_ms - was_ms < 1000))
        return;
    lt_rest_note(fetcher, LT_REST_NOTE_WAIT, lt_clock_wall_ms() + wait_ms,
                 "%s %s (HTTP %u%s%s); waiting %.1f s", fetching->host->name,
                 err->retry_after_ms ? "asks to wait" : "asks for fewer requests", status,
                 err->code[0] ? ", " : "", err->code, (double)wait_ms / 1000);
}

static enum verdict fail_for_too_long(const struct lt_rest_fetching *fetching, int64_t asked_ms,
                                      struct leat_error *err) {
    char until[32];
    size_t len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len,
             "; it asks to wait %lld s, until %s, which is longer than retry_after_max (%lld s)",
             (long long)((asked_ms + 999) / 1000),
             lt_format_time(lt_clock_wall_ms() + asked_ms, until),
             (long long)(fetching->fetcher->retry.retry_after_cap_ms / 1000));
    err->retry_after_ms = (long)asked_ms;
    return FAIL;
}

/* A failure that may pass; `err` is composed. */
static enum verdict try_again(struct lt_rest_fetching *fetching, unsigned status,
                              const struct lt_http_answer *answer, struct leat_error *err) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct lt_slice asks = {NULL, 0};
    int64_t asked_ms = 0;
    bool asked = false;

    if (status)
        asks = lt_http_answer_header(answer, "Retry-After");
    if (status == 429 || status == 503)
        asked = lt_rest_retry_after(asks, lt_clock_wall_ms(), &asked_ms);
    if (asked && asked_ms > fetcher->retry.retry_after_cap_ms)
        return fail_for_too_long(fetching, asked_ms, err);
    err->retry_after_ms = (long)asked_ms;
    fetching->n_failed++;
    if (fetching->n_failed >= fetcher->retry.max_attempts) {
        size_t len = strlen(err->text);
        snprintf(err->text + len, sizeof(err->text) - len, " (attempt %u of %u)",
                 fetching->n_failed, fetcher->retry.max_attempts);
        return FAIL;
    }
    int64_t wait_ms = draw_wait(fetching, err, status == 429);
    if (status == 429 || (status == 503 && asked))
        hold_host(fetching, status, wait_ms, err);
    else
        lt_rest_note(fetcher, LT_REST_NOTE_RETRY, lt_clock_wall_ms() + wait_ms,
                     "%.500s; attempt %u of %u in %.1f s", err->text, fetching->n_failed + 1,
                     fetcher->retry.max_attempts, (double)wait_ms / 1000);
    fetcher->n_retries++;
    lt_rest_fetching_wait(fetching, wait_ms);
    return AGAIN;
}

static enum verdict judge_failure(struct lt_rest_fetching *fetching, leat_status status,
                                  const struct lt_http_answer *answer,
                                  const struct leat_error *cause, struct leat_error *err) {
    lt_rest_no_answer_error(fetching, cause, err);
    if (status != LEAT_E_NETWORK && status != LEAT_E_TIMEOUT)
        return FAIL;
    return try_again(fetching, 0, answer, err);
}

static enum verdict judge(struct lt_rest_fetching *fetching, const struct lt_http_answer *answer,
                          struct leat_error *err) {
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    unsigned status = answer->status;

    if (status >= 200 && status < 300)
        return GIVE;
    if (is_redirect(status))
        return redirect(fetching, answer, err);
    lt_rest_answer_error(fetching, answer, err);
    if (is_passing(status))
        return try_again(fetching, status, answer, err);
    if (status == 401 && lt_rest_token_refused(fetching)) {
        if (++fetching->n_failed >= fetcher->retry.max_attempts)
            return FAIL;
        fetcher->n_retries++;
        lt_rest_fetching_wait(fetching, 0);
        return AGAIN;
    }
    return FAIL;
}

void lt_rest_on_answer(void *ctx, leat_status status, struct lt_http_answer *answer,
                       const struct leat_error *cause) {
    struct lt_rest_fetching *fetching = ctx;
    struct lt_rest_fetcher *fetcher = fetching->fetcher;
    struct leat_error err;
    enum verdict verdict;

    if (fetching->resource)
        fetcher->n_sent--;
    if (fetcher->closed) {
        lt_rest_fetching_finish(fetching, LEAT_E_CANCELLED, answer, cause);
        return;
    }
    note_answer(fetching, status, answer);
    verdict = status == LEAT_OK ? judge(fetching, answer, &err)
                                : judge_failure(fetching, status, answer, cause, &err);
    if (verdict == GIVE)
        lt_rest_fetching_finish(fetching, LEAT_OK, answer, NULL);
    else if (verdict == FAIL)
        lt_rest_fetching_finish(fetching, err.status, answer, &err);
    lt_rest_pump(fetcher);
}
