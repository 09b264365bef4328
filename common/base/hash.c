#include "base/hash.h"

#include <string.h>

static uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xD6E8FEB86659FD93u;
	h ^= h >> 32;
	h *= 0xD6E8FEB86659FD93u;
	return h ^ h >> 32;
}

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t h = seed ^ size;
	uint64_t rest = 0;

	for (; size >= 8; at += 8, size -= 8) {
		uint64_t word;
		memcpy(&word, at, 8);
		h = mix(h ^ word) + seed;
	}
	if (size > 0)
		memcpy(&rest, at, size);
	return mix(h ^ rest);
}
