/*
 * Times a network layer by layer: bench_nn MODEL.onnx N C H W [RUNS]
 * For each step the best of RUNS: operator, output, time, multiply-adds, rate. Then the sum, whole
 * runs, and the rate of a large cblas_sgemm in the same process as the yardstick.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "nn/model.h"
#include "nn/operator.h"
#include "nn/session.h"

#define PEAK_SIDE 1024

static double milliseconds_of_step(struct nn_session *session, unsigned step, int runs)
{
	double best = 1e9;

	for (int i = 0; i < runs; i++) {
		int64_t start = clock_monotonic_ns();
		nn_session_run_step(session, step, 0);
		double took = (double)(clock_monotonic_ns() - start) / 1e6;
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
	for (int i = 0; i < 10; i++) {
		int64_t start = clock_monotonic_ns();
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE, PEAK_SIDE, PEAK_SIDE, 1, memory,
			    PEAK_SIDE, memory + count, PEAK_SIDE, 0, memory + 2 * count, PEAK_SIDE);
		double took = (double)(clock_monotonic_ns() - start);
		best = took < best ? took : best;
	}
	free(memory);
	return (double)count * PEAK_SIDE / best;
}

static void print_steps(struct nn_session *session, int runs)
{
	double total = 0;
	uint64_t macs = 0;

	nn_session_run(session, 1);
	printf("%-20s %-20s %9s %9s %8s\n", "operator", "output", "ms", "MMAC", "GMAC/s");
	for (unsigned i = 0; i < session->plan.step_count; i++) {
		const struct nn_step *step = &session->plan.steps[i];
		double ms = milliseconds_of_step(session, i, runs);
		char shape[NN_SHAPE_TEXT];

		printf("%-20s %-20s %9.4f %9.3f %8.2f\n", step->node->op->name,
		       nn_shape_format(&session->shapes[step->output], shape, sizeof(shape)), ms,
		       (double)step->macs / 1e6, (double)step->macs / 1e6 / ms);
		total += ms;
		macs += step->macs;
	}
	printf("%-41s %9.4f %9.3f %8.2f\n", "sum of steps", total, (double)macs / 1e6, (double)macs / 1e6 / total);
}

static void print_whole(struct nn_session *session, int batch, int runs)
{
	double best = 1e9;
	double peak = gemm_peak();
	uint64_t macs = 0;

	for (unsigned i = 0; i < session->plan.step_count; i++)
		macs += session->plan.steps[i].macs;
	for (int i = 0; i < runs; i++) {
		int64_t start = clock_monotonic_ns();
		nn_session_run(session, batch);
		double took = (double)(clock_monotonic_ns() - start) / 1e6 / batch;
		best = took < best ? took : best;
	}
	double rate = (double)macs / 1e6 / best;
	printf("%-41s %9.4f %9.3f %8.2f\n", "whole run, one image", best, (double)macs / 1e6, rate);
	printf("cblas_sgemm %d³: %.2f GMAC/s; the network reaches %.0f %% of it with %s kernels in %.1f MiB\n",
	       PEAK_SIDE, peak, 100 * rate / peak, session->plan.kernels->name, (double)session->size / (1 << 20));
}

int main(int argc, char **argv)
{
	struct buffer file = {0};
	struct nn_model *model = NULL;
	struct nn_session *session = NULL;
	struct nn_shape shape = {.rank = 4};
	struct error err = {0};

	if (argc < 6) {
		fprintf(stderr, "usage: %s MODEL.onnx N C H W [RUNS]\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < 4; i++)
		shape.dim[i] = atoll(argv[2 + i]);
	int runs = argc > 6 ? atoi(argv[6]) : 100;
	if (buffer_read_file(&file, argv[1], (size_t)1 << 30, &err) < 0 ||
	    nn_model_load(&model, argv[1], file.data, file.size, &err) < 0 ||
	    nn_session_new(&session, model, &shape, 0, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	print_steps(session, runs);
	print_whole(session, (int)shape.dim[0], runs);
	nn_session_free(session);
	nn_model_free(model);
	buffer_finish(&file);
	return 0;
}
