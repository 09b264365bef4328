#ifndef UNIT_STORE_PEOPLE_RIG_H
#define UNIT_STORE_PEOPLE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"
#include "rig.h"
#include "store/collections.h"
#include "store/people.h"

/* Enrolled people as the tests write them and read them back. */

#define MODEL "model-a"
#define OTHER_MODEL "model-b"
#define DIMENSION 4

/* Every test has a collection of its own. */
extern char collection[32];

int people_rig_set_up(void **state);
#define PEOPLE_CASE(test) cmocka_unit_test_setup_teardown(test, people_rig_set_up, rig_tear_down)

/** The id and the embedding that belong to a number; images are accepted at 1000 + number. */
void image_id(unsigned number, char out[UUID_SIZE]);
void fill(float vector[DIMENSION], unsigned number);

/** An image with everything; `id` and `vector` are its memory. Without a model it has no embedding. */
struct collection_image make_image(const char *user, unsigned number, const char *model, char id[UUID_SIZE],
				   float vector[DIMENSION]);

enum people_outcome import_into(struct store *into, const struct collection_image *image);
enum people_outcome import(const char *user, unsigned number, const char *model);

/** Adds a model's embedding to an image; whether it did. */
bool add(const char *user, unsigned number, const char *model);

/** Unenrols as a command of that number and returns how many images went. `version` may be NULL. */
unsigned unenroll(const char *user, unsigned number, uint64_t *version);

/** What there is of somebody; people_finish() it. */
struct people_person find(const char *user, const char *model);
unsigned count_found(const char *user, const char *model);

/** The newest version. */
uint64_t newest(void);

/* Images that lack OTHER_MODEL, as they come. */
struct seen_images {
	unsigned count;
	unsigned fail_at; /**< 0: never */
	bool add;         /**< gives them what they lack */
	char users[16][16];
	size_t crop_sizes[16];
};

int missing(const char *in, struct collection_cursor *cursor, unsigned limit, struct seen_images *seen);

#endif
