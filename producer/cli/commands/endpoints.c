#include <stdio.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "cli/commands/action.h"
#include "cli/commands/command.h"
#include "cli/commands/in_store.h"
#include "cli/output/endpoint_row.h"
#include "cli/output/report.h"
#include "cli/output/terminal.h"
#include "store/endpoints.h"

static const struct arg_option options[] = {
    {"rotate", 0, NULL, "Of secret: another one; the old one is used too for a day."},
    {"json", 'j', NULL, "Of list: JSON lines, on a terminal too."},
    {0},
};

/* --- list --- */

struct listing {
	bool json;
	int64_t now_ms;
	struct table table;
};

static int print_endpoint(void *arg, const struct callback_endpoint *endpoint, struct error *err)
{
	struct listing *listing = arg;

	if (!listing->json)
		endpoint_row_add(&listing->table, endpoint, listing->now_ms);
	else if (endpoint_row_json(endpoint, listing->now_ms, stdout) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return 0;
}

static enum exit_status list(const struct cli *cli, void *arg)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct listing listing = {
	    .json = args_count(cli->args, "json") > 0 || !terminal.interactive,
	    .now_ms = clock_unix_ms(),
	};
	struct error err = {0};

	table_init(&listing.table, endpoint_row_columns, ENDPOINT_ROW_COLUMNS);
	int r = endpoints_list(arg, print_endpoint, &listing, &err);
	if (r == 0 && !listing.json && table_rows(&listing.table) == 0 && !cli->quiet)
		report_note("No endpoint has a secret of its own, and none is disabled.");
	else if (r == 0 && !listing.json && table_print(&listing.table, stdout, terminal) < 0)
		r = error_set(&err, ERROR_INTERNAL, "out of memory");
	table_finish(&listing.table);
	return r < 0 ? report_failure(&err) : STATUS_OK;
}

/* --- secret --- */

static enum exit_status show_secret(const struct cli *cli, const char *name, char secret[ENDPOINTS_SECRET_SIZE],
				    enum endpoints_outcome outcome)
{
	if (outcome == ENDPOINTS_EXISTS) {
		report_error("%s has a secret already, which cannot be shown again; --rotate makes another", name);
		return STATUS_NOT_IN_PLACE;
	}
	if (outcome == ENDPOINTS_TOO_MANY) {
		report_error("there are %d endpoints, and no room for more", ENDPOINTS_MAX);
		return STATUS_NOT_IN_PLACE;
	}
	puts(secret);
	OPENSSL_cleanse(secret, ENDPOINTS_SECRET_SIZE);
	if (cli->quiet)
		return STATUS_OK;
	if (terminal_of(STDOUT_FILENO).interactive)
		report_note("Give it to %s now: it cannot be shown again.", name);
	if (outcome == ENDPOINTS_ROTATED)
		report_note("Callbacks are signed with the old one too, for %d hours.",
			    (int)(ENDPOINTS_ROTATION_MS / 3600000));
	return STATUS_OK;
}

static enum exit_status make_secret(const struct cli *cli, void *arg)
{
	bool rotate = args_count(cli->args, "rotate") > 0;
	char name[ENDPOINTS_PREFIX_SIZE];
	char secret[ENDPOINTS_SECRET_SIZE];
	enum endpoints_outcome outcome;
	struct error err = {0};

	if (endpoints_canonical(action_operand(cli, 1), name, &err) < 0 ||
	    endpoints_set_secret(arg, name, rotate, clock_unix_ms(), secret, &outcome, &err) < 0)
		return report_failure(&err);
	return show_secret(cli, name, secret, outcome);
}

/* --- enable, disable, remove --- */

static enum exit_status disable(const struct cli *cli, void *arg)
{
	char name[ENDPOINTS_PREFIX_SIZE];
	struct error err = {0};
	bool done;

	if (endpoints_canonical(action_operand(cli, 1), name, &err) < 0 ||
	    endpoints_disable(arg, name, "by an operator", clock_unix_ms(), &done, &err) < 0)
		return report_failure(&err);
	if (done) {
		printf("%s gets no callbacks any more; they are parked\n", name);
		return STATUS_OK;
	}
	report_error("%s is disabled already, or there is no room for more endpoints", name);
	return STATUS_NOT_IN_PLACE;
}

/* Enabling and removing differ in one call and one word. */
static enum exit_status change(const struct cli *cli, struct store *store,
			       int (*function)(struct store *store, const char *prefix, bool *found, struct error *err),
			       const char *done)
{
	char name[ENDPOINTS_PREFIX_SIZE];
	struct error err = {0};
	bool found;

	if (endpoints_canonical(action_operand(cli, 1), name, &err) < 0 || function(store, name, &found, &err) < 0)
		return report_failure(&err);
	if (found) {
		printf("%s %s\n", name, done);
		return STATUS_OK;
	}
	report_error("no endpoint %s", name);
	return STATUS_NOT_IN_PLACE;
}

static enum exit_status enable(const struct cli *cli, void *arg)
{
	return change(cli, arg, endpoints_enable, "gets callbacks again");
}

static enum exit_status forget(const struct cli *cli, void *arg)
{
	return change(cli, arg, endpoints_remove, "is forgotten; its callbacks are signed with the common secret");
}

static const struct action actions[] = {
    {"list", list, 0, 0, {"json"}}, {"secret", make_secret, 1, 1, {"rotate"}},
    {"enable", enable, 1, 1, {0}},  {"disable", disable, 1, 1, {0}},
    {"remove", forget, 1, 1, {0}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_endpoints, cli, actions, array_size(actions));

	return action ? in_store_run(cli, action) : STATUS_USAGE;
}

const struct command command_endpoints = {
    .name = "endpoints",
    .operands = "[list|secret|enable|disable|remove] [PREFIX]",
    .summary = "Look after those who get callbacks: their secrets, on and off",
    .text = "Works on the store that the setting store.url names; no broker is needed. PREFIX is a host\n"
	    "(hooks.example.com) or how URLs begin (https://example.com/hooks); the longest that fits counts.\n"
	    "\n"
	    "  list             endpoints with a secret of their own, and disabled ones; never the secrets\n"
	    "  secret PREFIX    make a secret and print it, this once; callbacks are then signed with it\n"
	    "  disable PREFIX   park its callbacks instead of sending them\n"
	    "  enable PREFIX    send them again, also after it answered 410 Gone\n"
	    "  remove PREFIX    forget it: the common callback.secret counts again\n"
	    "\n"
	    "The callback service knows of a change within seconds.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet endpoints secret https://example.com/hooks\n"
	    "  facefleet endpoints secret https://example.com/hooks --rotate\n"
	    "  facefleet endpoints enable https://example.com/hooks\n"
	    "\n"
	    "Exit status: 0 done, 1 nothing was to be done or it has a secret already, 2 usage or settings,\n"
	    "4 no store, 5 a fault of this machine.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
