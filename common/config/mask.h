#ifndef CONFIG_MASK_H
#define CONFIG_MASK_H

#include "base/compiler.h"

/**
 * Returns a copy of a secret that may be shown (free() it; NULL when memory is out): for a
 * comma-separated list of URLs the list with passwords and queries replaced by "***", for
 * anything else "***", "" for "".
 */
char *mask_secret(const char *secret) must_check;

#endif
