/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 256, MAX_HEAD = 64 << 10 };

struct connection {
    struct peer *peer;
    pthread_t thread;
    int fd;
};

struct peer {
    peer_handler *handler;
    void *ctx;
    pthread_t thread;
    int listener;
    char url[64];
    pthread_mutex_t mu;
    struct connection connections[MAX_CONNECTIONS]; /* guarded by mu */
    unsigned n_connections;                         /* guarded by mu */
    unsigned n_requests;                            /* guarded by mu */
    bool stopping;                                  /* guarded by mu */
};

static void must(bool ok, const char *what) {
    if (ok)
        return;
    perror(what);
    abort();
}

void peer_send(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        at += n;
        len -= (size_t)n;
    }
}

void peer_answer(int fd, unsigned status, const char *headers, const char *body) {
    char *text = NULL;
    int len = asprintf(&text, "HTTP/1.1 %u Status\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                       headers, strlen(body), body);
    must(len >= 0, "asprintf");
    peer_send(fd, text, (size_t)len);
    free(text);
}

bool peer_header(const struct peer_request *request, const char *name, char *out, size_t cap) {
    size_t name_len = strlen(name);
    for (const char *line = strstr(request->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        const char *value = line + name_len + 1;
        value += strspn(value, " ");
        snprintf(out, cap, "%.*s", (int)strcspn(value, "\r"), value);
        return true;
    }
    return false;
}

static bool read_more(int fd, char *head, size_t *have) {
    ssize_t n = recv(fd, head + *have, MAX_HEAD - *have, 0);
    if (n <= 0)
        return false;
    *have += (size_t)n;
    head[*have] = '\0';
    return *have < MAX_HEAD;
}

/* `head` holds `*have` bytes, the rest of an earlier read; left-over bytes stay there. */
static bool read_request(int fd, char *head, size_t *have, struct peer_request *request) {
    char length[32];
    char *end;
    head[*have] = '\0';
    while (!(end = strstr(head, "\r\n\r\n")))
        if (!read_more(fd, head, have))
            return false;
    size_t head_len = (size_t)(end - head) + 4;
    request->head = strndup(head, head_len);
    sscanf(head, "%15s %2047s", request->method, request->target);
    request->body_len = peer_header(request, "Content-Length", length, sizeof(length))
                            ? strtoul(length, NULL, 10)
                            : 0;
    request->body = calloc(1, request->body_len + 1);
    must(request->body != NULL, "calloc");
    size_t in_head = *have - head_len < request->body_len ? *have - head_len : request->body_len;
    memcpy(request->body, head + head_len, in_head);
    memmove(head, head + head_len + in_head, *have - head_len - in_head);
    *have -= head_len + in_head;
    for (size_t got = in_head; got < request->body_len;) {
        ssize_t n = recv(fd, request->body + got, request->body_len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void *serve_connection(void *arg) {
    struct connection *connection = arg;
    struct peer *peer = connection->peer;
    char *head = malloc(MAX_HEAD + 1);
    size_t have = 0;
    bool go_on = true;
    must(head != NULL, "malloc");
    while (go_on) {
        struct peer_request request = {0};
        go_on = read_request(connection->fd, head, &have, &request);
        if (go_on) {
            pthread_mutex_lock(&peer->mu);
            request.serial = peer->n_requests++;
            pthread_mutex_unlock(&peer->mu);
            go_on = peer->handler(peer->ctx, &request, connection->fd);
        }
        free(request.head);
        free(request.body);
    }
    shutdown(connection->fd, SHUT_RDWR);
    free(head);
    return NULL;
}

static void *serve(void *arg) {
    struct peer *peer = arg;
    for (;;) {
        int fd = accept(peer->listener, NULL, NULL);
        pthread_mutex_lock(&peer->mu);
        if (fd < 0 || peer->stopping) {
            pthread_mutex_unlock(&peer->mu);
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        must(peer->n_connections < MAX_CONNECTIONS, "too many connections to a test's peer");
        struct connection *connection = &peer->connections[peer->n_connections++];
        *connection = (struct connection){.peer = peer, .fd = fd};
        must(pthread_create(&connection->thread, NULL, serve_connection, connection) == 0,
             "pthread_create");
        pthread_mutex_unlock(&peer->mu);
    }
}

static int listen_tcp(struct peer *peer) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &len) == 0,
         "listen");
    snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

static int listen_unix(struct peer *peer, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
             listen(fd, 64) == 0,
         "listen");
    snprintf(peer->url, sizeof(peer->url), "http://leat");
    return fd;
}

struct peer *peer_start(const char *unix_socket, peer_handler *handler, void *ctx) {
    struct peer *peer = calloc(1, sizeof(*peer));
    must(peer != NULL, "calloc");
    peer->handler = handler;
    peer->ctx = ctx;
    pthread_mutex_init(&peer->mu, NULL);
    peer->listener = unix_socket ? listen_unix(peer, unix_socket) : listen_tcp(peer);
    must(pthread_create(&peer->thread, NULL, serve, peer) == 0, "pthread_create");
    return peer;
}

const char *peer_url(const struct peer *peer) {
    return peer->url;
}

unsigned peer_requests(struct peer *peer) {
    pthread_mutex_lock(&peer->mu);
    unsigned n = peer->n_requests;
    pthread_mutex_unlock(&peer->mu);
    return n;
}

unsigned peer_connections(struct peer *peer) {
    pthread_mutex_lock(&peer->mu);
    unsigned n = peer->n_connections;
    pthread_mutex_unlock(&peer->mu);
    return n;
}

void peer_stop(struct peer *peer) {
    pthread_mutex_lock(&peer->mu);
    peer->stopping = true;
    shutdown(peer->listener, SHUT_RDWR);
    for (unsigned i = 0; i < peer->n_connections; i++)
        shutdown(peer->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&peer->mu);
    pthread_join(peer->thread, NULL);
    for (unsigned i = 0; i < peer->n_connections; i++) {
        pthread_join(peer->connections[i].thread, NULL);
        close(peer->connections[i].fd);
    }
    close(peer->listener);
    pthread_mutex_destroy(&peer->mu);
    free(peer);
}
