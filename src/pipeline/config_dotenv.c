/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `.env` beside a file: KEY=value lines for what the environment does not set, so that secrets
 * stand in neither the file nor the shell's history. Lines are blank, begin with `#`, or are
 *
 *     [export ]KEY=value # a comment
 *
 * A value in single quotes is what stands between them; in double quotes \n \r \t \" \\ \$ are
 * read; both may go over several lines. Nothing is replaced inside a value. The last line of a key
 * counts. What a line holds is never shown: an error names the line alone.
 */
#include "pipeline/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DOTENV_BYTES = 1 << 20 };

struct reader {
    struct lt_config *c;
    struct lt_slice text;
    size_t at;
    unsigned line;
    size_t place; /* in the file, for what is told */
};

static void tell(struct reader *r, unsigned line, const char *what) {
    lt_config_problem(r->c, r->place, NULL, ".env:%u: %s", line, what);
}

static char peek(const struct reader *r) {
    return r->at < r->text.len ? r->text.data[r->at] : '\0';
}

static bool at_line_end(const struct reader *r) {
    return r->at >= r->text.len || peek(r) == '\n' ||
           (peek(r) == '\r' && (r->at + 1 == r->text.len || r->text.data[r->at + 1] == '\n'));
}

static void skip_blanks(struct reader *r) {
    while (!at_line_end(r) && (peek(r) == ' ' || peek(r) == '\t'))
        r->at++;
}

static void skip_line(struct reader *r) {
    while (r->at < r->text.len && peek(r) != '\n')
        r->at++;
    if (r->at < r->text.len)
        r->at++;
    r->line++;
}

static struct lt_slice read_name(struct reader *r) {
    size_t start = r->at;

    while (!at_line_end(r) && (isalnum((unsigned char)peek(r)) || peek(r) == '_'))
        r->at++;
    struct lt_slice name = lt_slice(r->text.data + start, r->at - start);
    if (name.len && isdigit((unsigned char)name.data[0]))
        name.len = 0;
    return name;
}

static void append_escape(struct lt_buf *out, char c) {
    static const char escapes[] = "n\nr\rt\t\"\"\\\\$$";

    for (size_t i = 0; escapes[i]; i += 2)
        if (escapes[i] == c) {
            lt_buf_append_byte(out, escapes[i + 1]);
            return;
        }
    lt_buf_append_byte(out, '\\');
    lt_buf_append_byte(out, c);
}

/* From the opening quote on; false when the quote is not closed. */
static bool read_quoted(struct reader *r, struct lt_buf *out) {
    char quote = peek(r);

    for (r->at++; r->at < r->text.len; r->at++) {
        char c = peek(r);
        if (c == quote) {
            r->at++;
            return true;
        }
        if (c == '\\' && quote == '"' && r->at + 1 < r->text.len)
            append_escape(out, r->text.data[++r->at]);
        else if (c != '\r' || r->at + 1 >= r->text.len || r->text.data[r->at + 1] != '\n')
            lt_buf_append_byte(out, c);
        r->line += peek(r) == '\n';
    }
    return false;
}

/* To the end of the line, or to a `#` after a blank; blanks at the end do not count. */
static void read_bare(struct reader *r, struct lt_buf *out) {
    size_t start = r->at, end = r->at;

    while (!at_line_end(r) &&
           !(peek(r) == '#' && (r->at == start || r->text.data[r->at - 1] == ' ' ||
                                r->text.data[r->at - 1] == '\t'))) {
        r->at++;
        if (!isblank((unsigned char)r->text.data[r->at - 1]))
            end = r->at;
    }
    lt_buf_append(out, lt_slice(r->text.data + start, end - start));
}

static void keep(struct reader *r, struct lt_slice name, const struct lt_buf *value) {
    struct lt_config_value *one = lt_config_alloc(r->c, 1, sizeof(*one));

    if (!one)
        return;
    one->name = lt_arena_str(r->c->arena, name);
    one->text = lt_arena_str(r->c->arena, lt_buf_slice(value));
    one->next = r->c->dotenv;
    if (one->name && one->text)
        r->c->dotenv = one;
    else
        r->c->no_memory = true;
}

/* One line that is neither blank nor a comment; what is wrong with it, or NULL. */
static const char *read_pair(struct reader *r, struct lt_buf *value) {
    struct lt_slice name = read_name(r);

    if (lt_slice_eq_str(name, "export") && (peek(r) == ' ' || peek(r) == '\t')) {
        skip_blanks(r);
        name = read_name(r);
    }
    skip_blanks(r);
    if (!name.len || peek(r) != '=' || at_line_end(r))
        return "this line is no assignment; expected KEY=value with a KEY of letters, digits and "
               "'_'";
    r->at++;
    skip_blanks(r);
    if (peek(r) == '"' || peek(r) == '\'') {
        if (!read_quoted(r, value))
            return "the quote that begins here is not closed; expected it again after the value";
        skip_blanks(r);
        if (!at_line_end(r) && peek(r) != '#')
            return "something follows the closing quote; expected the line's end or a comment";
    } else {
        read_bare(r, value);
    }
    if (memchr(value->len ? value->data : "x", '\0', value->len ? value->len : 1))
        return "the value holds a NUL character; expected text";
    keep(r, name, value);
    return NULL;
}

static void parse(struct reader *r) {
    struct lt_buf value;

    lt_buf_init(&value, MAX_DOTENV_BYTES);
    if (lt_slice_starts(r->text, LT_LIT("\xef\xbb\xbf")))
        r->at = 3;
    while (r->at < r->text.len) {
        unsigned line = r->line;
        skip_blanks(r);
        if (!at_line_end(r) && peek(r) != '#') {
            lt_buf_clear(&value);
            const char *fault = read_pair(r, &value);
            if (fault)
                tell(r, line, fault);
        }
        skip_line(r);
    }
    if (value.failed)
        r->c->no_memory = true;
    lt_buf_deinit(&value);
}

const char *lt_config_beside(struct lt_config *c, struct lt_slice name) {
    const char *path = c->system->path;
    const char *slash = strrchr(path, '/');
    const char *out =
        name.len && name.data[0] == '/'
            ? lt_arena_str(c->arena, name)
            : lt_arena_printf(c->arena, "%.*s%.*s", slash ? (int)(slash + 1 - path) : 0, path,
                              LT_FMT(name));

    if (!out)
        c->no_memory = true;
    return out;
}

/* True with the whole file in `out`; false when there is none, or what is wrong was told. */
static bool read_whole(struct reader *r, const char *path, struct lt_buf *out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            lt_config_problem(r->c, r->place, NULL, "the .env beside the file cannot be read: %s",
                              strerror(errno));
        return false;
    }
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    for (ssize_t n = 1; ok && n > 0;) {
        char *room = lt_buf_reserve(out, 16 << 10);
        n = room ? read(fd, room, 16 << 10) : -1;
        ok = n >= 0;
        if (n > 0)
            lt_buf_commit(out, (size_t)n);
    }
    close(fd);
    if (!ok)
        lt_config_problem(r->c, r->place, NULL,
                          "the .env beside the file cannot be read; expected a text file of at "
                          "most 1 MiB");
    return ok;
}

static void load(struct lt_config *c, size_t offset) {
    const char *path = lt_config_beside(c, LT_LIT(".env"));
    struct reader r = {.c = c, .line = 1, .place = offset};
    struct lt_buf text;

    /* a file on standard input stands nowhere */
    if (!path || !strcmp(c->system->path, "-"))
        return;
    lt_buf_init(&text, MAX_DOTENV_BYTES + (16 << 10));
    if (read_whole(&r, path, &text)) {
        r.text = lt_buf_slice(&text);
        parse(&r);
    }
    lt_buf_deinit(&text);
}

const char *lt_config_variable(struct lt_config *c, const char *name, size_t offset) {
    const char *value = getenv(name);

    if (!c->dotenv_read) {
        c->dotenv_read = true;
        load(c, offset);
    }
    for (const struct lt_config_value *one = c->dotenv; one && !value; one = one->next)
        if (!strcmp(one->name, name))
            value = one->text;
    return value;
}
