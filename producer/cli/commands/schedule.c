#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "cli/arguments/people_args.h"
#include "cli/arguments/schedule_args.h"
#include "cli/commands/action.h"
#include "cli/commands/in_store.h"
#include "cli/commands/scheduled_job.h"
#include "cli/output/report.h"
#include "cli/output/schedule_row.h"
#include "cli/output/terminal.h"
#include "store/schedules.h"

/* Read from the store at once. */
#define PAGE 500

static const struct arg_option options[] = {
    {"json", 'j', NULL, "Of list: JSON lines, on a terminal too."},
    {0},
};

/* --- add --- */

static enum exit_status add_to_store(const struct cli *cli, struct schedule *schedule)
{
	struct store *store = NULL;
	struct error err = {0};
	char due[CLOCK_RFC3339_SIZE];
	bool inserted;

	uuid_v7(schedule->schedule_id);
	int r = store_open_from_config(&store, cli->config, &err);
	if (r == 0)
		r = schedules_add(store, schedule, &inserted, &err);
	store_close(store);
	if (r < 0)
		return report_failure(&err);
	printf("%s\n", schedule->schedule_id);
	clock_format_rfc3339(schedule->due_ms, due);
	if (!cli->quiet)
		report_note("First run at %s.", due);
	return STATUS_OK;
}

static enum exit_status add(const struct cli *cli, void *unused)
{
	struct schedule schedule = {.owner = ""};
	struct buffer job = {0};
	struct error err = {0};
	int r = schedule_args_read(&schedule, cli->args, clock_unix_ms(), &err);

	(void)unused;
	if (r == 0)
		r = scheduled_job_read(&schedule, &job, cli, 1, &err);
	/* What is wrong with a photograph is no matter of usage. */
	enum exit_status status = r == 0                     ? add_to_store(cli, &schedule)
				  : err.code == ERROR_CONFIG ? command_usage(&command_schedule, "%s", err.text)
							     : report_failure(&err);
	buffer_finish(&job);
	return status;
}

/* --- list --- */

struct listing {
	bool json;
	bool has_head;
	unsigned count; /* of the page */
	char last_id[UUID_SIZE];
	FILE *page; /* what is printed once the store has been read: it must not wait for who reads */
};

static int add_row(void *arg, const struct schedule *schedule, struct error *err)
{
	struct listing *listing = arg;

	listing->count++;
	memcpy(listing->last_id, schedule->schedule_id, UUID_SIZE);
	if (listing->json)
		return schedule_row_json(schedule, listing->page) < 0 ? error_set(err, ERROR_INTERNAL, "out of memory")
								      : 0;
	if (!listing->has_head)
		schedule_row_head(listing->page);
	listing->has_head = true;
	schedule_row_text(schedule, listing->page);
	return 0;
}

static int print_page(struct store *store, struct listing *listing, struct error *err)
{
	char after[UUID_SIZE];
	char *text = NULL;
	size_t size;

	memcpy(after, listing->last_id, UUID_SIZE);
	listing->count = 0;
	listing->page = open_memstream(&text, &size);
	if (!listing->page)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = schedules_list(store, NULL, after, PAGE, add_row, listing, err);
	if (fclose(listing->page) != 0 && r == 0)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		fwrite(text, 1, size, stdout);
	free(text);
	return r;
}

static enum exit_status list(const struct cli *cli, void *arg)
{
	struct listing listing = {.json = args_count(cli->args, "json") > 0 || !terminal_of(STDOUT_FILENO).interactive};
	struct error err = {0};
	int r;

	do
		r = print_page(arg, &listing, &err);
	while (r == 0 && listing.count == PAGE && !stop_requested() && !ferror(stdout));
	if (r < 0)
		return report_failure(&err);
	if (!listing.json && !listing.has_head && !cli->quiet)
		report_note("Nothing is scheduled.");
	return stop_requested() ? STATUS_ABORTED : STATUS_OK;
}

/* --- remove, run-now --- */

static enum exit_status outcome(int r, bool found, const char *id, const struct error *err)
{
	if (r < 0)
		return report_failure(err);
	if (found)
		return STATUS_OK;
	report_error("there is no schedule %s", id);
	return STATUS_NOT_IN_PLACE;
}

static enum exit_status remove_one(const struct cli *cli, void *arg)
{
	const char *id = action_operand(cli, 1);
	struct error err = {0};
	bool found = false;
	int r = schedules_remove(arg, id, &found, &err);

	return outcome(r, found, id, &err);
}

static enum exit_status run_now(const struct cli *cli, void *arg)
{
	const char *id = action_operand(cli, 1);
	struct error err = {0};
	char task_id[UUID_SIZE];
	bool found = false;

	uuid_v7(task_id);
	int r = schedules_run_now(arg, id, clock_unix_ms(), task_id, &found, &err);
	if (r == 0 && found)
		printf("%s\n", task_id);
	return outcome(r, found, id, &err);
}

static const struct action actions[] = {
    {"list", list, 0, 0, {"json"}},
    {"add", add, 1, UINT32_MAX, {0}, .has_shared = true},
    {"remove", remove_one, 1, 1, {0}},
    {"run-now", run_now, 1, 1, {0}},
};

static enum exit_status run(const struct cli *cli)
{
	const struct action *action = action_of(&command_schedule, cli, actions, array_size(actions));

	if (!action)
		return STATUS_USAGE;
	/* The job is read before the store is opened: photographs take their time. */
	return action->run == add ? add(cli, NULL) : in_store_run(cli, action);
}

const struct command command_schedule = {
    .name = "schedule",
    .operands = "add|list|remove|run-now [OPERAND...] [OPTION...]",
    .summary = "Have jobs done later, or again and again",
    .text = "Works on the store that the setting store.url names; facefleet-scheduler publishes the jobs when they\n"
	    "are due. No broker is needed.\n"
	    "\n"
	    "  add WHEN match A B              WHEN is --at, --in, --every or --cron; photographs are read now and\n"
	    "  add WHEN verify USER IMAGE      kept in the store, URLs are fetched when the job runs. Prints the id\n"
	    "  add WHEN search IMAGE           of the schedule\n"
	    "  add WHEN enroll USER IMAGE\n"
	    "  add WHEN unenroll USER\n"
	    "  list                            all schedules; on a terminal as a table\n"
	    "  remove ID                       a run that is under way to the broker is not called back\n"
	    "  run-now ID                      once more, now; prints the id of the task\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet schedule add --in 10m verify ann camera.jpg --callback https://example.com/done\n"
	    "  facefleet schedule add --cron '30 2 * * mon-fri' --time-zone Europe/Berlin search https://cam/1.jpg\n"
	    "  facefleet schedule add --at 2027-01-01T00:00:00Z unenroll guest\n"
	    "\n"
	    "Exit status: 0 done, 1 there is no such schedule, 2 usage or settings, 4 no store,\n"
	    "5 a fault of this machine, 130 interrupted.\n",
    .options = {options, schedule_args_options, people_args_options, scheduled_job_options, job_args_options},
    .configured = true,
    .run = run,
};
