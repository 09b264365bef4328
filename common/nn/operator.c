#include "nn/operator.h"

#include <string.h>

#include "nn/ops/ops.h"

static const struct nn_operator *const operators[] = {
    &nn_op_abs,
    &nn_op_add,
    &nn_op_average_pool,
    &nn_op_batch_normalization,
    &nn_op_cast,
    &nn_op_clip,
    &nn_op_concat,
    &nn_op_constant_of_shape,
    &nn_op_conv,
    &nn_op_div,
    &nn_op_dropout,
    &nn_op_elu,
    &nn_op_exp,
    &nn_op_expand,
    &nn_op_flatten,
    &nn_op_gather,
    &nn_op_gemm,
    &nn_op_global_average_pool,
    &nn_op_global_max_pool,
    &nn_op_hard_sigmoid,
    &nn_op_hard_swish,
    &nn_op_identity,
    &nn_op_leaky_relu,
    &nn_op_matmul,
    &nn_op_max,
    &nn_op_max_pool,
    &nn_op_min,
    &nn_op_mul,
    &nn_op_neg,
    &nn_op_pad,
    &nn_op_pow,
    &nn_op_prelu,
    &nn_op_reduce_l2,
    &nn_op_reduce_mean,
    &nn_op_reduce_sum,
    &nn_op_relu,
    &nn_op_reshape,
    &nn_op_resize,
    &nn_op_shape,
    &nn_op_sigmoid,
    &nn_op_slice,
    &nn_op_softmax,
    &nn_op_split,
    &nn_op_sqrt,
    &nn_op_squeeze,
    &nn_op_sub,
    &nn_op_tanh,
    &nn_op_transpose,
    &nn_op_unsqueeze,
    &nn_op_upsample,
};

const struct nn_operator *nn_operator_find(const char *name)
{
	for (size_t i = 0; i < array_size(operators); i++) {
		if (strcmp(operators[i]->name, name) == 0)
			return operators[i];
	}
	return NULL;
}
