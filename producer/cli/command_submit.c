#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/job_args.h"
#include "cli/report.h"
#include "cli/submission.h"

#define CONNECT_TIMEOUT_MS 5000
#define DEFAULT_IN_FLIGHT 1000
#define MAX_IN_FLIGHT 100000

static const struct arg_option options[] = {
    {"wait", 'w', NULL, "Wait for every reply and write what it says."},
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
static char *choose_base_dir(const struct args *args, const char *input)
{
	const char *given = args_value(args, "base-dir");
	const char *slash = strrchr(input, '/');

	if (given)
		return strdup(given);
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

/* What the command line says, checked. */
struct request {
	struct submission_settings submission;
	struct job_args job;
	const char *input;
	const char *out_path;
	enum result_format format;
	bool resume;
};

static int read_request(struct request *request, const struct cli *cli, struct error *err)
{
	const struct args *args = cli->args;
	double in_flight = DEFAULT_IN_FLIGHT;

	*request = (struct request){.out_path = args_value(args, "out"), .resume = args_count(args, "resume") > 0};
	if (args->operand_count != 1)
		return error_set(err, ERROR_CONFIG, "submit takes one file, or - for standard input");
	if (request->resume && !request->out_path)
		return error_set(err, ERROR_CONFIG, "--resume needs --out: the file of the earlier run");
	if (job_args_read(&request->job, args, err) < 0 ||
	    choose_format(args, request->out_path, &request->format, err) < 0 ||
	    args_number(args, "in-flight", 1, MAX_IN_FLIGHT, &in_flight, err) < 0)
		return -EINVAL;
	request->input = args->operands[0];
	request->submission = (struct submission_settings){
	    .config = cli->config,
	    .scene = request->job.scene,
	    .callback_url = request->job.callback_url,
	    .options = request->job.options,
	    .wait = args_count(args, "wait") > 0,
	    .quiet = cli->quiet,
	    .in_flight = (unsigned)in_flight,
	    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
	};
	return 0;
}

static enum exit_status submit(struct request *request)
{
	struct results *results;
	struct error err = {0};
	int fd = open_input(request->input, &err);

	if (fd < 0) {
		report_error("%s", err.text);
		return STATUS_USAGE;
	}
	request->submission.input_fd = fd;
	if (results_open(&results, request->out_path, request->format, request->resume, &err) < 0) {
		report_error("%s", err.text);
		close(fd);
		return STATUS_USAGE;
	}
	enum exit_status status = submission_run(&request->submission, results);
	int r = results_close(results);
	if (r < 0 && status != STATUS_ABORTED) {
		report_error("results cannot be written: %s", strerror(-r));
		status = STATUS_LOCAL_FAULT;
	}
	close(fd);
	return status;
}

static enum exit_status run(const struct cli *cli)
{
	struct request request;
	struct error err = {0};

	if (read_request(&request, cli, &err) < 0)
		return command_usage(&command_submit, "%s", err.text);
	char *base_dir = choose_base_dir(cli->args, request.input);
	if (!base_dir) {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	request.submission.base_dir = base_dir;
	enum exit_status status = submit(&request);
	free(base_dir);
	return status;
}

const struct command command_submit = {
    .name = "submit",
    .operands = "FILE|- [OPTION...]",
    .summary = "Send a list of pairs of photographs, and collect the answers",
    .text = "FILE is CSV (id,image_a,image_b[,user_id[,callback]], or any order under a header line) or JSONL\n"
	    "({\"id\": …, \"image_a\": …, \"image_b\": …} a line). Images are paths or http(s) URLs. Rows that\n"
	    "cannot be used are reported with their line number and do not stop the rest. Without --wait a row\n"
	    "is done when the broker has it; with --wait when its reply came.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet submit pairs.csv --wait --out results.csv\n"
	    "  facefleet submit pairs.csv --wait --out results.csv --resume    after Ctrl-C or a crash\n"
	    "  facefleet submit pairs.jsonl --callback https://example.com/hook\n"
	    "  make-pairs | facefleet submit - --wait | jq 'select(.matched)'\n"
	    "\n"
	    "Exit status: 0 every row has its result, 1 some rows were refused or tasks failed, 2 usage,\n"
	    "4 no broker, 5 results cannot be written, 130 interrupted.\n",
    .options = {options, job_args_options},
    .configured = true,
    .run = run,
};
