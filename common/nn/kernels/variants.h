#ifndef NN_KERNELS_VARIANTS_H
#define NN_KERNELS_VARIANTS_H

#include "nn/kernels/int8.h"
#include "nn/kernels/kernels.h"

/* blocked.c, sliding.c and vector.c, compiled once for each instruction set. The x86 ones exist where
 * NN_HAVE_X86_VARIANTS is defined. */

extern const struct nn_kernels nn_kernels_portable;
extern const struct nn_kernels nn_kernels_avx2;
extern const struct nn_kernels nn_kernels_avx512;

/* int8_vector.c, likewise. */

extern const struct nn_int8_kernels nn_int8_portable;
extern const struct nn_int8_kernels nn_int8_avx2;
extern const struct nn_int8_kernels nn_int8_vnni;

#endif
