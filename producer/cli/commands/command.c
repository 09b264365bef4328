#include "cli/commands/command.h"

#include <stdarg.h>
#include <string.h>

#include "cli/arguments/suggest.h"
#include "cli/output/escape.h"
#include "cli/output/report.h"

const struct command *const command_table[] = {
    &command_match, //
    &command_submit,
    &command_enroll,
    &command_unenroll,
    &command_verify,
    &command_search,
    &command_collections,
    &command_erase,
    &command_schedule,
    &command_store,
    &command_task,
    &command_tasks,
    &command_cancel,
    &command_replay,
    &command_keys,
    &command_endpoints,
    &command_config,
    &command_dead,
    &command_workers,
    &command_top,
    &command_topology,
    &command_models,
    &command_help,
    NULL,
};

const struct arg_option command_global_options[] = {
    {"config", 'c', "FILE", "Read settings from FILE instead of /etc/facefleet/facefleet.yaml."},
    {"set", 's', "KEY=VALUE", "Change one setting; may be repeated."},
    {"broker", 'b', "URL", "Broker to use; the same as --set amqp.url=URL."},
    {"verbose", 'v', NULL, "Log warnings; twice what happens, three times everything."},
    {"quiet", 'q', NULL, "No progress and no summary, only errors."},
    {"help", 'h', NULL, "Print the help of the command and exit."},
    {"version", 'V', NULL, "Print the version and exit."},
    {0},
};

static const char program_text[] =
    "Try it:\n"
    "  facefleet match alice.jpg bob.jpg             are these the same person?\n"
    "  facefleet submit pairs.csv --wait --out r.csv a whole list, with its answers\n"
    "  facefleet enroll ann ann1.jpg ann2.jpg        make a person known\n"
    "  facefleet verify ann camera.jpg               is it ann?\n"
    "  facefleet search camera.jpg                   who is it?\n"
    "  facefleet topology --check                    is the broker set up?\n"
    "  facefleet models list                         which networks are there?\n"
    "  facefleet help submit                         everything about one command\n"
    "\n"
    "The broker is amqp://guest:guest@127.0.0.1:5672/ unless --broker, FACEFLEET_AMQP_URL or the\n"
    "settings file says otherwise. Each command has a manual page: facefleet(1), facefleet-match(1), …\n";

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = command_table; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static void print_options(const struct arg_option *options, FILE *out)
{
	for (; options->name; options++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", options->name, options->value ? " " : "",
			 options->value ? options->value : "");
		if (options->letter)
			fprintf(out, "  -%c, %-20s %s\n", options->letter, left, options->help);
		else
			fprintf(out, "      %-20s %s\n", left, options->help);
	}
}

static void print_program_help(FILE *out)
{
	fputs("usage: facefleet [OPTION...] COMMAND [OPERAND...]\n\n"
	      "Sends face-matching jobs through RabbitMQ to a fleet of workers and shows what they answer.\n\n"
	      "Commands:\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++)
		fprintf(out, "  %-12s %s\n", (*c)->name, (*c)->summary);
	fputs("\nOptions of every command:\n", out);
	print_options(command_global_options, out);
	fprintf(out, "\n%s", program_text);
}

void command_print_help(const struct command *command, FILE *out)
{
	if (!command) {
		print_program_help(out);
		return;
	}
	fprintf(out, "usage: facefleet %s %s\n\n%s.\n\n%s", command->name, command->operands, command->summary,
		command->text);
	if (command->options[0])
		fputs("\nOptions:\n", out);
	for (const struct arg_option *const *table = command->options; *table; table++)
		print_options(*table, out);
	fputs("\nOptions of every command:\n", out);
	print_options(command_global_options, out);
}

enum exit_status command_usage(const struct command *command, const char *fmt, ...)
{
	char text[ESCAPE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	report_error("%s", text);
	report_note("See `facefleet help%s%s`.", command ? " " : "", command ? command->name : "");
	return STATUS_USAGE;
}

enum exit_status command_unknown(const char *word)
{
	const char *nearest = NULL;

	for (const struct command *const *c = command_table; *c; c++)
		nearest = suggest_nearer(word, nearest, (*c)->name);
	if (nearest)
		return command_usage(NULL, "no command \"%s\"; did you mean %s?", word, nearest);
	return command_usage(NULL, "no command \"%s\"", word);
}
