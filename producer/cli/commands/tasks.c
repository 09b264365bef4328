#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/utf8.h"
#include "cli/arguments/since.h"
#include "cli/commands/command.h"
#include "cli/output/json_row.h"
#include "cli/output/report.h"
#include "cli/output/task_row.h"
#include "cli/output/terminal.h"
#include "job/job.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000000
#define PAGE 500

static const struct arg_option options[] = {
    {"state", 0, "S", "Only those in state S: pending, running, failed, retrying, succeeded, final_failed."},
    {"scene", 0, "S", "Only those of scene S."},
    {"user", 'u', "USER", "Only those about USER."},
    {"since", 0, "TIME", "Only those accepted since TIME: RFC 3339, or how long ago, like 90s, 10m, 1h, 2d."},
    {"limit", 'n', "N", "At most N, the newest; 100 without it."},
    {"json", 'j', NULL, "JSON lines, on a terminal too."},
    {0},
};

struct listing {
	struct table table;
	bool json;
	FILE *page; /* of JSON lines: what is printed once the store has been read */
};

static int add(void *arg, const struct task_row *row, struct error *err)
{
	struct listing *listing = arg;

	if (!listing->json)
		task_row_add(&listing->table, row);
	else if (json_row_print(task_row_json(row), false, listing->page) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return 0;
}

/* Returns how many tasks were on the page, or a negative errno. */
static int read_page(struct listing *listing, struct store *store, const struct tasks_filter *filter,
		     struct tasks_cursor *cursor, unsigned limit, struct error *err)
{
	char *text = NULL;
	size_t size;

	listing->page = open_memstream(&text, &size);
	if (!listing->page)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int count = tasks_list(store, filter, cursor, limit, add, listing, err);
	if (fclose(listing->page) != 0)
		count = error_set(err, ERROR_INTERNAL, "out of memory");
	if (count > 0)
		fwrite(text, 1, size, stdout);
	free(text);
	return count;
}

static int read_pages(struct listing *listing, struct store *store, const struct tasks_filter *filter, unsigned limit,
		      struct error *err)
{
	struct tasks_cursor cursor = {0};
	unsigned left = limit;
	unsigned page;
	int count;

	do {
		page = left < PAGE ? left : PAGE;
		count = read_page(listing, store, filter, &cursor, page, err);
		left -= count > 0 ? (unsigned)count : 0;
	} while (count == (int)page && left > 0 && !stop_requested() && !ferror(stdout));
	return count < 0 ? count : (int)(limit - left);
}

static enum exit_status list(const struct cli *cli, struct store *store, const struct tasks_filter *filter,
			     unsigned limit)
{
	struct terminal terminal = terminal_of(STDOUT_FILENO);
	struct listing listing = {.json = args_count(cli->args, "json") > 0 || !terminal.interactive};
	enum exit_status status = STATUS_OK;
	struct error err = {0};

	table_init(&listing.table, task_row_columns, TASK_ROW_COLUMNS);
	int count = read_pages(&listing, store, filter, limit, &err);
	if (count < 0)
		status = report_failure(&err);
	else if (!listing.json && count > 0 && table_print(&listing.table, stdout, terminal) < 0)
		status = STATUS_LOCAL_FAULT;
	table_finish(&listing.table);
	if (status == STATUS_LOCAL_FAULT)
		report_error("out of memory");
	if (count == 0 && !cli->quiet)
		report_note("No such task is recorded.");
	return stop_requested() ? STATUS_ABORTED : status;
}

static const char *value_or_empty(const struct args *args, const char *name)
{
	const char *value = args_value(args, name);

	return value ? value : "";
}

static int read_filter(struct tasks_filter *filter, const struct args *args, struct error *err)
{
	const char *state = args_value(args, "state");
	const char *since = args_value(args, "since");

	*filter = (struct tasks_filter){
	    .has_state = state != NULL,
	    .scene = value_or_empty(args, "scene"),
	    .owner = "",
	    .user_id = value_or_empty(args, "user"),
	};
	if (state && task_state_from_name(state, &filter->state) < 0)
		return error_set(err, ERROR_CONFIG, "--state %s: no such state", state);
	if (filter->scene[0] && !job_scene_is_valid(filter->scene))
		return error_set(err, ERROR_CONFIG, "--scene %s: not the name of a scene", filter->scene);
	if (strlen(filter->user_id) > JOB_MAX_USER_BYTES || !utf8_is_valid(filter->user_id, strlen(filter->user_id)))
		return error_set(err, ERROR_CONFIG, "--user: a user id is at most %d bytes of UTF-8",
				 JOB_MAX_USER_BYTES);
	if (since && since_parse(since, clock_unix_ms(), &filter->since_ms) < 0)
		return error_set(err, ERROR_CONFIG, "--since %s: neither an RFC 3339 time nor like 90s, 10m, 1h or 2d",
				 since);
	return 0;
}

static enum exit_status run(const struct cli *cli)
{
	struct tasks_filter filter;
	struct store *store = NULL;
	double limit = DEFAULT_LIMIT;
	struct error err = {0};

	if (cli->args->operand_count > 0)
		return command_usage(&command_tasks, "tasks takes no operand; facefleet task ID shows one");
	if (args_number(cli->args, "limit", 1, MAX_LIMIT, &limit, &err) < 0 ||
	    read_filter(&filter, cli->args, &err) < 0)
		return command_usage(&command_tasks, "%s", err.text);
	if (store_open_from_config(&store, cli->config, &err) < 0)
		return report_failure(&err);
	enum exit_status status = list(cli, store, &filter, (unsigned)limit);
	store_close(store);
	return status;
}

const struct command command_tasks = {
    .name = "tasks",
    .operands = "[--state S] [--scene S] [--user U] [--since TIME] [--limit N]",
    .summary = "List recorded tasks, the newest first",
    .text = "Shows what facefleet-tracker has recorded in the store (store.url): a table on a terminal, otherwise\n"
	    "JSON lines. No broker is needed.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet tasks\n"
	    "  facefleet tasks --state final_failed --since 1h\n"
	    "  facefleet tasks --user ann --limit 10000 --json | jq -r .error.code | sort | uniq -c\n"
	    "\n"
	    "Exit status: 0 done, 2 usage or settings, 4 no store, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
