#include "face/gallery_scores.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"

gallery_scores_function gallery_scores_portable;
gallery_scores_function gallery_scores_avx2;
gallery_scores_function gallery_scores_avx512;

static bool is_there(const char *name)
{
#ifdef GALLERY_HAVE_X86_VARIANTS
	if (strcmp(name, "avx512") == 0)
		return __builtin_cpu_supports("avx512f");
	if (strcmp(name, "avx2") == 0)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
	return strcmp(name, "portable") == 0;
}

/* Best first. */
static const struct {
	const char *name;
	gallery_scores_function *function;
} variants[] = {
#ifdef GALLERY_HAVE_X86_VARIANTS
    {"avx512", gallery_scores_avx512},
    {"avx2", gallery_scores_avx2},
#endif
    {"portable", gallery_scores_portable},
};

gallery_scores_function *gallery_scores_named(const char *name)
{
	for (size_t i = 0; i < array_size(variants); i++) {
		if (strcmp(variants[i].name, name) == 0 && is_there(name))
			return variants[i].function;
	}
	return NULL;
}

gallery_scores_function *gallery_scores_best(void)
{
	size_t i = 0;

	while (!is_there(variants[i].name))
		i++;
	return variants[i].function;
}
