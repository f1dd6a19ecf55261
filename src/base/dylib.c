/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dylib.h"

#include <dlfcn.h>
#include <string.h>

leat_status lt_dylib_open(const char *soname, const char *debian_package,
                          const struct lt_dylib_symbol *symbols, size_t n_symbols,
                          struct leat_error *err) {
    void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "cannot load %s (Debian package %s): %s", soname,
                       debian_package, dlerror());
    for (size_t i = 0; i < n_symbols; i++) {
        void *address = dlsym(lib, symbols[i].name);
        if (!address)
            return lt_fail(err, LEAT_E_UNSUPPORTED, 0, "%s (Debian package %s) has no %s", soname,
                           debian_package, symbols[i].name);
        memcpy(symbols[i].slot, &address, sizeof(address));
    }
    return LEAT_OK;
}
