#include "nn/blas.h"

#include <cblas.h>

/* What openblas_get_parallel() calls the build without threads. */
#define FLAVOUR_SERIAL 0

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
