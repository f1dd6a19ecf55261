/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_ENGINE_SPOTIFY_HASH_H
#define LT_ENGINE_SPOTIFY_HASH_H

#include <stddef.h>
#include <stdint.h>

/** Hashes bytes, going on from `hash` (0 to start): FNV-1a with its good high bits mixed down. The
 * same on every machine, and of no use against who chooses the bytes. */
static inline uint64_t lt_spotify_hash(uint64_t hash, const void *data, size_t len) {
    const unsigned char *bytes = data;

    hash ^= 0xcbf29ce484222325U;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3U;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93U;
    return hash ^ hash >> 32;
}

#endif
