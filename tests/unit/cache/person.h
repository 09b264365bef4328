#ifndef UNIT_CACHE_PERSON_H
#define UNIT_CACHE_PERSON_H

#include "store/people.h"

/* Persons to look up. Each of their embeddings has length 1, as all have. */

#define PERSON_DIMENSION 4

/** A person with `count` images, who can be told from one with another version; free with people_finish(). */
struct people_person person_make(uint64_t version, unsigned count);

/** Fails the test unless it is just what person_make() made. */
void person_expect(const struct people_person *person, uint64_t version, unsigned count);

#endif
