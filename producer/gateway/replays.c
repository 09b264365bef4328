/* Failed tasks whose job is sent again. What stands in their way is found on the threads of the reading pool; the
 * parked messages are looked through on a thread of its own, which may wait for the broker. */

#include <stdio.h>

#include "admission.h"
#include "base/clock.h"
#include "gateway_private.h"
#include "lookup.h"
#include "obs/log.h"
#include "parked/parked_queue.h"
#include "parked/replay.h"
#include "parked/replay_message.h"
#include "pools.h"
#include "problems.h"
#include "store_access.h"

#define CONNECT_TIMEOUT_MS 5000
/* What is not found by then is too much to look through for a request. */
#define MAX_SWEEP_MS 30000

/* The search for the job of a task. */
struct hunt {
	struct gateway *gateway;
	const struct visit *visit; /* names the task that failed */
	struct replay *replay;
	bool found;
	struct submission *submission; /* NULL: it was found and is not sent, `problem` says why */
	enum amqp_outcome outcome;
	struct http_problem problem;
};

static void send_again(struct hunt *h, struct amqp_message *message)
{
	struct gateway *gateway = h->gateway;

	/* Before it is published, so that no event finds it missing. */
	recent_add(gateway->recent, &h->submission->task);
	h->outcome = replay_publish(h->replay, message);
	if (h->outcome == AMQP_CONFIRMED)
		submission_announce(h->submission, gateway->publishing);
	else if (h->outcome != AMQP_ABANDONED)
		recent_remove(gateway->recent, h->submission->task.task_id);
}

static void note_problem(struct hunt *h, struct error *err)
{
	error_prefix(err, "its job stays parked");
	problem_from_encoding(&h->problem, err);
}

/* Reads what is to be sent: it, not what is known of the task, says in which collection. NULL: it is not sent. */
static struct amqp_message *read_job(struct hunt *h, const struct amqp_delivery *parked)
{
	struct amqp_message *message;
	struct submission *submission;
	struct error err;

	if (replay_message_new(&message, parked, false, clock_unix_ms(), &err) < 0) {
		note_problem(h, &err);
		return NULL;
	}
	if (submission_of(&submission, message, &err) < 0) {
		note_problem(h, &err);
		amqp_message_free(message);
		return NULL;
	}
	if (!admission_check_collection(&h->visit->visitor, submission->task.op, submission->task.collection,
					"collection", &h->problem)) {
		submission_free(submission);
		amqp_message_free(message);
		return NULL;
	}
	h->submission = submission;
	return message;
}

static bool hunt(void *arg, const struct amqp_delivery *parked)
{
	struct hunt *h = arg;

	if (h->found || !parked_queue_is_job_of(parked, h->visit->task_id))
		return false;
	h->found = true;
	struct amqp_message *message = read_job(h, parked);
	if (message)
		send_again(h, message);
	return message && h->outcome == AMQP_CONFIRMED;
}

/* --- answers ---------------------------------------------------------------------------------------- */

static void refuse_search(struct visit *visit, const struct error *err)
{
	if (err->code == ERROR_DEADLINE_EXCEEDED) {
		visit_refuse_as(visit, &http_problem_overloaded, "too much is parked to look through it for a request",
				1);
		return;
	}
	log_warning(NULL, "the parked messages were not looked through", LOG_ERROR_FIELDS(err));
	visit_refuse_as(visit, &problem_broker_unavailable, "", 1);
}

static void answer_sent(struct hunt *h)
{
	switch (h->outcome) {
	case AMQP_CONFIRMED:
		submission_answer_accepted(h->submission);
		break;
	case AMQP_NACKED:
		submission_refuse(h->submission, &problem_queue_full, false, "its job stays parked: try again later");
		break;
	case AMQP_RETURNED:
		submission_refuse(h->submission, &problem_broker_unavailable, false, "the queue does not exist");
		break;
	case AMQP_ABANDONED:
		submission_refuse(h->submission, &problem_unconfirmed, true, "the broker did not answer in time");
		break;
	}
}

/* What was found counts, however the search went on. */
static void answer(struct hunt *h, struct visit *visit, int searched, const struct error *err)
{
	if (h->submission) {
		h->submission->call = visit->call;
		visit_free(visit);
		answer_sent(h);
		submission_free(h->submission);
	} else if (h->found) {
		visit_refuse(visit, &h->problem);
	} else if (searched < 0) {
		refuse_search(visit, err);
	} else {
		visit_refuse_as(visit, &problem_job_not_kept,
				"it is not among the parked messages: send the job again, with its photographs", 0);
	}
}

/* --- the thread ------------------------------------------------------------------------------------- */

static void search(void *arg, void *state, void *item)
{
	struct gateway *gateway = arg;
	struct visit *visit = item;
	struct context ctx = {.deadline_ms = clock_monotonic_ms() + MAX_SWEEP_MS};
	struct hunt h = {.gateway = gateway, .visit = visit};
	struct amqp_sweep_counts counts;
	struct error err;

	(void)state;
	if (admission_refuse_late(gateway, visit))
		return;
	int r = replay_open(&h.replay, gateway->config, CONNECT_TIMEOUT_MS, &err);
	if (r == 0)
		r = parked_queue_sweep(&ctx, gateway->config, hunt, &h, &counts, &err);
	replay_free(h.replay);
	answer(&h, visit, r, &err);
}

int replays_start(struct gateway *gateway)
{
	static const struct pool_ops ops = {.run = search};

	return pool_start(&gateway->replays_pool, "replays", 1, gateway->replays, &ops, gateway);
}

void replays_stop(struct gateway *gateway)
{
	pool_stop(gateway->replays_pool);
	gateway->replays_pool = NULL;
}

/* --- what stands in its way ------------------------------------------------------------------------- */

void replays_handle(struct gateway *gateway, struct visit *visit, struct store **store)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	struct lookup lookup = {.visitor = &visit->visitor, .as_event = true, .out = &json};
	struct error err;
	char detail[64];

	if (lookup_task(gateway, store, visit->task_id, &lookup, &err) < 0) {
		store_access_refuse(gateway, visit, &err);
	} else if (!lookup.visible) {
		tasks_refuse_unknown(visit);
	} else if (!visitor_decides(&visit->visitor, lookup.owner)) {
		visit_refuse_as(visit, &problem_forbidden, "it is somebody else's task", 0);
	} else if (lookup.scheduled || lookup.state != TASK_FINAL_FAILED) {
		snprintf(detail, sizeof(detail), "it is %s",
			 lookup.scheduled ? "scheduled" : task_state_name(lookup.state));
		visit_refuse_as(visit, &problem_task_not_failed, detail, 0);
	} else {
		pools_pass(gateway->replays, visit);
	}
}
