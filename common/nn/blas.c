#include "nn/blas.h"

#include <cblas.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/executable.h"
#include "nn/kernels/kernels.h"

/* What openblas_get_parallel() calls the build without threads. */
#define FLAVOUR_SERIAL 0

/* The environment variable it reads while it is loaded, and its kernels for AVX-512. */
#define CORE_TYPE "OPENBLAS_CORETYPE"
#define AVX512_CORE "SkylakeX"

int nn_blas_prepare(struct error *err)
{
	if (openblas_get_parallel() == FLAVOUR_SERIAL)
		return error_set(err, ERROR_MODEL,
				 "the OpenBLAS in use is its serial flavour, which is not safe to call from several "
				 "threads: install libopenblas0-pthread (update-alternatives --config "
				 "libopenblas.so.0-x86_64-linux-gnu shows which one is in use)");
	openblas_set_num_threads(1);
	return 0;
}

void nn_blas_choose(char **argv)
{
	const char *kernels = nn_blas_kernels();

	if (getenv(CORE_TYPE) || !nn_kernels_named("avx512") || strcasecmp(kernels, AVX512_CORE) == 0 ||
	    strcasecmp(kernels, "SapphireRapids") == 0)
		return;
	/* What cannot be executed again works as it is, only slower. */
	if (setenv(CORE_TYPE, AVX512_CORE, 1) == 0)
		execv(executable_again(), argv);
}

const char *nn_blas_kernels(void)
{
	return openblas_get_corename();
}
