#include "cli/cancellation.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/tasks.h"

/* What is taken over from what is recorded. */
struct known {
	struct reply reply;
	enum task_state state;
};

static int take_facts(void *arg, const struct task_row *row, struct error *err)
{
	const struct task_change *now = &row->now;
	struct known *known = arg;
	struct reply *reply = &known->reply;

	(void)err;
	known->state = now->state;
	reply->has_op = job_op_from_name(now->op, &reply->op) == 0;
	snprintf(reply->user_id, sizeof(reply->user_id), "%s", now->user_id);
	snprintf(reply->collection, sizeof(reply->collection), "%s", now->collection);
	snprintf(reply->reference, sizeof(reply->reference), "%s", now->reference);
	snprintf(reply->scene, sizeof(reply->scene), "%s", now->scene);
	reply->attempt = now->attempt;
	reply->accepted_at_ms = now->accepted_at_ms;
	return 0;
}

static int apply(struct store *store, const struct reply *reply, bool *accepted, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct task_change change = {
	    .task_id = reply->task_id,
	    .state = reply->state,
	    .attempt = reply->attempt,
	    .at_ms = reply->finished_at_ms,
	    .worker = "",
	    .error_code = error_code_name(reply->error.code),
	    .error_text = reply->error.text,
	    .op = "",
	    .scene = "",
	    .user_id = "",
	    .collection = "",
	    .reference = "",
	    .owner = "",
	};

	if (reply_encode(reply, ENCODING_JSON, &body) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	change.reply = body.data;
	change.reply_size = body.size;
	return tasks_apply(store, &change, 1, accepted, err);
}

int cancellation_record(struct store *store, const char *task_id, struct cancellation *out, struct error *err)
{
	struct cancellation done = {0};
	struct known known;

	known.state = TASK_PENDING;
	reply_init(&known.reply, task_id, NULL);
	known.reply.state = TASK_FINAL_FAILED;
	known.reply.attempt = 1;
	error_set(&known.reply.error, ERROR_CANCELLED, "cancelled by an operator");
	int r = tasks_find(store, task_id, take_facts, &known, &done.known, err);
	known.reply.finished_at_ms = clock_unix_ms();
	if (r == 0)
		r = apply(store, &known.reply, &done.accepted, err);
	/* It may have ended between the two looks. */
	if (r == 0 && !done.accepted)
		r = tasks_find(store, task_id, take_facts, &known, &done.known, err);
	if (r < 0)
		return r;
	done.stood = known.state;
	*out = done;
	return 0;
}
