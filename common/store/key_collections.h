#ifndef STORE_KEY_COLLECTIONS_H
#define STORE_KEY_COLLECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"

/** Collections that an API key names at most. */
#define KEY_COLLECTIONS_MAX 16
/** The name that stands for all of them. */
#define KEY_COLLECTIONS_ALL "*"
#define KEY_COLLECTIONS_SIZE (KEY_COLLECTIONS_MAX * (JOB_MAX_COLLECTION_BYTES + 1))

/** The collections that an API key may work in. All zeros: none. */
struct key_collections {
	char text[KEY_COLLECTIONS_SIZE]; /**< names with a newline between them */
};

/**
 * Adds a name; one that is there stays once, KEY_COLLECTIONS_ALL takes the place of all others. A name that is empty,
 * too long, no UTF-8 or has control characters, and one too many, are `config`, and change nothing.
 */
int key_collections_add(struct key_collections *collections, const char *name, struct error *err) must_check;

/** Reads what `text` of another holds. False, and nothing written, for what key_collections_add() does not make. */
bool key_collections_read(struct key_collections *out, const char *text) must_check;

/** True if `name` is one of them, byte by byte, or they are all. */
bool key_collections_have(const struct key_collections *collections, const char *name) must_check;

/** Copies the name behind `*place` (at first NULL), and moves on. False at the end. */
bool key_collections_next(const struct key_collections *collections, const char **place,
			  char name[JOB_MAX_COLLECTION_BYTES + 1]);

#endif
