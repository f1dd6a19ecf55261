/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAT_VERSION_H
#define LEAT_VERSION_H

#include <leat/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The library's version, as "0.1.0". Static. */
LEAT_API const char *leat_version(void);

#ifdef __cplusplus
}
#endif
#endif
