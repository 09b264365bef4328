#include <stdio.h>
#include <unistd.h>

#include "cli/arguments/people_args.h"
#include "cli/commands/command.h"
#include "cli/output/escape.h"
#include "cli/output/verdict.h"

static enum exit_status show(void *arg, const struct reply *reply)
{
	const struct people_args *args = arg;
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	char name[ESCAPE_SIZE];

	if (args->ask.json) {
		if (!ask_args_print_json(reply))
			return STATUS_LOCAL_FAULT;
	} else if (reply->state == TASK_SUCCEEDED) {
		printf("%sunenrolled%s %s\n", terminal_good(terminal), terminal_plain(terminal),
		       escape_text(reply->user_id, name, sizeof(name)));
	} else {
		verdict_print_failure(stdout, terminal, reply);
	}
	return reply->state == TASK_SUCCEEDED ? STATUS_OK : STATUS_TASK_FAILED;
}

static enum exit_status run(const struct cli *cli)
{
	struct people_args args;
	struct error err = {0};
	struct job job;

	if (cli->args->operand_count != 1)
		return command_usage(&command_unenroll, "unenroll takes one user id");
	if (people_args_read(&args, cli->args, &err) < 0)
		return command_usage(&command_unenroll, "%s", err.text);
	people_args_fill(&job, JOB_UNENROLL, &args);
	job.user_id = cli->args->operands[0];
	return people_args_ask(cli, &args, &job, NULL, show);
}

const struct command command_unenroll = {
    .name = "unenroll",
    .operands = "USER [OPTION...]",
    .summary = "Forget an enrolled person's images",
    .text = "Removes every image of USER from the collection, whichever model they were enrolled under. Enrolments\n"
	    "that were sent before it and are still on their way end as superseded. Somebody who is not enrolled is\n"
	    "no error. To remove a person from everything facefleet keeps, see `facefleet help erase`.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet unenroll ann\n"
	    "  facefleet unenroll ann --collection staff\n"
	    "\n"
	    "Exit status: 0 done, 2 usage, 3 the task failed or no reply came, 4 no broker, 5 a fault of this\n"
	    "machine, 130 interrupted.\n",
    .options = {people_args_options, ask_args_options, JOB_ARGS_WITHOUT_FACE},
    .configured = true,
    .run = run,
};
