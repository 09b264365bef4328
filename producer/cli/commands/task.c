#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "cli/commands/command.h"
#include "cli/output/delivery_row.h"
#include "cli/output/json_row.h"
#include "cli/output/report.h"
#include "cli/output/task_row.h"
#include "cli/output/terminal.h"

#define POLL_MS 200

static const struct arg_option options[] = {
    {"watch", 'w', NULL, "Follow the task until it has ended."},
    {"json", 'j', NULL, "JSON instead of text."},
    {0},
};

/* Looks at a task, again and again. Everything goes to memory first, for the store must not wait for who reads. */
struct look {
	struct store *store;
	const char *task_id;
	struct terminal terminal;
	bool json;
	bool watch;
	FILE *lines;      /* transitions that were not shown before; deliveries of the callback */
	FILE *facts;      /* the task, once it is to be shown */
	unsigned shown;   /* transitions */
	unsigned counted; /* in this look */
	json_t *history;
	json_t *deliveries;
	json_t *task;
	bool found;
	enum task_state state;
};

static enum exit_status fail(const struct error *err)
{
	if (!stop_requested())
		report_error("%s", err->text);
	return exit_status_of(err);
}

static bool has_ended(const struct look *look)
{
	return look->found && (look->state == TASK_SUCCEEDED || look->state == TASK_FINAL_FAILED);
}

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "out of memory");
}

/* --- what the store says --- */

static int on_row(void *arg, const struct task_row *row, struct error *err)
{
	struct look *look = arg;

	look->state = row->now.state;
	look->found = true;
	if (look->watch && !has_ended(look))
		return 0;
	if (look->json) {
		look->task = task_row_json(row);
		return look->task ? 0 : out_of_memory(err);
	}
	task_row_text(row, look->facts, look->terminal);
	return 0;
}

/* Those that were not shown yet. */
static int on_transition(void *arg, const struct task_transition *transition, struct error *err)
{
	struct look *look = arg;

	if (look->counted++ < look->shown)
		return 0;
	look->shown++;
	if (!look->json) {
		task_row_transition_text(transition, look->lines, look->terminal);
		return 0;
	}
	json_t *line = task_row_transition_json(transition);
	int r = line && json_array_append(look->history, line) == 0 ? 0 : -ENOMEM;
	if (r == 0 && look->watch)
		r = json_row_print(json_incref(line), false, look->lines);
	json_decref(line);
	return r < 0 ? out_of_memory(err) : 0;
}

static int on_delivery(void *arg, const struct delivery_report *report, struct error *err)
{
	struct look *look = arg;

	if (!look->json) {
		delivery_row_text(report, look->lines, look->terminal);
		return 0;
	}
	json_t *delivery = delivery_row_json(report);
	return delivery && json_array_append_new(look->deliveries, delivery) == 0 ? 0 : out_of_memory(err);
}

/* The task before its transitions: one that ends in between has not ended yet, and shows its end next time. */
static int ask(struct look *look, struct error *err)
{
	bool found;
	int r = tasks_find(look->store, look->task_id, on_row, look, &found, err);

	look->counted = 0;
	if (r == 0)
		r = tasks_history(look->store, look->task_id, on_transition, look, err);
	/* Callbacks begin when the task has ended, and so has who watches. */
	if (r == 0 && found && !look->watch)
		r = tasks_deliveries(look->store, look->task_id, on_delivery, look, err);
	if (r < 0 || !look->task)
		return r;
	json_object_set(look->task, "history", look->history);
	if (!look->watch)
		json_object_set(look->task, "deliveries", look->deliveries);
	r = json_row_print(look->task, !look->watch, look->facts);
	look->task = NULL;
	return r < 0 ? out_of_memory(err) : 0;
}

static void print(const char *lines, size_t lines_size, const char *facts, size_t facts_size, bool apart)
{
	fwrite(lines, 1, lines_size, stdout);
	if (apart && facts_size > 0)
		putchar('\n');
	fwrite(facts, 1, facts_size, stdout);
	fflush(stdout);
}

static int look_once(struct look *look, struct error *err)
{
	char *lines = NULL;
	char *facts = NULL;
	size_t lines_size;
	size_t facts_size;

	look->lines = open_memstream(&lines, &lines_size);
	look->facts = open_memstream(&facts, &facts_size);
	int r = look->lines && look->facts ? ask(look, err) : out_of_memory(err);
	if (look->lines && fclose(look->lines) != 0 && r == 0)
		r = out_of_memory(err);
	if (look->facts && fclose(look->facts) != 0 && r == 0)
		r = out_of_memory(err);
	if (r == 0)
		print(lines, lines_size, facts, facts_size, look->shown > 0 && !look->json);
	free(lines);
	free(facts);
	return r;
}

static enum exit_status show(struct look *look)
{
	struct error err = {0};

	if (look_once(look, &err) < 0)
		return fail(&err);
	if (look->found)
		return STATUS_OK;
	report_error("no task %s is recorded", look->task_id);
	return STATUS_NOT_IN_PLACE;
}

static enum exit_status follow(struct look *look, bool quiet)
{
	struct error err = {0};
	bool told = quiet;

	while (!stop_requested() && !ferror(stdout)) {
		if (look_once(look, &err) < 0)
			return fail(&err);
		if (has_ended(look))
			return look->state == TASK_SUCCEEDED ? STATUS_OK : STATUS_TASK_FAILED;
		if (!look->found && !told)
			report_note("Nothing is recorded of this task yet; waiting.");
		told = true;
		stop_wait(0, POLL_MS);
	}
	return STATUS_ABORTED;
}

static enum exit_status run_in(struct store *store, const struct cli *cli)
{
	struct look look = {
	    .store = store,
	    .task_id = cli->args->operands[0],
	    .terminal = terminal_of(STDOUT_FILENO),
	    .json = args_count(cli->args, "json") > 0,
	    .watch = args_count(cli->args, "watch") > 0,
	    .history = json_array(),
	    .deliveries = json_array(),
	};
	enum exit_status status = look.watch ? follow(&look, cli->quiet) : show(&look);

	json_decref(look.history);
	json_decref(look.deliveries);
	json_decref(look.task);
	return status;
}

static enum exit_status run(const struct cli *cli)
{
	struct store *store = NULL;
	struct error err = {0};

	if (cli->args->operand_count != 1 || !uuid_is_valid(cli->args->operands[0]))
		return command_usage(&command_task, "task takes the id of one task, a UUID in lower case");
	if (store_open_from_config(&store, cli->config, &err) < 0)
		return fail(&err);
	enum exit_status status = run_in(store, cli);
	store_close(store);
	return status;
}

const struct command command_task = {
    .name = "task",
    .operands = "ID [--watch] [--json]",
    .summary = "Show what is recorded of a task, or follow it until it has ended",
    .text = "Shows what facefleet-tracker has recorded in the store (store.url): the states the task went\n"
	    "through and when, the attempts to deliver its callback, what is known of it, and its result or why it "
	    "failed.\n"
	    "No broker is needed.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet task 01930000-0000-7000-8000-000000000001\n"
	    "  facefleet task 01930000-0000-7000-8000-000000000001 --watch\n"
	    "\n"
	    "Exit status: 0 it is recorded, with --watch: it succeeded; 1 it is not recorded, 2 usage or settings,\n"
	    "3 with --watch: it failed, 4 no store, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
