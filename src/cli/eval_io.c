/* SPDX-License-Identifier: Apache-2.0 */
/* Where `leat eval` reads and writes. A file that cannot be read is told, and the next one taken,
 * as jq and cat do. */
#include "cli/eval_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void close_file(struct lt_eval_io *io) {
    if (io->fd > STDIN_FILENO)
        close(io->fd);
    io->fd = -1;
}

static void miss(struct lt_eval_io *io) {
    fprintf(stderr, "leat eval: cannot read %s: %s\n", io->name, strerror(errno));
    io->missed = true;
}

static leat_status next(void *ctx, bool *more, const char **name, struct leat_error *err) {
    struct lt_eval_io *io = ctx;

    (void)err;
    close_file(io);
    *name = NULL;
    *more = true;
    if (io->n_files == 0 && io->next++ == 0) {
        io->name = "standard input";
        io->fd = STDIN_FILENO;
        *name = "<stdin>"; /* as jq has it */
        return LEAT_OK;
    }
    while (io->next < io->n_files) {
        io->name = io->files[io->next++];
        if (strcmp(io->name, "-") == 0) {
            io->name = "standard input";
            io->fd = STDIN_FILENO;
            return LEAT_OK;
        }
        io->fd = open(io->name, O_RDONLY | O_CLOEXEC);
        if (io->fd >= 0) {
            *name = io->name;
            return LEAT_OK;
        }
        miss(io);
    }
    *more = false;
    return LEAT_OK;
}

static leat_status read_bytes(void *ctx, char *to, size_t room, size_t *n, struct leat_error *err) {
    struct lt_eval_io *io = ctx;
    ssize_t got;

    (void)err;
    do {
        got = read(io->fd, to, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        miss(io);
    *n = got > 0 ? (size_t)got : 0;
    return LEAT_OK;
}

static leat_status write_bytes(void *ctx, struct lt_slice bytes, struct leat_error *err) {
    (void)ctx;
    while (bytes.len) {
        ssize_t n = write(STDOUT_FILENO, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lt_fail_sys(err, errno, "cannot write");
        bytes = lt_slice_from(bytes, (size_t)n);
    }
    return LEAT_OK;
}

static void complain(void *ctx, uint64_t line, struct lt_slice text) {
    const struct lt_eval_io *io = ctx;

    if (line)
        fprintf(stderr, "leat eval: %s, line %llu: %.*s\n", io->name, (unsigned long long)line,
                LT_FMT(text));
    else
        fprintf(stderr, "leat eval: %.*s\n", LT_FMT(text));
}

static void show(void *ctx, struct lt_slice text) {
    (void)ctx;
    (void)fwrite(text.data, 1, text.len, stderr);
}

struct lt_script_io lt_eval_script_io(struct lt_eval_io *io) {
    return (struct lt_script_io){.ctx = io,
                                 .next = next,
                                 .read = read_bytes,
                                 .write = write_bytes,
                                 .complain = complain,
                                 .message = show};
}
