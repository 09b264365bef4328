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

#endif
