#include "commands.h"

#include <stdio.h>

#include "base/stop.h"
#include "catalogue.h"
#include "face/engine.h"
#include "network.h"

#define RUNS 5

static int time_detector(const struct modelset *models, struct error *err)
{
	struct network_cost cost;
	int r = 0;

	printf("  detector    %s:", models->detector.name);
	for (int i = 0; i < models->detector.input_size_count && r == 0; i++) {
		int side = models->detector.input_sizes[i];
		r = network_measure(models->detector_model, side, side, RUNS, &cost, err);
		if (r == 0)
			printf("%s %dx%d %.2f ms", i > 0 ? "," : "", side, side, cost.ms);
	}
	putchar('\n');
	return r;
}

static int time_embedder(const struct modelset *models, struct error *err)
{
	const struct embedder_spec *e = &models->embedder;
	struct network_cost cost;
	int r = network_measure(models->embedder_model, e->width, e->height, RUNS, &cost, err);

	if (r == 0)
		printf("  embedder    %s: %dx%d %.2f ms, %d numbers\n", e->name, e->width, e->height, cost.ms,
		       e->dimension);
	return r;
}

/* As a worker would use it: everything it plans and runs before its first job. */
static int run_engine(const struct modelset *models, struct error *err)
{
	const struct image_limits limits = {.max_bytes = 1, .max_pixels = 1, .max_side = 1};
	struct face_engine *engine = NULL;
	int r = face_engine_new(&engine, models, &limits, err);

	if (r == 0)
		r = face_engine_warm(engine, err);
	face_engine_free(engine);
	return r;
}

static int verify(const struct set_place *set, struct error *err)
{
	struct modelset *models = NULL;
	int r = modelset_load(&models, set->detector, set->embedder, err);

	printf("%s\n", set->name);
	if (r == 0)
		r = time_detector(models, err);
	if (r == 0)
		r = time_embedder(models, err);
	if (r == 0)
		r = run_engine(models, err);
	if (r == 0)
		printf("  good: hashes, shapes and runs; model id %s\n", models->model_id);
	else
		printf("  bad: %s\n", err->text);
	fflush(stdout);
	modelset_free(models);
	return r;
}

static enum models_status verify_all(const struct request *request)
{
	enum models_status status = MODELS_OK;
	struct catalogue catalogue;
	struct error err = {0};

	if (catalogue_read(&catalogue, request->config, &err) < 0) {
		complain(&err);
		return MODELS_USAGE;
	}
	for (size_t i = 0; i < catalogue.count && !stop_requested(); i++)
		if (verify(&catalogue.sets[i], &err) < 0)
			status = MODELS_FAILED;
	catalogue_finish(&catalogue);
	return status;
}

enum models_status command_verify(const struct request *request)
{
	enum models_status status = MODELS_OK;
	struct set_place set;
	struct error err = {0};

	if (request->operand_count == 0)
		return verify_all(request);
	for (int i = 0; i < request->operand_count && !stop_requested(); i++) {
		if (catalogue_find(&set, request->config, request->operands[i], &err) < 0) {
			complain(&err);
			status = MODELS_FAILED;
		} else if (verify(&set, &err) < 0) {
			status = MODELS_FAILED;
		}
	}
	return status;
}
