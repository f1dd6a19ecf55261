/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper process: reads a jq program, then runs its parts over documents as it is asked to. It
 * answers each request at once, in one write where the answer is small, so that whatever ends it
 * loses the answer to one request alone. A thread waits for the other end to close, since libjq
 * may be at work for ever.
 */
#include "expr/remote_parts.h"
#include "expr/value.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define LT_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LT_SANITIZED 1
#endif

enum {
    READ_BYTES = 64 << 10,
    FLUSH_BYTES = 64 << 10,
    LOOK_EVERY = 64,
    WATCHER_STACK_BYTES = 256 << 10,
    MAX_GROWN_BYTES = 64 << 20, /* that libjq may lose before the process is renewed */
    BAD_COMMAND = 2,
};

struct helper {
    jq_state *jq;
    struct lt_wire_shared *shared;
    struct lt_buf in;
    size_t in_at;
    struct lt_buf out;
    bool for_people;
    uint32_t part; /* that is asked for */
    size_t base_bytes;
    uint64_t n_runs;
    bool grown;
};

_Noreturn static void end_without_memory(void *ctx) {
    (void)ctx;
    _exit(LT_WIRE_EXIT_NOMEM);
}

static void *watch(void *ctx) {
    struct pollfd end = {.fd = LT_WIRE_FD, .events = POLLRDHUP};

    (void)ctx;
    while (poll(&end, 1, -1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

static void start_watcher(void) {
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WATCHER_STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, watch, NULL) != 0)
        _exit(LT_WIRE_EXIT_NOMEM);
    pthread_attr_destroy(&attr);
}

static void flush(struct helper *h) {
    size_t at = 0;

    if (h->out.failed)
        _exit(LT_WIRE_EXIT_NOMEM);
    while (at < h->out.len) {
        ssize_t n = send(LT_WIRE_FD, h->out.data + at, h->out.len - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            _exit(0); /* nobody listens */
        at += n > 0 ? (size_t)n : 0;
    }
    lt_buf_clear(&h->out);
}

/* Waits for a whole message. */
static void receive(struct helper *h, uint32_t *type, struct lt_slice *body) {
    while (!lt_wire_next(&h->in, &h->in_at, type, body)) {
        lt_buf_consume(&h->in, h->in_at);
        h->in_at = 0;
        char *room = lt_buf_reserve(&h->in, READ_BYTES);
        if (!room)
            _exit(LT_WIRE_EXIT_NOMEM);
        ssize_t n = recv(LT_WIRE_FD, room, READ_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(0);
        lt_buf_commit(&h->in, (size_t)n);
    }
}

/* Bytes of addresses in all, or resident. */
static size_t own_bytes(bool resident) {
    char text[128], *second = NULL;
    FILE *file = fopen("/proc/self/statm", "re");
    size_t pages = 0;

    if (file) {
        if (fgets(text, sizeof(text), file)) {
            pages = strtoul(text, &second, 10);
            if (resident)
                pages = strtoul(second, NULL, 10);
        }
        fclose(file);
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Sanitizers take terabytes of addresses: there, the other end's look at what is resident must do.
 */
static void limit_memory(uint64_t max_bytes) {
#ifndef LT_SANITIZED
    struct rlimit limit;
    size_t now = own_bytes(false);

    if (now == 0 || getrlimit(RLIMIT_AS, &limit) != 0)
        return;
    rlim_t wanted = max_bytes && max_bytes < SIZE_MAX / 2 ? now + max_bytes : RLIM_INFINITY;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
#else
    (void)max_bytes;
#endif
}

static void add_complaint(void *ctx, jv message) {
    struct helper *h = ctx;

    if (lt_jq.get_kind(message) == JV_KIND_INVALID)
        message = lt_jq.invalid_get_msg(message);
    if (lt_jq.get_kind(message) == JV_KIND_STRING)
        lt_wire_add_text(&h->out, lt_expr_string(message));
    lt_jq.free(message);
}

static void ignore(void *ctx, jv message) {
    (void)ctx;
    lt_jq.free(message);
}

static void add_json(struct lt_buf *out, jv value) {
    jv text = lt_jq.dump_string(value, 0);

    lt_buf_append(out, lt_expr_string(text));
    lt_jq.free(text);
}

static void tell_message(void *ctx, jv message) {
    struct helper *h = ctx;
    size_t at = lt_wire_begin(&h->out, LT_WIRE_MESSAGE);

    add_json(&h->out, message);
    lt_wire_finish(&h->out, at);
}

static jv read_document(struct lt_slice text) {
    return lt_expr_read_value((struct lt_json){LT_JSON_NULL, text});
}

/* What `input` gives: for people the next of the documents, else which part is asked for. */
static jv give_input(jq_state *jq, void *ctx) {
    struct helper *h = ctx;
    struct lt_slice body;
    uint32_t type;

    (void)jq;
    if (!h->for_people)
        return lt_jq.number(h->part);
    lt_wire_finish(&h->out, lt_wire_begin(&h->out, LT_WIRE_NEXT_INPUT));
    flush(h);
    receive(h, &type, &body);
    return type == LT_WIRE_INPUT && body.len ? read_document(body) : lt_jq.invalid();
}

static void answer_text(struct helper *h, enum lt_wire_type type, struct lt_slice text) {
    size_t at = lt_wire_begin(&h->out, type);

    lt_buf_append(&h->out, text);
    lt_wire_finish(&h->out, at);
    flush(h);
}

static jv read_vars(struct lt_slice *body, uint32_t n) {
    jv vars = lt_jq.object();
    struct lt_slice name, json;

    for (uint32_t i = 0; i < n; i++)
        if (lt_wire_take_text(body, &name) && lt_wire_take_text(body, &json))
            vars = lt_jq.object_set(vars, lt_jq.string_sized(name.data, (int)name.len),
                                    read_document(json));
    return vars;
}

/* Returns whether it compiled. */
static bool compile(struct helper *h, struct lt_slice body) {
    uint32_t version = LT_WIRE_VERSION;
    struct lt_wire_program program;
    struct leat_error err;
    struct lt_slice text;

    if (!lt_wire_take(&body, &program, sizeof(program)) || !lt_wire_take_text(&body, &text))
        _exit(BAD_COMMAND);
    if (lt_libjq_load(&err) != LEAT_OK) {
        answer_text(h, LT_WIRE_NO_LIBJQ, lt_slice_str(err.text));
        return false;
    }
    char *source = strndup(text.data, text.len);
    h->for_people = program.for_people;
    h->jq = source ? lt_jq.init() : NULL;
    if (!h->jq)
        _exit(LT_WIRE_EXIT_NOMEM);
    lt_jq.set_nomem_handler(h->jq, end_without_memory, NULL);
    size_t at = lt_wire_begin(&h->out, LT_WIRE_BAD);
    lt_jq.set_error_cb(h->jq, add_complaint, h);
    lt_jq.set_debug_cb(h->jq, h->for_people ? tell_message : ignore, h);
    lt_jq.set_input_cb(h->jq, give_input, h);
    if (!lt_jq.compile_args(h->jq, source, read_vars(&body, program.n_vars))) {
        lt_wire_finish(&h->out, at);
        flush(h);
        return false;
    }
    lt_buf_clear(&h->out);
    free(source);
    lt_jq.set_error_cb(h->jq, ignore, NULL);
    h->base_bytes = own_bytes(true);
    limit_memory(program.max_bytes);
    answer_text(h, LT_WIRE_READY, lt_slice(&version, sizeof(version)));
    return true;
}

static bool is_true(jv value) {
    jv_kind kind = lt_jq.get_kind(value);
    return kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

/* Adds the value; NULL, or what is wrong with it. */
static const char *add_value(struct helper *h, uint32_t ask, jv value) {
    struct lt_wire_value head = {ask};
    const char *fault = NULL;
    size_t at = lt_wire_begin(&h->out, LT_WIRE_VALUE);

    lt_buf_append(&h->out, lt_slice(&head, sizeof(head)));
    if (h->for_people)
        add_json(&h->out, lt_jq.copy(value));
    else
        fault = lt_expr_write_value(&h->out, value);
    if (!fault && h->out.len - at > LT_EXPR_MAX_RESULT_BYTES)
        fault = "gave too large a value";
    if (fault) {
        h->out.len = at;
        return fault;
    }
    lt_wire_finish(&h->out, at);
    if (h->out.len > FLUSH_BYTES)
        flush(h);
    return NULL;
}

/* The value that jq ended with. True when that is a failure, told in `end`; takes it. */
static bool end_part(struct helper *h, jv last, struct lt_wire_end *end, struct lt_buf *reason) {
    if (lt_jq.halted(h->jq)) {
        jv code = lt_jq.get_exit_code(h->jq);
        jv message = lt_jq.get_error_message(h->jq);
        end->end = LT_REMOTE_HALT;
        end->code = lt_jq.get_kind(code) == JV_KIND_NUMBER    ? (int)lt_jq.number_value(code)
                    : lt_jq.get_kind(code) == JV_KIND_INVALID ? 0
                                                              : 5;
        end->is_string = lt_jq.get_kind(message) == JV_KIND_STRING;
        if (end->is_string)
            lt_buf_append(reason, lt_expr_string(message));
        else if (lt_jq.get_kind(message) != JV_KIND_INVALID)
            add_json(reason, lt_jq.copy(message));
        lt_jq.free(code);
        lt_jq.free(message);
        lt_jq.free(last);
        return true;
    }
    jv message = lt_jq.invalid_get_msg(last);
    bool failed = lt_jq.get_kind(message) != JV_KIND_NULL;
    if (failed) {
        end->end = LT_REMOTE_ERROR;
        end->is_string = lt_jq.get_kind(message) == JV_KIND_STRING;
        if (end->is_string)
            lt_buf_append(reason, lt_expr_string(message));
        else
            add_json(reason, lt_jq.copy(message));
    }
    lt_jq.free(message);
    return failed;
}

/* Whether what is asked behind it is run, too. */
static bool run_part(struct helper *h, const struct lt_wire_ask *ask, jv doc,
                     struct lt_wire_end *end, struct lt_buf *reason) {
    bool goes_on = true;

    h->part = ask->part;
    lt_jq.start(h->jq, doc, 0);
    for (unsigned n = 0; goes_on && (!ask->max_values || n < ask->max_values); n++) {
        jv value = lt_jq.next(h->jq);
        if (lt_jq.get_kind(value) == JV_KIND_INVALID)
            return !end_part(h, value, end, reason);
        const char *fault = add_value(h, end->ask, value);
        if (fault) {
            end->end = LT_REMOTE_FAULT;
            lt_buf_append_str(reason, fault);
            goes_on = false;
        } else if (ask->ends_if_true && n == 0) {
            goes_on = !is_true(value);
        }
        lt_jq.free(value);
    }
    return goes_on;
}

static void look_at_memory(struct helper *h) {
    if (++h->n_runs % LOOK_EVERY == 0 && !h->grown)
        h->grown = own_bytes(true) > h->base_bytes + MAX_GROWN_BYTES;
}

static void run(struct helper *h, struct lt_slice body) {
    struct lt_wire_end end = {.end = LT_REMOTE_DONE};
    struct lt_wire_ask ask;
    struct lt_wire_run head;
    struct lt_buf reason;

    if (!lt_wire_take(&body, &head, sizeof(head)) || body.len / sizeof(ask) < head.n_asks)
        _exit(BAD_COMMAND);
    struct lt_slice asks = lt_slice(body.data, head.n_asks * sizeof(ask));
    jv doc = read_document(lt_slice_from(body, asks.len));
    lt_buf_init(&reason, LT_EXPR_MAX_RESULT_BYTES);
    if (lt_jq.get_kind(doc) == JV_KIND_INVALID) {
        end.end = LT_REMOTE_FAULT;
        lt_buf_append_str(&reason, "got a JSON text of more than 2 GiB");
    }
    bool goes_on = end.end == LT_REMOTE_DONE;
    for (uint32_t i = 0; goes_on && lt_wire_take(&asks, &ask, sizeof(ask)); i++) {
        end.ask = i;
        h->shared->ask = i;
        goes_on = run_part(h, &ask, lt_jq.copy(doc), &end, &reason);
    }
    lt_jq.free(doc);
    look_at_memory(h);
    end.grown = h->grown;
    size_t at = lt_wire_begin(&h->out, LT_WIRE_END);
    lt_buf_append(&h->out, lt_slice(&end, sizeof(end)));
    lt_buf_append(&h->out, lt_buf_slice(&reason));
    lt_wire_finish(&h->out, at);
    flush(h);
    lt_buf_deinit(&reason);
}

/* A crash must leave no core with somebody's records in it. */
static void prepare(void) {
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NAME, "leat-libjq");
    start_watcher();
}

int lt_remote_helper_main(void) {
    struct helper h = {0};
    struct lt_slice body;
    uint64_t max_bytes;
    uint32_t type;
    socklen_t len = sizeof(int);
    int is_socket = 0;

    if (getsockopt(LT_WIRE_FD, SOL_SOCKET, SO_TYPE, &is_socket, &len) != 0) {
        fprintf(stderr, "leat %s: leat itself starts this, to run libjq\n", LT_REMOTE_COMMAND);
        return BAD_COMMAND;
    }
    h.shared =
        mmap(NULL, sizeof(*h.shared), PROT_READ | PROT_WRITE, MAP_SHARED, LT_WIRE_SHARED_FD, 0);
    if (h.shared == MAP_FAILED)
        return BAD_COMMAND;
    prepare();
    lt_buf_init(&h.in, SIZE_MAX / 2);
    lt_buf_init(&h.out, SIZE_MAX / 2);
    for (;;) {
        receive(&h, &type, &body);
        if (type == LT_WIRE_PROGRAM && !h.jq) {
            if (!compile(&h, body))
                _exit(0);
        } else if (type == LT_WIRE_RUN && h.jq) {
            run(&h, body);
        } else if (type == LT_WIRE_LIMIT && lt_wire_take(&body, &max_bytes, sizeof(max_bytes))) {
            limit_memory(max_bytes);
        } else {
            _exit(BAD_COMMAND);
        }
    }
}
