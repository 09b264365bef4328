#include "cli/commands/command.h"

static enum exit_status run(const struct cli *cli)
{
	const struct command *about = NULL;

	if (cli->args->operand_count > 1)
		return command_usage(&command_help, "help takes one command");
	if (cli->args->operand_count == 1) {
		about = command_find(cli->args->operands[0]);
		if (!about)
			return command_unknown(cli->args->operands[0]);
	}
	command_print_help(about, stdout);
	return STATUS_OK;
}

const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "Explain a command, with examples",
    .text = "Without COMMAND, lists the commands.\n",
    .run = run,
};
