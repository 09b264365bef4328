#include "store/cancellation.h"

#include <stdio.h>

#include "base/clock.h"

/* What is taken over from what is recorded. */
struct known {
	struct reply reply;
	enum task_state state;
};

static void take_facts(struct reply *reply, const struct task_change *now)
{
	reply->has_op = job_op_from_name(now->op, &reply->op) == 0;
	snprintf(reply->user_id, sizeof(reply->user_id), "%s", now->user_id);
	snprintf(reply->collection, sizeof(reply->collection), "%s", now->collection);
	snprintf(reply->reference, sizeof(reply->reference), "%s", now->reference);
	snprintf(reply->scene, sizeof(reply->scene), "%s", now->scene);
	reply->accepted_at_ms = now->accepted_at_ms;
}

static int take_row(void *arg, const struct task_row *row, struct error *err)
{
	struct known *known = arg;

	(void)err;
	known->state = row->now.state;
	known->reply.attempt = row->now.attempt;
	take_facts(&known->reply, &row->now);
	return 0;
}

static int apply(struct store *store, const struct reply *reply, const struct task_change *facts, bool *accepted,
		 struct error *err)
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
	    .op = facts ? facts->op : "",
	    .scene = facts ? facts->scene : "",
	    .user_id = facts ? facts->user_id : "",
	    .collection = facts ? facts->collection : "",
	    .reference = facts ? facts->reference : "",
	    .owner = facts ? facts->owner : "",
	    .accepted_at_ms = facts ? facts->accepted_at_ms : 0,
	    .deadline_ms = facts ? facts->deadline_ms : 0,
	};

	if (reply_encode(reply, ENCODING_JSON, &body) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	change.reply = body.data;
	change.reply_size = body.size;
	return tasks_apply(store, &change, 1, accepted, err);
}

int cancellation_record(struct store *store, const char *task_id, const struct task_change *facts,
			struct cancellation *out, struct error *err)
{
	struct cancellation done = {0};
	struct known known;

	known.state = TASK_PENDING;
	reply_init(&known.reply, task_id, NULL);
	known.reply.state = TASK_FINAL_FAILED;
	known.reply.attempt = 1;
	if (facts)
		take_facts(&known.reply, facts);
	error_set(&known.reply.error, ERROR_CANCELLED, "cancelled by an operator");
	int r = tasks_find(store, task_id, take_row, &known, &done.known, err);
	known.reply.finished_at_ms = clock_unix_ms();
	if (r == 0)
		r = apply(store, &known.reply, facts, &done.accepted, err);
	/* It may have ended between the two looks. */
	if (r == 0 && !done.accepted)
		r = tasks_find(store, task_id, take_row, &known, &done.known, err);
	if (r < 0)
		return r;
	done.stood = known.state;
	*out = done;
	return 0;
}
