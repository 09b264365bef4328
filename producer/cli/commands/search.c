#include <stdio.h>
#include <unistd.h>

#include "cli/arguments/people_args.h"
#include "cli/commands/command.h"
#include "cli/output/ranking.h"

static const struct arg_option options[] = {
    {"top", 'k', "K", "At most so many people, 1 to 1000; without it the worker's own number."},
    {0},
};

/* A table is for people; programs get what travelled. */
static enum exit_status show(void *arg, const struct reply *reply)
{
	const struct people_args *args = arg;
	struct terminal terminal = terminal_of(STDOUT_FILENO);

	if (terminal.interactive && !args->ask.json)
		ranking_print(stdout, terminal, reply);
	else if (!ask_args_print_json(reply))
		return STATUS_LOCAL_FAULT;
	return ranking_status(reply);
}

static enum exit_status run(const struct cli *cli)
{
	struct people_args args;
	struct error err = {0};
	double top = 0;
	struct job job;

	if (cli->args->operand_count != 1)
		return command_usage(&command_search, "search takes one photograph");
	if (people_args_read(&args, cli->args, &err) < 0 ||
	    args_number(cli->args, "top", 1, JOB_MAX_TOP_K, &top, &err) < 0)
		return command_usage(&command_search, "%s", err.text);
	people_args_fill(&job, JOB_SEARCH, &args);
	job.options.top_k = (int)top;
	return people_args_ask(cli, &args, &job, cli->args->operands[0], show);
}

const struct command command_search = {
    .name = "search",
    .operands = "IMAGE [OPTION...]",
    .summary = "Ask which enrolled people a photograph may show",
    .text = "IMAGE is a JPEG or PNG file, or an http(s) URL that the worker fetches. Lists the people of the\n"
	    "collection whose best image is at or above the threshold, the most alike first: a table on a terminal,\n"
	    "otherwise the reply as JSON. Nobody is an answer too.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet search camera.jpg\n"
	    "  facefleet search camera.jpg --top 1 --far 1e-5\n"
	    "  facefleet search camera.jpg | jq -r '.result.candidates[].user_id'\n"
	    "\n"
	    "Exit status: 0 somebody, 1 nobody, 2 usage, 3 the task failed or no reply came, 4 no broker,\n"
	    "5 a fault of this machine, 130 interrupted.\n",
    .options = {people_args_options, options, ask_args_options, job_args_options},
    .configured = true,
    .run = run,
};
