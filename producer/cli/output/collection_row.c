#include "cli/output/collection_row.h"

#include <inttypes.h>

#include "cli/output/escape.h"
#include "cli/output/json_row.h"

void collection_row_head(FILE *out)
{
	fprintf(out, "%-24s  %-*s  %10s  %10s  %10s\n", "collection", MODEL_SHORT, "model", "users", "images",
		"missing");
}

/* What an embedding of the model could still be made for. */
static uint64_t missing(const struct collection_summary *summary)
{
	return summary->all_images > summary->images ? summary->all_images - summary->images : 0;
}

void collection_row_text(const struct collection_summary *summary, FILE *out)
{
	char collection[ESCAPE_SIZE];
	char model[ESCAPE_SIZE];
	bool has_model = summary->model_id[0] != '\0';

	escape_text(summary->collection, collection, sizeof(collection));
	escape_text(has_model ? summary->model_id : "none", model, sizeof(model));
	fprintf(out, "%-24s  %-*.*s  %10" PRIu64 "  %10" PRIu64 "  ", collection, MODEL_SHORT, MODEL_SHORT, model,
		summary->users, summary->images);
	if (has_model)
		fprintf(out, "%10" PRIu64 "\n", missing(summary));
	else
		fprintf(out, "%10s\n", "-");
}

int collection_row_json(const struct collection_summary *summary, FILE *out)
{
	bool has_model = summary->model_id[0] != '\0';
	json_t *row = json_pack("{s:s, s:s?, s:I, s:I, s:o}", "collection", summary->collection, "model_id",
				has_model ? summary->model_id : NULL, "users", (json_int_t)summary->users, "images",
				(json_int_t)summary->images, "missing",
				has_model ? json_integer((json_int_t)missing(summary)) : json_null());

	return json_row_print(row, false, out);
}
