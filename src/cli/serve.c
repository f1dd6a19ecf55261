/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `leat serve`: the embedded engine behind a socket, until SIGTERM or Ctrl-C. The signals are
 * blocked before any thread starts and waited for here; after the first one they have their default
 * effect again, so that a second one ends the process at once, which loses nothing acknowledged.
 */
#include "base/log.h"
#include "cli/command.h"
#include "engine/engine.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct values {
    struct lt_common common;
    const char *listen;
    int sample;
    const char *sample_data;
    uint64_t sample_scale;
    const char *sample_faults;
};

static const char *const samples[] = {"none", "spotify", NULL};

static const struct lt_option options[] = {
    {.name = "listen",
     .letter = 'l',
     .type = LT_OPTION_STRING,
     .arg = "HOST:PORT",
     .offset = offsetof(struct values, listen),
     .help = "where to answer (default 127.0.0.1:4567; port 0: any free one)",
     .env = "LEAT_LISTEN"},
    {.name = "sample",
     .type = LT_OPTION_CHOICE,
     .arg = "none|spotify",
     .offset = offsetof(struct values, sample),
     .help = "also answer like this Web API, to try and test with (default none)",
     .choices = samples},
    {.name = "sample-data",
     .type = LT_OPTION_STRING,
     .arg = "FILE",
     .offset = offsetof(struct values, sample_data),
     .help = "the sample's catalogue, a CSV file (default: one that is built in)"},
    {.name = "sample-scale",
     .type = LT_OPTION_UINT,
     .arg = "N",
     .offset = offsetof(struct values, sample_scale),
     .help = "serve the catalogue N times, under ids of their own (default 1)"},
    {.name = "sample-faults",
     .type = LT_OPTION_STRING,
     .arg = "LIST",
     .offset = offsetof(struct values, sample_faults),
     .help = "its faults and limits (see above): latency=20ms,errors=5%,…"},
    {0},
};

static const struct values defaults = {.listen = "127.0.0.1:4567", .sample_scale = 1};

/* The URL of a listening address: the host as given, the port as it came to be. */
static void format_url(const char *listen, unsigned port, char *out, size_t room) {
    const char *colon = strrchr(listen, ':');
    int host_len = colon ? (int)(colon - listen) : 0;

    if (host_len == 0)
        snprintf(out, room, "http://127.0.0.1:%u", port);
    else
        snprintf(out, room, "http://%.*s:%u", host_len, listen, port);
}

static void announce(const struct values *v, const char *data_dir, const char *url) {
    if (v->common.log_format != LT_LOG_TEXT) {
        lt_log(LT_LOG_INFO, "serve", "listening on %s", url);
        return;
    }
    fprintf(stderr, "leat: listening on %s\n", url);
    if (v->common.quiet || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr,
            "leat: Kinesis, Firehose and S3 (path style) on %s; data in %s\n"
            "leat: for awscli, boto3 and the other SDKs:\n"
            "        export AWS_ENDPOINT_URL=%s AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=leat "
            "AWS_SECRET_ACCESS_KEY=leat\n"
            "        boto3.client(\"kinesis\", endpoint_url=\"%s\")\n",
            url, data_dir, url, url);
    if (v->sample)
        fprintf(stderr,
                "leat: a sample of Spotify's Web API, with any client id and secret:\n"
                "        export SPOTIFY_API_URL=%s/v1 SPOTIFY_TOKEN_URL=%s/api/token "
                "SPOTIFY_CLIENT_ID=leat SPOTIFY_CLIENT_SECRET=leat\n",
                url, url);
    fputs("leat: Ctrl-C stops it; what is acknowledged is on disk\n", stderr);
}

static void wait_for_signal(const sigset_t *signals) {
    int number;

    while (sigwait(signals, &number) != 0)
        ;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    lt_log(LT_LOG_INFO, "serve", "%s: stopping", number == SIGINT ? "Ctrl-C" : "SIGTERM");
}

static int run(const void *values, const char *const *args, size_t n_args) {
    const struct values *v = values;
    struct lt_engine_options engine_options = {
        .data_dir = v->common.data ? v->common.data : "leat-data",
        .listen = v->listen,
        .sample = {.name = v->sample ? samples[v->sample] : NULL,
                   .data = v->sample_data,
                   .scale = v->sample_scale,
                   .faults = v->sample_faults}};
    struct lt_engine *engine;
    struct leat_error err;
    sigset_t signals;
    char url[300];

    (void)args;
    (void)n_args;
    if (!v->sample && (v->sample_data || v->sample_faults || v->sample_scale != 1)) {
        lt_fail(&err, LEAT_E_CONFIG, 0, "--sample-… is for a sample: --sample spotify");
        return lt_cli_fail("serve", &err);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (lt_engine_open(&engine, &engine_options, &err) != LEAT_OK)
        return lt_cli_fail("serve", &err);
    format_url(v->listen, lt_engine_port(engine), url, sizeof(url));
    announce(v, engine_options.data_dir, url);
    wait_for_signal(&signals);
    lt_engine_close(engine, false);
    return LT_EXIT_OK;
}

const struct lt_command lt_command_serve = {
    .name = "serve",
    .summary = "serve Kinesis, Firehose and S3 from a folder on this machine",
    .usage = "",
    .description =
        "Runs the embedded engine until SIGTERM or Ctrl-C. Whatever speaks Amazon Kinesis Data\n"
        "Streams, Data Firehose or S3 (path style) over HTTP can use it with nothing but the\n"
        "endpoint set; credentials are taken as they come. A put is answered when it is on disk.\n"
        "\n"
        "Other leat commands find a running engine by its data folder; they need no address.\n"
        "GET /healthz tells whether it answers, GET /metrics counts in Prometheus' text format.\n"
        "\n"
        "With --sample spotify it also answers like Spotify's Web API, for trying and testing: "
        "POST\n"
        "/api/token takes any client id and secret (but the secret \"wrong\"), and under /v1 there "
        "are\n"
        "browse/new-releases, albums/ID, albums/ID/tracks and search?type=album. While it is on, "
        "it\n"
        "hides a bucket \"v1\" and the key \"token\" of a bucket \"api\". Its catalogue is a CSV "
        "file\n"
        "with the columns track_id, track_name, track_artist, track_album_id, track_album_name,\n"
        "track_album_release_date, duration_ms and, if there, track_popularity.\n"
        "\n"
        "Faults of the sample, after --sample-faults or in a POST to /_leat/sample (a form or "
        "JSON):\n"
        "latency=20ms, errors=5% (500, 502, 503), truncate=2% (bodies cut in their middle),\n"
        "throttle=1% (429), retry_after=1s, expire=1s (of new tokens), rate=100/30s (of a "
        "client),\n"
        "quota=1000 (then QUOTA_EXCEEDED), mode=development (403 for new releases, small "
        "searches),\n"
        "seed=7. With one seed a page always meets the same faults. GET /_leat/sample counts\n"
        "requests, statuses, tokens and how often each page was given; POST /_leat/sample?reset\n"
        "begins anew, ?reset=all with the settings of the start, ?expire_tokens ends all tokens.\n"
        "\n"
        "On the first signal it answers what it has begun and keeps what is not delivered yet for\n"
        "the next start; a second signal ends it at once.",
    .examples = "leat serve\n"
                "leat serve --sample spotify --sample-faults latency=20ms,errors=5%\n"
                "leat serve --data /var/lib/leat --listen 0.0.0.0:4567 --log-format json\n"
                "AWS_ENDPOINT_URL=http://127.0.0.1:4567 aws kinesis list-streams",
    .options = options,
    .values_size = sizeof(struct values),
    .defaults = &defaults,
    .run = run,
};
