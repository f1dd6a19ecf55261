/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_DYLIB_H
#define LT_BASE_DYLIB_H

#include "base/error.h"

#include <stddef.h>

/**
 * A shared library that is opened when it is first used, so that a command
 * pays (start-up time, resident memory) only for what it needs. A room keeps
 * one static table of function pointers, filled in by name:
 *
 *     static struct { typeof(curl_easy_init) *easy_init; } curl;
 *     static const struct lt_dylib_symbol symbols[] = {
 *         {"curl_easy_init", &curl.easy_init},
 *     };
 */
struct lt_dylib_symbol {
    const char *name;
    void *slot; /**< the address of a function pointer */
};

/**
 * Opens `soname` ("libcurl.so.4") and fills all slots; it stays open for the
 * life of the process.
 *
 * Thread: any; call it through pthread_once or before threads start.
 * Errors: LEAT_E_UNSUPPORTED, naming the library or the symbol, and the Debian package.
 */
LEAT_MUST_CHECK leat_status lt_dylib_open(const char *soname, const char *debian_package,
                                          const struct lt_dylib_symbol *symbols, size_t n_symbols,
                                          struct leat_error *err);

#endif
