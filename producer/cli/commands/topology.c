#include <string.h>

#include "amqp/settings.h"
#include "amqp/topology.h"
#include "cli/commands/command.h"
#include "cli/output/report.h"

#define TIMEOUT_MS 15000

static const struct arg_option options[] = {
    {"check", 0, NULL, "Compare the broker with the table; changes nothing."},
    {"apply", 0, NULL, "Declare on the broker what is missing."},
    {"print", 0, NULL, "Print the table of exchanges and queues (the default)."},
    {"policies", 0, NULL, "Print the operator policies as rabbitmqctl commands."},
    {"json", 0, NULL, "With --print: JSON instead of text."},
    {0},
};

static enum exit_status check(const struct cli *cli, bool apply)
{
	struct amqp_link_settings link = {0};
	struct error err = {0};
	struct amqp_url url;

	int r = amqp_settings_from_config(&url, &link, cli->config, &err);
	if (r == 0)
		r = topology_check(&url, apply, TIMEOUT_MS, stdout, &err);
	if (r < 0) {
		report_error("%s", err.text);
		return exit_status_of(&err);
	}
	return r == 0 ? STATUS_OK : STATUS_NOT_IN_PLACE;
}

static enum exit_status run(const struct cli *cli)
{
	bool want_check = args_count(cli->args, "check") > 0;
	bool want_apply = args_count(cli->args, "apply") > 0;
	bool want_print = args_count(cli->args, "print") > 0;
	bool want_policies = args_count(cli->args, "policies") > 0;
	bool json = args_count(cli->args, "json") > 0;

	if (cli->args->operand_count > 0)
		return command_usage(&command_topology, "topology takes no operand");
	if (want_check + want_apply + want_print + want_policies > 1)
		return command_usage(&command_topology, "only one of --check, --apply, --print and --policies");
	if (json && (want_check || want_apply || want_policies))
		return command_usage(&command_topology, "--json goes with --print");
	if (want_check || want_apply)
		return check(cli, want_apply);
	if (want_policies)
		topology_print_policies(stdout);
	else
		topology_print(stdout, json);
	return STATUS_OK;
}

const struct command command_topology = {
    .name = "topology",
    .operands = "[--print|--check|--apply|--policies] [--json]",
    .summary = "Show, check or create the exchanges and queues on the broker",
    .text = "Every program declares what it uses when it connects, so a fleet works without this command. It\n"
	    "is for looking at what should be there, for finding out what differs, and for brokers where the\n"
	    "programs' user may not declare.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet topology                        what there should be\n"
	    "  facefleet topology --check                does the broker have it?\n"
	    "  facefleet topology --policies | sh        set the limits, on the broker's host\n"
	    "\n"
	    "Exit status: 0 all in place, 1 something is missing or differs, 2 usage, 4 no broker.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
