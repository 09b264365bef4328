/*
 * Times convolutions in oneDNN, in the layouts it chooses itself, on one thread. Reads a line for each from
 * standard input, the numbers that bench_nn --json prints and how often to run: channels, height, width, filters,
 * kernel (2), stride (2), padding above and left, groups, output (2), runs. Prints the best time of each in ms.
 *
 * Usage: OMP_NUM_THREADS=1 bench_dnnl < lines
 */
#include <dnnl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { SRC, WEIGHTS, BIAS, DST, MEMORIES };

struct line {
	dnnl_dim_t channels, height, width, filters, kernel[2], groups, output[2];
	dnnl_dims_t stride, before; /* two are used */
	int runs;
};

static void need(dnnl_status_t status)
{
	if (status != dnnl_success) {
		fprintf(stderr, "oneDNN: status %d\n", (int)status);
		exit(1);
	}
}

static int read_line(struct line *l)
{
	long long n[14];

	for (int i = 0; i < 14; i++) {
		if (scanf("%lld", &n[i]) != 1)
			return 0;
	}
	*l = (struct line){
	    .channels = n[0],
	    .height = n[1],
	    .width = n[2],
	    .filters = n[3],
	    .kernel = {n[4], n[5]},
	    .stride = {n[6], n[7]},
	    .before = {n[8], n[9]},
	    .groups = n[10],
	    .output = {n[11], n[12]},
	    .runs = (int)n[13],
	};
	return 1;
}

static dnnl_primitive_desc_t describe(const struct line *l, dnnl_engine_t engine)
{
	bool grouped = l->groups > 1;
	dnnl_dims_t src = {1, l->channels, l->height, l->width};
	dnnl_dims_t dst = {1, l->filters, l->output[0], l->output[1]};
	dnnl_dims_t plain = {l->filters, l->channels, l->kernel[0], l->kernel[1]};
	dnnl_dims_t groups = {l->groups, l->filters / l->groups, l->channels / l->groups, l->kernel[0], l->kernel[1]};
	dnnl_dims_t bias = {l->filters};
	dnnl_dims_t after = {0};
	dnnl_memory_desc_t md[MEMORIES];
	dnnl_convolution_desc_t conv;
	dnnl_primitive_desc_t out;

	for (int i = 0; i < 2; i++) {
		dnnl_dim_t input = i == 0 ? l->height : l->width;
		after[i] = (l->output[i] - 1) * l->stride[i] + l->kernel[i] - input - l->before[i];
	}
	need(dnnl_memory_desc_init_by_tag(&md[SRC], 4, src, dnnl_f32, dnnl_format_tag_any));
	need(dnnl_memory_desc_init_by_tag(&md[WEIGHTS], grouped ? 5 : 4, grouped ? groups : plain, dnnl_f32,
					  dnnl_format_tag_any));
	need(dnnl_memory_desc_init_by_tag(&md[BIAS], 1, bias, dnnl_f32, dnnl_a));
	need(dnnl_memory_desc_init_by_tag(&md[DST], 4, dst, dnnl_f32, dnnl_format_tag_any));
	need(dnnl_convolution_forward_desc_init(&conv, dnnl_forward_inference, dnnl_convolution_auto, &md[SRC],
						&md[WEIGHTS], &md[BIAS], &md[DST], l->stride, l->before, after));
	need(dnnl_primitive_desc_create(&out, &conv, NULL, engine, NULL));
	return out;
}

static void run_line(const struct line *l, dnnl_engine_t engine, dnnl_stream_t stream)
{
	static const dnnl_query_t queries[MEMORIES] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_weights_md,
						       dnnl_query_dst_md};
	static const int arguments[MEMORIES] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
	dnnl_primitive_desc_t desc = describe(l, engine);
	dnnl_primitive_t conv;
	dnnl_exec_arg_t args[MEMORIES];
	double best = 1e9;

	need(dnnl_primitive_create(&conv, desc));
	for (int i = 0; i < MEMORIES; i++) {
		const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(desc, queries[i], i == BIAS);

		args[i].arg = arguments[i];
		need(dnnl_memory_create(&args[i].memory, md, engine, DNNL_MEMORY_ALLOCATE));
	}
	for (int i = 0; i < l->runs; i++) {
		int64_t start = clock_monotonic_ns();
		need(dnnl_primitive_execute(conv, stream, MEMORIES, args));
		need(dnnl_stream_wait(stream));
		double took = (double)(clock_monotonic_ns() - start) / 1e6;
		best = took < best ? took : best;
	}
	printf("%.5f\n", best);
	for (int i = 0; i < MEMORIES; i++)
		dnnl_memory_destroy(args[i].memory);
	dnnl_primitive_destroy(conv);
	dnnl_primitive_desc_destroy(desc);
}

int main(void)
{
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct line line;

	need(dnnl_engine_create(&engine, dnnl_cpu, 0));
	need(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
	while (read_line(&line))
		run_line(&line, engine, stream);
	dnnl_stream_destroy(stream);
	dnnl_engine_destroy(engine);
	return 0;
}
