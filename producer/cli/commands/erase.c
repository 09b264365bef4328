#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "base/utf8.h"
#include "cli/commands/command.h"
#include "cli/commands/confirm.h"
#include "cli/output/escape.h"
#include "cli/people/erasure.h"
#include "job/job.h"

static const struct arg_option options[] = {
    {"collection", 0, "C", "Only in this collection; without it in every one."},
    {"yes", 'y', NULL, "Do not ask."},
    {0},
};

static bool is_meant(const struct erasure_settings *settings)
{
	char user[ESCAPE_SIZE];
	char collection[ESCAPE_SIZE];

	escape_text(settings->user_id, user, sizeof(user));
	if (settings->collection)
		return confirm("Erase \"%s\" from collection \"%s\" for good?", user,
			       escape_text(settings->collection, collection, sizeof(collection)));
	return confirm("Erase \"%s\" from every collection for good?", user);
}

static int read_settings(struct erasure_settings *out, const struct cli *cli, struct error *err)
{
	const char *collection = args_value(cli->args, "collection");

	if (cli->args->operand_count != 1)
		return error_set(err, ERROR_CONFIG, "erase takes one user id");
	const char *user_id = cli->args->operands[0];
	if (!user_id[0] || strlen(user_id) > JOB_MAX_USER_BYTES || !utf8_is_valid(user_id, strlen(user_id)))
		return error_set(err, ERROR_CONFIG, "a user id is 1 to %d bytes of UTF-8", JOB_MAX_USER_BYTES);
	if (collection && (!collection[0] || strlen(collection) > JOB_MAX_COLLECTION_BYTES ||
			   !utf8_is_valid(collection, strlen(collection))))
		return error_set(err, ERROR_CONFIG, "--collection: a collection is 1 to %d bytes of UTF-8",
				 JOB_MAX_COLLECTION_BYTES);
	*out = (struct erasure_settings){
	    .config = cli->config, .quiet = cli->quiet, .user_id = user_id, .collection = collection};
	return 0;
}

static enum exit_status run(const struct cli *cli)
{
	struct erasure_settings settings;
	struct error err = {0};

	if (read_settings(&settings, cli, &err) < 0)
		return command_usage(&command_erase, "%s", err.text);
	if (args_count(cli->args, "yes") == 0) {
		if (!isatty(STDIN_FILENO))
			return command_usage(&command_erase,
					     "there is no terminal to ask on; --yes says that it is meant");
		if (!is_meant(&settings))
			return stop_requested() ? STATUS_ABORTED : STATUS_NOT_REACHED;
	}
	return erasure_run(&settings);
}

const struct command command_erase = {
    .name = "erase",
    .operands = "USER [--collection C] [--yes]",
    .summary = "Remove a person from everything that facefleet keeps",
    .text = "Removes USER from the store, in every collection or one, and leaves a mark there, so that enrolments\n"
	    "still on their way do not count; removes the tasks about USER, their history, and scheduled jobs.\n"
	    "Tells workers and gateways; removes the person from Redis, and all that is remembered of photographs;\n"
	    "takes them out of the candidates in the kept replies of searches; removes parked messages about them\n"
	    "or that list them. Says what was removed and what could not be reached; can be repeated. It wants the\n"
	    "settings of a worker: store.url, cache.redis_url and the broker.\n"
	    "\n"
	    "Not reached: jobs, replies and callbacks still on their way (run it again when they are done), parked\n"
	    "messages that cannot be read (gone after 7 days), gateways that have no broker at that moment (they\n"
	    "forget within an hour), log files, result files, backups, and what callers put into references and URLs.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet erase ann\n"
	    "  facefleet erase ann --collection staff --yes\n"
	    "\n"
	    "Exit status: 0 everything was reached, 1 something was not, or the answer was no, 2 usage, 130\n"
	    "interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
