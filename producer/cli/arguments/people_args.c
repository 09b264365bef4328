#include "cli/arguments/people_args.h"

#include <string.h>

#include "cli/input/image_file.h"
#include "cli/output/report.h"

const struct arg_option people_args_options[] = {
    {"collection", 0, "C", "The collection of people; \"default\" without it."},
    {0},
};

int people_args_read(struct people_args *out, const struct args *args, struct error *err)
{
	const char *collection = args_value(args, "collection");

	if (collection && !collection[0])
		return error_set(err, ERROR_CONFIG, "--collection: is empty");
	if (collection && strlen(collection) > JOB_MAX_COLLECTION_BYTES)
		return error_set(err, ERROR_CONFIG, "--collection: longer than %d bytes", JOB_MAX_COLLECTION_BYTES);
	out->collection = collection ? collection : "default";
	int r = job_args_read(&out->job, args, err);
	return r < 0 ? r : ask_args_read(&out->ask, args, err);
}

void people_args_fill(struct job *job, enum job_op op, const struct people_args *args)
{
	job_init(job, op);
	job->collection = args->collection;
	job->scene = args->job.scene;
	job->callback_url = args->job.callback_url;
	job->options = args->job.options;
}

enum exit_status people_args_ask(const struct cli *cli, struct people_args *args, struct job *job, const char *photo,
				 exchange_reply_fn *fn)
{
	struct exchange_settings settings = {
	    .config = cli->config, .quiet = cli->quiet, .timeout_ms = args->ask.timeout_ms};
	size_t max_bytes = (size_t)config_integer(cli->config, OPTION_IMAGE_MAX_BYTES);
	struct buffer bytes = {0};
	struct error err = {0};
	enum exit_status status;

	if (!photo || image_file_read(&job->image_a, &bytes, "", photo, max_bytes, &err) == 0) {
		status = exchange_once(&settings, job, fn, args);
	} else {
		report_error("%s", err.text);
		status = exit_status_of(&err);
	}
	buffer_finish(&bytes);
	return status;
}
