#include "cli/arguments/list_args.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/input/same_file.h"
#include "cli/output/report.h"

#define CONNECT_TIMEOUT_MS 5000
#define DEFAULT_IN_FLIGHT 1000
#define MAX_IN_FLIGHT 100000

const struct arg_option list_args_options[] = {
    {"out", 'o', "FILE", "Write results to FILE instead of standard output."},
    {"format", 0, "jsonl|csv", "Form of the results; without it --out FILE.csv means csv, all else jsonl."},
    {"resume", 0, NULL, "Skip rows whose id is in --out already, and append to it."},
    {"base-dir", 0, "DIR", "Folder that relative image paths count from; without it the input file's."},
    {"in-flight", 0, "N", "Rows under way at any moment, 1 to 100000; 1000 without it."},
    {0},
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static int choose_format(const struct args *args, const char *out_path, enum result_format *format, struct error *err)
{
	const char *name = args_value(args, "format");

	*format = out_path && ends_with(out_path, ".csv") ? RESULT_CSV : RESULT_JSONL;
	if (name && result_format_from_name(name, format) < 0)
		return error_set(err, ERROR_CONFIG, "--format %s: must be jsonl or csv", name);
	return 0;
}

/* The folder that relative paths of the input count from; free it. NULL when memory is out. */
static char *choose_base_dir(const struct list_args *args)
{
	const char *input = args->input;
	const char *slash = strrchr(input, '/');

	if (args->base_dir)
		return strdup(args->base_dir);
	if (!slash)
		return strdup("");
	return slash == input ? strdup("/") : strndup(input, (size_t)(slash - input));
}

static int open_input(const char *path, struct error *err)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, ERROR_CONFIG, "%s: %s", path, strerror(errno));
	return fd;
}

int list_args_read(struct list_args *out, const char *input, const struct args *args, struct error *err)
{
	struct list_args read = {
	    .input = input,
	    .base_dir = args_value(args, "base-dir"),
	    .out_path = args_value(args, "out"),
	    .resume = args_count(args, "resume") > 0,
	};
	double in_flight = DEFAULT_IN_FLIGHT;

	if (read.resume && !read.out_path)
		return error_set(err, ERROR_CONFIG, "--resume needs --out: the file of the earlier run");
	if (choose_format(args, read.out_path, &read.format, err) < 0 ||
	    args_number(args, "in-flight", 1, MAX_IN_FLIGHT, &in_flight, err) < 0)
		return -EINVAL;
	read.in_flight = (unsigned)in_flight;
	*out = read;
	return 0;
}

static enum exit_status run(const struct list_args *args, struct submission_settings *settings)
{
	struct results *results;
	struct error err = {0};
	int fd = open_input(args->input, &err);

	if (fd < 0) {
		report_error("%s", err.text);
		return STATUS_USAGE;
	}
	settings->input_fd = fd;
	if (args->out_path && same_file_as_open(args->out_path, fd)) {
		report_error("--out %s: is the file that is read", args->out_path);
		close(fd);
		return STATUS_USAGE;
	}
	if (results_open(&results, args->out_path, settings->op, args->format, args->resume, &err) < 0) {
		report_error("%s", err.text);
		close(fd);
		return STATUS_USAGE;
	}
	enum exit_status status = submission_run(settings, results);
	int r = results_close(results);
	if (r < 0 && status != STATUS_ABORTED) {
		report_error("results cannot be written: %s", strerror(-r));
		status = STATUS_LOCAL_FAULT;
	}
	close(fd);
	return status;
}

enum exit_status list_args_run(const struct list_args *args, struct submission_settings *settings)
{
	char *base_dir = choose_base_dir(args);

	if (!base_dir) {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	settings->base_dir = base_dir;
	settings->in_flight = args->in_flight;
	settings->connect_timeout_ms = CONNECT_TIMEOUT_MS;
	enum exit_status status = run(args, settings);
	free(base_dir);
	return status;
}
