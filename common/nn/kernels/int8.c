#include "nn/kernels/int8.h"

#include <string.h>

#include "base/compiler.h"
#include "nn/kernels/variants.h"

static bool always(void)
{
	return true;
}

#ifdef NN_HAVE_X86_VARIANTS
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_vnni(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vnni");
}
#endif

/* Best first. */
static const struct variant {
	const struct nn_int8_kernels *kernels;
	bool (*usable)(void);
} variants[] = {
#ifdef NN_HAVE_X86_VARIANTS
    {&nn_int8_vnni, has_vnni},
    {&nn_int8_avx2, has_avx2},
#endif
    {&nn_int8_portable, always},
};

const struct nn_int8_kernels *nn_int8_best(void)
{
	size_t i = 0;

	while (!variants[i].usable())
		i++;
	return variants[i].kernels;
}

const struct nn_int8_kernels *nn_int8_named(const char *name)
{
	for (size_t i = 0; i < array_size(variants); i++) {
		if (strcmp(variants[i].kernels->name, name) == 0)
			return variants[i].usable() ? variants[i].kernels : NULL;
	}
	return NULL;
}

void nn_int8_pack(const struct nn_int8_kernels *kernels, const int8_t *weights, int64_t rows, int64_t depth,
		  int8_t *packed)
{
	int64_t lanes = kernels->lanes;
	int64_t filled = (rows + lanes - 1) / lanes * lanes;

	for (int64_t first = 0; first < filled; first += kernels->vectors * lanes) {
		int64_t height = filled - first < kernels->vectors * lanes ? filled - first : kernels->vectors * lanes;

		for (int64_t k = 0; k < depth; k += 4) {
			for (int64_t row = first; row < first + height; row++, packed += 4) {
				if (row < rows)
					memcpy(packed, weights + row * depth + k, 4);
				else
					memset(packed, 0, 4);
			}
		}
	}
}
