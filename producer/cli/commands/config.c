#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands/action.h"
#include "cli/commands/command.h"
#include "cli/commands/in_store.h"
#include "cli/commands/settings_draft.h"
#include "cli/output/escape.h"
#include "cli/output/report.h"
#include "cli/output/setting_row.h"
#include "cli/output/table.h"
#include "cli/output/terminal.h"
#include "config/reload.h"
#include "store/central_set.h"

#define HISTORY_MAX 1000

static const struct arg_option options[] = {
    {"for", 0, "PROGRAM", "That one alone: worker, gateway, callback, tracker or scheduler."},
    {"json", 'j', NULL, "Of get and history: JSON lines, on a terminal too."},
    {0},
};

/* The program that --for names, "" without it; NULL after a report. */
static const char *program_of(const struct cli *cli)
{
	const char *name = args_value(cli->args, "for");

	if (!name)
		return "";
	for (size_t i = 0; i < SETTINGS_PROGRAM_COUNT; i++)
		if (strcmp(settings_programs[i], name) == 0)
			return name;
	report_error("--for %s: must be worker, gateway, callback, tracker or scheduler", name);
	return NULL;
}

/* --- get and history --- */

struct listing {
	bool json;
	struct table table;
};

static int print_setting(void *arg, const struct central_setting *setting, struct error *err)
{
	struct listing *listing = arg;

	if (listing->json)
		return setting_row_json(setting, stdout) < 0 ? error_set(err, ERROR_INTERNAL, "out of memory") : 0;
	setting_row_add(&listing->table, setting);
	return 0;
}

static int print_change(void *arg, const struct central_change *change, struct error *err)
{
	struct listing *listing = arg;

	if (listing->json)
		return setting_row_change_json(change, stdout) < 0 ? error_set(err, ERROR_INTERNAL, "out of memory")
								   : 0;
	setting_row_add_change(&listing->table, change);
	return 0;
}

static enum exit_status print_all(const struct cli *cli, struct store *store, bool history)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct listing listing = {.json = args_count(cli->args, "json") > 0 || !terminal.interactive};
	struct error err = {0};

	if (history)
		table_init(&listing.table, setting_row_change_columns, SETTING_ROW_CHANGE_COLUMNS);
	else
		table_init(&listing.table, setting_row_columns, SETTING_ROW_COLUMNS);
	int r = history ? central_history(store, HISTORY_MAX, print_change, &listing, &err)
			: central_list(store, print_setting, &listing, &err);
	if (r == 0 && !listing.json && table_rows(&listing.table) == 0 && !cli->quiet)
		report_note("The fleet shares no settings%s.", history ? ", and never did" : "");
	else if (r == 0 && !listing.json && table_print(&listing.table, stdout, terminal) < 0)
		r = error_set(&err, ERROR_INTERNAL, "out of memory");
	table_finish(&listing.table);
	return r < 0 ? report_failure(&err) : STATUS_OK;
}

static enum exit_status show_history(const struct cli *cli, void *arg)
{
	return print_all(cli, arg, true);
}

/* The value that counts for the program: the last of those picked. */
static enum exit_status print_value(struct central_set *set, const char *program, const char *key)
{
	struct config_central picked[CENTRAL_MAX];
	const char *value = NULL;
	unsigned count = central_set_pick(set, program, picked);
	char text[ESCAPE_SIZE];

	for (unsigned i = 0; i < count; i++)
		if (strcmp(picked[i].key, key) == 0)
			value = picked[i].value;
	if (!value) {
		report_error("%s is not shared by the fleet: each program has its own, which its --print-config shows",
			     key);
		return STATUS_NOT_IN_PLACE;
	}
	puts(escape_text(value, text, sizeof(text)));
	return STATUS_OK;
}

static enum exit_status get(const struct cli *cli, void *arg)
{
	const char *key = action_operand(cli, 1);
	const char *program = program_of(cli);
	struct error err = {0};

	if (!program)
		return STATUS_USAGE;
	if (!key)
		return print_all(cli, arg, false);
	struct central_set *set = calloc(1, sizeof(*set));
	int r = set ? central_set_read(set, arg, &err) : error_set(&err, ERROR_INTERNAL, "out of memory");
	enum exit_status status = r < 0 ? report_failure(&err) : print_value(set, program, key);
	if (set)
		central_set_finish(set);
	free(set);
	return status;
}

/* --- diff --- */

static void print_difference(void *arg, const struct config_change *change)
{
	char before[ESCAPE_SIZE];
	char after[ESCAPE_SIZE];

	*(unsigned *)arg += 1;
	printf("%s: %s → %s\n", change->key, change->before ? escape_text(change->before, before, sizeof(before)) : "-",
	       change->after ? escape_text(change->after, after, sizeof(after)) : "-");
}

static int compare(const struct cli *cli, const struct central_set *set, const char *program, unsigned *found,
		   struct error *err)
{
	struct config_central picked[CENTRAL_MAX];
	const struct config_sources without = {.path = args_value(cli->args, "config")};
	const struct config_sources with = {
	    .path = without.path, .central = picked, .central_count = central_set_pick(set, program, picked)};
	struct config *alone = NULL;
	struct config *both = NULL;
	int r = config_load(&alone, &without, err);

	if (r == 0)
		r = config_load(&both, &with, err);
	if (r == 0)
		config_compare(alone, both, print_difference, found);
	config_free(alone);
	config_free(both);
	return r;
}

static enum exit_status diff(const struct cli *cli, void *arg)
{
	const char *program = program_of(cli);
	struct central_set *set = calloc(1, sizeof(*set));
	struct error err = {0};
	unsigned found = 0;

	if (!program) {
		free(set);
		return STATUS_USAGE;
	}
	int r = set ? central_set_read(set, arg, &err) : error_set(&err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		r = compare(cli, set, program, &found, &err);
	if (set)
		central_set_finish(set);
	free(set);
	if (r == 0 && found == 0 && !cli->quiet)
		report_note("What the fleet shares changes nothing here.");
	return r < 0 ? report_failure(&err) : STATUS_OK;
}

/* --- set, unset, rollback --- */

static enum exit_status put(const struct cli *cli, struct store *store, const char *key, const char *value)
{
	const char *program = program_of(cli);
	struct error err = {0};

	if (!program)
		return STATUS_USAGE;
	const struct central_setting setting = {.program = program, .key = key, .value = value};
	struct settings_draft *draft = settings_draft_new(store, &err);
	enum exit_status status = !draft || settings_draft_add(draft, &setting, &err) < 0
				      ? report_failure(&err)
				      : settings_draft_write(cli, store, draft);
	settings_draft_free(draft);
	return status;
}

static enum exit_status set(const struct cli *cli, void *arg)
{
	return put(cli, arg, action_operand(cli, 1), action_operand(cli, 2));
}

static enum exit_status unset(const struct cli *cli, void *arg)
{
	return put(cli, arg, action_operand(cli, 1), NULL);
}

static enum exit_status roll_back(const struct cli *cli, void *arg)
{
	const char *text = action_operand(cli, 1);
	struct error err = {0};

	if (text[0] == '\0' || strlen(text) > 18 || text[strspn(text, "0123456789")] != '\0')
		return command_usage(&command_config, "rollback %s: must be a revision", text);
	struct settings_draft *draft = settings_draft_new(arg, &err);
	enum exit_status status = !draft || settings_draft_undo(draft, arg, strtoull(text, NULL, 10), &err) < 0
				      ? report_failure(&err)
				      : settings_draft_write(cli, arg, draft);
	settings_draft_free(draft);
	return status;
}

static const struct action actions[] = {
    {"get", get, 0, 1, {"for", "json"}},       {"set", set, 2, 2, {"for"}},
    {"unset", unset, 1, 1, {"for"}},           {"diff", diff, 0, 0, {"for"}},
    {"history", show_history, 0, 0, {"json"}}, {"rollback", roll_back, 1, 1, {0}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_config, cli, actions, array_size(actions));

	return action ? in_store_run(cli, action) : STATUS_USAGE;
}

const struct command command_config = {
    .name = "config",
    .operands = "[get|set|unset|diff|history|rollback] [KEY [VALUE]]",
    .summary = "Settings that the whole fleet shares",
    .text = "Works on the store that the setting store.url names. What is set here counts more than the programs'\n"
	    "files, and less than their environment and command lines. Only what can change without a restart,\n"
	    "and no secret, can be set. Programs take it over within seconds, those that start later too. For\n"
	    "some settings (threads, models, limits of pictures, sizes of caches) the workers renew themselves:\n"
	    "each, at a time of its own, ends its jobs in hand and executes itself anew, with the same process id.\n"
	    "\n"
	    "  get [KEY]        what is set, or one value\n"
	    "  set KEY VALUE    set it for all programs, or for one (--for)\n"
	    "  unset KEY        the programs' own files count again\n"
	    "  diff             what that changes for a program with this host's file\n"
	    "  history          who changed what, the newest first\n"
	    "  rollback N       all as it was at revision N, as a new revision\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet config set face.min_threshold 0.4\n"
	    "  facefleet config set log.level debug --for worker\n"
	    "  facefleet config set worker.threads 4\n"
	    "  facefleet config set scenes.kiosk.deadline_ms 900\n"
	    "\n"
	    "Exit status: 0 done, 1 nothing was to be done or it is not set, 2 usage or settings,\n"
	    "4 no store, 5 a fault of this machine.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
