#include "cli/fleet/exchange.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/stop.h"
#include "cli/fleet/client.h"
#include "cli/fleet/job_message.h"
#include "cli/output/report.h"
#include "obs/log.h"

#define CONNECT_TIMEOUT_MS 5000
/* When a person is told what there is to wait for. */
#define HINT_MS 3000
#define RESEND_MS 500
#define POLL_MS 100

struct exchange {
	struct exchange_settings settings;
	struct client *client;
	struct client_ticket ticket;
	bool unconfirmed; /* the ticket is on its way: nothing else can be sent */
	char task_id[UUID_SIZE];
	struct amqp_message *message; /* to be sent; NULL: it is on its way */
	int64_t send_ms;              /* when */
	int64_t hint_ms;              /* when to say what is waited for; INT64_MAX: it was said */
	int64_t until_ms;
	const struct reply *reply;
	enum exit_status verdict; /* when the loop ends without a reply */
};

/* True when the exchange is over. */
static bool on_outcome(struct exchange *x, const struct client_event *event)
{
	x->unconfirmed = false;
	if (x->message) { /* the outcome is that of the job before, which was answered already */
		amqp_message_free(event->nacked);
		return false;
	}
	switch (event->outcome) {
	case AMQP_NACKED:
		x->message = event->nacked;
		x->send_ms = clock_monotonic_ms() + random_between(RESEND_MS / 2, RESEND_MS);
		if (!x->settings.quiet)
			report_note("the queue is full; trying again");
		if (x->message)
			return false;
		report_error("out of memory");
		x->verdict = STATUS_LOCAL_FAULT;
		return true;
	case AMQP_RETURNED:
		report_error("no queue takes the job; see `facefleet topology --check`");
		x->verdict = STATUS_NO_BROKER;
		return true;
	case AMQP_CONFIRMED:
	case AMQP_ABANDONED:
		break;
	}
	return false;
}

/* True when the exchange is over. */
static bool on_event(struct exchange *x, enum client_event_kind kind, const struct client_event *event)
{
	switch (kind) {
	case CLIENT_REPLY:
		if (strcmp(event->reply->task_id, x->task_id) == 0) {
			x->reply = event->reply;
			return true;
		}
		log_warning(NULL, "ignored the reply to another task", log_string("task_id", event->reply->task_id));
		return false;
	case CLIENT_OUTCOME:
		return on_outcome(x, event);
	case CLIENT_FAULT:
		report_error("%s", event->error->text);
		x->verdict = STATUS_NO_BROKER;
		return true;
	case CLIENT_POSTED:
	case CLIENT_NOTHING:
		break;
	}
	return false;
}

/* What the clock and the signals say. True when the exchange is over. */
static bool on_time(struct exchange *x)
{
	int64_t now = clock_monotonic_ms();
	struct client_health health;

	if (stop_requested()) {
		x->verdict = STATUS_ABORTED;
		return true;
	}
	client_health(x->client, &health);
	if (now >= x->until_ms) {
		if (health.trouble)
			report_error("%s", health.trouble);
		else
			report_error("no reply to task %s in time; does a worker run?", x->task_id);
		x->verdict = health.trouble ? STATUS_NO_BROKER : STATUS_TASK_FAILED;
		return true;
	}
	if (now >= x->hint_ms && !x->settings.quiet) {
		x->hint_ms = INT64_MAX;
		report_note("task %s is waiting: %s", x->task_id,
			    health.trouble ? health.trouble : "does a worker run?");
	}
	return false;
}

/* False when nothing more will come of it. */
static bool send_if_due(struct exchange *x)
{
	struct amqp_message *message = x->message;

	if (!message || x->unconfirmed || clock_monotonic_ms() < x->send_ms)
		return true;
	x->message = NULL;
	int r = client_send(x->client, message, &x->ticket, x);
	if (r < 0) {
		report_error("the job cannot be sent: %s", strerror(-r));
		x->verdict = STATUS_NO_BROKER;
		return false;
	}
	x->unconfirmed = true;
	return true;
}

static void converse(struct exchange *x)
{
	struct client_event event;

	while (send_if_due(x)) {
		enum client_event_kind kind = client_next(x->client, POLL_MS, &event);
		if (on_event(x, kind, &event) || on_time(x))
			return;
	}
}

struct exchange *exchange_new(const struct exchange_settings *settings)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (x)
		x->settings = *settings;
	return x;
}

/* Makes the message of the next job, and connects if that was not done. */
static int begin(struct exchange *x, const struct job *job, struct error *err)
{
	struct client_settings client = {.config = x->settings.config, .replies = true, .tickets = 1};
	int r = job_message_new(&x->message, job, err);

	if (r == 0 && !x->client)
		r = client_open(&x->client, &client, CONNECT_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	job_message_accept(x->message, job->scene, client_reply_queue(x->client));
	snprintf(x->task_id, sizeof(x->task_id), "%.36s", x->message->envelope.message_id);
	x->send_ms = clock_monotonic_ms();
	x->hint_ms = x->send_ms + HINT_MS;
	x->until_ms = x->send_ms + x->settings.timeout_ms;
	return 0;
}

enum exit_status exchange_ask(struct exchange *x, const struct job *job, const struct reply **reply)
{
	struct error err = {0};

	x->reply = NULL;
	x->verdict = STATUS_TASK_FAILED;
	if (begin(x, job, &err) == 0) {
		converse(x);
	} else {
		x->verdict = exit_status_of(&err);
		if (x->verdict != STATUS_ABORTED)
			report_error("%s", err.text);
	}
	amqp_message_free(x->message);
	x->message = NULL;
	if (!x->reply)
		return x->verdict;
	*reply = x->reply;
	return STATUS_OK;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	client_free(x->client);
	free(x);
}

enum exit_status exchange_once(const struct exchange_settings *settings, const struct job *job, exchange_reply_fn *fn,
			       void *arg)
{
	const struct reply *reply = NULL;
	struct exchange *x = exchange_new(settings);

	if (!x) {
		report_error("out of memory");
		return STATUS_LOCAL_FAULT;
	}
	enum exit_status status = exchange_ask(x, job, &reply);
	if (status == STATUS_OK)
		status = fn(arg, reply);
	exchange_free(x);
	return status;
}
