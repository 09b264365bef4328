#include "nn/blocks.h"

#include <stdlib.h>

struct rearranging {
	int64_t images;
	int64_t channels;
	int64_t area;
	int64_t lanes;
};

uint32_t nn_plan_in_blocks(const struct nn_plan *plan, uint32_t value)
{
	return plan->graph->value_count + value;
}

struct nn_shape nn_blocks_shape(const struct nn_shape *shape, int64_t lanes)
{
	struct nn_shape blocks = *shape;

	if (shape->rank != 4)
		return (struct nn_shape){0};
	blocks.dim[1] = (shape->dim[1] + lanes - 1) / lanes * lanes;
	return nn_shape_valid(&blocks) ? blocks : (struct nn_shape){0};
}

int64_t nn_blocks_count(const struct nn_shape *shape, int64_t lanes)
{
	return shape->dim[0] * ((shape->dim[1] + lanes - 1) / lanes);
}

bool nn_plan_may_block(const struct nn_plan *plan)
{
	return plan->made != NULL;
}

bool nn_plan_has(const struct nn_plan *plan, uint32_t value, bool blocks)
{
	if (!nn_plan_may_block(plan))
		return !blocks;
	return plan->made[blocks ? nn_plan_in_blocks(plan, value) : value];
}

static void run_to_blocks(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct rearranging *r = step->params;
	int64_t blocks = (r->channels + r->lanes - 1) / r->lanes;

	(void)scratch;
	for (int64_t i = 0; i < r->images * blocks; i++) {
		int64_t first = i % blocks * r->lanes;
		int64_t count = r->channels - first < r->lanes ? r->channels - first : r->lanes;
		const float *plane = in[0] + (i / blocks * r->channels + first) * r->area;

		for (int64_t pixel = 0; pixel < r->area; pixel++, out += r->lanes) {
			for (int64_t c = 0; c < r->lanes; c++)
				out[c] = c < count ? plane[c * r->area + pixel] : 0;
		}
	}
}

static void run_to_planes(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct rearranging *r = step->params;
	int64_t blocks = (r->channels + r->lanes - 1) / r->lanes;

	(void)scratch;
	for (int64_t i = 0; i < r->images * r->channels; i++) {
		int64_t channel = i % r->channels;
		int64_t block = i / r->channels * blocks + channel / r->lanes;
		const float *from = in[0] + block * r->area * r->lanes + channel % r->lanes;

		for (int64_t pixel = 0; pixel < r->area; pixel++)
			*out++ = from[pixel * r->lanes];
	}
}

int nn_plan_need(struct nn_plan *plan, const struct nn_node *node, uint32_t value, bool blocks)
{
	if (nn_plan_has(plan, value, blocks))
		return 0;
	struct nn_step *step = nn_plan_add_bare(plan, node, sizeof(struct rearranging));
	if (!step)
		return error_errno(plan->err);
	const struct nn_shape *shape = &plan->shapes[value];
	uint32_t other = nn_plan_in_blocks(plan, value);
	*(struct rearranging *)step->params = (struct rearranging){
	    .images = shape->dim[0],
	    .channels = shape->dim[1],
	    .area = shape->dim[2] * shape->dim[3],
	    .lanes = plan->kernels->lanes,
	};
	step->name = blocks ? "(to blocks)" : "(to planes)";
	step->run = blocks ? run_to_blocks : run_to_planes;
	step->inputs[0] = blocks ? value : other;
	step->input_count = 1;
	step->output = blocks ? other : value;
	step->macs = (uint64_t)nn_shape_count(shape);
	plan->made[step->output] = true;
	return 0;
}

void nn_plan_lay_out(const struct nn_plan *plan, struct nn_step *step, unsigned operand, bool blocks)
{
	if (blocks)
		step->inputs[operand] = nn_plan_in_blocks(plan, step->inputs[operand]);
}

void nn_plan_lay_out_result(const struct nn_plan *plan, struct nn_step *step, bool blocks)
{
	if (blocks)
		step->output = nn_plan_in_blocks(plan, step->output);
}
