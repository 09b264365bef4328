#include "cli/arguments/job_args.h"
#include "cli/arguments/list_args.h"
#include "cli/commands/command.h"

static const struct arg_option options[] = {
    {"wait", 'w', NULL, "Wait for every reply and write what it says."},
    {0},
};

static enum exit_status run(const struct cli *cli)
{
	const struct args *args = cli->args;
	struct job_args job;
	struct list_args list;
	struct error err = {0};

	if (args->operand_count != 1)
		return command_usage(&command_submit, "submit takes one file, or - for standard input");
	if (job_args_read(&job, args, &err) < 0 || list_args_read(&list, args->operands[0], args, &err) < 0)
		return command_usage(&command_submit, "%s", err.text);
	struct submission_settings settings = {
	    .config = cli->config,
	    .op = JOB_MATCH,
	    .collection = "default",
	    .scene = job.scene,
	    .callback_url = job.callback_url,
	    .options = job.options,
	    .wait = args_count(args, "wait") > 0,
	    .quiet = cli->quiet,
	};
	return list_args_run(&list, &settings);
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
    .options = {options, list_args_options, job_args_options},
    .configured = true,
    .run = run,
};
