#ifndef CACHE_PEOPLE_UNTOLD_H
#define CACHE_PEOPLE_UNTOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/** Changes that a shared cache has yet to be told, oldest first; the oldest goes when there are too many. Any thread.
 */
struct people_untold;

struct people_change {
	char *key; /* free() it */
	uint64_t version;
};

/** NULL when memory is out. */
struct people_untold *people_untold_new(unsigned max) must_check;
/** NULL is fine. */
void people_untold_free(struct people_untold *untold);

/** Adds one; of several for a key the newest remains. False when one was lost for it, or memory is out. */
bool people_untold_add(struct people_untold *untold, const char *key, uint64_t version);

/** Takes the oldest; false when there is none. */
bool people_untold_take(struct people_untold *untold, struct people_change *out) must_check;

unsigned people_untold_count(struct people_untold *untold);

#endif
