#include "nn/ops/pick.h"

struct pick {
	int rank;
	int64_t dim[NN_MAX_RANK];    /* of the output */
	int64_t stride[NN_MAX_RANK]; /* of the input, in elements */
	float fill;
	const int64_t *table[NN_MAX_RANK]; /* of each axis: places along that axis of the input, or NN_PICK_OUTSIDE */
};

/* Copies the innermost axis. */
static void run_row(const struct pick *p, const float *row, float *out)
{
	int last = p->rank - 1;

	for (int64_t i = 0; i < p->dim[last]; i++) {
		int64_t place = p->table[last][i];

		out[i] = !row || place == NN_PICK_OUTSIDE ? p->fill : row[place * p->stride[last]];
	}
}

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct pick *p = step->params;
	int64_t index[NN_MAX_RANK] = {0};
	int last = p->rank - 1;
	int axis;

	(void)scratch;
	do {
		const float *row = in[0];

		for (int i = 0; i < last && row; i++) {
			int64_t place = p->table[i][index[i]];
			row = place == NN_PICK_OUTSIDE ? NULL : row + place * p->stride[i];
		}
		run_row(p, row, out);
		out += p->dim[last];
		for (axis = last - 1; axis >= 0; axis--) {
			if (++index[axis] < p->dim[axis])
				break;
			index[axis] = 0;
		}
	} while (axis >= 0);
}

int nn_pick_add(struct nn_plan *plan, const struct nn_node *node, struct nn_shape input, struct nn_shape output,
		float fill, int64_t *tables[NN_MAX_RANK])
{
	int64_t entries = 0;

	if (output.rank == 0)
		input = output = (struct nn_shape){.rank = 1, .dim = {1}};
	for (int i = 0; i < output.rank; i++)
		entries += output.dim[i];
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct pick) + (size_t)entries * sizeof(int64_t));
	if (!step)
		return error_errno(plan->err);
	struct pick *p = step->params;
	int64_t *table = (int64_t *)(p + 1);
	p->rank = output.rank;
	p->fill = fill;
	for (int i = 0; i < output.rank; i++) {
		p->dim[i] = output.dim[i];
		p->stride[i] = nn_shape_span(&input, i + 1, input.rank);
		p->table[i] = tables[i] = table;
		for (int64_t k = 0; k < output.dim[i]; k++)
			table[k] = k;
		table += output.dim[i];
	}
	step->run = run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

int nn_pick_list(const struct nn_graph *graph, const struct nn_node *node, const char *name, unsigned index, int since,
		 const int64_t **list, int64_t *count, struct error *err)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, name);
	const struct nn_tensor *tensor;

	*list = NULL;
	*count = 0;
	if (attribute && node->opset >= since)
		return nn_node_fail(node, err, "%s is an input in opset %d, not an attribute", name, node->opset);
	if (attribute) {
		*list = attribute->ints;
		*count = (int64_t)attribute->count;
	} else if (node->opset >= since && nn_node_input(node, index) != NN_NO_VALUE) {
		int r = nn_infer_integers(graph, node, index, &tensor, err);

		if (r < 0)
			return r;
		*list = tensor->i64;
		*count = nn_shape_count(&tensor->shape);
	}
	return 0;
}
