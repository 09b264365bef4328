#include "face/modelset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/buffer.h"
#include "face/decoder.h"
#include "face/model_yaml.h"

#define MAX_YAML_BYTES (64u << 10)
#define MAX_RANGES_BYTES (4u << 20)
#define MAX_NETWORK_BYTES (512u << 20)
/** Side of the small input that a detector's outputs are checked with. */
#define CHECK_SIDE 64

static int hex_sha256(const void *bytes, size_t size, char out[65], struct error *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length;

	if (EVP_Digest(bytes, size, digest, &length, EVP_sha256(), NULL) != 1)
		return error_set(err, ERROR_INTERNAL, "OpenSSL gives no SHA-256");
	for (unsigned i = 0; i < length; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

/** Reads `dir`/`name`; what base calls a configuration error is one of the model set here. */
static int read_file(const char *dir, const char *name, size_t max, struct buffer *content, char *path,
		     size_t path_size, struct error *err)
{
	struct error why = {0};

	if ((size_t)snprintf(path, path_size, "%s/%s", dir, name) >= path_size)
		return error_set(err, ERROR_MODEL, "%s/%s: the path is too long", dir, name);
	if (buffer_read_file(content, path, max, &why))
		return error_set(err, ERROR_MODEL, "%s", why.text);
	return 0;
}

/** `ranges_sha256` NULL: in float32; else in 8 bits, and it is filled in. */
static int load_network(const char *dir, const struct model_file *file, struct nn_model **out, char *ranges_sha256,
			struct error *err)
{
	struct buffer content cleanup_with(buffer_finish) = {0};
	char path[4096];
	char sha256[65];
	int rc = read_file(dir, file->name, MAX_NETWORK_BYTES, &content, path, sizeof(path), err);

	if (rc == 0)
		rc = hex_sha256(content.data, content.size, sha256, err);
	if (rc)
		return rc;
	if (strcmp(sha256, file->sha256) != 0)
		return error_set(err, ERROR_MODEL, "%s: its SHA-256 is %s, model.yaml says %s", path, sha256,
				 file->sha256);
	if (!ranges_sha256)
		return nn_model_load(out, path, content.data, content.size, err);

	struct buffer ranges cleanup_with(buffer_finish) = {0};
	char ranges_path[4096];
	rc = read_file(dir, MODELSET_RANGES, MAX_RANGES_BYTES, &ranges, ranges_path, sizeof(ranges_path), err);
	if (rc == 0)
		rc = hex_sha256(ranges.data, ranges.size, ranges_sha256, err);
	if (rc)
		return rc;
	return nn_model_load_int8(out, path, content.data, content.size, (const char *)ranges.data, ranges.size, err);
}

static int check_input(const struct nn_model *model, const char *dir, struct error *err)
{
	if (nn_model_input_count(model) != 1)
		return error_set(err, ERROR_MODEL, "%s: the network has %u inputs, one is expected", dir,
				 nn_model_input_count(model));

	const struct nn_shape *shape = nn_model_input_shape(model, 0);
	if (shape->rank != 4 || (shape->dim[1] != 3 && shape->dim[1] != -1))
		return error_set(err, ERROR_MODEL, "%s: the network's input is no batch of pictures with 3 channels",
				 dir);
	return 0;
}

static int check_detector(const struct modelset *set, const char *dir, struct error *err)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, CHECK_SIDE, CHECK_SIDE}};
	const struct face_decoder *decoder = set->detector.decoder;
	struct decoder_outputs outputs;
	struct nn_session *session;
	int rc = check_input(set->detector_model, dir, err);

	if (rc)
		return rc;
	rc = decoder->find_outputs(set->detector_model, &set->detector, &outputs, err);
	if (rc == 0)
		rc = nn_session_new(&session, set->detector_model, &shape, 0, err);
	if (rc == 0) {
		nn_session_run(session, 1);
		rc = decoder->check_outputs(session, &set->detector, &outputs, CHECK_SIDE, CHECK_SIDE, err);
		nn_session_free(session);
	}
	if (rc)
		error_prefix(err, "%s", dir);
	return rc;
}

static int check_embedder(const struct modelset *set, const char *dir, struct error *err)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, set->embedder.height, set->embedder.width}};
	struct nn_session *session;
	int rc = check_input(set->embedder_model, dir, err);

	if (rc)
		return rc;
	rc = nn_session_new(&session, set->embedder_model, &shape, 0, err);
	if (rc) {
		error_prefix(err, "%s", dir);
		return rc;
	}
	nn_session_run(session, 1);
	nn_session_output(session, 0, &shape);
	nn_session_free(session);
	if (nn_shape_count(&shape) != set->embedder.dimension)
		return error_set(err, ERROR_MODEL, "%s: the network gives %lld values, model.yaml says dimension %d",
				 dir, (long long)nn_shape_count(&shape), set->embedder.dimension);
	return 0;
}

static int load_detector(struct modelset *set, const char *dir, struct error *err)
{
	struct buffer yaml cleanup_with(buffer_finish) = {0};
	struct model_file file;
	char path[4096];
	int rc = read_file(dir, "model.yaml", MAX_YAML_BYTES, &yaml, path, sizeof(path), err);

	if (rc == 0)
		rc = model_yaml_read_detector(path, yaml.data, yaml.size, &set->detector, &file, err);
	if (rc == 0)
		rc = load_network(dir, &file, &set->detector_model, NULL, err);
	if (rc == 0)
		rc = hex_sha256(yaml.data, yaml.size, set->detector_id, err);
	return rc ? rc : check_detector(set, dir, err);
}

/* Everything that changes an embedding; a new line here makes every stored embedding a stranger. */
static int set_model_id(struct modelset *set, const char *sha256, const char *ranges_sha256, struct error *err)
{
	const struct embedder_spec *e = &set->embedder;
	const struct normalisation *n = &e->norm;
	char text[512];

	snprintf(text, sizeof(text),
		 "facefleet embedding\nfile %s\nsize %d %d\ncolour %s\nmean %.9g %.9g %.9g\nscale %.9g %.9g %.9g\n"
		 "dimension %d\ntemplate %s\nprecision %s%s\n",
		 sha256, e->width, e->height, n->bgr ? "bgr" : "rgb", (double)n->mean[0], (double)n->mean[1],
		 (double)n->mean[2], (double)n->scale[0], (double)n->scale[1], (double)n->scale[2], e->dimension,
		 MODELSET_TEMPLATE, e->int8 ? "int8 " : "float32", e->int8 ? ranges_sha256 : "");
	return hex_sha256(text, strlen(text), set->model_id, err);
}

static int load_embedder(struct modelset *set, const char *dir, struct error *err)
{
	struct buffer yaml cleanup_with(buffer_finish) = {0};
	struct model_file file;
	char ranges_sha256[65] = "";
	char path[4096];
	int rc = read_file(dir, "model.yaml", MAX_YAML_BYTES, &yaml, path, sizeof(path), err);

	if (rc == 0)
		rc = model_yaml_read_embedder(path, yaml.data, yaml.size, &set->embedder, &file, err);
	if (rc == 0)
		rc = load_network(dir, &file, &set->embedder_model, set->embedder.int8 ? ranges_sha256 : NULL, err);
	if (rc == 0)
		rc = hex_sha256(yaml.data, yaml.size, set->embedder_id, err);
	if (rc == 0)
		rc = check_embedder(set, dir, err);
	return rc ? rc : set_model_id(set, file.sha256, ranges_sha256, err);
}

int modelset_load(struct modelset **out, const char *detector_dir, const char *embedder_dir, struct error *err)
{
	struct modelset *set = calloc(1, sizeof(*set));
	int rc;

	if (!set)
		return error_set(err, ERROR_INTERNAL, "no memory for a model set");
	rc = load_detector(set, detector_dir, err);
	if (rc == 0)
		rc = load_embedder(set, embedder_dir, err);
	if (rc) {
		modelset_free(set);
		return rc;
	}
	*out = set;
	return 0;
}

void modelset_free(struct modelset *set)
{
	if (!set)
		return;
	nn_model_free(set->detector_model);
	nn_model_free(set->embedder_model);
	free(set);
}

bool modelset_equals(const struct modelset *a, const struct modelset *b)
{
	/* The model id covers what model.yaml does not name: the ranges of 8 bits. */
	return strcmp(a->detector_id, b->detector_id) == 0 && strcmp(a->embedder_id, b->embedder_id) == 0 &&
	       strcmp(a->model_id, b->model_id) == 0;
}

int modelset_threshold(const struct modelset *set, double far, double *threshold, struct error *err)
{
	const struct embedder_spec *e = &set->embedder;

	for (int i = 0; i < e->far_count; i++) {
		if (e->fars[i].far <= far) {
			*threshold = e->fars[i].threshold;
			return 0;
		}
	}
	return error_set(err, ERROR_INVALID_JOB,
			 "options.far: the model set %s names no threshold for a false-accept rate of %g or less",
			 e->name, far);
}
