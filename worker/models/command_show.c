#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "catalogue.h"
#include "document.h"
#include "face/model_yaml.h"
#include "face/modelset.h"
#include "network.h"

#define MAX_YAML_BYTES (64u << 10)

/* One half of a set and what is to be said of it. */
struct half {
	const char *kind;
	const char *folder;
	const struct nn_model *model;
	int widths[MODELSET_MAX_SIZES];
	int heights[MODELSET_MAX_SIZES];
	int size_count;
	struct network_cost costs[MODELSET_MAX_SIZES];
	struct buffer yaml;
	struct buffer operators;
	int64_t file_bytes;
};

static void half_finish(struct half *half)
{
	buffer_finish(&half->yaml);
	buffer_finish(&half->operators);
}

static int read_half(struct half *half, struct error *err)
{
	struct detector_spec detector;
	struct embedder_spec embedder;
	struct model_file file;
	struct error why = {0};
	struct stat stat_buf;
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/model.yaml", half->folder);
	if (buffer_read_file(&half->yaml, path, MAX_YAML_BYTES, &why) < 0)
		return error_set(err, ERROR_MODEL, "%s", why.text);
	int r = half->kind[0] == 'd'
		    ? model_yaml_read_detector(path, half->yaml.data, half->yaml.size, &detector, &file, err)
		    : model_yaml_read_embedder(path, half->yaml.data, half->yaml.size, &embedder, &file, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%s", half->folder, file.name);
	half->file_bytes = stat(path, &stat_buf) == 0 ? stat_buf.st_size : 0;
	for (int i = 0; i < half->size_count && r == 0; i++)
		r = network_measure(half->model, half->widths[i], half->heights[i], 0, &half->costs[i], err);
	if (r == 0 && network_operators(half->model, &half->operators) < 0)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	return r;
}

/* The file's lines, indented; what could steer a terminal is left out. */
static void print_yaml(const struct buffer *yaml)
{
	bool begins = true;

	for (size_t i = 0; i < yaml->size; i++) {
		if (begins)
			fputs("    ", stdout);
		begins = yaml->data[i] == '\n';
		if (begins || (yaml->data[i] >= ' ' && yaml->data[i] != 0x7f))
			putchar(yaml->data[i]);
	}
	if (!begins)
		putchar('\n');
}

static void print_half(const struct half *half)
{
	printf("%s  %s\n", half->kind, half->folder);
	print_yaml(&half->yaml);
	printf("  network     %.2f MB\n", (double)half->file_bytes / 1e6);
	printf("  operators   %s\n", (const char *)half->operators.data);
	for (int i = 0; i < half->size_count; i++)
		printf("  %dx%d%*s %.1f million multiply-adds\n", half->widths[i], half->heights[i],
		       half->widths[i] >= 1000 ? 2 : 4, "", (double)half->costs[i].macs / 1e6);
}

static json_t *half_json(const struct half *half)
{
	json_t *sizes = json_array();

	for (int i = 0; i < half->size_count; i++)
		json_array_append_new(sizes,
				      json_pack("{s:i, s:i, s:I}", "width", half->widths[i], "height", half->heights[i],
						"multiply_adds", (json_int_t)half->costs[i].macs));
	return json_pack("{s:s, s:s, s:I, s:s, s:o}", "folder", half->folder, "model_yaml",
			 (const char *)half->yaml.data, "file_bytes", (json_int_t)half->file_bytes, "operators",
			 (const char *)half->operators.data, "inputs", sizes);
}

static void print(const struct request *request, const struct set_place *set, const struct modelset *models,
		  const struct half *halves)
{
	bool shown[] = {set->has_detector, set->has_embedder};

	if (request->json) {
		json_t *object =
		    json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", set->name, "origin", set->origin, "model_id",
			      models->model_id, "detector", models->detector.name, "embedder", models->embedder.name);
		for (int i = 0; i < 2; i++)
			json_object_set_new(object, halves[i].kind, half_json(&halves[i]));
		document_print(object);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (shown[i])
			print_half(&halves[i]);
	if (set->has_embedder)
		printf("model id  %s\n", models->model_id);
}

static int show(const struct request *request, const struct set_place *set, const struct modelset *models,
		struct error *err)
{
	struct half halves[2] = {
	    {.kind = "detector", .folder = set->detector, .model = models->detector_model},
	    {.kind = "embedder", .folder = set->embedder, .model = models->embedder_model},
	};

	halves[0].size_count = models->detector.input_size_count;
	for (int i = 0; i < halves[0].size_count; i++)
		halves[0].widths[i] = halves[0].heights[i] = models->detector.input_sizes[i];
	halves[1].size_count = 1;
	halves[1].widths[0] = models->embedder.width;
	halves[1].heights[0] = models->embedder.height;
	int r = read_half(&halves[0], err);
	if (r == 0)
		r = read_half(&halves[1], err);
	if (r == 0)
		print(request, set, models, halves);
	half_finish(&halves[0]);
	half_finish(&halves[1]);
	return r;
}

enum models_status command_show(const struct request *request)
{
	struct modelset *models = NULL;
	struct set_place set;
	struct error err = {0};

	if (request->operand_count != 1) {
		error_set(&err, ERROR_CONFIG, "show takes one SET or DIR");
		complain(&err);
		return MODELS_USAGE;
	}
	int r = catalogue_find(&set, request->config, request->operands[0], &err);
	if (r == 0)
		r = modelset_load(&models, set.detector, set.embedder, &err);
	if (r == 0)
		r = show(request, &set, models, &err);
	modelset_free(models);
	if (r < 0)
		complain(&err);
	return r < 0 ? MODELS_FAILED : MODELS_OK;
}
