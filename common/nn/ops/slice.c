/* Slice and Split. */
#include "nn/ops/ops.h"
#include "nn/ops/pick.h"

/* Along one axis: `count` places from `first` on. */
struct cut {
	int64_t first;
	int64_t step;
	int64_t count;
};

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* As the specification has it: negative places count from the end, places beyond it are moved to it. */
static struct cut cut_of(int64_t dim, int64_t start, int64_t end, int64_t step)
{
	struct cut c = {.step = step};

	start += start < 0 ? dim : 0;
	end += end < 0 ? dim : 0;
	c.first = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
	end = step > 0 ? clamp(end, 0, dim) : clamp(end, -1, dim - 1);
	int64_t span = step > 0 ? end - c.first : c.first - end;
	int64_t stride = step > 0 ? step : -step;
	c.count = span > 0 ? (span - 1) / stride + 1 : 0;
	return c;
}

static int read_cuts(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		     struct cut cuts[NN_MAX_RANK], struct error *err)
{
	const int64_t *lists[4]; /* starts, ends, axes, steps */
	int64_t counts[4];
	static const char *const names[] = {"starts", "ends", "axes", "steps"};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 4; i++)
		r = nn_pick_list(graph, node, names[i], i + 1, 10, &lists[i], &counts[i], err);
	if (r < 0)
		return r;
	if (!lists[0] || !lists[1] || counts[1] != counts[0] || (lists[2] && counts[2] != counts[0]) ||
	    (lists[3] && counts[3] != counts[0]) || counts[0] > input->rank)
		return nn_node_fail(node, err, "starts, ends, axes and steps do not fit each other");
	for (int i = 0; i < input->rank; i++)
		cuts[i] = (struct cut){.step = 1, .count = input->dim[i]};
	for (int64_t i = 0; i < counts[0]; i++) {
		int64_t axis = lists[2] ? lists[2][i] : i;
		int64_t step = lists[3] ? lists[3][i] : 1;

		if (!nn_shape_axis(input, &axis) || step == 0 || step < -NN_MAX_ELEMENTS || step > NN_MAX_ELEMENTS)
			return nn_node_fail(node, err, "axis or step number %lld is impossible", (long long)i);
		cuts[axis] = cut_of(input->dim[axis], clamp(lists[0][i], -NN_MAX_ELEMENTS, NN_MAX_ELEMENTS),
				    clamp(lists[1][i], -NN_MAX_ELEMENTS, NN_MAX_ELEMENTS), step);
	}
	return 0;
}

static int infer_slice(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);
	struct cut cuts[NN_MAX_RANK];
	int r = read_cuts(in->graph, node, &shape, cuts, in->err);

	if (r < 0)
		return r;
	for (int i = 0; i < shape.rank; i++)
		shape.dim[i] = cuts[i].count;
	return nn_infer_output(in, node, &shape);
}

static int compile_slice(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	const struct nn_shape *output = nn_plan_output(plan, node);
	struct cut cuts[NN_MAX_RANK];
	int64_t *tables[NN_MAX_RANK];
	int r = read_cuts(plan->graph, node, input, cuts, plan->err);

	if (r == 0)
		r = nn_pick_add(plan, node, *input, *output, 0, tables);
	for (int i = 0; r == 0 && i < output->rank; i++) {
		for (int64_t k = 0; k < output->dim[i]; k++)
			tables[i][k] = cuts[i].first + k * cuts[i].step;
	}
	return r;
}

const struct nn_operator nn_op_slice = {
    .name = "Slice",
    .attributes = "axes:I ends:I starts:I",
    .min_inputs = 1,
    .max_inputs = 5,
    .data_inputs = 1,
    .on_integers = true,
    .infer = infer_slice,
    .compile = compile_slice,
};

/* Where along its axis this output of a Split lies. */
static int read_part(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		     int64_t *axis, int64_t *first, int64_t *count, struct error *err)
{
	const int64_t *sizes;
	int64_t size_count;
	int64_t total = 0;
	int r = nn_pick_list(graph, node, "split", 1, 13, &sizes, &size_count, err);

	*axis = nn_node_int(node, "axis", 0);
	if (r < 0)
		return r;
	if (!nn_shape_axis(input, axis))
		return nn_node_fail(node, err, "axis %lld of rank %d", (long long)*axis, input->rank);
	int64_t dim = input->dim[*axis];
	if (!sizes) {
		int64_t share = (dim + node->parts - 1) / node->parts;

		if (node->opset < 18 && dim % node->parts != 0)
			return nn_node_fail(node, err, "%lld cannot be split into %u equal parts", (long long)dim,
					    node->parts);
		*first = share * node->part < dim ? share * node->part : dim;
		*count = dim - *first < share ? dim - *first : share;
		return 0;
	}
	for (int64_t i = 0; i < size_count; i++) {
		if (sizes[i] < 0 || sizes[i] > dim - total)
			return nn_node_fail(node, err, "split is more than the %lld there are", (long long)dim);
		if (i == node->part)
			*first = total;
		total += sizes[i];
	}
	if (size_count != node->parts || total != dim)
		return nn_node_fail(node, err, "split does not fit the outputs or the input");
	*count = sizes[node->part];
	return 0;
}

/* Every part has a copy of the attributes: none may be long. */
static int check_split(const struct nn_node *node, struct error *err)
{
	const struct nn_attribute *sizes = nn_node_attribute(node, "split");

	if (sizes && sizes->count != node->parts)
		return nn_node_fail(node, err, "split has %zu numbers, there are %u outputs", sizes->count,
				    node->parts);
	return 0;
}

static int infer_split(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);
	int64_t axis;
	int64_t first;
	int64_t count;
	int r = read_part(in->graph, node, &shape, &axis, &first, &count, in->err);

	if (r < 0)
		return r;
	shape.dim[axis] = count;
	return nn_infer_output(in, node, &shape);
}

static int compile_split(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	int64_t *tables[NN_MAX_RANK];
	int64_t axis;
	int64_t first;
	int64_t count;
	int r = read_part(plan->graph, node, input, &axis, &first, &count, plan->err);

	if (r == 0)
		r = nn_pick_add(plan, node, *input, *nn_plan_output(plan, node), 0, tables);
	for (int64_t i = 0; r == 0 && i < count; i++)
		tables[axis][i] = first + i;
	return r;
}

const struct nn_operator nn_op_split = {
    .name = "Split",
    .attributes = "axis:i num_outputs:i split:I",
    .min_inputs = 1,
    .max_inputs = 2,
    .data_inputs = 1,
    .has_parts = true,
    .check = check_split,
    .on_integers = true,
    .infer = infer_split,
    .compile = compile_split,
};
