#include "nn/kernels/kernels.h"

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
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

/* Best first. */
static const struct variant {
	const struct nn_kernels *kernels;
	bool (*usable)(void);
} variants[] = {
#ifdef NN_HAVE_X86_VARIANTS
    {&nn_kernels_avx512, has_avx512},
    {&nn_kernels_avx2, has_avx2},
#endif
    {&nn_kernels_portable, always},
};

const struct nn_kernels *nn_kernels_best(void)
{
	size_t i = 0;

	while (!variants[i].usable())
		i++;
	return variants[i].kernels;
}

const struct nn_kernels *nn_kernels_named(const char *name)
{
	for (size_t i = 0; i < array_size(variants); i++) {
		if (strcmp(variants[i].kernels->name, name) == 0)
			return variants[i].usable() ? variants[i].kernels : NULL;
	}
	return NULL;
}

int64_t nn_tile_share(const struct nn_kernels *kernels, int64_t first, int64_t blocks)
{
	int64_t left = blocks - first;
	int64_t shares = (left + kernels->tile_blocks - 1) / kernels->tile_blocks;

	return (left + shares - 1) / shares;
}

int64_t nn_packed_filters(const struct nn_kernels *kernels, int64_t filters, int64_t depth)
{
	return (filters + kernels->lanes - 1) / kernels->lanes * kernels->lanes * depth;
}

void nn_pack_filters(const struct nn_kernels *kernels, const float *weights, int64_t filters, int64_t depth,
		     float *packed)
{
	int64_t blocks = (filters + kernels->lanes - 1) / kernels->lanes;
	int64_t share;

	for (int64_t block = 0; block < blocks; block += share) {
		share = nn_tile_share(kernels, block, blocks);
		for (int64_t k = 0; k < depth; k++) {
			for (int64_t i = 0; i < share * kernels->lanes; i++) {
				int64_t filter = block * kernels->lanes + i;
				*packed++ = filter < filters ? weights[filter * depth + k] : 0;
			}
		}
	}
}
