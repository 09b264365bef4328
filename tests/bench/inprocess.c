/*
 * What matching alone costs: the pairs of a CSV, read into memory first, matched on one thread
 * without a broker. Prints one JSON line: matches a second, and what share of the time each stage took. The yardstick
 * for queueing overhead. With a file, writes a line for each match into it: its number, similarity and verdict.
 *
 * Usage: bench_inprocess PAIRS.csv DETECTOR_DIR EMBEDDER_DIR COUNT [VERDICTS.csv]
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "matcher.h"
#include "pairs.h"

/* What a run adds up. */
struct totals {
	double ms[STAGE_COUNT];
	int failed;
};

static void match(struct matcher *matcher, const struct bench_pair *pair, int number, FILE *verdicts,
		  struct totals *totals)
{
	struct reply reply;
	struct error err;
	struct job job;

	job_init(&job, JOB_MATCH);
	job.image_a = (struct job_image){.data = pair->a.data, .size = pair->a.size};
	job.image_b = (struct job_image){.data = pair->b.data, .size = pair->b.size};
	reply_init(&reply, "", &job);
	timings_init(&reply.timings);
	bool is_failed = matcher_run(matcher, NULL, &job, &reply, &err) < 0;
	totals->failed += is_failed;
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		totals->ms[stage] += reply.timings.ms[stage] > 0 ? reply.timings.ms[stage] : 0;
	if (verdicts)
		fprintf(verdicts, "%d,%.6f,%s\n", number, reply.result.similarity,
			is_failed              ? "failed"
			: reply.result.matched ? "same"
					       : "different");
}

static void run(struct matcher *matcher, const struct bench_pair *pairs, int pair_count, int matches, FILE *verdicts)
{
	struct totals totals = {0};
	int64_t start = clock_monotonic_ns();

	for (int i = 0; i < matches; i++)
		match(matcher, &pairs[i % pair_count], i, verdicts, &totals);
	double seconds = clock_elapsed_ms(start, clock_monotonic_ns()) / 1000;
	printf("{\"matches\": %d, \"failed\": %d, \"seconds\": %.3f, \"matches_per_second\": %.2f, \"percent\": {",
	       matches, totals.failed, seconds, matches / seconds);
	const char *separator = "";
	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		if (totals.ms[stage] > 0) {
			printf("%s\"%s\": %.1f", separator, stage_name((enum stage)stage),
			       totals.ms[stage] / seconds / 10);
			separator = ", ";
		}
	}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	static struct bench_pair pairs[BENCH_MAX_PAIRS];
	struct modelset *models = NULL;
	struct matcher *matcher = NULL;
	struct error err = {0};

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: %s PAIRS.csv DETECTOR_DIR EMBEDDER_DIR COUNT [VERDICTS.csv]\n", argv[0]);
		return 2;
	}
	FILE *verdicts = argc > 5 ? fopen(argv[5], "w") : NULL;
	if (argc > 5 && !verdicts) {
		perror(argv[5]);
		return 1;
	}
	int count = bench_pairs_read(argv[1], pairs);
	if (count <= 0)
		return 1;
	int r = modelset_load(&models, argv[2], argv[3], &err);
	if (r == 0) {
		const struct matcher_settings settings = {
		    .models = models,
		    .limits = {.max_bytes = BENCH_MAX_IMAGE_BYTES, .max_pixels = 50000000, .max_side = 16384},
		    .rules.min_threshold = -1,
		};
		r = matcher_new(&matcher, &settings, &err);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	else
		run(matcher, pairs, count, atoi(argv[4]), verdicts);
	matcher_free(matcher);
	modelset_free(models);
	bench_pairs_finish(pairs, count);
	if (verdicts)
		fclose(verdicts);
	return r < 0 ? 1 : 0;
}
