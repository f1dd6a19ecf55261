/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LT_JSON_NUMBER_H
#define LT_JSON_NUMBER_H

#include "json/json.h"

#include <locale.h>

/** The C locale: for the C library's functions that follow the program's own. */
locale_t lt_json_c_locale(void);

#endif
