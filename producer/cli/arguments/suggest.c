#include "cli/arguments/suggest.h"

#include <string.h>

#include "config/nearest.h"

const char *suggest_nearer(const char *word, const char *best, const char *candidate)
{
	unsigned distance = nearest_distance(word, candidate);
	unsigned allowed = 1 + (unsigned)strlen(word) / 4;

	if (distance > allowed || (best && nearest_distance(word, best) <= distance))
		return best;
	return candidate;
}
