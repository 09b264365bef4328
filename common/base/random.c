#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t size)
{
	unsigned char *at = out;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		size -= (size_t)got;
	}
}

int64_t random_between(int64_t low, int64_t high)
{
	uint64_t word;

	assert(low <= high);
	random_bytes(&word, sizeof(word));
	/* Unsigned, so that no pair of bounds overflows; 0 stands for all 2^64 values. */
	uint64_t span = (uint64_t)high - (uint64_t)low + 1;
	/* The bias of the modulo is below 2^-32 for every span used here (milliseconds). */
	return (int64_t)((uint64_t)low + (span > 0 ? word % span : word));
}
