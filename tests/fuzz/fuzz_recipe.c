/* A recipe of `facefleet models fetch` from anywhere. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recipe recipe;
	struct error err = {0};

	if (recipe_parse(&recipe, "recipe.yaml", data, size, &err) < 0) {
		assert(error_is_set(&err));
		return 0;
	}
	/* What becomes part of a path is a plain name. */
	assert(!strchr(recipe.name, '/') && recipe.name[0] != '.');
	assert(!strchr(recipe.detector.file.name, '/') && !strchr(recipe.embedder.file.name, '/'));
	assert(recipe.detector.size > 0 && recipe.embedder.size > 0);
	assert(strlen(recipe.embedder.file.sha256) == 64);
	return 0;
}
