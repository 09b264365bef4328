#ifndef CACHE_NEWEST_H
#define CACHE_NEWEST_H

#include <stdint.h>

#include "base/compiler.h"

/**
 * The newest version known of each person, so that copies from elsewhere can be held against it. 16 to 32 bytes a
 * person. Any thread; who only looks waits for nobody but a change of the table's size (about 10 ms for a million).
 */
struct newest;

/** NULL when memory is out. */
struct newest *newest_new(void) must_check;

/** NULL is fine. */
void newest_free(struct newest *newest);

/** Raises a person's version; a lower one changes nothing. Returns 0 or -ENOMEM. */
int newest_raise(struct newest *newest, const char *collection, const char *user_id, uint64_t version) must_check;

/** 0: nobody of that name is known. */
uint64_t newest_of(struct newest *newest, const char *collection, const char *user_id);

#endif
