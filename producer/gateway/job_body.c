#include "job_body.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "form.h"
#include "job/job_check.h"
#include "problems.h"

/* What a job of a form points to. */
struct job_body_text {
	struct form form;
	char user_id[JOB_MAX_USER_BYTES + 1];
	char collection[JOB_MAX_COLLECTION_BYTES + 1];
	char scene[JOB_MAX_SCENE_BYTES + 1];
	char reference[JOB_MAX_REFERENCE_BYTES + 1];
	char callback_url[JOB_MAX_URL_BYTES + 1];
	char image_a_url[JOB_MAX_URL_BYTES + 1];
	char image_b_url[JOB_MAX_URL_BYTES + 1];
};

struct reader {
	struct job *job;
	struct job_when *when;
	struct job_body_text *text;
};

static int refuse(struct error *err, const struct form_part *part, const char *problem)
{
	return error_set(err, ERROR_INVALID_JOB, "%s: %s", part->name, problem);
}

/* --- the fields of a form ---------------------------------------------------------------------------- */

static int read_text(const struct form_part *part, char *out, size_t size, struct error *err)
{
	if (part->size >= size)
		return error_set(err, ERROR_INVALID_JOB, "%s: %zu bytes, at most %zu are allowed", part->name,
				 part->size, size - 1);
	if (memchr(part->data, '\0', part->size) || !utf8_is_valid((const char *)part->data, part->size))
		return refuse(err, part, "is not valid UTF-8");
	memcpy(out, part->data, part->size);
	out[part->size] = '\0';
	return 0;
}

static int read_number(const struct form_part *part, double *out, struct error *err)
{
	char text[64];
	char *end;
	int r = read_text(part, text, sizeof(text), err);

	if (r < 0)
		return r;
	double value = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value) || strspn(text, "0123456789+-.eE") != strlen(text))
		return refuse(err, part, "a number was expected");
	*out = value;
	return 0;
}

static int read_scene(struct reader *r, const struct form_part *part, struct error *err)
{
	r->job->scene = r->text->scene;
	return read_text(part, r->text->scene, sizeof(r->text->scene), err);
}

static int read_user(struct reader *r, const struct form_part *part, struct error *err)
{
	char user_id[JOB_MAX_USER_BYTES + 1];
	int result = read_text(part, user_id, sizeof(user_id), err);

	if (result == 0 && r->job->user_id[0] != '\0' && strcmp(r->job->user_id, user_id) != 0)
		return refuse(err, part, "is not the user asked for here");
	if (result == 0)
		memcpy(r->text->user_id, user_id, sizeof(user_id));
	r->job->user_id = r->text->user_id;
	return result;
}

static int read_collection(struct reader *r, const struct form_part *part, struct error *err)
{
	if (part->size == 0)
		return 0;
	r->job->collection = r->text->collection;
	return read_text(part, r->text->collection, sizeof(r->text->collection), err);
}

static int read_reference(struct reader *r, const struct form_part *part, struct error *err)
{
	r->job->reference = r->text->reference;
	return read_text(part, r->text->reference, sizeof(r->text->reference), err);
}

static int read_callback(struct reader *r, const struct form_part *part, struct error *err)
{
	r->job->callback_url = r->text->callback_url;
	return read_text(part, r->text->callback_url, sizeof(r->text->callback_url), err);
}

static int read_threshold(struct reader *r, const struct form_part *part, struct error *err)
{
	r->job->options.has_threshold = true;
	return read_number(part, &r->job->options.threshold, err);
}

static int read_far(struct reader *r, const struct form_part *part, struct error *err)
{
	r->job->options.has_far = true;
	return read_number(part, &r->job->options.far, err);
}

static int read_policy(struct reader *r, const struct form_part *part, struct error *err)
{
	char text[32];
	int result = read_text(part, text, sizeof(text), err);

	if (result == 0 && face_policy_from_name(text, &r->job->options.face_policy) < 0)
		return refuse(err, part, "largest, best_pair or reject_multiple was expected");
	r->job->options.has_face_policy = true;
	return result;
}

static int read_top_k(struct reader *r, const struct form_part *part, struct error *err)
{
	double value = 0;
	int result = read_number(part, &value, err);

	if (result == 0 && !(value >= 1 && value <= JOB_MAX_TOP_K && value == floor(value)))
		return error_set(err, ERROR_INVALID_JOB, "%s: a whole number from 1 to %d was expected", part->name,
				 JOB_MAX_TOP_K);
	r->job->options.top_k = (int)value;
	return result;
}

static int read_delay(struct reader *r, const struct form_part *part, struct error *err)
{
	double value = 0;
	int result = read_number(part, &value, err);

	/* Up to here every whole number is a double. */
	if (result == 0 && !(value >= 0 && value <= 9007199254740992.0 && value == floor(value)))
		return refuse(err, part, "a whole number, not negative, was expected");
	r->when->has_delay = true;
	r->when->delay_ms = (int64_t)value;
	return result;
}

static int read_run_at(struct reader *r, const struct form_part *part, struct error *err)
{
	char text[64];
	int result = read_text(part, text, sizeof(text), err);

	if (result == 0 && clock_parse_rfc3339(text, &r->when->run_at_ms) < 0)
		return refuse(err, part, "is not an RFC 3339 time");
	r->when->has_run_at = true;
	return result;
}

static int read_image(struct job_image *image, const struct form_part *part, struct error *err)
{
	if (image->data || image->url)
		return refuse(err, part, "is there twice");
	if (part->size == 0)
		return refuse(err, part, "is empty");
	image->data = part->data;
	image->size = part->size;
	return 0;
}

static int read_image_a(struct reader *r, const struct form_part *part, struct error *err)
{
	return read_image(&r->job->image_a, part, err);
}

static int read_image_b(struct reader *r, const struct form_part *part, struct error *err)
{
	return read_image(&r->job->image_b, part, err);
}

static int read_image_url(struct job_image *image, char *url, const struct form_part *part, struct error *err)
{
	if (image->data || image->url)
		return refuse(err, part, "is there twice");
	image->url = url;
	return read_text(part, url, JOB_MAX_URL_BYTES + 1, err);
}

static int read_image_a_url(struct reader *r, const struct form_part *part, struct error *err)
{
	return read_image_url(&r->job->image_a, r->text->image_a_url, part, err);
}

static int read_image_b_url(struct reader *r, const struct form_part *part, struct error *err)
{
	return read_image_url(&r->job->image_b, r->text->image_b_url, part, err);
}

static const struct {
	const char *name;
	bool is_image;
	int (*read)(struct reader *r, const struct form_part *part, struct error *err);
} fields[] = {
    {"image", true, read_image_a},
    {"image_a", true, read_image_a},
    {"image_b", true, read_image_b},
    {"image_url", false, read_image_a_url},
    {"image_a_url", false, read_image_a_url},
    {"image_b_url", false, read_image_b_url},
    {"scene", false, read_scene},
    {"collection", false, read_collection},
    {"user_id", false, read_user},
    {"reference", false, read_reference},
    {"callback", false, read_callback},
    {"threshold", false, read_threshold},
    {"far", false, read_far},
    {"face_policy", false, read_policy},
    {"top_k", false, read_top_k},
    {"delay_ms", false, read_delay},
    {"run_at", false, read_run_at},
};

static int read_part(struct reader *r, const struct form *form, unsigned index, struct error *err)
{
	const struct form_part *part = &form->parts[index];

	for (unsigned i = 0; i < index; i++)
		if (strcmp(form->parts[i].name, part->name) == 0)
			return refuse(err, part, "is there twice");
	for (size_t i = 0; i < array_size(fields); i++) {
		if (strcmp(fields[i].name, part->name) != 0)
			continue;
		if (part->is_file && !fields[i].is_image)
			return refuse(err, part, "is a file, text was expected");
		return fields[i].read(r, part, err);
	}
	return error_set(err, ERROR_INVALID_JOB, "\"%.64s\" is not a field of this form", part->name);
}

static int read_form(struct job_body *out, const struct job_frame *frame, struct error *err)
{
	struct job_body_text *text = out->text;
	struct reader reader = {&out->job, &out->when, text};
	int r = 0;

	job_init(&out->job, frame->op);
	if (frame->user_id) {
		snprintf(text->user_id, sizeof(text->user_id), "%s", frame->user_id);
		out->job.user_id = text->user_id;
		if (strlen(frame->user_id) > JOB_MAX_USER_BYTES)
			return error_set(err, ERROR_INVALID_JOB, "user_id: more than %d bytes", JOB_MAX_USER_BYTES);
	}
	for (unsigned i = 0; i < text->form.count && r == 0; i++)
		r = read_part(&reader, &text->form, i, err);
	return r == 0 ? job_check(&out->job, err) : r;
}

/* --- bodies ------------------------------------------------------------------------------------------ */

static int refuse_type(struct http_problem *problem, const char *detail)
{
	http_problem_init(problem, &problem_unsupported_media_type, "%s", detail);
	return -EINVAL;
}

static int refuse_error(struct http_problem *problem, const struct http_problem_kind *kind, const struct error *err)
{
	problem_from_error(problem, err->code == ERROR_INTERNAL ? &problem_internal : kind, err);
	return error_errno(err);
}

/* Finds out what the body is, and takes a form apart. 1: it is JSON; 0: a form; or a negative errno. */
static int open_body(struct job_body *out, const char *content_type, const uint8_t *body, size_t size,
		     struct http_problem *problem)
{
	char boundary[FORM_BOUNDARY_SIZE];
	enum encoding encoding;
	struct error err;

	if (size == 0 && (!content_type || content_type[0] == '\0'))
		return 0;
	if (!content_type)
		return refuse_type(problem, "the request has no Content-Type");
	if (encoding_from_content_type(content_type, &encoding) == 0 && encoding == ENCODING_JSON)
		return 1;
	if (!form_is_wanted(content_type, boundary))
		return refuse_type(problem, "multipart/form-data or application/json was expected");
	if (boundary[0] == '\0')
		return refuse_type(problem, "multipart/form-data has no boundary, or one that is not allowed");
	if (form_parse(&out->text->form, boundary, body, size, &err) < 0)
		return refuse_error(problem, &problem_invalid_form, &err);
	return 0;
}

int job_body_read(struct job_body *out, const struct job_frame *frame, const char *content_type, const uint8_t *body,
		  size_t size, struct http_problem *problem)
{
	struct job_frame framed = *frame;
	struct error err;

	framed.when = &out->when;
	out->when = (struct job_when){0};
	body = size > 0 ? body : (const uint8_t *)"";
	job_init(&out->job, frame->op);
	out->text = calloc(1, sizeof(*out->text));
	if (!out->text) {
		http_problem_init(problem, &problem_internal, "out of memory");
		return -ENOMEM;
	}
	int kind = open_body(out, content_type, body, size, problem);
	if (kind < 0)
		return kind;
	int r = kind == 1 ? job_decode_framed(&out->job, &framed, ENCODING_JSON, body, size, &err)
			  : read_form(out, frame, &err);
	return r < 0 ? refuse_error(problem, &problem_invalid_job, &err) : 0;
}

void job_body_finish(struct job_body *body)
{
	job_finish(&body->job);
	free(body->text);
	body->text = NULL;
}
