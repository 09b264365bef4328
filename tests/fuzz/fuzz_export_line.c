/* A line of `facefleet collections export`, from anywhere, as `import` reads it. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cli/people/export_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct export_line line;
	struct error err = {0};

	if (export_line_check_header((const char *)data, size, &err) < 0)
		assert(error_is_set(&err));
	error_clear(&err);
	if (export_line_read(&line, (const char *)data, size, &err) < 0) {
		assert(error_is_set(&err));
	} else {
		assert(line.image.crop_size <= PEOPLE_MAX_CROP_BYTES);
		assert(strlen(line.image.user_id) + strlen(line.image.collection) < size);
		for (size_t i = 0; i < line.embedding_count; i++) {
			const struct collection_image image = export_line_embedding(&line, i);

			assert(image.embedding && image.dimension >= 1 && image.dimension <= PEOPLE_MAX_DIMENSION);
		}
	}
	export_line_finish(&line);
	return 0;
}
