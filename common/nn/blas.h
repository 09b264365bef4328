#ifndef NN_BLAS_H
#define NN_BLAS_H

#include "base/compiler.h"
#include "base/error.h"

/**
 * Makes OpenBLAS fit for compute threads: one thread for each call, and refuses (ERROR_MODEL) the flavour
 * that is not safe to call from several threads at once. Debian's libopenblas0-serial is built
 * without locks and then returns wrong products now and then; libopenblas0-pthread does not.
 * Any thread; cheap.
 */
int nn_blas_prepare(struct error *err) must_check;

/**
 * Has OpenBLAS use its SkylakeX kernels where the processor has AVX-512. Left alone, the packaged library may take
 * older ones (with AVX2: half the rate) or Cooperlake's, which were seen to be slower on some Zen 4 machines and are
 * equal on a Zen 5. It chooses while it is loaded, so this sets OPENBLAS_CORETYPE and executes the program once more,
 * with the same process id. Returns if nothing is to be changed, or if the variable is set already. The first call of
 * main(), before any thread.
 */
void nn_blas_choose(char **argv);

/** The kernels OpenBLAS uses, as it names them: "Haswell", "SkylakeX". */
const char *nn_blas_kernels(void);

#endif
