#include <stdio.h>
#include <unistd.h>

#include "cli/arguments/people_args.h"
#include "cli/commands/command.h"
#include "cli/output/verdict.h"

static enum exit_status show(void *arg, const struct reply *reply)
{
	const struct people_args *args = arg;

	if (!args->ask.json)
		verdict_print(stdout, terminal_of(STDOUT_FILENO), reply);
	else if (!ask_args_print_json(reply))
		return STATUS_LOCAL_FAULT;
	return verdict_status(reply);
}

static enum exit_status run(const struct cli *cli)
{
	struct people_args args;
	struct error err = {0};
	struct job job;

	if (cli->args->operand_count != 2)
		return command_usage(&command_verify, "verify takes a user id and a photograph");
	if (people_args_read(&args, cli->args, &err) < 0)
		return command_usage(&command_verify, "%s", err.text);
	people_args_fill(&job, JOB_VERIFY, &args);
	job.user_id = cli->args->operands[0];
	return people_args_ask(cli, &args, &job, cli->args->operands[1], show);
}

const struct command command_verify = {
    .name = "verify",
    .operands = "USER IMAGE [OPTION...]",
    .summary = "Ask whether a photograph shows an enrolled person",
    .text = "IMAGE is a JPEG or PNG file, or an http(s) URL that the worker fetches. Its face is held against every\n"
	    "image that USER was enrolled with; the best one counts. Somebody who is not enrolled is an error\n"
	    "(user_not_found), and so is somebody who was enrolled only under another model (model_mismatch).\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet verify ann camera.jpg\n"
	    "  facefleet verify ann camera.jpg --collection staff --far 1e-4\n"
	    "  if facefleet -q verify ann camera.jpg >/dev/null; then echo welcome; fi\n"
	    "\n"
	    "Exit status: 0 the same person, 1 not the same, 2 usage, 3 the task failed or no reply came,\n"
	    "4 no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = {people_args_options, ask_args_options, job_args_options},
    .configured = true,
    .run = run,
};
