#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"
#include "cli/commands/command.h"
#include "cli/output/report.h"
#include "cli/output/screen.h"
#include "cli/output/terminal.h"
#include "cli/watch/worker_row.h"

#define CONNECT_TIMEOUT_MS 5000
#define REFRESH_MS 2000
/* --watch shows somebody who is silent for so long. */
#define SILENCE_MS 60000

static const struct arg_option options[] = {
    {"json", 'j', NULL, "JSON lines, on a terminal too."},
    {"watch", 'w', NULL, "Go on: call again every two seconds, until q or a signal."},
    {"timeout", 't', "S", "Seconds that answers are waited for, 0.1 to 60; 1 without it."},
    {0},
};

/* What the command line asked for. */
struct roll {
	const struct cli *cli;
	struct muster *muster;
	double timeout_s;
	bool json;
};

static int print(const struct roll *roll, const struct muster_member *members, size_t count, FILE *out,
		 struct terminal terminal)
{
	int r = 0;

	if (!roll->json)
		return count > 0 ? worker_rows_text(members, count, out, terminal) : 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = worker_row_json(&members[i], out);
	return r;
}

/* Prints who was heard lately. Returns how many, or a negative errno. */
static int print_heard(const struct roll *roll, int64_t within_ms, FILE *out, struct terminal terminal)
{
	struct muster_member *members;
	size_t count;
	int r = muster_list(roll->muster, within_ms, &members, &count);

	if (r < 0)
		return r;
	r = print(roll, members, count, out, terminal);
	free(members);
	return r < 0 ? r : (int)count;
}

static enum exit_status out_of_memory(void)
{
	report_error("out of memory");
	return STATUS_LOCAL_FAULT;
}

static enum exit_status once(const struct roll *roll)
{
	if (muster_call(roll->muster) < 0)
		return out_of_memory();
	if (stop_wait(0, (int64_t)(roll->timeout_s * 1000)) > 0)
		return STATUS_ABORTED;
	int heard = print_heard(roll, INT32_MAX, stdout, terminal_of(STDOUT_FILENO));
	if (heard < 0)
		return out_of_memory();
	if (heard == 0 && !roll->cli->quiet)
		report_note("No worker answered.");
	return heard > 0 ? STATUS_OK : STATUS_NOBODY;
}

static int draw(const struct roll *roll, struct screen *screen)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -1;
	int heard = print_heard(roll, SILENCE_MS, out, terminal_of(STDOUT_FILENO));
	if (heard == 0)
		fputs("No worker answered yet.\n", out);
	if (fclose(out) != 0)
		heard = -1;
	if (heard >= 0)
		screen_draw(screen, text);
	free(text);
	return heard < 0 ? -1 : 0;
}

static enum exit_status watch_on(const struct roll *roll, struct screen *screen)
{
	/* The first answers come at once. */
	for (int64_t wait_ms = 300;; wait_ms = REFRESH_MS) {
		if (muster_call(roll->muster) < 0 || draw(roll, screen) < 0)
			return STATUS_LOCAL_FAULT;
		if (screen_wait(screen, wait_ms) == SCREEN_QUIT)
			return stop_requested() ? STATUS_ABORTED : STATUS_OK;
	}
}

/* Without a terminal: one list after the other. */
static enum exit_status watch_lines(const struct roll *roll)
{
	while (!stop_requested()) {
		if (muster_call(roll->muster) < 0)
			return out_of_memory();
		if (stop_wait(0, REFRESH_MS) > 0)
			break;
		if (print_heard(roll, SILENCE_MS, stdout, terminal_of(STDOUT_FILENO)) < 0)
			return out_of_memory();
		if (fflush(stdout) != 0)
			return STATUS_OK; /* whoever read has gone; main() says so if it was something else */
	}
	return STATUS_ABORTED;
}

static enum exit_status watch(const struct roll *roll)
{
	struct screen *screen = roll->json ? NULL : screen_open();

	if (!screen)
		return watch_lines(roll);
	enum exit_status status = watch_on(roll, screen);
	screen_close(screen);
	if (status == STATUS_LOCAL_FAULT)
		report_error("out of memory");
	return status;
}

static enum exit_status run(const struct cli *cli)
{
	struct roll roll = {
	    .cli = cli,
	    .timeout_s = 1,
	    .json = args_count(cli->args, "json") > 0 || !terminal_of(STDOUT_FILENO).interactive,
	};
	struct error err = {0};

	if (cli->args->operand_count > 0)
		return command_usage(&command_workers, "workers takes no operand");
	if (args_number(cli->args, "timeout", 0.1, 60, &roll.timeout_s, &err) < 0)
		return command_usage(&command_workers, "%s", err.text);
	if (muster_open(&roll.muster, cli->config, CONNECT_TIMEOUT_MS, &err) < 0)
		return report_failure(&err);
	enum exit_status status = args_count(cli->args, "watch") > 0 ? watch(&roll) : once(&roll);
	muster_free(roll.muster);
	return status;
}

const struct command command_workers = {
    .name = "workers",
    .operands = "[--json] [--watch]",
    .summary = "List the workers of the fleet and how they do",
    .text = "Calls every worker of the fleet and shows who answers within a second: also one that is busy, for\n"
	    "what computes does not answer. On a terminal a table, otherwise JSON lines.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet workers\n"
	    "  facefleet workers --watch                         until q is pressed\n"
	    "  facefleet workers --json | jq -r .host | sort -u  which hosts?\n"
	    "\n"
	    "Exit status: 0 somebody answered, 1 nobody did, 2 usage or settings, 4 no broker, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
