#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/**
 * A hash for tables in memory. `seed` is random (random_bytes()) where keys come from outside, so that nobody knows
 * which of them collide. No good for anything that is kept or compared elsewhere. Any thread.
 */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size);

#endif
