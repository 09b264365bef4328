#include <stdio.h>
#include <string.h>

#include "cli/commands/command.h"
#include "cli/output/parked_row.h"
#include "cli/output/report.h"
#include "parked/parked_queue.h"
#include "parked/replay.h"
#include "store/tasks.h"

#define CONNECT_TIMEOUT_MS 5000

static const struct arg_option options[] = {
    {"same-id", 0, NULL, "Keep the task's id instead of giving it a new one."},
    {0},
};

/* The task, as it is recorded. */
struct task {
	const char *id;
	bool recorded;
	enum task_state state;
	char op[32];
};

/* --- what is recorded --- */

static int take_task(void *arg, const struct task_row *row, struct error *err)
{
	struct task *task = arg;

	(void)err;
	task->state = row->now.state;
	snprintf(task->op, sizeof(task->op), "%s", row->now.op);
	return 0;
}

static int find_task(const struct config *config, struct task *task, struct error *err)
{
	struct store *store = NULL;
	int r = store_open_from_config(&store, config, err);

	if (r == 0)
		r = tasks_find(store, task->id, take_task, task, &task->recorded, err);
	store_close(store);
	return r;
}

/* --- its job --- */

struct hunt {
	const char *id;
	struct replay *replay;
	bool same_id;
	bool quiet;
	bool found;
	int result;
	struct error *err;
};

static bool hunt(void *arg, const struct amqp_delivery *delivery)
{
	struct hunt *h = arg;
	char id[ENVELOPE_SHORT_SIZE];

	if (h->found || !parked_queue_is_job_of(delivery, h->id))
		return false;
	h->found = true;
	h->result = replay_send(h->replay, delivery, h->same_id, id, h->err);
	if (h->result == 0 && !h->quiet)
		parked_row_replayed(h->id, id);
	return h->result == 0;
}

static int replay_parked(const struct cli *cli, struct hunt *h, struct error *err)
{
	struct amqp_sweep_counts counts;
	int r = replay_open(&h->replay, cli->config, CONNECT_TIMEOUT_MS, err);

	if (r == 0)
		r = parked_queue_sweep(NULL, cli->config, hunt, h, &counts, err);
	replay_free(h->replay);
	return r;
}

static void say_how_to_resubmit(const struct task *task)
{
	report_error("the job of task %s is not kept, only what came of it: its photographs went with it", task->id);
	report_note("Send it again with `facefleet %s`, or a list of such with `facefleet submit`.",
		    task->op[0] ? task->op : "match");
}

static enum exit_status replay(const struct cli *cli, const struct task *task)
{
	struct error refusal = {0};
	struct hunt h = {
	    .id = task->id,
	    .same_id = args_count(cli->args, "same-id") > 0,
	    .quiet = cli->quiet,
	    .err = &refusal,
	};
	struct error err = {0};

	if (replay_parked(cli, &h, &err) < 0)
		return report_failure(&err);
	if (!h.found) {
		say_how_to_resubmit(task);
		return STATUS_NOT_IN_PLACE;
	}
	if (h.result == 0)
		return STATUS_OK;
	report_error("the job of task %s stays parked: %s", task->id, refusal.text);
	return refusal.code == ERROR_INVALID_JOB ? STATUS_SOME_FAILED : exit_status_of(&refusal);
}

static enum exit_status run(const struct cli *cli)
{
	struct task task = {0};
	struct error err = {0};

	if (cli->args->operand_count != 1 || !uuid_is_valid(cli->args->operands[0]))
		return command_usage(&command_replay, "replay takes the id of one task, a UUID in lower case");
	task.id = cli->args->operands[0];
	if (find_task(cli->config, &task, &err) < 0)
		return report_failure(&err);
	if (task.recorded && task.state != TASK_FINAL_FAILED) {
		report_error("task %s has not failed: it is %s", task.id, task_state_name(task.state));
		return STATUS_NOT_IN_PLACE;
	}
	return replay(cli, &task);
}

const struct command command_replay = {
    .name = "replay",
    .operands = "ID [--same-id]",
    .summary = "Have a failed task done again, if its job is still there",
    .text = "Looks up the task in the store (store.url); if it has failed for good, or nothing is recorded of it,\n"
	    "looks for its job among the parked messages and sends it again, as a new task whose id is printed.\n"
	    "Jobs are kept only where they were parked: those that killed workers or made no sense. All others\n"
	    "must be sent again by who has the photographs.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet replay 01930000-0000-7000-8000-000000000001\n"
	    "  facefleet dead replay --all                   everything that is parked\n"
	    "\n"
	    "Exit status: 0 done, 1 the task has not failed, or its job is not there or cannot be replayed,\n"
	    "2 usage or settings, 4 no store or no broker, 5 a fault of this machine, 130 interrupted.\n",
    .options = {options},
    .configured = true,
    .run = run,
};
