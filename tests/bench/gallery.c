/*
 * Search among enrolled faces, in float32 alone and with the copy in 8 bits, beside one read of the matrix: by one
 * thread and by two at once. The vectors are random, or mixed from the faces of the pairs in a CSV.
 *
 * usage: bench_gallery [--kernels avx2|sse2] IMAGES DIMENSION [PAIRS.csv DETECTOR EMBEDDER]
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "face/engine.h"
#include "face/gallery_inside.h"
#include "nn/blas.h"
#include "pairs.h"

#define TOP_K 10
#define BATCH 8
#define THREADS 2
#define MAX_FACES (2 * BENCH_MAX_PAIRS)
/** More if they take less than MIN_MS together. */
#define MIN_ROUNDS 15
#define MIN_MS 300

typedef float vec __attribute__((vector_size(64)));

static const uint64_t seed = 88172645463325252u;
static uint64_t state;

/* xorshift64 by G. Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 32;
}

/* Embeddings of real faces, the first BATCH of which are the queries; none: everything is random. */
struct faces {
	int dimension;
	size_t count;
	float *embeddings;
};

static void normalise(float *vector, int dimension)
{
	double square = 0;

	for (int i = 0; i < dimension; i++)
		square += (double)vector[i] * vector[i];
	for (int i = 0; i < dimension; i++)
		vector[i] = (float)(vector[i] / sqrt(square));
}

/* The next vector: a face nobody has seen lies between two that were. */
static void draw(const struct faces *faces, size_t index, float *out)
{
	if (faces->count == 0) {
		for (int i = 0; i < faces->dimension; i++)
			out[i] = (float)((double)next_random() / 2147483648.0 - 1);
	} else {
		size_t others = faces->count - BATCH;
		size_t a = BATCH + (index < others ? index : next_random() % others);
		size_t b = BATCH + next_random() % others;
		float share = index < others ? 0 : 0.75f;

		for (int i = 0; i < faces->dimension; i++)
			out[i] = faces->embeddings[a * (size_t)faces->dimension + i] +
				 share * faces->embeddings[b * (size_t)faces->dimension + i];
	}
	normalise(out, faces->dimension);
}

static void embed(struct faces *faces, struct face_engine *engine, const struct buffer *photograph)
{
	static struct face_set set;
	struct error err;

	if (face_engine_analyse(engine, NULL, photograph->data, photograph->size, FACE_POLICY_LARGEST, &set, NULL,
				&err) == 0)
		memcpy(faces->embeddings + faces->count++ * (size_t)faces->dimension, set.embeddings[0],
		       (size_t)faces->dimension * sizeof(float));
}

/* The second photographs of the pairs are the last: a query has its person in the gallery. */
static void embed_all(struct faces *faces, const char *csv, const char *detector, const char *embedder)
{
	static struct bench_pair pairs[BENCH_MAX_PAIRS];
	static const struct image_limits limits = {
	    .max_bytes = BENCH_MAX_IMAGE_BYTES, .max_pixels = 50000000, .max_side = 16384};
	struct modelset *models;
	struct face_engine *engine;
	struct error err;
	int count = bench_pairs_read(csv, pairs);

	if (count < 0 || nn_blas_prepare(&err) < 0 || modelset_load(&models, detector, embedder, &err) < 0 ||
	    models->embedder.dimension != faces->dimension || face_engine_new(&engine, models, &limits, &err) < 0) {
		fprintf(stderr, "cannot embed the faces of %s\n", csv);
		exit(1);
	}
	faces->embeddings = malloc(MAX_FACES * (size_t)faces->dimension * sizeof(float));
	for (int i = 0; i < count; i++)
		embed(faces, engine, &pairs[i].a);
	for (int i = 0; i < count; i++)
		embed(faces, engine, &pairs[i].b);
	face_engine_free(engine);
	modelset_free(models);
	bench_pairs_finish(pairs, count);
}

static double ms_since(int64_t start)
{
	return (double)(clock_monotonic_ns() - start) / 1e6;
}

static struct gallery *load(const struct faces *faces, size_t images, const struct gallery_tuning *tuning, double *ms)
{
	struct gallery *gallery = gallery_new_tuned(faces->dimension, tuning);
	float *embedding = malloc((size_t)faces->dimension * sizeof(float));
	const char id[1][UUID_SIZE] = {"00000000-0000-7000-8000-000000000001"};
	char user[32];

	state = seed;
	*ms = 0;
	for (size_t i = 0; i < images; i++) {
		draw(faces, i, embedding);
		snprintf(user, sizeof(user), "user-%zu", i);
		int64_t start = clock_monotonic_ns();
		if (!gallery || gallery_set_user(gallery, user, 1, id, embedding) < 0)
			exit(1);
		*ms += ms_since(start);
	}
	free(embedding);
	return gallery;
}

/* --- what is measured --- */

enum work { READ, FLOAT_ONE, FLOAT_BATCH, INT8_ONE, INT8_BATCH, JOBS };

struct bench {
	int threads;
	int rounds;
	struct gallery *gallery[2]; /**< float32, int8 */
	const float *queries;
	pthread_barrier_t barrier;
};

struct thread {
	struct bench *bench;
	double best[JOBS];
	double share[JOBS]; /**< of the products, computed in float32 */
	float sink;
};

/* Every cache line of it, once. */
static float read_once(const float *matrix, size_t floats)
{
	const vec *at = (const vec *)matrix;
	vec sum[8] = {{0}};
	float all = 0;

	for (size_t i = 0; i + 8 <= floats / 16; i += 8) {
		for (int k = 0; k < 8; k++)
			sum[k] += at[i + k];
	}
	for (int k = 0; k < 8; k++)
		all += sum[k][0];
	return all;
}

static void run(struct thread *thread, enum work job, struct gallery_search *search, const struct gallery_view *view)
{
	static const float thresholds[BATCH] = {-1, -1, -1, -1, -1, -1, -1, -1};
	struct gallery *gallery = thread->bench->gallery[job >= INT8_ONE];
	unsigned count = job == FLOAT_BATCH || job == INT8_BATCH ? BATCH : 1;

	if (job == READ)
		thread->sink += read_once(view->store->rows, view->count * view->store->stride);
	else if (gallery_search_run(search, gallery, thread->bench->queries, count, TOP_K, thresholds) < 0)
		exit(1);
	else
		thread->share[job] = (double)gallery_search_products(search) / (double)(view->count * count);
}

static void *measure(void *arg)
{
	struct thread *thread = arg;
	struct gallery_search *search = gallery_search_new();
	struct gallery_view *view = gallery_hold(thread->bench->gallery[0]);

	for (int i = 0; i < thread->bench->rounds; i++) {
		for (int job = 0; job < JOBS; job++) {
			pthread_barrier_wait(&thread->bench->barrier);
			int64_t start = clock_monotonic_ns();
			run(thread, job, search, view);
			double ms = ms_since(start);
			if (i == 0 || ms < thread->best[job])
				thread->best[job] = ms;
		}
	}
	gallery_view_drop(view);
	gallery_search_free(search);
	return NULL;
}

static void print_search(const char *name, const struct thread *t, enum work one, enum work batch)
{
	printf("%-8s one query %8.3f ms, %.2f of a read; eight %8.3f ms, %.2f of a read, %.3f ms a query", name,
	       t->best[one], t->best[one] / t->best[READ], t->best[batch], t->best[batch] / t->best[READ],
	       t->best[batch] / BATCH);
	printf("; %.3f %% and %.3f %% of the products in float32\n", t->share[one] * 100, t->share[batch] * 100);
}

static void measure_all(struct bench *bench, int threads, double read_bytes)
{
	struct thread all[THREADS];
	pthread_t ids[THREADS];

	memset(all, 0, sizeof(all));
	pthread_barrier_init(&bench->barrier, NULL, (unsigned)threads);
	for (int i = 0; i < threads; i++) {
		all[i].bench = bench;
		if (pthread_create(&ids[i], NULL, measure, &all[i]) != 0)
			exit(1);
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		for (int job = 0; job < JOBS; job++)
			all[0].best[job] = fmax(all[0].best[job], all[i].best[job]);
	}
	pthread_barrier_destroy(&bench->barrier);
	printf("%d thread%s: a read %.3f ms, %.1f GB/s each%s\n", threads, threads > 1 ? "s at once" : "",
	       all[0].best[READ], read_bytes / all[0].best[READ] / 1e6, all[0].sink == 1 ? " " : "");
	print_search("float32", all, FLOAT_ONE, FLOAT_BATCH);
	print_search("int8", all, INT8_ONE, INT8_BATCH);
}

static struct gallery *load_and_print(const char *name, const struct faces *faces, size_t images,
				      const struct gallery_tuning *tuning)
{
	double ms;
	struct gallery *gallery = load(faces, images, tuning, &ms);

	printf("%-8s %.0f MB, loaded in %.0f ms (%.2f µs each)\n", name, (double)gallery_size(gallery).bytes / 1e6, ms,
	       ms * 1000 / (double)images);
	return gallery;
}

/* Of the first processor, in kB; 0 if it is not known. */
static long l3_size(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
	long size = 0;

	if (file && fscanf(file, "%ld", &size) != 1)
		size = 0;
	if (file)
		fclose(file);
	return size;
}

static void make_queries(const struct faces *faces, float *queries)
{
	state = seed / 3;
	for (int i = 0; i < BATCH; i++) {
		float *query = queries + (size_t)i * faces->dimension;

		if (faces->count == 0)
			draw(faces, 0, query);
		else
			memcpy(query, faces->embeddings + (size_t)i * faces->dimension,
			       (size_t)faces->dimension * sizeof(float));
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_gallery [--kernels avx2|sse2] IMAGES DIMENSION [PAIRS.csv DETECTOR EMBEDDER]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct gallery_tuning tuning = gallery_tuning_best();

	if (argc > 2 && strcmp(argv[1], "--kernels") == 0) {
		tuning.int8 = gallery_int8_named(argv[2]);
		tuning.scores = gallery_scores_named(strcmp(argv[2], "sse2") == 0 ? "portable" : argv[2]);
		argc -= 2;
		argv += 2;
	}
	if ((argc != 3 && argc != 6) || !tuning.scores)
		return usage();
	size_t images = strtoul(argv[1], NULL, 10);
	struct faces faces = {.dimension = (int)strtol(argv[2], NULL, 10)};
	struct bench bench = {.rounds = MIN_ROUNDS};
	double read_bytes = (double)images * faces.dimension * sizeof(float);

	if (argc == 6)
		embed_all(&faces, argv[3], argv[4], argv[5]);
	float *queries = malloc(BATCH * (size_t)faces.dimension * sizeof(float));
	make_queries(&faces, queries);
	bench.queries = queries;
	printf("%zu images of %d, matrix %.1f MB, L3 %.1f MB", images, faces.dimension, read_bytes / 1e6,
	       (double)l3_size() * 1024 / 1e6);
	if (faces.count > 0)
		printf(", from %zu faces\n", faces.count);
	else
		printf(", random\n");
	tuning.int8_from = SIZE_MAX;
	bench.gallery[0] = load_and_print("float32", &faces, images, &tuning);
	tuning.int8_from = 0;
	bench.gallery[1] = load_and_print("int8", &faces, images, &tuning);
	if (read_bytes / 3e7 * MIN_ROUNDS < MIN_MS)
		bench.rounds = (int)(MIN_MS * 3e7 / read_bytes);
	for (int threads = 1; threads <= THREADS; threads++)
		measure_all(&bench, threads, read_bytes);
	gallery_free(bench.gallery[0]);
	gallery_free(bench.gallery[1]);
	free(faces.embeddings);
	free(queries);
	return 0;
}
