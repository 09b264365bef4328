#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "photo_entry.h"

enum { DIMENSION = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What Redis holds under a photograph's key: what is taken reads the same when it is written again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct face_set faces;
	struct buffer entry = {0};

	if (photo_entry_read(data, size, DIMENSION, &faces) < 0)
		return 0;
	if (photo_entry_write(&faces, DIMENSION, &entry) < 0 || entry.size != size ||
	    memcmp(entry.data, data, size) != 0)
		abort();
	buffer_finish(&entry);
	return 0;
}
