/*
 * How far the detector has to go: for the photographs of the pairs in a CSV, how often each input size was the last one
 * tried, how often a border was needed, and how many allocations a photograph costs once the buffers are warm.
 *
 * Usage: bench_detection PAIRS.csv DETECTOR_DIR EMBEDDER_DIR
 */
#include <stdio.h>
#include <stdlib.h>

#include "face/engine.h"
#include "pairs.h"

/* Linked with --wrap: allocations of this program's own code come by here first. */
static unsigned long ours;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	ours++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	ours++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	ours++;
	return __real_realloc(old, size);
}

/* In the place of glibc's: those of the libraries come here too. */
static unsigned long all;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	all++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	all++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	all++;
	return __libc_realloc(old, size);
}

struct counts {
	int last_size[MODELSET_MAX_SIZES];
	int bordered;
	int failed;
	int photographs;
};

static void look(struct face_engine *engine, const struct buffer *photograph, struct counts *counts)
{
	static struct face_set faces;
	struct error err;

	if (face_engine_analyse(engine, NULL, photograph->data, photograph->size, FACE_POLICY_LARGEST, &faces, NULL,
				&err) < 0)
		counts->failed++;
	struct detection_effort effort = face_engine_effort(engine);
	counts->photographs++;
	counts->bordered += effort.bordered;
	if (effort.sizes > 0)
		counts->last_size[effort.sizes - 1]++;
}

static void look_at_all(struct face_engine *engine, const struct bench_pair *pairs, int count, struct counts *counts)
{
	for (int i = 0; i < count; i++) {
		look(engine, &pairs[i].a, counts);
		look(engine, &pairs[i].b, counts);
	}
}

static void print(const struct counts *c, const struct detector_spec *spec)
{
	for (int i = 0; i < spec->input_size_count; i++)
		printf("up to size %4d: %6d photographs, %5.1f %%\n", spec->input_sizes[i], c->last_size[i],
		       100.0 * c->last_size[i] / c->photographs);
	printf("and in a border: %5d\nno face judged:  %5d\n", c->bordered, c->failed);
	printf("once all buffers had grown, a photograph took %.2f allocations, %.2f of them ours\n",
	       (double)all / c->photographs, (double)ours / c->photographs);
}

int main(int argc, char **argv)
{
	static const struct image_limits limits = {
	    .max_bytes = BENCH_MAX_IMAGE_BYTES,
	    .max_pixels = 50000000,
	    .max_side = 16384,
	};
	static struct bench_pair pairs[BENCH_MAX_PAIRS];
	struct face_engine *engine = NULL;
	struct modelset *models = NULL;
	struct counts warm = {0};
	struct counts counts = {0};
	struct error err = {0};

	if (argc != 4) {
		fprintf(stderr, "usage: %s PAIRS.csv DETECTOR_DIR EMBEDDER_DIR\n", argv[0]);
		return 2;
	}
	int count = bench_pairs_read(argv[1], pairs);
	if (count <= 0)
		return 1;
	int r = modelset_load(&models, argv[2], argv[3], &err);
	if (r == 0)
		r = face_engine_new(&engine, models, &limits, &err);
	if (r == 0) {
		look_at_all(engine, pairs, count, &warm);
		ours = all = 0;
		look_at_all(engine, pairs, count, &counts);
		print(&counts, &models->detector);
	} else {
		fprintf(stderr, "%s\n", err.text);
	}
	face_engine_free(engine);
	modelset_free(models);
	bench_pairs_finish(pairs, count);
	return r < 0 ? 1 : 0;
}
