/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_BASE_CLOCK_H
#define LT_BASE_CLOCK_H

#include <stdint.h>

/** Wall clock, in milliseconds since 1970 (UTC). */
int64_t lt_clock_wall_ms(void);

/** Time since some fixed moment, never set back, in microseconds. */
int64_t lt_clock_mono_us(void);

#endif
