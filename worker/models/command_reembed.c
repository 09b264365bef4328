#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/stop.h"
#include "chosen.h"
#include "reembedding.h"
#include "store/collections.h"

static void show_progress(uint64_t added)
{
	fprintf(stderr, "\r%" PRIu64 " embedded", added);
}

/* A name that nobody has is a slip, not a collection that is filled already. */
static int check_collections(const struct request *request, const struct store_settings *settings, struct error *err)
{
	struct store *store;
	int r = store_open(&store, settings, err);

	if (r < 0)
		return r;
	for (int i = 0; r == 0 && i < request->operand_count; i++) {
		uint64_t images = 0;

		r = collections_count_images(store, request->operands[i], NULL, &images, err);
		if (r == 0 && images == 0)
			r = error_set(err, ERROR_CONFIG, "nobody is enrolled in a collection \"%.128s\"",
				      request->operands[i]);
	}
	store_close(store);
	return r;
}

static void report(const struct request *request, const char *collection, const struct reembedding_result *result)
{
	if (result->list.size > 0)
		fwrite(result->list.data, 1, result->list.size, stdout);
	if (request->quiet)
		return;
	printf("%s%s%" PRIu64 " embedded, %" PRIu64 " without a picture, %" PRIu64 " with a damaged one\n",
	       collection ? collection : "", collection ? ": " : "", result->added, result->without_crop,
	       result->damaged);
}

/* Returns how many images are left over, or a negative errno. */
static int fill(const struct request *request, struct reembedding *reembedding, bool *is_filled, struct error *err)
{
	struct reembedding_result result = {.list = {.limit = REEMBEDDING_LIST_MAX}};
	int r = reembedding_run(reembedding, &result, err);

	if (reembedding->progress && result.added > 0)
		fputc('\n', stderr);
	if (r == 0)
		report(request, reembedding->collection, &result);
	*is_filled = *is_filled && result.without_crop + result.damaged == 0;
	buffer_finish(&result.list);
	return r;
}

static int fill_all(const struct request *request, const struct modelset *models, const struct store_settings *settings,
		    bool *is_filled, struct error *err)
{
	struct reembedding reembedding = {
	    .models = models,
	    .store = settings,
	    .threads = request->threads > 0 ? (unsigned)request->threads : 1,
	    .progress = !request->quiet && isatty(STDERR_FILENO) ? show_progress : NULL,
	};
	int r = 0;

	*is_filled = true;
	if (request->operand_count == 0)
		return fill(request, &reembedding, is_filled, err);
	for (int i = 0; r == 0 && i < request->operand_count; i++) {
		reembedding.collection = request->operands[i];
		r = fill(request, &reembedding, is_filled, err);
	}
	return r;
}

enum models_status command_reembed(const struct request *request)
{
	struct store_settings settings;
	struct modelset *models = NULL;
	struct error err = {0};
	bool is_filled = false;
	int r = store_settings_from_config(&settings, request->config, &err);

	if (r == 0)
		r = check_collections(request, &settings, &err);
	if (r == 0)
		r = chosen_models(&models, request, &err);
	if (r == 0)
		r = fill_all(request, models, &settings, &is_filled, &err);
	modelset_free(models);
	if (r == 0)
		return is_filled ? MODELS_OK : MODELS_FAILED;
	complain(&err);
	return stop_requested()                      ? MODELS_ABORTED
	       : err.code == ERROR_STORE_UNAVAILABLE ? MODELS_NO_STORE
	       : err.code == ERROR_INTERNAL          ? MODELS_FAILED
						     : MODELS_USAGE;
}
