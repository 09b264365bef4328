/*
 * Search among enrolled faces, beside one read of the matrix: one thread, synthetic vectors.
 * usage: bench_gallery IMAGES DIMENSION [ROUNDS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "face/gallery.h"
#include "face/gallery_scores.h"

#define TOP_K 10
#define BATCH 8

typedef float vec __attribute__((vector_size(64)));

static uint64_t state = 88172645463325252u;

/* xorshift64 by G. Marsaglia, "Xorshift RNGs", 2003. */
static float noise(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

static void direction(float *out, int dimension)
{
	double square = 0;

	for (int i = 0; i < dimension; i++) {
		out[i] = noise();
		square += (double)out[i] * out[i];
	}
	for (int i = 0; i < dimension; i++)
		out[i] = (float)(out[i] / sqrt(square));
}

/* Every cache line of it, once. */
static float read_once(const float *matrix, size_t floats)
{
	const vec *at = (const vec *)matrix;
	vec sum[8] = {{0}};
	float all = 0;

	for (size_t i = 0; i < floats / 16; i += 8) {
		for (int k = 0; k < 8; k++)
			sum[k] += at[i + k];
	}
	for (int k = 0; k < 8; k++)
		all += sum[k][0];
	return all;
}

static double ms_since(int64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e6;
}

static double best(double so_far, double ms)
{
	return so_far == 0 || ms < so_far ? ms : so_far;
}

static double search_ms(struct gallery_search *search, struct gallery *gallery, const float *queries, unsigned count)
{
	static const float thresholds[BATCH] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int64_t start = clock_monotonic_ns();

	if (gallery_search_run(search, gallery, queries, count, TOP_K, thresholds) < 0)
		exit(1);
	return ms_since(start);
}

static struct gallery *load(size_t images, int dimension, double *ms)
{
	struct gallery *gallery = gallery_new(dimension);
	float *embedding = malloc((size_t)dimension * sizeof(float));
	const char id[1][UUID_SIZE] = {"00000000-0000-7000-8000-000000000001"};
	char user[32];

	*ms = 0;
	for (size_t i = 0; i < images; i++) {
		direction(embedding, dimension);
		snprintf(user, sizeof(user), "user-%zu", i);
		int64_t start = clock_monotonic_ns();
		if (!gallery || gallery_set_user(gallery, user, 1, id, embedding) < 0)
			exit(1);
		*ms += ms_since(start);
	}
	free(embedding);
	return gallery;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: bench_gallery IMAGES DIMENSION [ROUNDS]\n");
		return 2;
	}
	size_t images = strtoul(argv[1], NULL, 10);
	int dimension = (int)strtol(argv[2], NULL, 10);
	int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 20;
	size_t stride = ((size_t)dimension + 15) / 16 * 16;
	size_t floats = images * stride / 128 * 128;
	float *matrix = aligned_alloc(64, floats * sizeof(float));
	float *queries = malloc(BATCH * (size_t)dimension * sizeof(float));
	struct gallery_search *search = gallery_search_new();
	double load_ms;
	double one = 0, eight = 0, read = 0;
	float sink = 0;
	struct gallery *gallery = load(images, dimension, &load_ms);

	memset(matrix, 0, floats * sizeof(float));
	for (int i = 0; i < BATCH; i++)
		direction(queries + i * dimension, dimension);
	for (int i = 0; i < rounds; i++) {
		int64_t start = clock_monotonic_ns();
		sink += read_once(matrix, floats);
		read = best(read, ms_since(start));
		one = best(one, search_ms(search, gallery, queries, 1));
		eight = best(eight, search_ms(search, gallery, queries, BATCH));
	}
	struct gallery_size size = gallery_size(gallery);
	printf("%zu images of %d: %.0f MB, loaded in %.0f ms (%.2f µs each)\n", size.images, dimension,
	       (double)size.bytes / 1e6, load_ms, load_ms * 1000 / (double)images);
	printf("read once %.3f ms (%.1f GB/s)%s\n", read, (double)floats * 4 / read / 1e6, sink == 1 ? " " : "");
	printf("one query %.3f ms, %.2f of a read\n", one, one / read);
	printf("eight     %.3f ms, %.2f of a read, %.3f ms a query\n", eight, eight / read, eight / BATCH);
	gallery_search_free(search);
	gallery_free(gallery);
	free(matrix);
	free(queries);
	return 0;
}
