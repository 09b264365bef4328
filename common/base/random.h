#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** Fills `out` from the kernel's generator. Cannot fail after boot; aborts if it does. Any thread. */
void random_bytes(void *out, size_t size);

/** A uniform integer in [low, high]: back-off jitter and the like. Any thread. */
int64_t random_between(int64_t low, int64_t high);

#endif
