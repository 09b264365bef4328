#ifndef TESTS_SCRATCH_STORE_H
#define TESTS_SCRATCH_STORE_H

#include "store/store.h"

/** An empty store in a file of its own, migrated; gone with scratch_store_finish(). */
struct scratch_store {
	char folder[64];
	char url[96];
	struct store_settings settings;
};

void scratch_store_init(struct scratch_store *scratch);

/** The same without the file: whoever opens it gets an empty database. */
void scratch_store_init_bare(struct scratch_store *scratch);

void scratch_store_migrate(struct scratch_store *scratch);
void scratch_store_finish(struct scratch_store *scratch);

/** Enrols an image whose embedding has a one at place `number` % dimension; its accepted time and id follow from
 * `number`. */
void scratch_store_enroll(struct store *store, const char *collection, const char *user_id, unsigned number,
			  const char *model_id, int dimension);

/** Unenrols by a command of that number. */
void scratch_store_unenroll(struct store *store, const char *collection, const char *user_id, unsigned number);

#endif
