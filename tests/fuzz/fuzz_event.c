/* Event bodies. What decodes must encode, and decode to an event that encodes to the same bytes. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "job/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = {0};
	struct buffer second = {0};
	struct event event;
	struct error err = {0};

	if (event_decode(&event, data, size, &err) < 0) {
		assert(err.code == ERROR_INVALID_JOB && err.text[0] != '\0');
		return 0;
	}
	assert(event_encode(&event, &first) == 0);
	assert(event_decode(&event, first.data, first.size, &err) == 0);
	assert(event_encode(&event, &second) == 0);
	assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	buffer_finish(&first);
	buffer_finish(&second);
	return 0;
}
