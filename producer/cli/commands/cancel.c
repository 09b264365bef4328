#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/stop.h"
#include "cli/commands/command.h"
#include "cli/fleet/control_message.h"
#include "cli/output/report.h"
#include "store/cancellation.h"

static void tell(const struct cli *cli, const char *task_id, const struct cancellation *c)
{
	if (!c->accepted)
		report_note("%s stays: it has ended already (%s)", task_id, task_state_name(c->stood));
	else if (cli->quiet)
		return;
	else if (c->known)
		printf("%s cancelled (it was %s)\n", task_id, task_state_name(c->stood));
	else
		printf("%s cancelled (nothing was recorded of it before)\n", task_id);
}

/* What is to be told to the workers, `count` of them. */
struct batch {
	struct control *controls;
	size_t count;
	size_t stayed;
};

static int record_all(const struct cli *cli, struct store *store, struct batch *batch, struct error *err)
{
	for (unsigned i = 0; i < cli->args->operand_count && !stop_requested(); i++) {
		const char *task_id = cli->args->operands[i];
		struct cancellation c;
		int r = cancellation_record(store, task_id, NULL, &c, err);

		if (r < 0)
			return r;
		tell(cli, task_id, &c);
		batch->stayed += !c.accepted;
		if (!c.accepted)
			continue;
		struct control *control = &batch->controls[batch->count++];
		control->kind = CONTROL_TASK_CANCELLED;
		snprintf(control->task_id, sizeof(control->task_id), "%s", task_id);
	}
	return 0;
}

/* What was recorded before something went wrong is told all the same. */
static enum exit_status cancel(const struct cli *cli, struct store *store, struct batch *batch)
{
	enum exit_status status = STATUS_OK;
	struct error err = {0};

	if (record_all(cli, store, batch, &err) < 0)
		status = report_failure(&err);
	if (batch->count > 0 &&
	    control_message_send(cli->config, "facefleet cancel", batch->controls, batch->count, &err) < 0) {
		error_prefix(&err, "recorded, but the workers were not told");
		status = report_failure(&err);
	}
	if (stop_requested())
		return STATUS_ABORTED;
	return status == STATUS_OK && batch->stayed > 0 ? STATUS_SOME_FAILED : status;
}

static enum exit_status run(const struct cli *cli)
{
	struct store *store = NULL;
	struct batch batch = {0};
	struct error err = {0};

	for (unsigned i = 0; i < cli->args->operand_count; i++)
		if (!uuid_is_valid(cli->args->operands[i]))
			return command_usage(&command_cancel, "%s is not the id of a task, a UUID in lower case",
					     cli->args->operands[i]);
	if (cli->args->operand_count == 0)
		return command_usage(&command_cancel, "which task?");
	if (store_open_from_config(&store, cli->config, &err) < 0)
		return report_failure(&err);
	batch.controls = calloc(cli->args->operand_count, sizeof(*batch.controls));
	enum exit_status status = STATUS_LOCAL_FAULT;
	if (batch.controls)
		status = cancel(cli, store, &batch);
	else
		report_error("out of memory");
	free(batch.controls);
	store_close(store);
	return status;
}

const struct command command_cancel = {
    .name = "cancel",
    .operands = "ID...",
    .summary = "Cancel tasks that have not ended",
    .text = "Records each task as final_failed (cancelled) in the store (store.url), and tells the workers not to\n"
	    "work on it: a job that is still in its queue is answered as cancelled once a worker takes it. What\n"
	    "has ended stays as it is, and that of a job under way does not count any more.\n"
	    "\n"
	    "Examples:\n"
	    "  facefleet cancel 01930000-0000-7000-8000-000000000001\n"
	    "  facefleet tasks --state pending --json | jq -r .task_id | xargs facefleet cancel\n"
	    "\n"
	    "Exit status: 0 all are cancelled, 1 some had ended already, 2 usage or settings, 4 no store, or the\n"
	    "workers could not be told, 5 a fault of this machine, 130 interrupted.\n",
    .options = {NULL},
    .configured = true,
    .run = run,
};
