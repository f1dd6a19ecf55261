/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared files of the AWS command line, read as Python's configparser does for
 * it: a comment is a whole line, a value is what follows the first '=' or ':', a
 * line that is indented deeper than its setting continues it. No error repeats a
 * line of the file, for it may hold a secret.
 */
#include "aws/ini.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20 };

struct reader {
    const char *path;
    const struct lt_ini_visitor *visitor;
    struct lt_ini_setting last; /* the setting that an indented line belongs to */
    size_t indent;              /* of `last` */
    bool in_section;
    bool has_last;
};

static leat_status read_file(const char *path, struct lt_buf *text, struct leat_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? lt_fail(err, LEAT_E_NOT_FOUND, 0, "%s is not there", path)
                   : lt_fail(err, LEAT_E_CONFIG, errno, "cannot read %s", path);
    leat_status status = LEAT_OK;
    for (;;) {
        char *room = lt_buf_reserve(text, 4096);
        if (!room) {
            status = lt_fail(err, LEAT_E_CONFIG, 0, "%s is larger than %d bytes", path, FILE_MAX);
            break;
        }
        ssize_t n = read(fd, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = lt_fail(err, LEAT_E_CONFIG, errno, "cannot read %s", path);
        if (n <= 0)
            break;
        lt_buf_commit(text, (size_t)n);
    }
    close(fd);
    return status;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct lt_slice trim(struct lt_slice text) {
    while (text.len && is_space(text.data[0]))
        text = lt_slice_from(text, 1);
    while (text.len && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

static leat_status fail_at(const struct reader *reader, unsigned line, const char *what,
                           struct leat_error *err) {
    lt_fail(err, LEAT_E_CONFIG, 0, "%s:%u: %s", reader->path, line, what);
    if (err)
        err->line = line;
    return LEAT_E_CONFIG;
}

static bool split_setting(struct lt_slice text, struct lt_ini_setting *setting) {
    size_t at = 0;
    while (at < text.len && text.data[at] != '=' && text.data[at] != ':')
        at++;
    setting->key = trim(lt_slice(text.data, at));
    setting->value = trim(lt_slice_from(text, at + 1));
    return at < text.len && setting->key.len > 0;
}

static leat_status read_section(struct reader *reader, struct lt_slice text, unsigned line,
                                struct leat_error *err) {
    const char *end = memrchr(text.data, ']', text.len);
    if (!end || end == text.data + 1)
        return fail_at(reader, line, "a section is written [name]", err);
    reader->last.section = trim(lt_slice(text.data + 1, (size_t)(end - text.data) - 1));
    reader->in_section = true;
    reader->has_last = false;
    reader->visitor->on_section(reader->visitor->ctx, reader->last.section);
    return LEAT_OK;
}

/* An indented line: a setting nested under `last`, or more of its value. */
static leat_status read_nested(struct reader *reader, struct lt_slice text, unsigned line,
                               struct leat_error *err) {
    struct lt_ini_setting nested = reader->last;
    nested.line = line;
    nested.parent = reader->last.key;
    if (reader->last.value.len > 0) {
        nested.key = (struct lt_slice){NULL, 0};
        nested.value = text;
    } else if (!split_setting(text, &nested)) {
        return fail_at(reader, line, "expected an indented \"key = value\"", err);
    }
    return reader->visitor->on_setting(reader->visitor->ctx, &nested, err);
}

static leat_status read_line(struct reader *reader, struct lt_slice raw, unsigned line,
                             struct leat_error *err) {
    struct lt_slice text = trim(raw);
    if (text.len == 0 || text.data[0] == '#' || text.data[0] == ';')
        return LEAT_OK;
    size_t indent = (size_t)(text.data - raw.data);
    if (reader->has_last && indent > reader->indent)
        return read_nested(reader, text, line, err);
    if (text.data[0] == '[')
        return read_section(reader, text, line, err);
    if (!reader->in_section)
        return fail_at(reader, line, "a setting stands before the first [section]", err);
    if (!split_setting(text, &reader->last))
        return fail_at(reader, line, "expected \"key = value\"", err);
    reader->last.line = line;
    reader->indent = indent;
    reader->has_last = true;
    return reader->visitor->on_setting(reader->visitor->ctx, &reader->last, err);
}

leat_status lt_ini_read(const char *path, const struct lt_ini_visitor *visitor,
                        struct leat_error *err) {
    struct reader reader = {.path = path, .visitor = visitor};
    struct lt_buf text;

    lt_buf_init(&text, FILE_MAX);
    leat_status status = read_file(path, &text, err);
    struct lt_slice rest = lt_buf_slice(&text);
    if (lt_slice_starts(rest, LT_LIT("\xef\xbb\xbf")))
        rest = lt_slice_from(rest, 3);
    for (unsigned line = 1; status == LEAT_OK && rest.len; line++) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        struct lt_slice raw = {rest.data, newline ? (size_t)(newline - rest.data) : rest.len};
        rest = lt_slice_from(rest, raw.len + (newline ? 1 : 0));
        status = memchr(raw.data, '\0', raw.len)
                     ? fail_at(&reader, line, "a NUL byte is no text", err)
                     : read_line(&reader, raw, line, err);
    }
    lt_buf_deinit(&text);
    return status;
}
