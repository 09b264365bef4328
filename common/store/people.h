#ifndef STORE_PEOPLE_H
#define STORE_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/uuid.h"
#include "store/store.h"

/*
 * Enrolled people. A person is (collection, user id) and has images; an image has one embedding for each model id.
 * A command (enrolment, unenrolment) is (accepted_ms, id): ordered by the time, then the id. An unenrolment removes
 * the images accepted before it and leaves a tombstone; an enrolment accepted before the tombstone is superseded,
 * however late it arrives and however often. Each change takes the next version, a number for the whole store, in the
 * same transaction, so that followers ask for what changed since the last one they know.
 */

#define PEOPLE_MAX_IMAGES 64      /**< of one person */
#define PEOPLE_MAX_DIMENSION 4096 /**< of an embedding */
#define PEOPLE_MODEL_ID_SIZE 65   /**< SHA-256 in hexadecimal, and the end */
#define PEOPLE_MAX_CROP_BYTES (1u << 20)

struct people_command {
	int64_t accepted_ms;
	const char *id; /**< task id; for an enrolment also the image id */
};

struct people_enrolment {
	const char *collection;
	const char *user_id;
	struct people_command command;
	const char *model_id;
	const float *embedding;
	int dimension;
	const uint8_t *crop; /**< the face with a margin, as JPEG, for other models later; NULL: none is kept */
	size_t crop_size;
};

enum people_outcome {
	PEOPLE_STORED,
	PEOPLE_UNCHANGED,  /**< this very image was there already (redelivered) */
	PEOPLE_SUPERSEDED, /**< a newer unenrolment stands */
	PEOPLE_FULL        /**< the person has PEOPLE_MAX_IMAGES */
};

/** `version` gets that of the person's last change, this one or an earlier. */
int people_enroll(struct store *store, const struct people_enrolment *enrolment, enum people_outcome *outcome,
		  uint64_t *version, struct error *err) must_check;

/** `removed` gets the number of images that went; a person that was never there leaves a tombstone too. */
int people_unenroll(struct store *store, const char *collection, const char *user_id,
		    const struct people_command *command, unsigned *removed, uint64_t *version,
		    struct error *err) must_check;

/** The images of one person under one model. `embeddings` has `count` rows of `dimension`; free with people_finish().
 */
struct people_person {
	uint64_t version; /**< of the person's last change; 0: never heard of */
	unsigned images;  /**< under any model */
	unsigned count;   /**< under this one */
	int dimension;
	char (*image_ids)[UUID_SIZE];
	float *embeddings;
};

/** No such person is no error: version or images are 0 then. */
int people_find(struct store *store, const char *collection, const char *user_id, const char *model_id,
		struct people_person *out, struct error *err) must_check;
void people_finish(struct people_person *person);

/** The newest version there is. */
int people_version(struct store *store, uint64_t *version, struct error *err) must_check;

/** Called for each row; a negative return stops and is returned. */
typedef int people_change_fn(void *arg, uint64_t version, const char *collection, const char *user_id);

/** Persons changed after `after`, oldest change first, each once, at most `limit`. */
int people_changes(struct store *store, uint64_t after, unsigned limit, people_change_fn *fn, void *arg,
		   struct error *err) must_check;

struct people_row {
	const char *collection;
	const char *user_id;
	const char *image_id;
	const float *embedding;
	int dimension;
	uint64_t version; /**< of the person's last change */
};
typedef int people_row_fn(void *arg, const struct people_row *row);

/**
 * Every embedding of a model, of one collection or (NULL) all, as of one moment, whose version `version` gets; ordered
 * by collection, user id, image id; streamed, not gathered.
 */
int people_load(struct store *store, const char *collection, const char *model_id, uint64_t *version, people_row_fn *fn,
		void *arg, struct error *err) must_check;

#endif
