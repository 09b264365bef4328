#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "base/compiler.h"
#include "base/error.h"
#include "store/people.h"
#include "store/store.h"
#include "store/store_private.h"

/*
 * For the store itself: a change of one person, one transaction that takes the next version first and holds it to the
 * end. A key is the values $1 collection, $2 user, $3 image, $4 model, as many of them as a function needs.
 */

struct change {
	uint64_t version;              /**< the next one */
	uint64_t since;                /**< of the person's last change; 0: never heard of */
	struct people_command removed; /**< the unenrolment that stands */
	char removed_id[UUID_SIZE];
	/* After change_look_for_image(). */
	bool has_image;
	bool has_embedding;
	unsigned images;
};

/** Compares two commands in the order that decides which one stands. */
bool change_is_before(const struct people_command *a, const struct people_command *b);

/** Begins and locks the versions, of which `version` gets the next. */
int change_lock(struct store *store, uint64_t *version, struct error *err) must_check;

/** The same, and reads what is known of the person (two values of `key`). */
int change_begin(struct store *store, const struct database_value *key, struct change *change,
		 struct error *err) must_check;

/** Ends it and returns `r` or why not: `keep` false leaves everything, and the version, as it was. */
int change_end(struct store *store, bool keep, int r, struct error *err) must_check;

/** Reads what there is of an image (four values). */
int change_look_for_image(struct store *store, const struct database_value *key, struct change *change,
			  struct error *err) must_check;

/** Writes the person's newest version, and the unenrolment that stands (two values). */
int change_put_person(struct store *store, const struct database_value *key, uint64_t version,
		      const struct people_command *removed, struct error *err) must_check;

/** Adds an embedding to an image that is there (four values). */
int change_put_embedding(struct store *store, const struct database_value *key, const float *embedding, int dimension,
			 struct error *err) must_check;

/** people_enroll(), but without an embedding if that is NULL. */
int change_enroll(struct store *store, const struct people_enrolment *enrolment, enum people_outcome *outcome,
		  uint64_t *version, struct error *err) must_check;

/** Little-endian float32, as the store keeps it; NULL for what cannot be an embedding. Valid as long as `copy`. */
const float *change_read_vector(const void *bytes, size_t size, float copy[PEOPLE_MAX_DIMENSION], int *dimension);

#endif
