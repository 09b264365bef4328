#include "cli/arguments/job_args.h"

#include "job/scene.h"
#include "job/web_url.h"

const struct arg_option job_args_options[] = {
    {"threshold", 0, "T", "Similarity (-1 to 1) from which two faces are one person."},
    {"far", 0, "F", "Instead: the accepted rate of false matches, e.g. 1e-4."},
    {"policy", 0, "P", "Which face counts: largest, best_pair (match only) or reject_multiple."},
    {"scene", 0, "S", "How the task is treated: batch (the default), realtime, or a scene of the settings."},
    {"callback", 0, "URL", "Where the callback service posts the result."},
    {0},
};

static int read_options(struct job_options *options, const struct args *args, struct error *err)
{
	const char *policy = args_value(args, "policy");

	options->has_threshold = args_count(args, "threshold") > 0;
	options->has_far = args_count(args, "far") > 0;
	options->has_face_policy = policy != NULL;
	if (options->has_threshold && options->has_far)
		return error_set(err, ERROR_CONFIG, "--threshold and --far exclude each other");
	if (policy && face_policy_from_name(policy, &options->face_policy) < 0)
		return error_set(err, ERROR_CONFIG, "--policy %s: must be largest, best_pair or reject_multiple",
				 policy);
	int r = args_number(args, "threshold", -1, 1, &options->threshold, err);
	return r < 0 ? r : args_number(args, "far", 1e-12, 1 - 1e-12, &options->far, err);
}

int job_args_read(struct job_args *out, const struct args *args, struct error *err)
{
	struct job_args read = {.scene = args_value(args, "scene"), .callback_url = args_value(args, "callback")};
	struct scene scene;
	const char *problem = read.callback_url ? web_url_problem(read.callback_url) : NULL;

	if (!read.scene)
		read.scene = "batch";
	if (!scene_find(read.scene, &scene))
		return error_set(err, ERROR_CONFIG, "--scene %s: no such scene in the settings (scenes)", read.scene);
	if (problem)
		return error_set(err, ERROR_CONFIG, "--callback: the URL %s", problem);
	int r = read_options(&read.options, args, err);
	if (r == 0)
		*out = read;
	return r;
}
