#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "cli/commands/action.h"
#include "cli/commands/confirm.h"
#include "cli/output/id_set.h"
#include "cli/output/parked_row.h"
#include "cli/output/report.h"
#include "cli/output/terminal.h"
#include "parked/parked_queue.h"
#include "parked/replay.h"

#define CONNECT_TIMEOUT_MS 5000
#define DEFAULT_LIMIT 1000
#define MAX_LIMIT 1000000

static const struct arg_option options[] = {
    {"reason", 'r', "TEXT", "Only messages whose reason contains TEXT."},
    {"limit", 'n', "N", "Of list: the first N, the oldest; 1000 without it."},
    {"json", 'j', NULL, "Of list: JSON lines, on a terminal too."},
    {"all", 'a', NULL, "Of replay and drop: every message, or with --reason every such."},
    {"same-id", 0, NULL, "Of replay: keep the task's id instead of giving it a new one."},
    {"yes", 'y', NULL, "Of drop --all: do not ask."},
    {0},
};

/* What goes over the parked messages, and what has come of it. */
struct round {
	const struct cli *cli;
	const char *reason; /* NULL: any */
	unsigned *found;    /* how often each operand was; NULL with --all */
	unsigned ids;
	unsigned missing; /* operands not found yet */
	uint64_t done;
	uint64_t refused;
	/* list */
	struct table table;
	bool json;
	uint64_t limit;
	bool more;
	/* replay */
	struct replay *replay;
	bool same_id;
	struct id_set *sent;      /* what was sent may come back in the same round */
	enum exit_status failure; /* something that ends the round; STATUS_OK: nothing */
};

static enum exit_status fail(const struct error *err)
{
	if (!stop_requested())
		report_error("%s", err->text);
	return exit_status_of(err);
}

/* --- which messages --- */

/* The place of a message among the operands that are still looked for; -1: it is not asked for. */
static int operand_of(const struct round *round, const struct amqp_delivery *delivery)
{
	for (unsigned i = 0; i < round->ids; i++)
		if (round->found[i] == 0 &&
		    strcmp(action_operand(round->cli, i + 1), delivery->envelope.message_id) == 0)
			return (int)i;
	return -1;
}

static bool has_reason(const struct round *round, const struct amqp_delivery *delivery)
{
	return !round->reason || strstr(delivery->envelope.reason, round->reason);
}

/* True if the message is one of those asked for, which is then found. A sweep cannot be ended early, only ignored. */
static bool choose(struct round *round, const struct amqp_delivery *delivery)
{
	if (round->failure)
		return false;
	if (!round->found)
		return has_reason(round, delivery);
	int operand = operand_of(round, delivery);
	if (operand < 0)
		return false;
	round->found[operand]++;
	round->missing--;
	return true;
}

static int sweep(struct round *round, amqp_sweep_fn *fn, struct error *err)
{
	struct amqp_sweep_counts counts;

	return parked_queue_sweep(NULL, round->cli->config, fn, round, &counts, err);
}

/* Looks for the operands. */
static int look_for_operands(struct round *round)
{
	round->ids = round->cli->args->operand_count - 1;
	round->missing = round->ids;
	round->found = calloc(round->ids, sizeof(*round->found));
	return round->found ? 0 : -ENOMEM;
}

static enum exit_status out_of_memory(void)
{
	report_error("out of memory");
	return STATUS_LOCAL_FAULT;
}

/* Reports what was asked for and is not there. */
static enum exit_status finish(struct round *round, int r, const struct error *err)
{
	enum exit_status status = round->failure;

	if (r < 0)
		status = fail(err);
	for (unsigned i = 0; r == 0 && !round->failure && i < round->ids; i++)
		if (round->found[i] == 0)
			report_error("no message %s is parked", action_operand(round->cli, i + 1));
	free(round->found);
	if (status)
		return status;
	return round->missing > 0 || round->refused > 0 ? STATUS_SOME_FAILED : STATUS_OK;
}

/* --- list --- */

static bool list_one(void *arg, const struct amqp_delivery *delivery)
{
	struct round *round = arg;

	if (!choose(round, delivery))
		return false;
	if (round->done == round->limit) {
		round->more = true;
		return false;
	}
	round->done++;
	if (!round->json)
		parked_row_add(&round->table, delivery);
	else if (parked_row_json(delivery, stdout) < 0)
		round->failure = out_of_memory();
	return false;
}

static enum exit_status list(const struct cli *cli, void *arg)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct round *round = arg;
	double limit = DEFAULT_LIMIT;
	struct error err = {0};

	if (args_number(cli->args, "limit", 1, MAX_LIMIT, &limit, &err) < 0)
		return command_usage(&command_dead, "%s", err.text);
	round->limit = (uint64_t)limit;
	round->json = args_count(cli->args, "json") > 0 || !terminal.interactive;
	table_init(&round->table, parked_row_columns, PARKED_ROW_COLUMNS);
	int r = sweep(round, list_one, &err);
	if (r == 0 && table_rows(&round->table) > 0 && table_print(&round->table, stdout, terminal) < 0)
		round->failure = out_of_memory();
	table_finish(&round->table);
	if (r == 0 && round->more && !cli->quiet)
		report_note("There are more; --limit shows them.");
	if (r == 0 && round->done == 0 && !cli->quiet)
		report_note("No %smessage is parked.", round->reason ? "such " : "");
	return finish(round, r, &err);
}

/* --- show --- */

static bool show_one(void *arg, const struct amqp_delivery *delivery)
{
	struct round *round = arg;

	if (choose(round, delivery) && parked_row_show(delivery, stdout) < 0)
		round->failure = out_of_memory();
	return false;
}

static enum exit_status show(const struct cli *cli, void *arg)
{
	struct round *round = arg;
	struct error err = {0};

	(void)cli;
	if (look_for_operands(round) < 0)
		return out_of_memory();
	int r = sweep(round, show_one, &err);
	return finish(round, r, &err);
}

/* --- replay, drop --- */

static bool replay_one(void *arg, const struct amqp_delivery *delivery)
{
	const char *old_id = delivery->envelope.message_id;
	char id[ENVELOPE_SHORT_SIZE];
	struct round *round = arg;
	struct error err = {0};

	/* What was replayed and has died again already had its turn. */
	if (id_set_has(round->sent, old_id) || !choose(round, delivery))
		return false;
	if (replay_send(round->replay, delivery, round->same_id, id, &err) < 0) {
		report_error("%s stays: %s", old_id[0] ? old_id : "a message without id", err.text);
		round->refused++;
		if (err.code != ERROR_INVALID_JOB)
			round->failure = exit_status_of(&err);
		return false;
	}
	round->done++;
	if (id_set_add(round->sent, id) < 0)
		round->failure = out_of_memory();
	if (!round->cli->quiet)
		parked_row_replayed(old_id, id);
	return true;
}

static bool drop_one(void *arg, const struct amqp_delivery *delivery)
{
	struct round *round = arg;

	if (!choose(round, delivery))
		return false;
	round->done++;
	return true;
}

/* All, or those that are named: but one of them. */
static enum exit_status choose_operands(struct round *round, const char *action)
{
	bool all = args_count(round->cli->args, "all") > 0;
	bool named = round->cli->args->operand_count > 1;

	if (all == named)
		return command_usage(&command_dead, "dead %s takes ids, or --all", action);
	if (named && round->reason)
		return command_usage(&command_dead, "--reason goes with --all");
	if (named && look_for_operands(round) < 0)
		return out_of_memory();
	return STATUS_OK;
}

static enum exit_status replay(const struct cli *cli, void *arg)
{
	struct round *round = arg;
	struct error err = {0};
	enum exit_status status = choose_operands(round, "replay");

	if (status)
		return status;
	round->same_id = args_count(cli->args, "same-id") > 0;
	round->sent = id_set_new();
	if (!round->sent)
		return out_of_memory();
	int r = replay_open(&round->replay, cli->config, CONNECT_TIMEOUT_MS, &err);
	if (r == 0)
		r = sweep(round, replay_one, &err);
	replay_free(round->replay);
	id_set_free(round->sent);
	if (r == 0 && !cli->quiet && !round->found)
		report_note("%" PRIu64 " message%s replayed.", round->done, round->done == 1 ? "" : "s");
	return finish(round, r, &err);
}

static enum exit_status drop(const struct cli *cli, void *arg)
{
	struct round *round = arg;
	struct error err = {0};
	enum exit_status status = choose_operands(round, "drop");

	if (status)
		return status;
	if (!round->found && args_count(cli->args, "yes") == 0) {
		if (!isatty(STDIN_FILENO))
			return command_usage(&command_dead,
					     "there is no terminal to ask on; --yes says that it is meant");
		if (!confirm("Drop every parked message%s for good?", round->reason ? " with that reason" : ""))
			return stop_requested() ? STATUS_ABORTED : STATUS_SOME_FAILED;
	}
	int r = sweep(round, drop_one, &err);
	if (r == 0 && !cli->quiet)
		printf("%" PRIu64 " message%s dropped\n", round->done, round->done == 1 ? "" : "s");
	return finish(round, r, &err);
}

/* --- which of them --- */

static const struct action actions[] = {
    {"list", list, 0, 0, {"reason", "limit", "json"}},
    {"show", show, 1, UINT32_MAX, {0}},
    {"replay", replay, 0, UINT32_MAX, {"reason", "all", "same-id"}},
    {"drop", drop, 0, UINT32_MAX, {"reason", "all", "yes"}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_dead, cli, actions, array_size(actions));
	struct round round = {.cli = cli, .reason = args_value(cli->args, "reason")};

	return action ? action->run(cli, &round) : STATUS_USAGE;
}

const struct command command_dead = {
    .name = "dead",
    .operands = "[list|show|replay|drop] [ID...]",
    .summary = "Look at jobs and callbacks that were given up; send them again, or drop them",
    .text = "What cannot be worked on is parked on the broker for seven days: jobs that make no sense or that\n"
	    "killed workers, callbacks that nobody took. While this command looks through them they are held,\n"
	    "and those that stay keep their order.\n"
	    "\n"
	    "  list             the oldest first; on a terminal a table, otherwise JSON lines\n"
	    "  show ID...       headers and body as JSON, photographs as their sizes\n"
	    "  replay ID...     send again, as a new task unless --same-id, with a new deadline; or --all\n"
	    "  drop ID...       remove for good; or --all\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet dead\n"
	    "  facefleet dead list --reason 'no such scene'\n"
	    "  facefleet dead replay 01930000-0000-7000-8000-000000000001\n"
	    "  facefleet dead drop --all --reason invalid --yes\n"
	    "\n"
	    "Exit status: 0 done, 1 something is not there, cannot be replayed, or the answer was no, 2 usage,\n"
	    "4 no broker, or it took something not, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
