/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load generator for anything that speaks Kinesis' JSON protocol over HTTP/1.1: requests are made
 * ready before the clock starts, so that what is measured is the server.
 *
 *   load put  PORT STREAM CONNECTIONS RECORDS RECORD_BYTES
 *   load get  PORT STREAM CONNECTIONS
 *
 * Prints one JSON line: {"records":…,"bytes":…,"seconds":…,"requests":…,"errors":…}. `get` reads
 * each shard from TRIM_HORIZON to its tip; the connections share the shards out. A throttled
 * GetRecords is asked again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 64, MAX_SHARDS = 256, BATCH = 500, IN_BYTES = 32 << 20, N_BODIES = 16 };

struct connection {
    int fd;
    const char *out;
    size_t out_len, out_at;
    char *in;
    size_t in_len;
    size_t want; /* bytes of the whole answer, 0: not known */
    bool busy;
    char *request; /* get: its own */
    char iterator[1024];
    unsigned batch;
};

static struct {
    const char *stream;
    int port;
    unsigned n_connections;
    uint64_t n_records, n_done, n_bytes, n_requests, n_errors, n_sent;
    size_t record_bytes;
    char *bodies[N_BODIES];
    size_t body_lens[N_BODIES];
    char shards[MAX_SHARDS][64];
    unsigned n_shards, next_shard;
} load;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int dial(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load.port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static const char head[] =
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
    "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "
    "Credential=x/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host;x-amz-date, "
    "Signature=0\r\nX-Amz-Target: Kinesis_20131202.%s\r\nContent-Length: %zu\r\n\r\n";

static size_t make_request(char *to, size_t room, const char *target, const char *body,
                           size_t len) {
    int n = snprintf(to, room, head, target, len);
    memcpy(to + n, body, len);
    return (size_t)n + len;
}

static void make_body(unsigned i) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t encoded = load.record_bytes / 3 * 4;
    size_t room = BATCH * (encoded + 200) + 1000;
    char *body = malloc(room), *request = malloc(room + 1000);
    unsigned seed = i * 7919 + 1;
    size_t n = (size_t)sprintf(body, "{\"StreamName\":\"%s\",\"Records\":[", load.stream);
    for (unsigned r = 0; r < BATCH; r++) {
        n += (size_t)sprintf(body + n, "%s{\"PartitionKey\":\"session-%u-%u\",\"Data\":\"",
                             r ? "," : "", i, r);
        for (size_t c = 0; c < encoded; c++)
            body[n++] = alphabet[rand_r(&seed) % 64];
        body[n++] = '"';
        body[n++] = '}';
    }
    n += (size_t)sprintf(body + n, "]}");
    load.bodies[i] = request;
    load.body_lens[i] = make_request(request, room + 1000, "PutRecords", body, n);
    free(body);
}

/* Bytes of the whole answer, or 0 while its head is not there. */
static size_t answer_len(const struct connection *c) {
    const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head_len = (size_t)(end - c->in) + 4;
    for (const char *line = c->in; line < end; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            return head_len + strtoull(line + 15, NULL, 10);
    }
    return head_len;
}

static void send_request(struct connection *c, const char *request, size_t len) {
    c->out = request;
    c->out_len = len;
    c->out_at = 0;
    c->in_len = c->want = 0;
    c->busy = true;
}

/* Sends and waits: for what is asked once. */
static void ask(struct connection *c, const char *target, const char *body) {
    char request[4096];
    size_t len = make_request(request, sizeof(request), target, body, strlen(body));
    for (size_t at = 0; at < len;) {
        ssize_t n = write(c->fd, request + at, len - at);
        if (n <= 0)
            die("write");
        at += (size_t)n;
    }
    c->in_len = 0;
    for (size_t want = 0; !want || c->in_len < want; want = answer_len(c)) {
        ssize_t n = read(c->fd, c->in + c->in_len, IN_BYTES - c->in_len - 1);
        if (n <= 0)
            die("read");
        c->in_len += (size_t)n;
        c->in[c->in_len] = '\0';
    }
}

static bool field(const char *text, const char *name, char *to, size_t room) {
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    const char *at = strstr(text, quoted);
    at = at ? strchr(at + strlen(quoted), '"') : NULL;
    const char *end = at ? strchr(at + 1, '"') : NULL;
    if (!end || (size_t)(end - at) >= room)
        return false;
    memcpy(to, at + 1, (size_t)(end - at - 1));
    to[end - at - 1] = '\0';
    return true;
}

static bool next_shard(struct connection *c) {
    char body[512];
    if (load.next_shard >= load.n_shards)
        return false;
    snprintf(body, sizeof(body),
             "{\"StreamName\":\"%s\",\"ShardId\":\"%s\",\"ShardIteratorType\":\"TRIM_HORIZON\"}",
             load.stream, load.shards[load.next_shard++]);
    ask(c, "GetShardIterator", body);
    if (!field(c->in, "ShardIterator", c->iterator, sizeof(c->iterator)))
        die("no shard iterator");
    return true;
}

static void list_shards(struct connection *c) {
    char body[256];
    snprintf(body, sizeof(body), "{\"StreamName\":\"%s\"}", load.stream);
    ask(c, "DescribeStream", body);
    for (const char *at = c->in; (at = strstr(at, "\"ShardId\"")) && load.n_shards < MAX_SHARDS;
         at++) {
        if (!field(at, "ShardId", load.shards[load.n_shards], 64))
            break;
        load.n_shards++;
    }
}

static void send_get(struct connection *c) {
    char body[1400];
    int n = snprintf(body, sizeof(body), "{\"ShardIterator\":\"%s\",\"Limit\":10000}", c->iterator);
    send_request(c, c->request, make_request(c->request, 4096, "GetRecords", body, (size_t)n));
}

static void send_put(struct connection *c) {
    if (load.n_sent >= load.n_records)
        return;
    unsigned i = c->batch++ % N_BODIES;
    load.n_sent += BATCH;
    send_request(c, load.bodies[i], load.body_lens[i]);
}

static void on_records(struct connection *c) {
    uint64_t n = 0;
    const char *end = c->in + c->in_len;
    for (const char *at = c->in; (at = memmem(at, (size_t)(end - at), "\"Data\":\"", 8)); n++) {
        const char *stop = memchr(at + 8, '"', (size_t)(end - at - 8));
        load.n_bytes += (uint64_t)(stop - at - 8) / 4 * 3;
        at = stop;
    }
    load.n_done += n;
    char *next = memmem(c->in, c->in_len, "\"NextShardIterator\"", 19);
    bool more = next && field(next, "NextShardIterator", c->iterator, sizeof(c->iterator));
    if ((n && more) || next_shard(c))
        send_get(c);
}

static void on_answer(struct connection *c, bool get) {
    bool ok = strncmp(c->in, "HTTP/1.1 200", 12) == 0;

    c->busy = false;
    load.n_requests++;
    if (!ok && get && strstr(c->in, "ProvisionedThroughputExceeded")) {
        send_get(c);
        return;
    }
    if (!ok && ++load.n_errors < 4)
        fprintf(stderr, "load: %.300s\n", c->in);
    if (get) {
        on_records(c);
        return;
    }
    if (ok && !memmem(c->in, c->in_len, "\"FailedRecordCount\":0", 21))
        load.n_errors++;
    load.n_done += BATCH;
    load.n_bytes += BATCH * (load.record_bytes / 3 * 3);
    send_put(c);
}

static void on_readable(struct connection *c, bool get) {
    ssize_t n = recv(c->fd, c->in + c->in_len, IN_BYTES - c->in_len - 1, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        die("the server closed the connection");
    if (n < 0)
        return;
    c->in_len += (size_t)n;
    c->in[c->in_len] = '\0';
    if (!c->want)
        c->want = answer_len(c);
    if (c->want && c->in_len >= c->want)
        on_answer(c, get);
}

static void on_writable(struct connection *c) {
    ssize_t n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        die("send");
    if (n > 0)
        c->out_at += (size_t)n;
}

static void run(struct connection *connections, bool get) {
    struct pollfd fds[MAX_CONNECTIONS];
    for (;;) {
        unsigned n_busy = 0;
        for (unsigned i = 0; i < load.n_connections; i++) {
            struct connection *c = &connections[i];
            fds[i] = (struct pollfd){.fd = c->busy ? c->fd : -1, .events = POLLIN};
            if (c->busy && c->out_at < c->out_len)
                fds[i].events |= POLLOUT;
            n_busy += c->busy;
        }
        if (!n_busy)
            return;
        if (poll(fds, load.n_connections, 60000) <= 0)
            die("no answer for 60 s");
        for (unsigned i = 0; i < load.n_connections; i++) {
            if (fds[i].revents & POLLOUT)
                on_writable(&connections[i]);
            if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
                on_readable(&connections[i], get);
        }
    }
}

int main(int argc, char **argv) {
    static struct connection connections[MAX_CONNECTIONS];
    bool get = argc > 1 && strcmp(argv[1], "get") == 0;
    if (argc < (get ? 5 : 7)) {
        fputs("usage: load put PORT STREAM CONNECTIONS RECORDS RECORD_BYTES\n"
              "       load get PORT STREAM CONNECTIONS\n",
              stderr);
        return 2;
    }
    load.port = atoi(argv[2]);
    load.stream = argv[3];
    load.n_connections = (unsigned)atoi(argv[4]);
    load.n_records = get ? 0 : strtoull(argv[5], NULL, 10);
    load.record_bytes = get ? 0 : strtoull(argv[6], NULL, 10);
    if (load.n_connections < 1 || load.n_connections > MAX_CONNECTIONS)
        return 2;
    for (unsigned i = 0; i < load.n_connections; i++) {
        connections[i].fd = dial();
        connections[i].in = malloc(IN_BYTES);
        connections[i].request = malloc(4096);
        connections[i].batch = i;
    }
    if (get)
        list_shards(&connections[0]);
    else
        for (unsigned i = 0; i < N_BODIES; i++)
            make_body(i);
    double start = now();
    for (unsigned i = 0; i < load.n_connections; i++) {
        if (!get)
            send_put(&connections[i]);
        else if (next_shard(&connections[i]))
            send_get(&connections[i]);
    }
    run(connections, get);
    printf("{\"records\":%llu,\"bytes\":%llu,\"seconds\":%.4f,\"requests\":%llu,\"errors\":%llu}\n",
           (unsigned long long)load.n_done, (unsigned long long)load.n_bytes, now() - start,
           (unsigned long long)load.n_requests, (unsigned long long)load.n_errors);
    return load.n_errors ? 1 : 0;
}
