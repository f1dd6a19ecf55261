/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressions of objects: a row each. gzip by libdeflate, the whole object in one member, its
 * header without time and name, so that the same records give the same bytes. zstd is one frame
 * with its size and checksum; its library is opened when the first object needs it.
 */
#include "deliver/compress.h"

#include "base/dylib.h"

#include <libdeflate.h>
#include <pthread.h>
#include <zstd.h>

/* On 5 MiB of JSON sessions, one core: level 4 packs 157 MB/s to 12.2 %, level 6 89 MB/s to 11.5 %.
 */
enum { GZIP_LEVEL = 4, ZSTD_LEVEL = 3 };

static leat_status run_gzip(struct lt_slice in, struct lt_buf *out, struct leat_error *err) {
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(GZIP_LEVEL);
    leat_status status = LEAT_E_NOMEM;
    size_t bound, len = 0;
    char *to;

    if (!c)
        return lt_fail(err, LEAT_E_NOMEM, 0, "no memory for a gzip compressor");
    bound = libdeflate_gzip_compress_bound(c, in.len);
    to = lt_buf_reserve(out, bound);
    if (to)
        len = libdeflate_gzip_compress(c, in.data ? in.data : "", in.len, to, bound);
    if (len) {
        lt_buf_commit(out, len);
        status = LEAT_OK;
    } else {
        lt_fail(err, status, 0, "no memory to compress %zu bytes", in.len);
    }
    libdeflate_free_compressor(c);
    return status;
}

static struct {
    typeof(ZSTD_createCCtx) *create;
    typeof(ZSTD_freeCCtx) *release;
    typeof(ZSTD_CCtx_setParameter) *set;
    typeof(ZSTD_compress2) *compress;
    typeof(ZSTD_compressBound) *bound;
    typeof(ZSTD_isError) *is_error;
    typeof(ZSTD_getErrorName) *error_name;
} zstd;
static pthread_once_t zstd_once = PTHREAD_ONCE_INIT;
static leat_status zstd_status;      /* immutable after zstd_once */
static struct leat_error zstd_error; /* immutable after zstd_once */

static void load_zstd(void) {
    static const struct lt_dylib_symbol symbols[] = {
        {"ZSTD_createCCtx", &zstd.create},       {"ZSTD_freeCCtx", &zstd.release},
        {"ZSTD_CCtx_setParameter", &zstd.set},   {"ZSTD_compress2", &zstd.compress},
        {"ZSTD_compressBound", &zstd.bound},     {"ZSTD_isError", &zstd.is_error},
        {"ZSTD_getErrorName", &zstd.error_name},
    };
    zstd_status = lt_dylib_open("libzstd.so.1", "libzstd1", symbols,
                                sizeof(symbols) / sizeof(symbols[0]), &zstd_error);
}

static leat_status run_zstd(struct lt_slice in, struct lt_buf *out, struct leat_error *err) {
    pthread_once(&zstd_once, load_zstd);
    if (zstd_status != LEAT_OK) {
        if (err)
            *err = zstd_error;
        return zstd_status;
    }
    ZSTD_CCtx *c = zstd.create();
    size_t bound = zstd.bound(in.len);
    char *to = c ? lt_buf_reserve(out, bound) : NULL;
    leat_status status = LEAT_OK;

    if (to) {
        (void)zstd.set(c, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        (void)zstd.set(c, ZSTD_c_checksumFlag, 1);
        size_t len = zstd.compress(c, to, bound, in.data ? in.data : "", in.len);
        if (zstd.is_error(len))
            status = lt_fail(err, LEAT_E_NOMEM, 0, "zstd: %s", zstd.error_name(len));
        else
            lt_buf_commit(out, len);
    } else {
        status = lt_fail(err, LEAT_E_NOMEM, 0, "no memory to compress %zu bytes", in.len);
    }
    zstd.release(c);
    return status;
}

static const struct lt_compressor compressors[] = {
    {LT_COMPRESSION_NONE, "UNCOMPRESSED", true, NULL, "", NULL},
    {LT_COMPRESSION_GZIP, "GZIP", true, "gzip", ".gz", run_gzip},
    {LT_COMPRESSION_ZSTD, "ZSTD", false, "zstd", ".zst", run_zstd},
};

const struct lt_compressor *lt_compressor_of(enum lt_compression kind) {
    for (size_t i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
        if (compressors[i].kind == kind)
            return &compressors[i];
    return &compressors[0];
}

const struct lt_compressor *lt_compressor_find(struct lt_slice name) {
    for (size_t i = 0; i < sizeof(compressors) / sizeof(compressors[0]); i++)
        if (lt_slice_eq_str(name, compressors[i].name))
            return &compressors[i];
    return NULL;
}
