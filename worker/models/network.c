#include "network.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "nn/model.h"
#include "nn/operator.h"
#include "nn/session.h"

#define GREY 127.0f

int network_measure(const struct nn_model *model, int width, int height, int runs, struct network_cost *cost,
		    struct error *err)
{
	const struct nn_shape shape = {.rank = 4, .dim = {1, 3, height, width}};
	struct network_cost sum = {0};
	struct nn_session *session;
	int r = nn_session_new(&session, model, &shape, 0, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < session->plan.step_count; i++)
		sum.macs += session->plan.steps[i].macs;
	for (int run = 0; run < runs; run++) {
		float *input = nn_session_input(session);
		for (int64_t i = 0; i < nn_shape_count(&shape); i++)
			input[i] = GREY;
		int64_t start = clock_monotonic_ns();
		nn_session_run(session, 1);
		double ms = clock_elapsed_ms(start, clock_monotonic_ns());
		sum.ms = run == 0 ? ms : fmin(sum.ms, ms);
	}
	nn_session_free(session);
	*cost = sum;
	return 0;
}

struct tally {
	const struct nn_operator *op;
	unsigned count;
};

static int by_falling_count(const void *a, const void *b)
{
	const struct tally *x = a;
	const struct tally *y = b;

	return (x->count < y->count) - (x->count > y->count);
}

int network_operators(const struct nn_model *model, struct buffer *out)
{
	struct tally *tallies = calloc(model->graph.node_count + 1, sizeof(*tallies));
	unsigned kinds = 0;
	int r = 0;

	if (!tallies)
		return -ENOMEM;
	for (unsigned i = 0; i < model->graph.node_count; i++) {
		unsigned at = 0;
		while (at < kinds && tallies[at].op != model->graph.nodes[i].op)
			at++;
		kinds += at == kinds;
		tallies[at].op = model->graph.nodes[i].op;
		tallies[at].count++;
	}
	qsort(tallies, kinds, sizeof(*tallies), by_falling_count);
	for (unsigned i = 0; i < kinds && r == 0; i++)
		r = buffer_printf(out, "%s%s %u", i > 0 ? ", " : "", tallies[i].op->name, tallies[i].count);
	free(tallies);
	return r;
}
