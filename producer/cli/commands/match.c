#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments/ask_args.h"
#include "cli/arguments/job_args.h"
#include "cli/commands/command.h"
#include "cli/fleet/exchange.h"
#include "cli/input/image_file.h"
#include "cli/input/same_file.h"
#include "cli/output/picture.h"
#include "cli/output/report.h"
#include "cli/output/verdict.h"

static const struct arg_option options[] = {
    {"picture", 'p', "OUT.jpg", "Draw both photographs with faces and verdict; they must be files."},
    {0},
};

/* The files as they were sent, kept for the picture. */
struct photographs {
	struct buffer a;
	struct buffer b;
};

/* What the reply is shown with. */
struct showing {
	const struct cli *cli;
	const struct photographs *photographs;
	bool json;
};

static int check_picture(const struct args *args, const struct job *job, struct error *err)
{
	const char *path = args_value(args, "picture");

	if (!path)
		return 0;
	if (job->image_a.url || job->image_b.url)
		return error_set(err, ERROR_INVALID_JOB, "--picture wants both photographs as files, not as URLs");
	if (same_file_as(path, args->operands[0]) || same_file_as(path, args->operands[1]))
		return error_set(err, ERROR_INVALID_JOB, "--picture %s: is a photograph that is read", path);
	return 0;
}

static int make_job(struct job *job, struct photographs *photographs, const struct cli *cli,
		    const struct job_args *args, struct error *err)
{
	size_t max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES);

	job_init(job, JOB_MATCH);
	job->scene = args->scene;
	job->callback_url = args->callback_url;
	job->options = args->options;
	int r = image_file_read(&job->image_a, &photographs->a, "", cli->args->operands[0], max_bytes, err);
	if (r == 0)
		r = image_file_read(&job->image_b, &photographs->b, "", cli->args->operands[1], max_bytes, err);
	return r == 0 ? check_picture(cli->args, job, err) : r;
}

static int write_file(const char *path, const struct buffer *content, struct error *err)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
	bool written = fwrite(content->data, 1, content->size, file) == content->size;
	written = fclose(file) == 0 && written;
	return written ? 0 : error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
}

/* The verdict stands even if the picture fails; the exit status says that it did. */
static bool draw(const struct cli *cli, const struct photographs *photographs, const struct reply *reply)
{
	const struct picture_photo photos[] = {{photographs->a.data, photographs->a.size},
					       {photographs->b.data, photographs->b.size}};
	const struct image_limits limits = {
	    .max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES),
	    .max_pixels = config_integer(cli->config, OPTION_IMAGE_MAX_PIXELS),
	    .max_side = (int)config_integer(cli->config, OPTION_IMAGE_MAX_SIDE),
	};
	const char *path = args_value(cli->args, "picture");
	struct buffer jpeg = {0};
	struct error err = {0};

	if (!path)
		return true;
	int r = picture_draw(&jpeg, photos, &limits, reply, &err);
	if (r == 0)
		r = write_file(path, &jpeg, &err);
	buffer_finish(&jpeg);
	if (r < 0)
		report_error("%s", err.text);
	return r == 0;
}

static enum exit_status show(void *arg, const struct reply *reply)
{
	const struct showing *showing = arg;

	if (!showing->json)
		verdict_print(stdout, terminal_of(STDOUT_FILENO), reply);
	else if (!ask_args_print_json(reply))
		return STATUS_LOCAL_FAULT;
	if (!draw(showing->cli, showing->photographs, reply))
		return STATUS_LOCAL_FAULT;
	return verdict_status(reply);
}

static enum exit_status run(const struct cli *cli)
{
	struct photographs photographs = {0};
	struct showing showing = {.cli = cli, .photographs = &photographs};
	struct exchange_settings settings = {.config = cli->config, .quiet = cli->quiet};
	struct job_args job_args;
	struct ask_args ask_args;
	struct error err = {0};
	enum exit_status status;
	struct job job;

	if (cli->args->operand_count != 2)
		return command_usage(&command_match, "match takes two photographs");
	if (job_args_read(&job_args, cli->args, &err) < 0 || ask_args_read(&ask_args, cli->args, &err) < 0)
		return command_usage(&command_match, "%s", err.text);
	showing.json = ask_args.json;
	settings.timeout_ms = ask_args.timeout_ms;
	if (make_job(&job, &photographs, cli, &job_args, &err) == 0) {
		status = exchange_once(&settings, &job, show, &showing);
	} else {
		report_error("%s", err.text);
		status = exit_status_of(&err);
	}
	buffer_finish(&photographs.a);
	buffer_finish(&photographs.b);
	return status;
}

const struct command command_match = {
    .name = "match",
    .operands = "A B [OPTION...]",
    .summary = "Ask whether two photographs show the same person",
    .text = "A and B are JPEG or PNG files, or http(s) URLs that the worker fetches. Prints the verdict, the\n"
	    "similarity and the threshold it was held against, the face found in each picture (box in pixels)\n"
	    "and how long every stage took.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet match passport.jpg selfie.jpg\n"
	    "  facefleet match --far 1e-4 --policy reject_multiple a.jpg b.jpg\n"
	    "  facefleet match a.jpg b.jpg --picture faces.jpg\n"
	    "  facefleet match --json a.jpg https://example.com/b.jpg | jq .result.similarity\n"
	    "  if facefleet -q match a.jpg b.jpg >/dev/null; then echo welcome; fi\n"
	    "\n"
	    "Exit status: 0 the same person, 1 not the same, 2 usage, 3 the task failed or no reply came,\n"
	    "4 no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options, ask_args_options, job_args_options},
    .configured = true,
    .run = run,
};
