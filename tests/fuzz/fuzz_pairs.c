/* Labelled pairs from anywhere, as `facefleet models evaluate` reads them. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pairs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pairs pairs = {0};
	struct error err = {0};

	if (pairs_parse(&pairs, "pairs.csv", data, size, &err) < 0) {
		assert(error_is_set(&err));
	} else {
		for (size_t i = 0; i < pairs.count; i++)
			assert(strlen(pairs_image(&pairs, pairs.items[i].image_b)) < size);
	}
	pairs_finish(&pairs);
	return 0;
}
