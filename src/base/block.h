/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_BLOCK_H
#define LT_BASE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Blocks of one size that the whole process shares, for what lives as long as a batch or an object
 * on its way: the pages of a block that was given back are there for who takes one next, where
 * fresh memory costs a page fault each 4 KiB. What is kept is bounded. Under a sanitizer nothing is
 * kept, so that a use after the end is seen.
 *
 * Thread: any.
 */

enum { LT_BLOCK_BYTES = 256 << 10, LT_BLOCK_ALIGN = 4096 };

/** A block of LT_BLOCK_BYTES on a page's boundary, not initialised; NULL: no memory. */
void *lt_block_take(void);

/** Gives one back; NULL is fine. */
void lt_block_give(void *memory);

/** Frees what is kept: for a process that has become idle. */
void lt_block_trim(void);

#endif
