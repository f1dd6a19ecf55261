/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_EXPR_REMOTE_WIRE_H
#define LT_EXPR_REMOTE_WIRE_H

#include "base/buf.h"

/*
 * What the program and its libjq helper say to each other over a socket: messages, each a head and
 * `len` bytes. Both are the same program on the same machine, so numbers lie as the machine has
 * them; the version in the first answer says when they are not the same.
 */
enum {
    LT_WIRE_FD = 3,        /* the helper's end */
    LT_WIRE_SHARED_FD = 4, /* struct lt_wire_shared */
    LT_WIRE_VERSION = 1,
    LT_WIRE_EXIT_NOMEM = 75, /* what the helper exits with when its memory is used up */
};

/* Memory that both see: what the helper was at is known when it cannot say so any more. */
struct lt_wire_shared {
    _Atomic uint32_t ask; /* of the job at work */
};

enum lt_wire_type {
    /* asked */
    LT_WIRE_PROGRAM = 1, /* struct lt_wire_program, then texts: program, name, value, name, … */
    LT_WIRE_LIMIT,       /* uint64_t bytes */
    LT_WIRE_RUN,         /* struct lt_wire_run, struct lt_wire_ask …, the document */
    LT_WIRE_INPUT,       /* a document; nothing: there is no more */
    /* answered */
    LT_WIRE_READY,    /* uint32_t version: it compiled */
    LT_WIRE_BAD,      /* texts: jq's complaints */
    LT_WIRE_NO_LIBJQ, /* why */
    LT_WIRE_VALUE,    /* struct lt_wire_value, JSON */
    LT_WIRE_END,      /* struct lt_wire_end, reason */
    LT_WIRE_NEXT_INPUT,
    LT_WIRE_MESSAGE, /* JSON, of `debug` */
};

struct lt_wire_head {
    uint32_t type;
    uint32_t len; /* of what follows */
};

struct lt_wire_program {
    uint64_t max_bytes; /* 0: no limit */
    uint32_t for_people;
    uint32_t n_vars;
};

struct lt_wire_ask {
    uint32_t part;
    uint16_t max_values;
    uint16_t ends_if_true;
};

struct lt_wire_run {
    uint32_t n_asks;
};

struct lt_wire_value {
    uint32_t ask;
};

struct lt_wire_end {
    uint32_t end; /* enum lt_remote_end */
    uint32_t ask;
    uint32_t is_string;
    int32_t code;
    uint32_t grown; /* libjq holds more memory than it should between two runs */
};

/** Begins a message: returns where its head stands, for lt_wire_finish(). */
static inline size_t lt_wire_begin(struct lt_buf *out, enum lt_wire_type type) {
    struct lt_wire_head head = {.type = type};
    size_t at = out->len;

    lt_buf_append(out, lt_slice(&head, sizeof(head)));
    return at;
}

/** What was appended since is the message. It fails the buffer where it is 4 GiB or more. */
static inline void lt_wire_finish(struct lt_buf *out, size_t at) {
    size_t len = out->failed ? 0 : out->len - at - sizeof(struct lt_wire_head);

    if (out->failed)
        return;
    if (len > UINT32_MAX) {
        out->failed = true;
        return;
    }
    uint32_t n = (uint32_t)len;
    memcpy(out->data + at + offsetof(struct lt_wire_head, len), &n, sizeof(n));
}

/** Appends a text with its length before it. */
static inline void lt_wire_add_text(struct lt_buf *out, struct lt_slice text) {
    uint64_t len = text.len;

    lt_buf_append(out, lt_slice(&len, sizeof(len)));
    lt_buf_append(out, text);
}

/** Takes `n` bytes off the front of `rest`; false when they are not there. */
static inline bool lt_wire_take(struct lt_slice *rest, void *out, size_t n) {
    if (rest->len < n)
        return false;
    memcpy(out, rest->data, n);
    *rest = lt_slice_from(*rest, n);
    return true;
}

static inline bool lt_wire_take_text(struct lt_slice *rest, struct lt_slice *text) {
    uint64_t len;

    if (!lt_wire_take(rest, &len, sizeof(len)) || rest->len < len)
        return false;
    *text = lt_slice(rest->data, (size_t)len);
    *rest = lt_slice_from(*rest, (size_t)len);
    return true;
}

/** The message that stands at `*at` in `in`, which is moved behind it; false when it is not all
 * there yet. */
static inline bool lt_wire_next(const struct lt_buf *in, size_t *at, uint32_t *type,
                                struct lt_slice *body) {
    struct lt_wire_head head;

    if (in->len - *at < sizeof(head))
        return false;
    memcpy(&head, in->data + *at, sizeof(head));
    if (in->len - *at - sizeof(head) < head.len)
        return false;
    *type = head.type;
    *body = lt_slice(in->data + *at + sizeof(head), head.len);
    *at += sizeof(head) + head.len;
    return true;
}

#endif
