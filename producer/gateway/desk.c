#include "desk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "obs/log.h"
#include "problems.h"
#include "ticket.h"

#define BUCKETS 4096

struct desk {
	struct desk_settings settings;
	uint64_t seed;
	struct metric *accepted[JOB_UNENROLL + 1];
	struct metric *refused;
	struct metric *unconfirmed;
	struct metric *waiting;

	pthread_mutex_t lock;
	TAILQ_HEAD(submissions, submission) list;
	LIST_HEAD(, submission) buckets[BUCKETS];
	unsigned count;
	size_t bytes; /* of messages without an outcome */
	bool hurrying;
};

static void make_meters(struct desk *desk)
{
	struct metrics *metrics = desk->settings.metrics;

	for (int op = 0; op <= JOB_UNENROLL; op++) {
		const char *labels[] = {"op", job_op_name((enum job_op)op), NULL};
		desk->accepted[op] = metrics_counter(metrics, "facefleet_gateway_accepted_total",
						     "Jobs that the broker confirmed.", labels);
	}
	desk->refused = metrics_counter(metrics, "facefleet_gateway_refused_total",
					"Jobs refused because the broker was away or full.", NULL);
	desk->unconfirmed =
	    metrics_counter(metrics, "facefleet_gateway_unconfirmed_total",
			    "Jobs of which the client was told that they may have been taken or not.", NULL);
	desk->waiting = metrics_gauge(metrics, "facefleet_gateway_waiting",
				      "Requests that wait for the broker's confirm or for a result.", NULL);
}

struct desk *desk_new(const struct desk_settings *settings)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return NULL;
	desk->settings = *settings;
	random_bytes(&desk->seed, sizeof(desk->seed));
	TAILQ_INIT(&desk->list);
	pthread_mutex_init(&desk->lock, NULL);
	make_meters(desk);
	return desk;
}

void desk_free(struct desk *desk)
{
	if (!desk)
		return;
	pthread_mutex_destroy(&desk->lock);
	free(desk);
}

/* --- under the lock ----------------------------------------------------------------------------- */

static unsigned bucket_of(const struct desk *desk, const char *task_id)
{
	return (unsigned)(hash_bytes(desk->seed, task_id, strlen(task_id)) % BUCKETS);
}

static bool add(struct desk *desk, struct submission *submission)
{
	if (desk->count == desk->settings.max || submission->bytes > desk->settings.max_bytes - desk->bytes)
		return false;
	desk->bytes += submission->bytes;
	TAILQ_INSERT_TAIL(&desk->list, submission, entry);
	LIST_INSERT_HEAD(&desk->buckets[bucket_of(desk, submission->task.task_id)], submission, in_bucket);
	metric_set(desk->waiting, ++desk->count);
	return true;
}

/* Lets go of a submission that nobody has a part in any more. */
static void let_go(struct desk *desk, struct submission *submission)
{
	if (submission->pending || submission->call)
		return;
	TAILQ_REMOVE(&desk->list, submission, entry);
	LIST_REMOVE(submission, in_bucket);
	metric_set(desk->waiting, --desk->count);
	submission_free(submission);
}

static void give_up(struct desk *desk, struct submission *submission, const char *detail)
{
	metric_add(desk->unconfirmed, 1);
	log_warning(NULL, "job unconfirmed", log_string("task_id", submission->task.task_id),
		    log_string("why", detail));
	submission_refuse(submission, &problem_unconfirmed, true, detail);
}

/* --- the broker's answers, on the link's thread ------------------------------------------------------ */

static void note_confirmed(struct desk *desk, struct submission *submission)
{
	metric_add(desk->accepted[submission->task.op], 1);
	submission->confirmed = true;
	submission_announce(submission, desk->settings.link);
	if (submission->call && (submission->wait_until_ms == 0 || desk->hurrying))
		submission_answer_accepted(submission);
}

static void note_refused(struct desk *desk, struct submission *submission, enum amqp_outcome outcome)
{
	if (outcome != AMQP_ABANDONED) {
		/* What was sent before the connection broke may be a task all the same. */
		if (!submission->lost)
			recent_remove(desk->settings.recent, submission->task.task_id);
		metric_add(desk->refused, 1);
	}
	if (!submission->call)
		return;
	if (outcome == AMQP_NACKED)
		submission_refuse(submission, &problem_queue_full, false, "try again later");
	else if (outcome == AMQP_RETURNED)
		submission_refuse(submission, &problem_broker_unavailable, false, "the queue does not exist");
	else
		give_up(desk, submission, "the gateway is stopping");
}

static void end_ticket(struct desk *desk, struct submission *submission, bool published)
{
	struct ticket *ticket = submission->ticket;

	if (!ticket)
		return;
	submission->ticket = NULL;
	ticket->claim.may_be_done = ticket->claim.may_be_done || submission->lost;
	desk->settings.on_ticket(desk->settings.arg, ticket, published);
}

static void take_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct submission *submission = arg;
	struct desk *desk = submission->desk;

	(void)message;
	pthread_mutex_lock(&desk->lock);
	submission->pending = false;
	desk->bytes -= submission->bytes;
	if (outcome == AMQP_CONFIRMED)
		note_confirmed(desk, submission);
	else
		note_refused(desk, submission, outcome);
	end_ticket(desk, submission, outcome == AMQP_CONFIRMED);
	let_go(desk, submission);
	pthread_mutex_unlock(&desk->lock);
}

void desk_lose(struct desk *desk)
{
	struct submission *submission;

	pthread_mutex_lock(&desk->lock);
	TAILQ_FOREACH(submission, &desk->list, entry)
	{
		submission->lost = submission->lost || submission->pending;
		if (submission->pending && submission->call)
			give_up(desk, submission, "the connection to the broker broke");
	}
	pthread_mutex_unlock(&desk->lock);
}

/* ---------------------------------------------------------------------------------------------------- */

/* What there is to say against publishing now; NULL: nothing. A link that is down would keep the job and wait. */
static const char *broker_problem(struct desk *desk)
{
	struct amqp_link_status status;

	amqp_link_status(desk->settings.link, &status);
	if (!status.connected)
		return "there is no connection to the broker";
	return status.blocked ? "the broker is short of memory or disk" : NULL;
}

static void refuse(struct desk *desk, struct submission *submission, const struct http_problem_kind *kind,
		   const char *detail)
{
	metric_add(desk->refused, 1);
	submission_refuse(submission, kind, false, detail);
	submission_free(submission);
}

/* Publishes under the lock, so that the outcome finds it done. */
static const char *publish(struct desk *desk, struct submission *submission, struct amqp_message *message)
{
	submission->bytes = message->body_size;
	if (!add(desk, submission)) {
		amqp_message_free(message);
		return "too many requests wait for the broker, or for their result";
	}
	recent_add(desk->settings.recent, &submission->task);
	int r = amqp_link_publish(desk->settings.link, message, take_outcome, submission);
	submission->pending = r == 0;
	if (r == 0)
		return NULL;
	recent_remove(desk->settings.recent, submission->task.task_id);
	desk->bytes -= submission->bytes;
	TAILQ_REMOVE(&desk->list, submission, entry);
	LIST_REMOVE(submission, in_bucket);
	metric_set(desk->waiting, --desk->count);
	return r == -ESHUTDOWN ? "the gateway is stopping" : "too many messages wait for the broker";
}

bool desk_submit(struct desk *desk, struct submission *submission, struct amqp_message *message)
{
	int64_t now_ms = clock_monotonic_ms();
	const char *problem = broker_problem(desk);

	if (problem) {
		amqp_message_free(message);
		refuse(desk, submission, &problem_broker_unavailable, problem);
		return false;
	}
	submission->desk = desk;
	submission->confirm_by_ms = now_ms + desk->settings.confirm_timeout_ms;
	if (submission->prefer.has_wait && submission->prefer.wait_ms > 0)
		submission->wait_until_ms = now_ms + submission->prefer.wait_ms;
	pthread_mutex_lock(&desk->lock);
	problem = publish(desk, submission, message);
	pthread_mutex_unlock(&desk->lock);
	if (problem)
		refuse(desk, submission, &http_problem_overloaded, problem);
	return !problem;
}

static struct submission *find(struct desk *desk, const char *task_id)
{
	struct submission *submission;

	LIST_FOREACH(submission, &desk->buckets[bucket_of(desk, task_id)], in_bucket)
	{
		if (strcmp(submission->task.task_id, task_id) == 0)
			return submission;
	}
	return NULL;
}

void desk_reply(struct desk *desk, const char *task_id, const char *json, size_t size)
{
	pthread_mutex_lock(&desk->lock);
	struct submission *submission = find(desk, task_id);
	if (submission && submission->call && submission->wait_until_ms != 0) {
		submission_answer_reply(submission, json, size);
		let_go(desk, submission);
	}
	pthread_mutex_unlock(&desk->lock);
}

static void check_time(struct desk *desk, struct submission *submission, int64_t now_ms)
{
	if (!submission->call)
		return;
	if (submission->confirmed && now_ms >= submission->wait_until_ms)
		submission_answer_accepted(submission);
	else if (!submission->confirmed && now_ms >= submission->confirm_by_ms)
		give_up(desk, submission, "the broker did not answer in time");
}

static void check_times(struct desk *desk, int64_t now_ms)
{
	struct submission *submission = TAILQ_FIRST(&desk->list);

	while (submission) {
		struct submission *next = TAILQ_NEXT(submission, entry);

		check_time(desk, submission, now_ms);
		let_go(desk, submission);
		submission = next;
	}
}

void desk_tick(struct desk *desk, int64_t now_ms)
{
	pthread_mutex_lock(&desk->lock);
	check_times(desk, now_ms);
	pthread_mutex_unlock(&desk->lock);
}

void desk_hurry(struct desk *desk)
{
	struct submission *submission;

	pthread_mutex_lock(&desk->lock);
	desk->hurrying = true;
	TAILQ_FOREACH(submission, &desk->list, entry)
	{
		submission->wait_until_ms = submission->wait_until_ms ? 1 : 0;
	}
	check_times(desk, clock_monotonic_ms());
	pthread_mutex_unlock(&desk->lock);
}
