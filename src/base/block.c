/* SPDX-License-Identifier: Apache-2.0 */
/* A list of free blocks through their own first bytes; the one given back last is taken first,
 * since a processor's cache may still hold it. */
#include "base/block.h"

#include <pthread.h>
#include <stdlib.h>

#if defined(__has_feature)
#define LT_HAS_FEATURE(x) __has_feature(x)
#else
#define LT_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    LT_HAS_FEATURE(address_sanitizer) || LT_HAS_FEATURE(memory_sanitizer) ||                       \
    LT_HAS_FEATURE(thread_sanitizer)
enum { MAX_KEPT = 0 };
#else
enum { MAX_KEPT = 64 }; /* 16 MiB */
#endif

struct block {
    struct block *next;
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct block *kept; /* guarded by mu */
static int n_kept;         /* guarded by mu */

void *lt_block_take(void) {
    pthread_mutex_lock(&mu);
    struct block *block = kept;
    if (block) {
        kept = block->next;
        n_kept--;
    }
    pthread_mutex_unlock(&mu);
    return block ? block : aligned_alloc(LT_BLOCK_ALIGN, LT_BLOCK_BYTES);
}

void lt_block_give(void *memory) {
    struct block *block = memory;

    if (!block)
        return;
    pthread_mutex_lock(&mu);
    bool keep = n_kept < MAX_KEPT;
    if (keep) {
        block->next = kept;
        kept = block;
        n_kept++;
    }
    pthread_mutex_unlock(&mu);
    if (!keep)
        free(block);
}

void lt_block_trim(void) {
    pthread_mutex_lock(&mu);
    struct block *block = kept;
    kept = NULL;
    n_kept = 0;
    pthread_mutex_unlock(&mu);
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}
