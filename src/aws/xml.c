/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S3's XML as a sequence of leaves, each with its path from the root. libexpat does
 * the reading; depth, text and names have maxima, and a document type (with it all
 * entity tricks) is an error.
 */
#include "aws/xml.h"

#include "base/buf.h"
#include "base/dylib.h"

#include <expat.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>

enum { DEPTH_MAX = 16, PATH_MAX_BYTES = 512, TEXT_MAX = 1 << 20 };

static struct {
    typeof(XML_ParserCreate) *create;
    typeof(XML_ParserFree) *free;
    typeof(XML_SetUserData) *set_user_data;
    typeof(XML_SetElementHandler) *set_element_handler;
    typeof(XML_SetCharacterDataHandler) *set_text_handler;
    typeof(XML_SetStartDoctypeDeclHandler) *set_doctype_handler;
    typeof(XML_Parse) *parse;
    typeof(XML_StopParser) *stop;
    typeof(XML_GetErrorCode) *error_code;
    typeof(XML_ErrorString) *error_string;
    typeof(XML_GetCurrentLineNumber) *line;
} expat;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static leat_status load_status;      /* immutable after `once` */
static struct leat_error load_error; /* immutable after `once` */

struct reader {
    const struct lt_xml_visitor *visitor;
    XML_Parser parser;
    leat_status status; /* of the visitor, or of a limit */
    struct leat_error *err;
    char path[PATH_MAX_BYTES];
    size_t path_len;
    size_t starts[DEPTH_MAX]; /* where in `path` each level begins */
    bool has_children[DEPTH_MAX];
    unsigned depth;
    struct lt_buf text;
};

static void load(void) {
    static const struct lt_dylib_symbol symbols[] = {
        {"XML_ParserCreate", &expat.create},
        {"XML_ParserFree", &expat.free},
        {"XML_SetUserData", &expat.set_user_data},
        {"XML_SetElementHandler", &expat.set_element_handler},
        {"XML_SetCharacterDataHandler", &expat.set_text_handler},
        {"XML_SetStartDoctypeDeclHandler", &expat.set_doctype_handler},
        {"XML_Parse", &expat.parse},
        {"XML_StopParser", &expat.stop},
        {"XML_GetErrorCode", &expat.error_code},
        {"XML_ErrorString", &expat.error_string},
        {"XML_GetCurrentLineNumber", &expat.line},
    };
    load_status = lt_dylib_open("libexpat.so.1", "libexpat1", symbols,
                                sizeof(symbols) / sizeof(symbols[0]), &load_error);
}

static void stop(struct reader *reader, leat_status status) {
    if (reader->status == LEAT_OK)
        reader->status = status;
    expat.stop(reader->parser, XML_FALSE);
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes) {
    struct reader *reader = ctx;
    (void)attributes;
    const char *colon = strrchr(name, ':');
    const char *local = colon ? colon + 1 : name;
    size_t room = sizeof(reader->path) - reader->path_len;
    if (reader->depth == DEPTH_MAX || strlen(local) + 2 > room) {
        stop(reader,
             lt_fail(reader->err, LEAT_E_LIMIT, 0,
                     "XML with more than %d levels or with names that are too long", DEPTH_MAX));
        return;
    }
    if (reader->depth)
        reader->has_children[reader->depth - 1] = true;
    reader->starts[reader->depth] = reader->path_len;
    reader->has_children[reader->depth] = false;
    reader->path_len += (size_t)snprintf(reader->path + reader->path_len, room, "%s%s",
                                         reader->depth ? "/" : "", local);
    reader->depth++;
    lt_buf_clear(&reader->text);
}

static void on_end(void *ctx, const XML_Char *name) {
    struct reader *reader = ctx;
    const struct lt_xml_visitor *visitor = reader->visitor;
    leat_status status = LEAT_OK;
    (void)name;
    if (reader->status != LEAT_OK)
        return;
    reader->depth--;
    if (!reader->has_children[reader->depth])
        status =
            visitor->on_leaf(visitor->ctx, reader->path, lt_buf_slice(&reader->text), reader->err);
    else if (visitor->on_end)
        status = visitor->on_end(visitor->ctx, reader->path, reader->err);
    reader->path_len = reader->starts[reader->depth];
    reader->path[reader->path_len] = '\0';
    lt_buf_clear(&reader->text);
    if (status != LEAT_OK)
        stop(reader, status);
}

static void on_text(void *ctx, const XML_Char *text, int len) {
    struct reader *reader = ctx;
    lt_buf_append(&reader->text, lt_slice(text, (size_t)len));
    if (reader->text.failed)
        stop(reader, lt_fail(reader->err, LEAT_E_LIMIT, 0, "XML with more than %d bytes of text",
                             TEXT_MAX));
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_internal) {
    struct reader *reader = ctx;
    (void)name, (void)system_id, (void)public_id, (void)has_internal;
    stop(reader, lt_fail(reader->err, LEAT_E_PARSE, 0, "XML with a document type is not read"));
}

leat_status lt_xml_read(struct lt_slice xml, const struct lt_xml_visitor *visitor,
                        struct leat_error *err) {
    struct reader reader = {.visitor = visitor, .err = err};

    pthread_once(&once, load);
    if (load_status != LEAT_OK) {
        if (err)
            *err = load_error;
        return load_status;
    }
    if (xml.len > INT_MAX)
        return lt_fail(err, LEAT_E_LIMIT, 0, "XML of %zu bytes is too long", xml.len);
    reader.parser = expat.create(NULL);
    if (!reader.parser)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory to read XML");
    lt_buf_init(&reader.text, TEXT_MAX);
    expat.set_user_data(reader.parser, &reader);
    expat.set_element_handler(reader.parser, on_start, on_end);
    expat.set_text_handler(reader.parser, on_text);
    expat.set_doctype_handler(reader.parser, on_doctype);

    leat_status status = LEAT_OK;
    if (expat.parse(reader.parser, xml.data, (int)xml.len, XML_TRUE) != XML_STATUS_OK)
        status = reader.status != LEAT_OK
                     ? reader.status
                     : lt_fail(err, LEAT_E_PARSE, 0, "malformed XML in line %lu: %s",
                               (unsigned long)expat.line(reader.parser),
                               expat.error_string(expat.error_code(reader.parser)));
    lt_buf_deinit(&reader.text);
    expat.free(reader.parser);
    return status;
}
