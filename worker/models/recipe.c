#include "recipe.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "face/yaml_table.h"

#define MAX_BYTES (64u << 10)

static int read_name(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	int r = yaml_table_read_text(reader, row, value, draft);
	const char *name = draft + row->offset;

	if (r == 0 && (name[0] == '.' || name[strspn(name, allowed)]))
		return yaml_table_refuse(reader, value->start_mark,
					 "small letters, digits, dots and dashes are expected, no dot first");
	return r;
}

/* Plain http only where nobody stands between: the hash guards the file, but not what is asked for. */
static int read_url(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	static const char *const beginnings[] = {"https://", "http://127.0.0.1:", "http://localhost:"};
	int r = yaml_table_read_text(reader, row, value, draft);

	if (r < 0)
		return r;
	for (size_t i = 0; i < array_size(beginnings); i++)
		if (strncmp(draft + row->offset, beginnings[i], strlen(beginnings[i])) == 0)
			return 0;
	return yaml_table_refuse(reader, value->start_mark, "an https address is expected");
}

/* The text of a file: lines, and no other control characters. */
static int read_file_text(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	if (value->type != YAML_SCALAR_NODE || value->data.scalar.length == 0)
		return yaml_table_refuse(reader, value->start_mark, "the text of a model.yaml is expected");
	if (value->data.scalar.length >= row->capacity)
		return yaml_table_refuse(reader, value->start_mark, "the text is too long");
	for (size_t i = 0; i < value->data.scalar.length; i++) {
		unsigned char c = value->data.scalar.value[i];
		if ((c < ' ' && c != '\n') || c == 0x7f)
			return yaml_table_refuse(reader, value->start_mark, "a control character in the text");
	}
	memcpy(draft + row->offset, value->data.scalar.value, value->data.scalar.length);
	draft[row->offset + value->data.scalar.length] = '\0';
	return 0;
}

#define TEXT(field) .offset = offsetof(struct recipe, field), .capacity = sizeof(((struct recipe *)0)->field)
#define SIZE(field) .offset = offsetof(struct recipe, field), .min = 1, .max = RECIPE_MAX_NETWORK_BYTES

static const struct yaml_row rows[] = {
    {"name", read_name, TEXT(name)},
    {"about", yaml_table_read_text, TEXT(about)},
    {"detector_url", read_url, TEXT(detector.url)},
    {"detector_size", yaml_table_read_int, SIZE(detector.size)},
    {"detector_yaml", read_file_text, TEXT(detector.yaml)},
    {"embedder_url", read_url, TEXT(embedder.url)},
    {"embedder_size", yaml_table_read_int, SIZE(embedder.size)},
    {"embedder_yaml", read_file_text, TEXT(embedder.yaml)},
};

static void describe(struct recipe_part *part, const char *model, const char *licence)
{
	snprintf(part->model, sizeof(part->model), "%s", model);
	snprintf(part->licence, sizeof(part->licence), "%s", licence);
}

/* What the two model.yaml say; read now, so that nothing is fetched for one that could not be used. */
static int read_parts(struct recipe *recipe, const char *path, struct error *err)
{
	struct recipe_part *detector = &recipe->detector;
	struct recipe_part *embedder = &recipe->embedder;
	struct detector_spec detector_spec;
	struct embedder_spec embedder_spec;

	int r = model_yaml_read_detector("detector_yaml", (const uint8_t *)detector->yaml, strlen(detector->yaml),
					 &detector_spec, &detector->file, err);
	if (r == 0)
		r = model_yaml_read_embedder("embedder_yaml", (const uint8_t *)embedder->yaml, strlen(embedder->yaml),
					     &embedder_spec, &embedder->file, err);
	if (r < 0) {
		error_prefix(err, "%.100s", path);
		return r;
	}
	describe(detector, detector_spec.name, detector_spec.licence);
	describe(embedder, embedder_spec.name, embedder_spec.licence);
	return 0;
}

int recipe_parse(struct recipe *recipe, const char *path, const uint8_t *text, size_t size, struct error *err)
{
	struct recipe draft = {0};
	int r = yaml_table_read(path, text, size, rows, array_size(rows), &draft, err);

	if (r == 0)
		r = read_parts(&draft, path, err);
	if (r == 0)
		*recipe = draft;
	return r;
}

int recipe_read(struct recipe *recipe, const char *path, struct error *err)
{
	struct buffer text = {0};
	struct error why = {0};
	int r = buffer_read_file(&text, path, MAX_BYTES, &why);

	r = r < 0 ? error_set(err, ERROR_MODEL, "%s", why.text) : recipe_parse(recipe, path, text.data, text.size, err);
	buffer_finish(&text);
	return r;
}
