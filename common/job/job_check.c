#include "job/job_check.h"

#include <string.h>

#include "base/utf8.h"
#include "job/scene.h"
#include "job/web_url.h"

static int refuse(struct error *err, const char *path, const char *problem)
{
	return error_set(err, ERROR_INVALID_JOB, "%s: %s", path, problem);
}

static int check_text(const char *path, const char *text, size_t max, struct error *err)
{
	size_t length = strlen(text);

	if (length > max)
		return error_set(err, ERROR_INVALID_JOB, "%s: %zu bytes, at most %zu are allowed", path, length, max);
	if (!utf8_is_valid(text, length))
		return refuse(err, path, "is not valid UTF-8");
	return 0;
}

static int check_url(const char *path, const char *url, struct error *err)
{
	const char *problem = web_url_problem(url);

	return problem ? refuse(err, path, problem) : 0;
}

static bool has_image(const struct job_image *image)
{
	return image->data || image->url;
}

static int check_image(char which, const struct job_image *image, struct error *err)
{
	int r = 0;

	if (!has_image(image))
		r = error_set(err, ERROR_INVALID_JOB, "image_%c: is missing", which);
	else if (image->data && image->url)
		r = error_set(err, ERROR_INVALID_JOB, "image_%c: has both data and url", which);
	else if (image->data && image->size == 0)
		r = error_set(err, ERROR_INVALID_JOB, "image_%c.data: is empty", which);
	else if (image->url)
		r = check_url(which == 'a' ? "image_a.url" : "image_b.url", image->url, err);
	return r;
}

static int check_images(const struct job *job, struct error *err)
{
	int r = 0;

	if (job->op != JOB_UNENROLL || has_image(&job->image_a))
		r = check_image('a', &job->image_a, err);
	if (r == 0 && job->op == JOB_MATCH)
		r = check_image('b', &job->image_b, err);
	else if (r == 0 && has_image(&job->image_b))
		r = refuse(err, "image_b", "only a match has a second image");
	return r;
}

static int check_who(const struct job *job, struct error *err)
{
	bool needs_user = job->op == JOB_VERIFY || job->op == JOB_ENROLL || job->op == JOB_UNENROLL;
	int r = check_text("user_id", job->user_id, JOB_MAX_USER_BYTES, err);

	if (r == 0 && needs_user && job->user_id[0] == '\0')
		r = error_set(err, ERROR_INVALID_JOB, "user_id: is missing, %s needs it", job_op_name(job->op));
	if (r == 0)
		r = check_text("collection", job->collection, JOB_MAX_COLLECTION_BYTES, err);
	if (r == 0)
		r = check_text("reference", job->reference, JOB_MAX_REFERENCE_BYTES, err);
	return r;
}

static int check_scene(const char *scene, struct error *err)
{
	struct scene known;

	if (!job_scene_is_valid(scene))
		return refuse(err, "scene", "1 to 32 characters of a-z, 0-9, _ and - were expected");
	if (!scene_find(scene, &known))
		return error_set(err, ERROR_INVALID_JOB, "scene: \"%s\" is not known", scene);
	return 0;
}

static int check_options(const struct job *job, struct error *err)
{
	const struct job_options *o = &job->options;

	/* Written so that a NaN is refused too. */
	if (o->has_threshold && o->has_far)
		return refuse(err, "options", "has both threshold and far");
	if (o->has_threshold && !(o->threshold >= -1 && o->threshold <= 1))
		return error_set(err, ERROR_INVALID_JOB, "options.threshold: %g is not within -1 to 1", o->threshold);
	if (o->has_far && !(o->far > 0 && o->far < 1))
		return error_set(err, ERROR_INVALID_JOB, "options.far: %g is not between 0 and 1", o->far);
	if (o->has_face_policy && o->face_policy == FACE_POLICY_BEST_PAIR && job->op != JOB_MATCH)
		return refuse(err, "options.face_policy", "best_pair is for a match only");
	if (o->top_k < 0 || o->top_k > JOB_MAX_TOP_K)
		return error_set(err, ERROR_INVALID_JOB, "options.top_k: %d is not within 1 to %d", o->top_k,
				 JOB_MAX_TOP_K);
	return 0;
}

int job_check(const struct job *job, struct error *err)
{
	int r = job->has_op ? 0 : refuse(err, "op", "is missing");

	if (r == 0)
		r = check_scene(job->scene, err);
	if (r == 0)
		r = check_who(job, err);
	if (r == 0 && job->callback_url)
		r = check_url("callback.url", job->callback_url, err);
	if (r == 0)
		r = check_options(job, err);
	if (r == 0)
		r = check_images(job, err);
	return r;
}
