#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "job/job.h"
#include "job/job_check.h"
#include "job/names.h"
#include "job/value.h"
#include "job/web_url.h"
#include "job/writer.h"

/* What a decoded job points to, besides the body. */
struct job_storage {
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	char callback_url[JOB_MAX_URL_BYTES + 1];
	struct image_storage {
		char url[JOB_MAX_URL_BYTES + 1];
		uint8_t *bytes;
	} image_a, image_b;
};

/* The fields that an answer echoes or needs: each is read whatever the others are like. */
static void read_addressed(struct job *job, struct job_storage *storage, const struct value *root)
{
	struct value reference = value_field(root, "reference");
	struct value scene = value_field(root, "scene");
	struct value op = value_field(root, "op");
	struct value user = value_field(root, "user_id");
	struct value callback = value_field(root, "callback");
	struct value callback_url = value_field(&callback, "url");
	unsigned index;

	if (value_read_string(&reference, storage->reference, sizeof(storage->reference)))
		job->reference = storage->reference;
	if (!value_is_present(&scene))
		job->scene = "batch";
	else if (value_read_string(&scene, storage->scene, sizeof(storage->scene)))
		job->scene = storage->scene;
	if ((job->has_op || value_require(&op)) && value_read_choice(&op, names_ops, array_size(names_ops), &index)) {
		job->op = (enum job_op)index;
		job->has_op = true;
	}
	if (value_read_string(&user, storage->user_id, sizeof(storage->user_id)))
		job->user_id = storage->user_id;
	if (value_read_map(&callback) && value_require(&callback_url) &&
	    value_read_string(&callback_url, storage->callback_url, sizeof(storage->callback_url)))
		job->callback_url = storage->callback_url;
}

static void read_options(struct job_options *options, const struct value *root)
{
	struct value map = value_field(root, "options");
	struct value threshold = value_field(&map, "threshold");
	struct value far = value_field(&map, "far");
	struct value policy = value_field(&map, "face_policy");
	struct value top_k = value_field(&map, "top_k");
	unsigned index;
	int64_t count;

	if (!value_read_map(&map))
		return;
	options->has_threshold = value_read_number(&threshold, &options->threshold);
	options->has_far = value_read_number(&far, &options->far);
	if (value_read_choice(&policy, names_policies, array_size(names_policies), &index)) {
		options->has_face_policy = true;
		options->face_policy = (enum face_policy)index;
	}
	if (value_read_integer(&top_k, 1, JOB_MAX_TOP_K, &count))
		options->top_k = (int)count;
}

static void read_image(struct job_image *image, struct image_storage *storage, const struct value *root,
		       const char *name)
{
	struct value map = value_field(root, name);
	struct value data = value_field(&map, "data");
	struct value url = value_field(&map, "url");

	if (!value_read_map(&map))
		return;
	if (!value_is_present(&data) && !value_is_present(&url))
		value_refuse(&map, "has neither data nor url");
	value_read_bytes(&data, &image->data, &image->size, &storage->bytes);
	if (value_read_string(&url, storage->url, sizeof(storage->url)))
		image->url = storage->url;
}

/* What must not be used of a job that was refused. */
static void keep_addressed(struct job *job)
{
	job->image_a = (struct job_image){0};
	job->image_b = (struct job_image){0};
	job->options = (struct job_options){0};
	if (!job_scene_is_valid(job->scene))
		job->scene = "";
	if (job->callback_url && web_url_problem(job->callback_url))
		job->callback_url = NULL;
}

static void read_when(struct job_when *when, const struct value *root)
{
	struct value delay = value_field(root, "delay_ms");
	struct value run_at = value_field(root, "run_at");

	when->has_delay = value_read_integer(&delay, 0, INT64_MAX, &when->delay_ms);
	when->has_run_at = value_read_time(&run_at, &when->run_at_ms);
}

/* Fills in what the frame says, and refuses what says otherwise. */
static void apply_frame(struct job *job, struct job_storage *storage, const struct job_frame *frame,
			const struct value *root)
{
	struct value op = value_field(root, "op");
	struct value user = value_field(root, "user_id");

	if (job->op != frame->op)
		value_refuse(&op, "is not %s, which is asked for here", job_op_name(frame->op));
	if (!frame->user_id)
		return;
	if (job->user_id[0] != '\0' && strcmp(job->user_id, frame->user_id) != 0)
		value_refuse(&user, "is not the user asked for here");
	snprintf(storage->user_id, sizeof(storage->user_id), "%s", frame->user_id);
	job->user_id = storage->user_id;
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "out of memory");
}

/* Reads a job that is a map of an open document: what was refused is in the document. */
static int read_job(struct job *job, const struct job_frame *frame, const struct value *map, struct error *err)
{
	struct job_storage *storage = calloc(1, sizeof(*storage));
	struct value collection = value_field(map, "collection");

	if (!storage)
		return out_of_memory(err);
	job->owned = storage;
	read_addressed(job, storage, map);
	if (frame)
		apply_frame(job, storage, frame, map);
	if (frame && frame->when)
		read_when(frame->when, map);
	if (value_read_string(&collection, storage->collection, sizeof(storage->collection)) &&
	    storage->collection[0] != '\0')
		job->collection = storage->collection;
	read_options(&job->options, map);
	if (map->doc->result == 0)
		read_image(&job->image_a, &storage->image_a, map, "image_a");
	if (map->doc->result == 0)
		read_image(&job->image_b, &storage->image_b, map, "image_b");
	return map->doc->result;
}

static void begin(struct job *job, const struct job_frame *frame)
{
	job_init(job, frame ? frame->op : JOB_MATCH);
	job->has_op = frame != NULL;
	job->scene = "";
}

static int decode(struct job *job, const struct job_frame *frame, enum encoding encoding, const uint8_t *body,
		  size_t size, struct error *err)
{
	struct document doc;

	begin(job, frame);
	int r = document_open(&doc, encoding, body, size, err);
	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	r = read_job(job, frame, &root, err);
	document_close(&doc);

	if (r == 0)
		r = job_check(job, err);
	if (r < 0)
		keep_addressed(job);
	return r;
}

int job_decode_value(struct job *job, const struct value *map, struct error *err)
{
	struct error fault = {0};

	begin(job, NULL);
	if (!value_require(map) || !value_read_map(map))
		return map->doc->result;
	int r = read_job(job, NULL, map, err);
	if (r < 0)
		return r;
	r = job_check(job, &fault);
	if (r < 0)
		error_set(err, fault.code, "%s.%s", map->name, fault.text);
	return r;
}

int job_decode(struct job *job, enum encoding encoding, const uint8_t *body, size_t size, struct error *err)
{
	return decode(job, NULL, encoding, body, size, err);
}

int job_decode_framed(struct job *job, const struct job_frame *frame, enum encoding encoding, const uint8_t *body,
		      size_t size, struct error *err)
{
	return decode(job, frame, encoding, body, size, err);
}

void job_finish(struct job *job)
{
	struct job_storage *storage = job->owned;

	if (storage) {
		free(storage->image_a.bytes);
		free(storage->image_b.bytes);
		free(storage);
	}
	job_init(job, job->op);
}

static void write_text(struct writer *w, const char *name, const char *text)
{
	if (text[0] != '\0')
		writer_string(w, name, text);
}

static void write_options(struct writer *w, const struct job_options *options)
{
	if (!options->has_threshold && !options->has_far && !options->has_face_policy && options->top_k == 0)
		return;
	writer_open_map(w, "options");
	if (options->has_threshold)
		writer_number(w, "threshold", options->threshold);
	if (options->has_far)
		writer_number(w, "far", options->far);
	if (options->has_face_policy)
		writer_string(w, "face_policy", face_policy_name(options->face_policy));
	if (options->top_k > 0)
		writer_integer(w, "top_k", options->top_k);
	writer_close(w);
}

static void write_image(struct writer *w, const char *name, const struct job_image *image)
{
	if (!image->data && !image->url)
		return;
	writer_open_map(w, name);
	if (image->data)
		writer_bytes(w, "data", image->data, image->size);
	else
		writer_string(w, "url", image->url);
	writer_close(w);
}

/* The images stand last, so that the rest of a job can be read at its beginning. */
static void write_job(struct writer *w, const struct job *job)
{
	writer_open_map(w, NULL);
	writer_string(w, "op", job_op_name(job->op));
	write_text(w, "reference", job->reference);
	writer_string(w, "scene", job->scene);
	write_text(w, "user_id", job->user_id);
	write_text(w, "collection", job->collection);
	if (job->callback_url) {
		writer_open_map(w, "callback");
		writer_string(w, "url", job->callback_url);
		writer_close(w);
	}
	write_options(w, &job->options);
	write_image(w, "image_a", &job->image_a);
	write_image(w, "image_b", &job->image_b);
	writer_close(w);
}

static size_t encoded_image_size(const struct job_image *image, enum encoding encoding)
{
	return encoding == ENCODING_JSON ? base64_encoded_size(image->size) : image->size;
}

static int refuse_size(size_t size, struct error *err)
{
	return error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "bytes", (double)size, JOB_MAX_ENCODED_BYTES,
			       "the encoded job has %zu bytes, at most %u are sent", size, JOB_MAX_ENCODED_BYTES);
}

int job_encode(const struct job *job, enum encoding encoding, struct buffer *out, struct error *err)
{
	struct writer w;
	size_t before = out->size;
	size_t images = encoded_image_size(&job->image_a, encoding) + encoded_image_size(&job->image_b, encoding);
	int r = job_check(job, err);

	if (r < 0)
		return r;
	if (images > JOB_MAX_ENCODED_BYTES)
		return refuse_size(images, err);
	r = buffer_reserve(out, images);
	if (r == 0) {
		writer_init(&w, encoding, out);
		write_job(&w, job);
		r = writer_finish(&w);
	}
	if (r == -EMSGSIZE)
		return refuse_size(images, err);
	if (r < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	if (out->size - before > JOB_MAX_ENCODED_BYTES) {
		size_t size = out->size - before;
		out->size = before;
		out->data[before] = 0;
		return refuse_size(size, err);
	}
	return 0;
}
