#include "face/model_yaml.h"

#include <string.h>

#include "face/align.h"
#include "face/decoder.h"
#include "face/yaml_table.h"

struct detector_draft {
	struct detector_spec spec;
	struct model_file file;
};

struct embedder_draft {
	struct embedder_spec spec;
	struct model_file file;
	int size[2];
	int size_count;
	char template[32];
};

static int read_strides(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	int rc = yaml_table_read_ints(reader, row, value, draft);
	const int *strides = (const int *)(draft + row->offset);

	if (rc)
		return rc;
	for (int i = 0; i < *(const int *)(draft + row->count_offset); i++) {
		if (32 % strides[i] != 0)
			return yaml_table_refuse(reader, yaml_table_list_item(reader, value, i)->start_mark,
						 "a stride has to divide 32");
	}
	return 0;
}

static int read_input_sizes(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value,
			    char *draft)
{
	int rc = yaml_table_read_ints(reader, row, value, draft);
	const int *sizes = (const int *)(draft + row->offset);

	if (rc)
		return rc;
	for (int i = 0; i < *(const int *)(draft + row->count_offset); i++) {
		if (sizes[i] % 32 != 0)
			return yaml_table_refuse(reader, yaml_table_list_item(reader, value, i)->start_mark,
						 "a size has to be a multiple of 32");
	}
	return 0;
}

/** [width, height] */
static int read_size(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	int length = yaml_table_list_length(reader, value, 2, 2);

	return length < 0 ? length : yaml_table_read_ints(reader, row, value, draft);
}

/** One number for all channels, or three. */
static int read_channels(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	float *into = (float *)(draft + row->offset);
	bool single = value->type == YAML_SCALAR_NODE;

	if (!single) {
		int length = yaml_table_list_length(reader, value, 3, 3);
		if (length < 0)
			return length;
	}
	for (int i = 0; i < 3; i++) {
		double number;
		int rc =
		    yaml_table_number(reader, row, single ? value : yaml_table_list_item(reader, value, i), &number);
		if (rc)
			return rc;
		into[i] = (float)number;
	}
	return 0;
}

static int read_file_name(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	int rc = yaml_table_read_text(reader, row, value, draft);
	const char *name = draft + row->offset;

	if (rc)
		return rc;
	if (strchr(name, '/') || name[0] == '.')
		return yaml_table_refuse(reader, value->start_mark,
					 "a plain name of a file in the same folder is expected");
	return 0;
}

static int read_sha256(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	const char *text = yaml_table_text(value);

	if (!text || strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
		return yaml_table_refuse(reader, value->start_mark, "64 lower-case hexadecimal digits are expected");
	memcpy(draft + row->offset, text, 65);
	return 0;
}

static int read_colour(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	const char *text = yaml_table_text(value);
	bool bgr = text && strcmp(text, "bgr") == 0;

	if (!text || (!bgr && strcmp(text, "rgb") != 0))
		return yaml_table_refuse(reader, value->start_mark, "\"rgb\" or \"bgr\" is expected");
	*(bool *)(draft + row->offset) = bgr;
	return 0;
}

static int read_decoder(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	const char *text = yaml_table_text(value);
	const struct face_decoder *decoder = face_decoder_find(text ? text : "");

	if (!decoder)
		return yaml_table_refuse(reader, value->start_mark, "the decoders there are: " FACE_DECODER_NAMES);
	*(const struct face_decoder **)(void *)(draft + row->offset) = decoder;
	return 0;
}

static int read_precision(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value, char *draft)
{
	const char *text = yaml_table_text(value);
	bool int8 = text && strcmp(text, "int8") == 0;

	if (!text || (!int8 && strcmp(text, "float32") != 0))
		return yaml_table_refuse(reader, value->start_mark, "\"float32\" or \"int8\" is expected");
	*(bool *)(draft + row->offset) = int8;
	return 0;
}

/** Inserts a false-accept rate so that rates fall; false if it is there already. */
static bool add_far(struct embedder_spec *spec, double far, double threshold)
{
	int at = spec->far_count;

	for (int i = 0; i < spec->far_count; i++) {
		if (spec->fars[i].far == far)
			return false;
	}
	for (; at > 0 && spec->fars[at - 1].far < far; at--)
		spec->fars[at] = spec->fars[at - 1];
	spec->fars[at].far = far;
	spec->fars[at].threshold = threshold;
	spec->far_count++;
	return true;
}

static int read_thresholds(struct yaml_reader *reader, const struct yaml_row *row, const yaml_node_t *value,
			   char *draft)
{
	struct embedder_spec *spec = (struct embedder_spec *)(draft + row->offset);
	bool has_default = false;

	if (value->type != YAML_MAPPING_NODE)
		return yaml_table_refuse(reader, value->start_mark,
					 "a mapping of false-accept rates to cosines is expected");
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start; p < value->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(reader->document, p->key);
		const char *text = yaml_table_text(key);
		double cosine;
		double far;
		int rc = yaml_table_number(reader, row, yaml_document_get_node(reader->document, p->value), &cosine);

		if (rc)
			return rc;
		if (text && strcmp(text, "default") == 0) {
			if (has_default)
				return yaml_table_refuse(reader, key->start_mark, "\"default\" stands here twice");
			has_default = true;
			spec->default_threshold = cosine;
			continue;
		}
		if (yaml_table_parse_number(key, &far) || !(far > 0 && far < 1))
			return yaml_table_refuse(reader, key->start_mark,
						 "\"default\" or a rate between 0 and 1 is expected");
		if (spec->far_count == MODELSET_MAX_FARS || !add_far(spec, far, cosine))
			return yaml_table_refuse(reader, key->start_mark, "too many rates, or one twice");
	}
	if (!has_default)
		return yaml_table_refuse(reader, value->start_mark, "there is no \"default\"");
	for (int i = 1; i < spec->far_count; i++) {
		if (spec->fars[i].threshold < spec->fars[i - 1].threshold)
			return yaml_table_refuse(reader, value->start_mark, "a lower rate cannot have a lower cosine");
	}
	return 0;
}

#define FIELD(draft, field) .offset = offsetof(struct draft, field)
#define TEXT(draft, field) FIELD(draft, field), .capacity = sizeof(((struct draft *)0)->field)

static const struct yaml_row detector_rows[] = {
    {"name", yaml_table_read_text, TEXT(detector_draft, spec.name)},
    {"file", read_file_name, TEXT(detector_draft, file.name)},
    {"sha256", read_sha256, FIELD(detector_draft, file.sha256)},
    {"decoder", read_decoder, FIELD(detector_draft, spec.decoder)},
    {"strides", read_strides, FIELD(detector_draft, spec.strides), .min = 4, .max = 32,
     .capacity = MODELSET_MAX_STRIDES, .count_offset = offsetof(struct detector_draft, spec.stride_count)},
    {"colour", read_colour, FIELD(detector_draft, spec.norm.bgr)},
    {"mean", read_channels, FIELD(detector_draft, spec.norm.mean), .min = -1e6, .max = 1e6},
    {"scale", read_channels, FIELD(detector_draft, spec.norm.scale), .min = 1e-6, .max = 1e6},
    {"input_sizes", read_input_sizes, FIELD(detector_draft, spec.input_sizes), .min = 32, .max = 2048,
     .capacity = MODELSET_MAX_SIZES, .count_offset = offsetof(struct detector_draft, spec.input_size_count)},
    {"score_threshold", yaml_table_read_float, FIELD(detector_draft, spec.score_threshold), .min = 0.01, .max = 1},
    {"nms_iou", yaml_table_read_float, FIELD(detector_draft, spec.nms_iou), .min = 0, .max = 1},
    {"min_face", yaml_table_read_int, FIELD(detector_draft, spec.min_face), .min = 1, .max = 10000},
    {"licence", yaml_table_read_text, TEXT(detector_draft, spec.licence)},
};

static const struct yaml_row embedder_rows[] = {
    {"name", yaml_table_read_text, TEXT(embedder_draft, spec.name)},
    {"file", read_file_name, TEXT(embedder_draft, file.name)},
    {"sha256", read_sha256, FIELD(embedder_draft, file.sha256)},
    {"size", read_size, FIELD(embedder_draft, size), .min = ALIGN_MIN_SIDE, .max = ALIGN_MAX_SIDE, .capacity = 2,
     .count_offset = offsetof(struct embedder_draft, size_count)},
    {"colour", read_colour, FIELD(embedder_draft, spec.norm.bgr)},
    {"mean", read_channels, FIELD(embedder_draft, spec.norm.mean), .min = -1e6, .max = 1e6},
    {"scale", read_channels, FIELD(embedder_draft, spec.norm.scale), .min = 1e-6, .max = 1e6},
    {"dimension", yaml_table_read_int, FIELD(embedder_draft, spec.dimension), .min = 1, .max = MODELSET_MAX_DIMENSION},
    {"template", yaml_table_read_text, TEXT(embedder_draft, template), .word = MODELSET_TEMPLATE},
    {"precision", read_precision, FIELD(embedder_draft, spec.int8), .is_optional = true},
    {"thresholds", read_thresholds, FIELD(embedder_draft, spec), .min = -1, .max = 1},
    {"licence", yaml_table_read_text, TEXT(embedder_draft, spec.licence)},
};

int model_yaml_read_detector(const char *path, const uint8_t *text, size_t size, struct detector_spec *spec,
			     struct model_file *file, struct error *err)
{
	struct detector_draft draft = {0};
	int rc = yaml_table_read(path, text, size, detector_rows, array_size(detector_rows), &draft, err);

	if (rc)
		return rc;
	*spec = draft.spec;
	*file = draft.file;
	return 0;
}

int model_yaml_read_embedder(const char *path, const uint8_t *text, size_t size, struct embedder_spec *spec,
			     struct model_file *file, struct error *err)
{
	struct embedder_draft draft = {0};
	int rc = yaml_table_read(path, text, size, embedder_rows, array_size(embedder_rows), &draft, err);

	if (rc)
		return rc;
	draft.spec.width = draft.size[0];
	draft.spec.height = draft.size[1];
	*spec = draft.spec;
	*file = draft.file;
	return 0;
}
