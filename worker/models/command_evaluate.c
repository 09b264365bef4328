#include "commands.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "base/thread.h"
#include "chosen.h"
#include "document.h"
#include "evaluation.h"
#include "roc_svg.h"

static void show_progress(size_t done, size_t of)
{
	fprintf(stderr, "\r%zu of %zu pairs%s", done, of, done == of ? "\n" : "");
}

static void print_summary(const struct roc_summary *s, const struct modelset *models)
{
	size_t different = s->pairs - s->same;

	printf("%s with %s on %zu pairs, %zu of one person\n", models->detector.name, models->embedder.name, s->pairs,
	       s->same);
	printf("  accuracy        %.2f %% at the best threshold, %.4f\n", 100 * s->accuracy, s->threshold);
	if (isnan(s->two_way))
		puts("  two-way         unknown: in one half of the list all pairs are of one kind");
	else
		printf("  two-way         %.2f %%, each half judged by the best threshold of the other\n",
		       100 * s->two_way);
	for (int i = 0; i < ROC_FARS; i++)
		printf("  true accepts    %.2f %% at a false-accept rate of %g, from %.4f on%s\n",
		       100 * s->at[i].true_accept, roc_fars[i], s->at[i].threshold,
		       (double)different * roc_fars[i] < 1 ? " (too few pairs: none accepted)" : "");
	printf("  failed pairs    %zu, counted as wrong\n", s->failed);
	printf("\nFor the embedder's model.yaml:\nthresholds: {default: %.4f", s->threshold);
	for (int i = 0; i < ROC_FARS; i++)
		printf(", %g: %.4f", roc_fars[i], s->at[i].threshold);
	puts("}   # false-accept rate: cosine");
}

static void print_json(const struct roc_summary *s, const struct modelset *models)
{
	json_t *rates = json_array();

	for (int i = 0; i < ROC_FARS; i++)
		json_array_append_new(rates, json_pack("{s:f, s:f, s:f, s:f}", "false_accept_at_most", roc_fars[i],
						       "false_accept", s->at[i].false_accept, "true_accept",
						       s->at[i].true_accept, "threshold", s->at[i].threshold));
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:o, s:o}", "detector",
				   models->detector.name, "embedder", models->embedder.name, "model_id",
				   models->model_id, "pairs", (json_int_t)s->pairs, "same", (json_int_t)s->same,
				   "failed", (json_int_t)s->failed, "accuracy", s->accuracy, "threshold", s->threshold,
				   "two_way", isnan(s->two_way) ? json_null() : json_real(s->two_way), "rates", rates);
	document_print(object);
}

static int write_text(const char *path, const struct buffer *text, struct error *err)
{
	FILE *file = fopen(path, "we");
	bool written = file && fwrite(text->data, 1, text->size, file) == text->size;

	if (file)
		written = fclose(file) == 0 && written;
	return written ? 0 : error_set(err, ERROR_INTERNAL, "%.180s: %s", path, strerror(errno));
}

static int write_roc(const char *path, const struct roc_pair *scores, const struct roc_summary *summary,
		     const struct modelset *models, struct error *err)
{
	struct roc_point *points = calloc(summary->pairs, sizeof(*points));
	struct buffer svg = {0};
	char title[160];
	int count = points ? roc_curve(scores, summary->pairs, points) : -ENOMEM;

	snprintf(title, sizeof(title), "%s with %s", models->detector.name, models->embedder.name);
	int r = count < 0 ? count : roc_svg_write(&svg, title, summary, points, count);
	r = r < 0 ? error_set(err, ERROR_INTERNAL, "no memory for the plot") : write_text(path, &svg, err);
	buffer_finish(&svg);
	free(points);
	return r;
}

static int evaluate(const struct request *request, const struct pairs *pairs, const struct modelset *models,
		    struct roc_pair *scores, struct error *err)
{
	const struct config *config = request->config;
	char *path = strdup(request->operands[0]);
	struct evaluation evaluation = {
	    .models = models,
	    .pairs = pairs,
	    .folder = path ? dirname(path) : ".",
	    .limits = {.max_bytes = (size_t)config_integer(config, OPTION_IMAGE_MAX_BYTES),
		       .max_pixels = config_integer(config, OPTION_IMAGE_MAX_PIXELS),
		       .max_side = (int)config_integer(config, OPTION_IMAGE_MAX_SIDE)},
	    .threads = request->threads > 0 ? (unsigned)request->threads : thread_processors(),
	    .progress = !request->quiet && isatty(STDERR_FILENO) ? show_progress : NULL,
	};
	struct roc_summary summary;

	int r = evaluation_run(&evaluation, scores, err);
	free(path);
	if (r == 0 && roc_summarise(scores, pairs->count, &summary) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for the figures");
	if (r < 0)
		return r;
	if (request->json)
		print_json(&summary, models);
	else
		print_summary(&summary, models);
	return request->roc ? write_roc(request->roc, scores, &summary, models, err) : 0;
}

enum models_status command_evaluate(const struct request *request)
{
	struct modelset *models = NULL;
	struct roc_pair *scores = NULL;
	struct pairs pairs = {0};
	struct error err = {0};
	int r = 0;

	if (request->operand_count != 1)
		r = error_set(&err, ERROR_CONFIG, "evaluate takes one PAIRS.csv");
	if (r == 0)
		r = pairs_read(&pairs, request->operands[0], &err);
	if (r == 0)
		r = chosen_models(&models, request, &err);
	if (r == 0) {
		scores = calloc(pairs.count, sizeof(*scores));
		r = scores ? evaluate(request, &pairs, models, scores, &err)
			   : error_set(&err, ERROR_INTERNAL, "no memory for %zu pairs", pairs.count);
	}
	free(scores);
	modelset_free(models);
	pairs_finish(&pairs);
	if (r == 0)
		return MODELS_OK;
	complain(&err);
	return stop_requested() ? MODELS_ABORTED : err.code == ERROR_INTERNAL ? MODELS_FAILED : MODELS_USAGE;
}
