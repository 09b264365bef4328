/*
 * The embedder in 8 bits beside itself in float32, on one thread.
 *
 * Usage: bench_int8 calibrate DETECTOR_DIR EMBEDDER_DIR PHOTO...      prints the ranges nn_model_load_int8() reads
 *        bench_int8 compare DETECTOR_DIR EMBEDDER_DIR NETWORK.onnx RANGES PAIRS.csv
 *
 * compare judges the labelled pairs like lfw.py (each half chooses the threshold for the other, a failed pair is wrong)
 * and times both in turn.
 */
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "face/align.h"
#include "face/detector.h"
#include "face/embedder.h"
#include "face/image_decode.h"
#include "face/normalise.h"
#include "nn/model.h"
#include "nn/quantise.h"
#include "nn/session.h"

#define MAX_PAIRS 10000
#define MAX_BYTES (10 << 20)
#define TURNS 60
#define RUNS_A_TURN 20

/* What turns a photograph into an aligned face. */
struct source {
	struct modelset *models;
	struct detector *detector;
	struct image picture;
	struct aligner aligner;
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];
};

struct pair {
	bool is_same;
	bool failed;
	double similarity;
};

static int find_face(struct source *s, const char *path)
{
	static const struct image_limits limits = {.max_bytes = MAX_BYTES, .max_pixels = 50000000, .max_side = 16384};
	struct buffer file = {0};
	const struct candidates *found;
	struct similarity to_template;
	struct error err = {0};
	int r = buffer_read_file(&file, path, MAX_BYTES, &err);

	if (r == 0)
		r = image_decode(&s->picture, file.data, file.size, &limits, 0, &err);
	if (r == 0)
		r = detector_find(s->detector, NULL, &s->picture, FACE_POLICY_LARGEST, &found, &err);
	if (r == 0)
		r = align_estimate(found->items[0].landmarks, &to_template);
	if (r == 0)
		r = align_warp(&s->aligner, &s->picture, &to_template, ALIGN_SIDE, ALIGN_SIDE, s->crop);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", path, err.text);
	buffer_finish(&file);
	return r;
}

static int embed(struct embedder *e, const uint8_t *crop, float *embedding)
{
	struct error err;

	embedder_put(e, 0, crop);
	embedder_run(e, 1);
	return embedder_get(e, 0, embedding, &err);
}

static double cosine(const float *a, const float *b, int dimension)
{
	double sum = 0;

	for (int i = 0; i < dimension; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static double accuracy(const struct pair *pairs, int count, double threshold)
{
	int right = 0;

	for (int i = 0; i < count; i++)
		right += !pairs[i].failed && (pairs[i].similarity >= threshold) == pairs[i].is_same;
	return (double)right / count;
}

static int by_similarity(const void *a, const void *b)
{
	double x = ((const struct pair *)a)->similarity;
	double y = ((const struct pair *)b)->similarity;

	return (x > y) - (x < y);
}

/* The middle of the gap whose ends judge the pairs best. */
static double best_threshold(const struct pair *pairs, int count)
{
	struct pair *sorted = malloc((size_t)count * sizeof(*sorted));
	double best = -1;

	if (!sorted)
		abort();
	memcpy(sorted, pairs, (size_t)count * sizeof(*sorted));
	qsort(sorted, (size_t)count, sizeof(*sorted), by_similarity);
	for (int i = 0; i + 1 < count; i++) {
		double middle = (sorted[i].similarity + sorted[i + 1].similarity) / 2;

		if (accuracy(pairs, count, middle) > accuracy(pairs, count, best))
			best = middle;
	}
	free(sorted);
	return best;
}

static double two_way(const struct pair *pairs, int count)
{
	int half = count / 2;

	return (accuracy(pairs + half, count - half, best_threshold(pairs, half)) +
		accuracy(pairs, half, best_threshold(pairs + half, count - half))) /
	       2;
}

static double milliseconds_a_run(struct embedder *e)
{
	int64_t start = clock_monotonic_ns();

	for (int i = 0; i < RUNS_A_TURN; i++)
		embedder_run(e, 1);
	return (double)(clock_monotonic_ns() - start) / 1e6 / RUNS_A_TURN;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void compare_speed(struct embedder *const *embedders)
{
	double times[2][TURNS];
	double ratios[TURNS];

	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < 2; i++)
			times[i][turn] = milliseconds_a_run(embedders[i]);
		ratios[turn] = times[0][turn] / times[1][turn];
	}
	qsort(times[0], TURNS, sizeof(double), rising);
	qsort(times[1], TURNS, sizeof(double), rising);
	qsort(ratios, TURNS, sizeof(double), rising);
	printf("median of %d turns: float32 %.4f ms, int8 %.4f ms, ratio %.2f (10th percentile %.2f, 90th %.2f)\n",
	       TURNS, times[0][TURNS / 2], times[1][TURNS / 2], ratios[TURNS / 2], ratios[TURNS / 10],
	       ratios[TURNS * 9 / 10]);
}

/* Fills the similarities of one pair in both precisions, and the cosines between the two. */
static void judge(struct source *s, struct embedder *const *embedders, char paths[2][4096], struct pair *const *pairs,
		  double *least, double *sum, int *faces)
{
	static float embeddings[2][2][MODELSET_MAX_DIMENSION]; /* by precision and photograph */
	int dimension = s->models->embedder.dimension;

	for (int photo = 0; photo < 2; photo++) {
		if (find_face(s, paths[photo]) < 0 || embed(embedders[0], s->crop, embeddings[0][photo]) < 0 ||
		    embed(embedders[1], s->crop, embeddings[1][photo]) < 0) {
			pairs[0]->failed = pairs[1]->failed = true;
			return;
		}
		double same = cosine(embeddings[0][photo], embeddings[1][photo], dimension);
		*least = fmin(*least, same);
		*sum += same;
		++*faces;
	}
	for (int i = 0; i < 2; i++)
		pairs[i]->similarity = cosine(embeddings[i][0], embeddings[i][1], dimension);
}

/* Rows are id,image_a,image_b,same; names without quotes, relative to the CSV. */
static int compare(struct source *s, struct embedder *const *embedders, const char *csv)
{
	static struct pair pairs[2][MAX_PAIRS];
	char folder_path[2048];
	char line[4096];
	char paths[2][4096];
	double least = 1;
	double sum = 0;
	int faces = 0;
	int count = 0;
	FILE *file = fopen(csv, "r");

	if (!file) {
		perror(csv);
		return 1;
	}
	snprintf(folder_path, sizeof(folder_path), "%s", csv);
	const char *folder = dirname(folder_path);
	while (count < MAX_PAIRS && fgets(line, sizeof(line), file)) {
		char *rest = line;
		const char *id = strsep(&rest, ",");
		const char *a = strsep(&rest, ",");
		const char *b = strsep(&rest, ",");
		if (!rest || strcmp(id, "id") == 0)
			continue;
		snprintf(paths[0], sizeof(paths[0]), "%s/%s", folder, a);
		snprintf(paths[1], sizeof(paths[1]), "%s/%s", folder, b);
		struct pair *both[] = {&pairs[0][count], &pairs[1][count]};
		*both[0] = *both[1] = (struct pair){.is_same = *rest == '1', .similarity = -1};
		judge(s, embedders, paths, both, &least, &sum, &faces);
		count++;
	}
	fclose(file);
	if (faces == 0)
		return 1;
	double percent[] = {100 * two_way(pairs[0], count), 100 * two_way(pairs[1], count)};
	printf("%d pairs two-way: float32 %.2f %%, int8 %.2f %%, difference %+.2f points\n", count, percent[0],
	       percent[1], percent[1] - percent[0]);
	printf("cosine between float32 and int8 of %d faces: mean %.5f, least %.5f\n", faces, sum / faces, least);
	compare_speed(embedders);
	return 0;
}

static int calibrate(struct source *s, char **photos, int count)
{
	const struct nn_model *model = s->models->embedder_model;
	struct nn_range *ranges = calloc(model->graph.value_count, sizeof(*ranges));
	const struct placement whole = {.width = ALIGN_SIDE, .height = ALIGN_SIDE};
	const struct nn_shape shape = {.rank = 4, .dim = {1, 3, ALIGN_SIDE, ALIGN_SIDE}};
	struct nn_session *session;
	struct error err;

	if (!ranges || nn_session_new(&session, model, &shape, 0, &err) < 0)
		return 1;
	for (unsigned i = 0; i < model->graph.value_count; i++)
		ranges[i] = (struct nn_range){1, -1};
	for (int i = 0; i < count; i++) {
		if (find_face(s, photos[i]) < 0)
			continue;
		normalise_frame(&s->models->embedder.norm, s->crop, &whole, nn_session_input(session), ALIGN_SIDE,
				ALIGN_SIDE);
		nn_calibrate(session, ranges);
	}
	int r = nn_calibration_write(model, ranges, stdout);
	nn_session_free(session);
	free(ranges);
	return r < 0 ? 1 : 0;
}

/* The second embedder is the same set with the network loaded again in 8 bits, as `set`. */
static int prepare(struct source *s, struct embedder **embedders, struct modelset *set, char **paths, struct error *err)
{
	struct buffer file = {0};
	struct buffer text = {0};

	*set = *s->models;
	set->embedder_model = NULL;
	int r = embedder_new(&embedders[0], s->models, 1, err);

	if (r == 0)
		r = buffer_read_file(&file, paths[0], (size_t)512 << 20, err);
	if (r == 0)
		r = buffer_read_file(&text, paths[1], MAX_BYTES, err);
	if (r == 0)
		r = nn_model_load_int8(&set->embedder_model, paths[0], file.data, file.size, (const char *)text.data,
				       text.size, err);
	if (r == 0)
		r = embedder_new(&embedders[1], set, 1, err);
	buffer_finish(&file);
	buffer_finish(&text);
	return r;
}

int main(int argc, char **argv)
{
	static struct source source;
	struct embedder *embedders[2] = {NULL, NULL};
	struct error err = {0};
	static struct modelset second;
	bool compares = argc == 7 && strcmp(argv[1], "compare") == 0;
	int status = 1;

	if (!compares && (argc < 5 || strcmp(argv[1], "calibrate") != 0)) {
		fprintf(stderr,
			"usage: %s calibrate DETECTOR EMBEDDER PHOTO...\n"
			"       %s compare DETECTOR EMBEDDER NETWORK.onnx RANGES PAIRS.csv\n",
			argv[0], argv[0]);
		return 2;
	}
	int r = modelset_load(&source.models, argv[2], argv[3], &err);
	if (r == 0)
		r = detector_new(&source.detector, source.models, &err);
	if (r == 0 && compares)
		r = prepare(&source, embedders, &second, argv + 4, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		status = compares ? compare(&source, embedders, argv[6]) : calibrate(&source, argv + 4, argc - 4);
	embedder_free(embedders[0]);
	embedder_free(embedders[1]);
	detector_free(source.detector);
	image_finish(&source.picture);
	aligner_finish(&source.aligner);
	nn_model_free(second.embedder_model);
	modelset_free(source.models);
	return status;
}
