#ifndef CLI_ID_SET_H
#define CLI_ID_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/**
 * A set of ids that remembers only half of the SHA-256 of each: at most 43 bytes of memory
 * for an id of any length, and no two different ids are ever taken for the same. One thread,
 * or any number that only look.
 */
struct id_set;

struct id_set *id_set_new(void) must_check;
void id_set_free(struct id_set *set);

/** Adds an id. 0 or -ENOMEM. */
int id_set_add(struct id_set *set, const char *id) must_check;

bool id_set_has(const struct id_set *set, const char *id);

size_t id_set_count(const struct id_set *set);

#endif
