#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sightings.h"

enum { DIMENSION = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a process says that a photograph may have taken over: an op, and the answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sightings found, again;
	struct buffer bytes = {0};

	memset(&found, 0, sizeof(found));
	memset(&again, 0, sizeof(again));
	if (size < 1)
		return 0;
	enum job_op op = (enum job_op)(data[0] % (JOB_UNENROLL + 1));
	if (sightings_read(data + 1, size - 1, op, DIMENSION, &found) == 0) {
		if (sightings_write(&found, op, DIMENSION, &bytes) < 0 || bytes.size > SIGHTINGS_MAX_BYTES ||
		    sightings_read(bytes.data, bytes.size, op, DIMENSION, &again) < 0)
			abort();
	}
	sightings_finish(&found);
	sightings_finish(&again);
	buffer_finish(&bytes);
	return 0;
}
