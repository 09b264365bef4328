/* A model.yaml from anywhere, read as a detector's and as an embedder's. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "face/model_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct detector_spec detector;
	struct embedder_spec embedder;
	struct model_file file;
	struct error err = {0};

	if (model_yaml_read_detector("model.yaml", data, size, &detector, &file, &err) == 0)
		assert(detector.stride_count >= 1 && detector.input_size_count >= 1);
	else
		assert(error_is_set(&err));
	error_clear(&err);
	if (model_yaml_read_embedder("model.yaml", data, size, &embedder, &file, &err) == 0)
		assert(embedder.width >= 32 && embedder.width <= 512 && embedder.dimension >= 1);
	else
		assert(error_is_set(&err));
	return 0;
}
