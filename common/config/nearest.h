#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include <stddef.h>

#include "base/compiler.h"

/** Longest word that is compared; longer ones are cut. */
#define NEAREST_MAX 64

/**
 * Letters to insert, delete or replace to make one word of the other (Levenshtein), either cut at
 * NEAREST_MAX.
 */
unsigned nearest_distance(const char *a, const char *b);

/** The option key, or "scenes", that a mistyped `key` was probably meant to be; also finds "threads" as
 * "worker.threads", and "workers" among those of "worker". */
const char *nearest_key(const char *key);

#endif
