/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From "HOST:PORT" to a listening TCP socket. A host in digits is never looked up; an empty
 * host means all interfaces, IPv4 and IPv6 on one socket where the kernel has IPv6.
 */
#include "http/server_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, HOST_MAX_BYTES = 256, PORT_MAX_BYTES = 6 };

/** Splits; the brackets of an IPv6 host go. False when it is not HOST:PORT. */
static bool split(const char *address, char host[HOST_MAX_BYTES], char port[PORT_MAX_BYTES]) {
    const char *colon = strrchr(address, ':');
    if (!colon)
        return false;
    struct lt_slice h = lt_slice(address, (size_t)(colon - address));
    struct lt_slice p = lt_slice_str(colon + 1);
    if (h.len >= 2 && h.data[0] == '[' && h.data[h.len - 1] == ']')
        h = lt_slice(h.data + 1, h.len - 2);
    else if (memchr(h.data, ':', h.len))
        return false;
    if (h.len >= HOST_MAX_BYTES || !p.len || p.len >= PORT_MAX_BYTES)
        return false;
    unsigned value = 0;
    for (size_t i = 0; i < p.len; i++) {
        if (p.data[i] < '0' || p.data[i] > '9')
            return false;
        value = value * 10 + (unsigned)(p.data[i] - '0');
    }
    if (value > 65535)
        return false;
    memcpy(host, h.data, h.len);
    host[h.len] = '\0';
    memcpy(port, p.data, p.len + 1);
    return true;
}

/** A listening socket, or -1 with errno. */
static int listen_on(const struct addrinfo *ai) {
    const int on = 1, off = 0;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (ai->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int sys = errno;
    close(fd);
    errno = sys;
    return -1;
}

static unsigned port_of(int fd) {
    struct sockaddr_storage addr;
    socklen_t len = sizeof(addr);
    memset(&addr, 0, sizeof(addr));
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    if (addr.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&addr)->sin6_port);
    return ntohs(((struct sockaddr_in *)&addr)->sin_port);
}

static int look_up(const char *host, const char *port, int family, struct addrinfo **out) {
    struct addrinfo hints = {.ai_family = family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    int gai = getaddrinfo(*host ? host : NULL, port, &hints, out);
    if (gai == EAI_NONAME && *host) {
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
        gai = getaddrinfo(host, port, &hints, out);
    }
    return gai;
}

leat_status lt_http_bind(const char *address, int *fd, unsigned *port, struct leat_error *err) {
    static const int any_families[] = {AF_INET6, AF_INET};
    static const int named_families[] = {AF_UNSPEC};
    char host[HOST_MAX_BYTES], service[PORT_MAX_BYTES];
    int gai = 0, sys = 0;

    *fd = -1;
    if (!split(address, host, service))
        return lt_fail(err, LEAT_E_INVALID, 0,
                       "cannot listen on \"%.200s\": expected HOST:PORT, as in 127.0.0.1:4567",
                       address);
    const int *families = *host ? named_families : any_families;
    size_t n = *host ? 1 : 2;
    for (size_t i = 0; i < n && *fd < 0; i++) {
        struct addrinfo *found = NULL;
        gai = look_up(host, service, families[i], &found);
        for (const struct addrinfo *ai = found; !gai && ai && *fd < 0; ai = ai->ai_next) {
            *fd = listen_on(ai);
            if (*fd < 0)
                sys = errno;
        }
        if (found)
            freeaddrinfo(found);
        if (sys == EADDRINUSE)
            break;
    }
    if (*fd < 0 && sys)
        return lt_fail(err, sys == EADDRINUSE ? LEAT_E_BUSY : LEAT_E_IO, sys,
                       "cannot listen on %.200s", address);
    if (*fd < 0)
        return lt_fail(err, LEAT_E_INVALID, 0, "cannot listen on %.200s: %s", address,
                       gai_strerror(gai));
    *port = port_of(*fd);
    return LEAT_OK;
}
