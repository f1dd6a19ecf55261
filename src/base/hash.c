/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests by libcrypto. The algorithms are fetched once for the process (a fetch
 * takes microseconds and a lock), and each thread keeps one context an
 * algorithm, so that the digest of a short key allocates nothing: the MD5 of
 * the partition key is on the way of every record. A thread's contexts are freed when it ends.
 */
#include "base/hash.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { N_KINDS = LT_DIGEST_SHA256 + 1 };

static const char *const names[N_KINDS] = {
    [LT_DIGEST_MD5] = "MD5",
    [LT_DIGEST_SHA1] = "SHA1",
    [LT_DIGEST_SHA256] = "SHA256",
};

struct contexts {
    EVP_MD_CTX *digest[N_KINDS];
    EVP_MAC_CTX *hmac_sha256;
};

struct lt_digest {
    EVP_MD_CTX *ctx;
};

/* immutable after fetch_all */
static EVP_MD *algorithms[N_KINDS];
static EVP_MAC *hmac;
static pthread_key_t contexts_key;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static _Thread_local struct contexts *mine;

_Noreturn static void die(const char *what) {
    fprintf(stderr, "leat: libcrypto cannot provide %s\n", what);
    abort();
}

static void free_contexts(void *arg) {
    struct contexts *contexts = arg;

    mine = NULL;
    for (size_t i = 0; i < N_KINDS; i++)
        EVP_MD_CTX_free(contexts->digest[i]);
    EVP_MAC_CTX_free(contexts->hmac_sha256);
    free(contexts);
}

static void fetch_all(void) {
    for (size_t i = 0; i < N_KINDS; i++) {
        algorithms[i] = EVP_MD_fetch(NULL, names[i], NULL);
        if (!algorithms[i])
            die(names[i]);
    }
    hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (!hmac)
        die("HMAC");
    if (pthread_key_create(&contexts_key, free_contexts))
        die("a thread's key");
}

static struct contexts *my_contexts(void) {
    if (mine)
        return mine;
    pthread_once(&fetched, fetch_all);
    mine = calloc(1, sizeof(*mine));
    if (!mine || pthread_setspecific(contexts_key, mine))
        die("memory");
    return mine;
}

static EVP_MD_CTX *start(enum lt_digest_kind kind) {
    struct contexts *contexts = my_contexts();
    EVP_MD_CTX *ctx = contexts->digest[kind];

    if (ctx) {
        if (!EVP_DigestInit_ex2(ctx, NULL, NULL))
            die(names[kind]);
        return ctx;
    }
    ctx = contexts->digest[kind] = EVP_MD_CTX_new();
    if (!ctx || !EVP_DigestInit_ex2(ctx, algorithms[kind], NULL))
        die(names[kind]);
    return ctx;
}

static void digest_whole(enum lt_digest_kind kind, struct lt_slice data, uint8_t *out) {
    EVP_MD_CTX *ctx = start(kind);

    if (!EVP_DigestUpdate(ctx, data.data, data.len) || !EVP_DigestFinal_ex(ctx, out, NULL))
        die(names[kind]);
}

void lt_md5(struct lt_slice data, uint8_t out[LT_MD5_BYTES]) {
    digest_whole(LT_DIGEST_MD5, data, out);
}

void lt_sha1(struct lt_slice data, uint8_t out[LT_SHA1_BYTES]) {
    digest_whole(LT_DIGEST_SHA1, data, out);
}

void lt_sha256(struct lt_slice data, uint8_t out[LT_SHA256_BYTES]) {
    digest_whole(LT_DIGEST_SHA256, data, out);
}

void lt_hmac_sha256(struct lt_slice key, struct lt_slice data, uint8_t out[LT_SHA256_BYTES]) {
    struct contexts *contexts = my_contexts();
    /* a NULL key would mean the key before; an empty one is a key like any other */
    const unsigned char *bytes = (const unsigned char *)(key.len ? key.data : "");
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    const OSSL_PARAM *first = NULL;
    size_t len = 0;

    if (!contexts->hmac_sha256) {
        contexts->hmac_sha256 = EVP_MAC_CTX_new(hmac);
        first = params;
    }
    EVP_MAC_CTX *ctx = contexts->hmac_sha256;
    if (!ctx || !EVP_MAC_init(ctx, bytes, key.len, first) ||
        !EVP_MAC_update(ctx, (const unsigned char *)data.data, data.len) ||
        !EVP_MAC_final(ctx, out, &len, LT_SHA256_BYTES))
        die("HMAC-SHA256");
}

struct lt_digest *lt_digest_new(enum lt_digest_kind kind) {
    struct lt_digest *digest = calloc(1, sizeof(*digest));

    if (!digest)
        return NULL;
    pthread_once(&fetched, fetch_all);
    digest->ctx = EVP_MD_CTX_new();
    if (!digest->ctx || !EVP_DigestInit_ex2(digest->ctx, algorithms[kind], NULL)) {
        lt_digest_free(digest);
        return NULL;
    }
    return digest;
}

void lt_digest_update(struct lt_digest *digest, struct lt_slice data) {
    if (!EVP_DigestUpdate(digest->ctx, data.data, data.len))
        die("a digest in parts");
}

void lt_digest_final(struct lt_digest *digest, uint8_t *out) {
    if (!EVP_DigestFinal_ex(digest->ctx, out, NULL))
        die("a digest in parts");
}

void lt_digest_free(struct lt_digest *digest) {
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->ctx);
    free(digest);
}

void lt_hex(const uint8_t *bytes, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

void lt_random(void *out, size_t n) {
    char *at = out;

    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            fprintf(stderr, "leat: the kernel gives no random bytes\n");
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}
