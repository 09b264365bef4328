#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalogue.h"
#include "document.h"
#include "face/modelset.h"

#define ID_SHOWN 12

static void print_row(const struct set_place *set, const struct modelset *models, const struct error *err)
{
	if (models)
		printf("%-16s %-11s %-24s %-24s %.*s\n", set->name, set->origin, models->detector.name,
		       models->embedder.name, ID_SHOWN, models->model_id);
	else
		printf("%-16s %-11s unusable: %s\n", set->name, set->origin, err->text);
}

static void add_row(json_t *rows, const struct set_place *set, const struct modelset *models, const struct error *err)
{
	json_t *row =
	    json_pack("{s:s, s:s, s:{s:s, s:s?}, s:{s:s, s:s?}, s:s?, s:s?}", "name", set->name, "origin", set->origin,
		      "detector", "folder", set->detector, "name", models ? models->detector.name : NULL, "embedder",
		      "folder", set->embedder, "name", models ? models->embedder.name : NULL, "model_id",
		      models ? models->model_id : NULL, "error", models ? NULL : err->text);

	if (row)
		json_array_append_new(rows, row);
}

enum models_status command_list(const struct request *request)
{
	struct catalogue catalogue;
	struct error err = {0};
	json_t *rows = request->json ? json_array() : NULL;

	if (catalogue_read(&catalogue, request->config, &err) < 0) {
		complain(&err);
		json_decref(rows);
		return MODELS_USAGE;
	}
	if (!rows)
		printf("%-16s %-11s %-24s %-24s %s\n", "SET", "FROM", "DETECTOR", "EMBEDDER", "MODEL ID");
	for (size_t i = 0; i < catalogue.count; i++) {
		const struct set_place *set = &catalogue.sets[i];
		struct modelset *models = NULL;

		if (modelset_load(&models, set->detector, set->embedder, &err) < 0)
			models = NULL;
		if (rows)
			add_row(rows, set, models, &err);
		else
			print_row(set, models, &err);
		modelset_free(models);
	}
	if (rows)
		document_print(rows);
	catalogue_finish(&catalogue);
	return MODELS_OK;
}
