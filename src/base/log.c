/* SPDX-License-Identifier: Apache-2.0 */
/* One line a call, whole: JSON lines escape what JSON must, and in text a control character becomes
 * a space, so that no input can forge a second line. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/units.h"

#include <stdio.h>

/* the line has room for a text of which each byte is escaped as six */
enum { LOG_TEXT_MAX_BYTES = 2048, LOG_LINE_MAX_BYTES = 6 * LOG_TEXT_MAX_BYTES + 256 };

static struct {
    enum lt_log_level level;
    enum lt_log_format format;
    void (*write)(const char *line, size_t len);
} out; /* immutable after lt_log_setup() */

static const char *const names[] = {"error", "warn", "info", "debug"};

void lt_log_setup(enum lt_log_level level, enum lt_log_format format,
                  void (*write)(const char *line, size_t len)) {
    out.level = level;
    out.format = format;
    out.write = write;
}

static void append_time(struct lt_buf *line) {
    char text[32];

    lt_buf_append_str(line, lt_format_time(lt_clock_wall_ms(), text));
}

static void append_escaped(struct lt_buf *line, const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            lt_buf_printf(line, "\\%c", c);
        else if (c < 0x20)
            lt_buf_printf(line, "\\u%04x", c);
        else
            lt_buf_append_byte(line, (char)c);
    }
}

static void blank_controls(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

void lt_log(enum lt_log_level level, const char *area, const char *fmt, ...) {
    struct lt_buf line;
    char text[LOG_TEXT_MAX_BYTES];
    va_list args;

    if (!out.write || level > out.level)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    lt_buf_init(&line, LOG_LINE_MAX_BYTES);
    if (out.format == LT_LOG_JSON) {
        lt_buf_append_str(&line, "{\"time\":\"");
        append_time(&line);
        lt_buf_printf(&line, "\",\"level\":\"%s\",\"area\":\"%s\",\"message\":\"", names[level],
                      area);
        append_escaped(&line, text);
        lt_buf_append_str(&line, "\"}\n");
    } else {
        blank_controls(text);
        append_time(&line);
        lt_buf_printf(&line, " %-5s %s: %s\n", names[level], area, text);
    }
    if (!line.failed)
        out.write(line.data, line.len);
    lt_buf_deinit(&line);
}
