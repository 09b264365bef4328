#ifndef NN_OPS_OPS_H
#define NN_OPS_OPS_H

#include "nn/operator.h"

/* The rows of the table of operators, by the file that defines them. */

/* activation.c */
extern const struct nn_operator nn_op_clip;
extern const struct nn_operator nn_op_leaky_relu;
extern const struct nn_operator nn_op_relu;

/* binary.c */
extern const struct nn_operator nn_op_add;
extern const struct nn_operator nn_op_div;
extern const struct nn_operator nn_op_max;
extern const struct nn_operator nn_op_min;
extern const struct nn_operator nn_op_mul;
extern const struct nn_operator nn_op_pow;
extern const struct nn_operator nn_op_prelu;
extern const struct nn_operator nn_op_sub;

/* concat.c */
extern const struct nn_operator nn_op_concat;

/* constant.c */
extern const struct nn_operator nn_op_cast;
extern const struct nn_operator nn_op_constant_of_shape;
extern const struct nn_operator nn_op_shape;

/* conv.c */
extern const struct nn_operator nn_op_conv;

/* gather.c */
extern const struct nn_operator nn_op_expand;
extern const struct nn_operator nn_op_gather;

/* matmul.c */
extern const struct nn_operator nn_op_gemm;
extern const struct nn_operator nn_op_matmul;

/* norm.c */
extern const struct nn_operator nn_op_batch_normalization;
extern const struct nn_operator nn_op_softmax;

/* pad.c */
extern const struct nn_operator nn_op_pad;

/* pool.c */
extern const struct nn_operator nn_op_average_pool;
extern const struct nn_operator nn_op_global_average_pool;
extern const struct nn_operator nn_op_global_max_pool;
extern const struct nn_operator nn_op_max_pool;

/* reduce.c */
extern const struct nn_operator nn_op_reduce_l2;
extern const struct nn_operator nn_op_reduce_mean;
extern const struct nn_operator nn_op_reduce_sum;

/* resize.c */
extern const struct nn_operator nn_op_resize;
extern const struct nn_operator nn_op_upsample;

/* slice.c */
extern const struct nn_operator nn_op_slice;
extern const struct nn_operator nn_op_split;

/* transpose.c */
extern const struct nn_operator nn_op_transpose;

/* unary.c */
extern const struct nn_operator nn_op_abs;
extern const struct nn_operator nn_op_elu;
extern const struct nn_operator nn_op_exp;
extern const struct nn_operator nn_op_hard_sigmoid;
extern const struct nn_operator nn_op_hard_swish;
extern const struct nn_operator nn_op_neg;
extern const struct nn_operator nn_op_sigmoid;
extern const struct nn_operator nn_op_sqrt;
extern const struct nn_operator nn_op_tanh;

/* view.c */
extern const struct nn_operator nn_op_dropout;
extern const struct nn_operator nn_op_flatten;
extern const struct nn_operator nn_op_identity;
extern const struct nn_operator nn_op_reshape;
extern const struct nn_operator nn_op_squeeze;
extern const struct nn_operator nn_op_unsqueeze;

#endif
