#include "cli/output/id_set.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

/* An id's fingerprint; all zero bits mark a free place. */
struct fingerprint {
	uint64_t high;
	uint64_t low;
};

struct id_set {
	size_t count;
	size_t capacity; /* a power of two */
	struct fingerprint *places;
};

static struct fingerprint fingerprint_of(const char *id)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct fingerprint f;

	SHA256((const unsigned char *)id, strlen(id), digest);
	memcpy(&f.high, digest, sizeof(f.high));
	memcpy(&f.low, digest + sizeof(f.high), sizeof(f.low));
	f.low |= 1; /* so that no id looks like a free place */
	return f;
}

/* Open addressing: the place of `f`, or the free one where it belongs. */
static struct fingerprint *find(const struct id_set *set, struct fingerprint f)
{
	size_t i = f.high & (set->capacity - 1);

	while (set->places[i].low && (set->places[i].high != f.high || set->places[i].low != f.low))
		i = (i + 1) & (set->capacity - 1);
	return &set->places[i];
}

static int grow(struct id_set *set)
{
	struct id_set bigger = {.count = set->count, .capacity = set->capacity * 2};

	bigger.places = calloc(bigger.capacity, sizeof(*bigger.places));
	if (!bigger.places)
		return -ENOMEM;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->places[i].low)
			*find(&bigger, set->places[i]) = set->places[i];
	free(set->places);
	*set = bigger;
	return 0;
}

struct id_set *id_set_new(void)
{
	struct id_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->capacity = FIRST_CAPACITY;
	set->places = calloc(set->capacity, sizeof(*set->places));
	if (!set->places) {
		free(set);
		return NULL;
	}
	return set;
}

void id_set_free(struct id_set *set)
{
	if (!set)
		return;
	free(set->places);
	free(set);
}

int id_set_add(struct id_set *set, const char *id)
{
	struct fingerprint f = fingerprint_of(id);

	if (set->count + 1 > set->capacity / 4 * 3) {
		int r = grow(set);
		if (r < 0)
			return r;
	}
	struct fingerprint *place = find(set, f);
	if (!place->low)
		set->count++;
	*place = f;
	return 0;
}

bool id_set_has(const struct id_set *set, const char *id)
{
	return find(set, fingerprint_of(id))->low != 0;
}

size_t id_set_count(const struct id_set *set)
{
	return set->count;
}
