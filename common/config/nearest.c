#include "config/nearest.h"

#include <limits.h>
#include <string.h>

#include "config/options.h"

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

unsigned nearest_distance(const char *a, const char *b)
{
	size_t a_length = strnlen(a, NEAREST_MAX);
	size_t b_length = strnlen(b, NEAREST_MAX);
	unsigned row[NEAREST_MAX + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
		}
	}
	return row[b_length];
}

/* Copies what stands before the first dot. */
static void copy_section(const char *key, char out[NEAREST_MAX + 1])
{
	size_t length = strcspn(key, ".");

	if (length > NEAREST_MAX)
		length = NEAREST_MAX;
	memcpy(out, key, length);
	out[length] = '\0';
}

/* To the section alone: the key may be a whole section with a slip in its name. */
static unsigned distance_to_section(const char *key, const char *known)
{
	char section[NEAREST_MAX + 1];

	copy_section(known, section);
	return nearest_distance(key, section);
}

const char *nearest_key(const char *key)
{
	const char *best = NULL;
	unsigned best_distance = UINT_MAX;

	for (int i = 0; i < OPTION_COUNT; i++) {
		const char *known = option_table[i].key;
		/* A forgotten section costs one. */
		unsigned distance = nearest_distance(key, known);
		unsigned without = nearest_distance(key, strchr(known, '.') + 1) + 1;

		if (without < distance)
			distance = without;
		if (distance_to_section(key, known) + 1 < distance)
			distance = distance_to_section(key, known) + 1;
		if (distance < best_distance) {
			best_distance = distance;
			best = known;
		}
	}
	char first[NEAREST_MAX + 1];
	copy_section(key, first);
	return nearest_distance(first, "scenes") < best_distance ? "scenes" : best;
}
