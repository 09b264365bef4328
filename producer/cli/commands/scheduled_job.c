#include "cli/commands/scheduled_job.h"

#include <string.h>

#include "cli/arguments/people_args.h"
#include "cli/input/image_file.h"
#include "scheduler/schedule_request.h"

const struct arg_option scheduled_job_options[] = {
    {"top", 'k', "K", "Of search: at most so many people, 1 to 1000."},
    {0},
};

/* What the jobs are made of. */
static const struct kind {
	enum job_op op;
	bool has_user;
	unsigned images;
	const char *wants;
	const char *without[4]; /* options that mean nothing to it */
} kinds[] = {
    {JOB_MATCH, false, 2, "two photographs", {"collection", "top"}},
    {JOB_VERIFY, true, 1, "a user id and a photograph", {"top"}},
    {JOB_SEARCH, false, 1, "one photograph", {0}},
    {JOB_ENROLL, true, 1, "a user id and one photograph", {"top", "threshold", "far"}},
    {JOB_UNENROLL, true, 0, "a user id", {"top", "threshold", "far", "policy"}},
};

static const struct kind *find_kind(const char *name)
{
	enum job_op op;

	if (job_op_from_name(name, &op) == 0)
		for (size_t i = 0; i < array_size(kinds); i++)
			if (kinds[i].op == op)
				return &kinds[i];
	return NULL;
}

static int check(const struct kind *kind, const struct args *args, unsigned first, struct error *err)
{
	const char *name = job_op_name(kind->op);

	if (args->operand_count - first - 1 != kind->has_user + kind->images)
		return error_set(err, ERROR_CONFIG, "%s takes %s", name, kind->wants);
	for (size_t i = 0; i < array_size(kind->without) && kind->without[i]; i++)
		if (args_count(args, kind->without[i]) > 0)
			return error_set(err, ERROR_CONFIG, "--%s does not go with %s", kind->without[i], name);
	return 0;
}

static int read_images(struct job *job, struct buffer photos[2], const struct kind *kind, const struct cli *cli,
		       unsigned at, struct error *err)
{
	struct job_image *const images[] = {&job->image_a, &job->image_b};
	size_t max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < kind->images; i++)
		r = image_file_read(images[i], &photos[i], "", cli->args->operands[at + i], max_bytes, err);
	return r;
}

int scheduled_job_read(struct schedule *out, struct buffer *encoded, const struct cli *cli, unsigned first,
		       struct error *err)
{
	const struct args *args = cli->args;
	const struct kind *kind = first < args->operand_count ? find_kind(args->operands[first]) : NULL;
	struct buffer photos[2] = {0};
	struct people_args people;
	double top = 0;
	struct job job;

	if (!kind)
		return error_set(err, ERROR_CONFIG, "which job? match, verify, search, enroll or unenroll");
	int r = check(kind, args, first, err);
	if (r == 0)
		r = people_args_read(&people, args, err);
	if (r == 0)
		r = args_number(args, "top", 1, JOB_MAX_TOP_K, &top, err);
	if (r < 0)
		return r;
	people_args_fill(&job, kind->op, &people);
	job.options.top_k = (int)top;
	if (kind->has_user)
		job.user_id = args->operands[first + 1];
	r = read_images(&job, photos, kind, cli, first + 1 + kind->has_user, err);
	if (r == 0)
		r = schedule_request_encode(&job, encoded, out, err);
	buffer_finish(&photos[0]);
	buffer_finish(&photos[1]);
	return r;
}
