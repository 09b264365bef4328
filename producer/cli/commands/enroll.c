#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments/list_args.h"
#include "cli/arguments/people_args.h"
#include "cli/commands/command.h"
#include "cli/input/image_file.h"
#include "cli/output/enrolment.h"
#include "cli/output/report.h"

/* As many as the store keeps of one person. */
#define MAX_IMAGES 64

static const struct arg_option options[] = {
    {"from", 'f', "DIR|FILE", "Enroll everybody of a folder or a list, instead of one person."},
    {0},
};

/* One person's photographs, one job after the other. */
struct round {
	const struct cli *cli;
	struct people_args args;
	struct exchange *exchange;
	struct buffer photo;
	unsigned refused;
};

static enum exit_status show(struct round *round, const char *name, const struct reply *reply)
{
	if (reply->state != TASK_SUCCEEDED)
		round->refused++;
	if (!round->args.ask.json)
		enrolment_print(stdout, terminal_of(STDOUT_FILENO), name, reply);
	else if (!ask_args_print_json(reply))
		return STATUS_LOCAL_FAULT;
	fflush(stdout);
	return STATUS_OK;
}

static enum exit_status read_photo(struct round *round, const char *name, struct job_image *image)
{
	size_t max_bytes = (size_t)config_integer(round->cli->config, OPTION_IMAGE_MAX_BYTES);
	struct error err = {0};

	if (image_file_read(image, &round->photo, "", name, max_bytes, &err) == 0)
		return STATUS_OK;
	report_error("%s", err.text);
	return exit_status_of(&err);
}

static enum exit_status enroll_one(struct round *round, const char *name)
{
	const struct reply *reply;
	struct job job;

	people_args_fill(&job, JOB_ENROLL, &round->args);
	job.user_id = round->cli->args->operands[0];
	enum exit_status status = read_photo(round, name, &job.image_a);
	if (status == STATUS_OK)
		status = exchange_ask(round->exchange, &job, &reply);
	return status == STATUS_OK ? show(round, name, reply) : status;
}

/* A misspelt path must not leave half of the photographs enrolled. */
static enum exit_status try_all(struct round *round)
{
	const struct args *args = round->cli->args;
	enum exit_status status = STATUS_OK;
	struct job_image image;

	for (unsigned i = 1; i < args->operand_count && status == STATUS_OK; i++)
		status = read_photo(round, args->operands[i], &image);
	return status;
}

static enum exit_status enroll_all(struct round *round)
{
	const struct args *args = round->cli->args;
	enum exit_status status = try_all(round);

	for (unsigned i = 1; i < args->operand_count && status == STATUS_OK; i++) {
		status = enroll_one(round, args->operands[i]);
		if (status != STATUS_OK && status != STATUS_ABORTED && args->operand_count > 2)
			report_note("ended at image %u of %u", i, args->operand_count - 1);
	}
	if (status != STATUS_OK)
		return status;
	if (round->refused == 0)
		return STATUS_OK;
	return round->refused == args->operand_count - 1 ? STATUS_TASK_FAILED : STATUS_SOME_FAILED;
}

static enum exit_status run_person(const struct cli *cli, const struct people_args *args)
{
	struct exchange_settings settings = {
	    .config = cli->config, .quiet = cli->quiet, .timeout_ms = args->ask.timeout_ms};
	struct round round = {.cli = cli, .args = *args, .exchange = exchange_new(&settings)};
	enum exit_status status = STATUS_LOCAL_FAULT;

	if (round.exchange)
		status = enroll_all(&round);
	else
		report_error("out of memory");
	exchange_free(round.exchange);
	buffer_finish(&round.photo);
	return status;
}

static enum exit_status run_list(const struct cli *cli, const struct people_args *args, const struct list_args *list)
{
	struct submission_settings settings = {
	    .config = cli->config,
	    .op = JOB_ENROLL,
	    .collection = args->collection,
	    .scene = args->job.scene,
	    .callback_url = args->job.callback_url,
	    .options = args->job.options,
	    .wait = true,
	    .quiet = cli->quiet,
	};

	return list_args_run(list, &settings);
}

/* The first option of `table` that was given, or NULL. */
static const char *given_of(const struct arg_option *table, const struct args *args)
{
	for (; table->name; table++)
		if (args_count(args, table->name) > 0)
			return table->name;
	return NULL;
}

/* One way or the other: the options of one mean nothing to the other. */
static int check_mode(const struct args *args, const char *from, struct error *err)
{
	const char *stray = given_of(from ? ask_args_options : list_args_options, args);

	if (from && args->operand_count > 0)
		return error_set(err, ERROR_CONFIG, "--from takes the place of USER and IMAGE");
	if (!from && args->operand_count < 2)
		return error_set(err, ERROR_CONFIG, "enroll takes a user id and photographs, or --from");
	if (!from && args->operand_count - 1 > MAX_IMAGES)
		return error_set(err, ERROR_CONFIG, "%u photographs; a person can have at most %d",
				 args->operand_count - 1, MAX_IMAGES);
	if (stray)
		return error_set(err, ERROR_CONFIG,
				 from ? "--%s does not go with --from" : "--%s goes with --from only", stray);
	return 0;
}

static enum exit_status run(const struct cli *cli)
{
	const char *from = args_value(cli->args, "from");
	struct people_args args;
	struct list_args list;
	struct error err = {0};

	if (check_mode(cli->args, from, &err) < 0 || people_args_read(&args, cli->args, &err) < 0 ||
	    list_args_read(&list, from ? from : "", cli->args, &err) < 0)
		return command_usage(&command_enroll, "%s", err.text);
	return from ? run_list(cli, &args, &list) : run_person(cli, &args);
}

const struct command command_enroll = {
    .name = "enroll",
    .operands = "USER IMAGE... | --from DIR|FILE [OPTION...]",
    .summary = "Make people known, so that photographs can be held against them",
    .text =
	"USER is up to 128 bytes of your choosing; each IMAGE is a JPEG or PNG file, or an http(s) URL that the\n"
	"worker fetches, and adds an image to the person, up to 64. Prints the id of each image and how sure the\n"
	"detector was of the face, or why it was refused and what to do better.\n"
	"\n"
	"--from DIR: the sub-folders are people, and the .jpg, .jpeg and .png files in them theirs. Files directly\n"
	"in DIR are named after the person: ann.jpg, ann_1.jpg and ann_2.jpg are ann's. Links are not followed.\n"
	"--from FILE: CSV (user_id,image[,collection], or any order under a header line) or JSONL with the same\n"
	"names; - is standard input. Results are written as `facefleet submit --wait` writes them.\n"
	"\n"
	"Examples:\n"
	"  facefleet enroll ann passport.jpg selfie.jpg\n"
	"  facefleet enroll --from people/ --out enrolled.csv\n"
	"  facefleet enroll --from people/ --out enrolled.csv --resume    after Ctrl-C or a crash\n"
	"  facefleet enroll --from staff.csv --collection staff | jq 'select(.error)'\n"
	"\n"
	"Exit status: 0 all stored, 1 some were refused, 2 usage, 3 all were refused or no reply came,\n"
	"4 no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options, people_args_options, list_args_options, ask_args_options, JOB_ARGS_WITHOUT_THRESHOLD},
    .configured = true,
    .run = run,
};
