/* The ranges of a network in 8 bits. */
#include <stddef.h>
#include <stdint.h>

#include "nn/quantise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nn_value values[] = {{.name = (char *)"x"}, {.name = (char *)"a b"}};
	static const struct nn_graph graph = {.values = values, .value_count = 2};
	struct nn_quantisation *quantisation = NULL;
	struct error err;

	if (nn_quantise(&quantisation, &graph, (const char *)data, size, nn_int8_best(), &err) == 0)
		nn_quantisation_free(quantisation);
	return 0;
}
