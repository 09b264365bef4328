/*
 * Times a network layer by layer: bench_nn [--json] [--kernels NAME] MODEL.onnx N C H W [RUNS]
 * For each step the best of RUNS: operator, output, time, multiply-adds, rate, share of the machine's peak, which is
 * the rate of a large cblas_sgemm in the same process with the best kernels OpenBLAS has. Then the whole network
 * for one image, and what an image costs in batches, one image after the other and layer by layer.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "nn/blas.h"
#include "nn/model.h"
#include "nn/operator.h"
#include "nn/ops/ops.h"
#include "nn/ops/window.h"
#include "nn/session.h"

#define PEAK_SIDE 1024
#define MAX_BATCH 8

struct bench {
	struct nn_model *model;
	struct nn_session *session;
	const struct nn_kernels *kernels;
	int runs;
	bool json;
	double peak; /* GMAC/s */
};

static double milliseconds_since(int64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e6;
}

static double milliseconds_of_step(const struct bench *b, unsigned step)
{
	double best = 1e9;

	for (int i = 0; i < b->runs; i++) {
		int64_t start = clock_monotonic_ns();
		nn_session_run_step(b->session, step, 0);
		double took = milliseconds_since(start);
		best = took < best ? took : best;
	}
	return best;
}

static void run_by_image(struct nn_session *session, int batch)
{
	nn_session_run(session, batch);
}

/*
 * All images through one layer before the next. The session has room for the inner tensors of one image only, so the
 * results are wrong, and the time is a lower bound: true batches would move more memory.
 */
static void run_by_layer(struct nn_session *session, int batch)
{
	for (unsigned step = 0; step < session->plan.step_count; step++) {
		for (int image = 0; image < batch; image++)
			nn_session_run_step(session, step, image);
	}
}

static double milliseconds_per_image(const struct bench *b, int batch, void (*run)(struct nn_session *, int))
{
	double best = 1e9;

	for (int i = 0; i < b->runs; i++) {
		int64_t start = clock_monotonic_ns();
		run(b->session, batch);
		double took = milliseconds_since(start) / batch;
		best = took < best ? took : best;
	}
	return best;
}

static double gemm_peak(void)
{
	size_t count = (size_t)PEAK_SIDE * PEAK_SIDE;
	float *memory = calloc(3 * count, sizeof(float));
	double best = 1e9;

	if (!memory)
		return 0;
	for (int i = 0; i < 20; i++) {
		int64_t start = clock_monotonic_ns();
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE, PEAK_SIDE, PEAK_SIDE, 1, memory,
			    PEAK_SIDE, memory + count, PEAK_SIDE, 0, memory + 2 * count, PEAK_SIDE);
		double took = milliseconds_since(start);
		best = took < best ? took : best;
	}
	free(memory);
	return (double)count * PEAK_SIDE / best / 1e6;
}

static uint64_t all_macs(const struct bench *b)
{
	uint64_t macs = 0;

	for (unsigned i = 0; i < b->session->plan.step_count; i++)
		macs += b->session->plan.steps[i].macs;
	return macs;
}

/* ", \"conv\": {…}" for a convolution: what another library needs to do the same. */
static void print_window(const struct bench *b, const struct nn_step *step)
{
	const struct nn_node *node = step->node;
	struct nn_window w;
	struct error err;

	if (strcmp(step->name, "Conv") != 0)
		return;
	const struct nn_shape *weights = &nn_node_constant(&b->model->graph, node, 1)->shape;
	const struct nn_shape *input = &b->session->shapes[node->inputs[0]];
	if (nn_window_read(&w, node, input, weights->dim + 2, &err) < 0)
		return;
	printf(", \"conv\": [%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld]",
	       (long long)input->dim[1], (long long)w.input[0], (long long)w.input[1], (long long)weights->dim[0],
	       (long long)w.kernel[0], (long long)w.kernel[1], (long long)w.stride[0], (long long)w.stride[1],
	       (long long)w.before[0], (long long)w.before[1], (long long)nn_node_int(node, "group", 1),
	       (long long)w.output[0], (long long)w.output[1]);
}

static void print_step(const struct bench *b, unsigned index, double ms)
{
	const struct nn_step *step = &b->session->plan.steps[index];
	double mega = (double)step->macs / 1e6;
	char shape[NN_SHAPE_TEXT];

	nn_shape_format(&b->session->shapes[step->output], shape, sizeof(shape));
	if (b->json) {
		printf("{\"operator\": \"%s\", \"output\": \"%s\", \"ms\": %.5f, \"mmac\": %.4f", step->node->op->name,
		       shape, ms, mega);
		print_window(b, step);
		printf("}\n");
		return;
	}
	printf("%-20s %-20s %9.4f %9.3f %8.2f %6.0f\n", step->name, shape, ms, mega, mega / ms,
	       100 * mega / ms / b->peak);
}

static void print_whole(const struct bench *b)
{
	double ms = milliseconds_per_image(b, 1, run_by_image);
	double mega = (double)all_macs(b) / 1e6;

	if (b->json) {
		printf("{\"whole_ms\": %.5f, \"mmac\": %.4f, \"peak\": %.2f, \"kernels\": \"%s\", \"blas\": \"%s\"}\n",
		       ms, mega, b->peak, b->session->plan.kernels->name, nn_blas_kernels());
		return;
	}
	printf("%-41s %9.4f %9.3f %8.2f %6.0f\n", "whole network, one image", ms, mega, mega / ms,
	       100 * mega / ms / b->peak);
	printf("%s kernels, %.1f MiB; the peak is cblas_sgemm %d³ with OpenBLAS's %s kernels: %.1f GMAC/s\n",
	       b->session->plan.kernels->name, (double)b->session->size / (1 << 20), PEAK_SIDE, nn_blas_kernels(),
	       b->peak);
	printf("%-20s %20s %20s\n", "images in a batch", "one after the other", "layer by layer (ms)");
	for (int batch = 1; batch <= b->session->images && batch <= MAX_BATCH; batch *= 2)
		printf("%-20d %20.4f %20.4f\n", batch, milliseconds_per_image(b, batch, run_by_image),
		       milliseconds_per_image(b, batch, run_by_layer));
}

static void run(const struct bench *b)
{
	nn_session_run(b->session, 1);
	if (!b->json)
		printf("%-20s %-20s %9s %9s %8s %6s\n", "operator", "output", "ms", "MMAC", "GMAC/s", "% peak");
	for (unsigned i = 0; i < b->session->plan.step_count; i++)
		print_step(b, i, milliseconds_of_step(b, i));
	print_whole(b);
}

static int load(struct bench *b, const char *path, const struct nn_shape *shape, struct error *err)
{
	struct buffer file = {0};
	int r = buffer_read_file(&file, path, (size_t)1 << 30, err);

	if (r == 0)
		r = nn_model_load_for(&b->model, path, file.data, file.size, b->kernels, err);
	if (r == 0)
		r = nn_session_new(&b->session, b->model, shape, 0, err);
	buffer_finish(&file);
	return r;
}

/* Takes the options off the arguments; false if one is wrong. */
static bool read_options(struct bench *b, int *argc, char ***argv)
{
	b->kernels = nn_kernels_best();
	for (; *argc > 1 && (*argv)[1][0] == '-'; (*argc)--, (*argv)++) {
		if (strcmp((*argv)[1], "--json") == 0) {
			b->json = true;
		} else if (strcmp((*argv)[1], "--kernels") == 0 && *argc > 2) {
			b->kernels = nn_kernels_named((*argv)[2]);
			(*argc)--;
			(*argv)++;
		} else {
			return false;
		}
	}
	return b->kernels && *argc >= 6;
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	struct nn_shape shape = {.rank = 4};
	struct error err = {0};

	nn_blas_choose(argv);
	if (!read_options(&bench, &argc, &argv)) {
		fprintf(stderr,
			"usage: bench_nn [--json] [--kernels avx512|avx2|portable] MODEL.onnx N C H W [RUNS]\n");
		return 2;
	}
	for (int i = 0; i < 4; i++)
		shape.dim[i] = atoll(argv[2 + i]);
	bench.runs = argc > 6 ? atoi(argv[6]) : 100;
	int r = nn_blas_prepare(&err);
	if (r == 0)
		r = load(&bench, argv[1], &shape, &err);
	if (r == 0) {
		bench.peak = gemm_peak();
		run(&bench);
	} else {
		fprintf(stderr, "%s\n", err.text);
	}
	nn_session_free(bench.session);
	nn_model_free(bench.model);
	return r < 0 ? 1 : 0;
}
