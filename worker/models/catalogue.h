#ifndef MODELS_CATALOGUE_H
#define MODELS_CATALOGUE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/** Where the two halves of a model set lie. A half that it lacks is the built-in one. */
struct set_place {
	char name[NAME_MAX + 1];
	const char *origin; /**< "built-in", "configured", "folder". Static storage. */
	bool has_detector;
	bool has_embedder;
	char detector[PATH_MAX];
	char embedder[PATH_MAX];
};

/** Sets on this machine: the built-in one, the configured one if it is another, the folders of model.folder by name. */
struct catalogue {
	struct set_place *sets;
	size_t count;
};

int catalogue_read(struct catalogue *catalogue, const struct config *config, struct error *err) must_check;
void catalogue_finish(struct catalogue *catalogue);

/**
 * The set that a person means: a path (anything with a slash, or "." ) of a folder with a model.yaml, or with the
 * folders `detector` and `embedder`; or the name of a set of the catalogue. ERROR_MODEL if there is none.
 */
int catalogue_find(struct set_place *out, const struct config *config, const char *what, struct error *err) must_check;

#endif
