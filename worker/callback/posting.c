#include "posting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"

int posting_init(struct posting *posting, const struct posting_tools *tools)
{
	*posting = (struct posting){.tools = *tools, .endpoints = endpoints_new(tools->max_per_endpoint)};
	return posting->endpoints ? 0 : -ENOMEM;
}

void posting_finish(struct posting *posting)
{
	endpoints_free(posting->endpoints);
}

static void look(struct posting *posting, const struct delivery *delivery, struct registry_entry *out)
{
	registry_look(posting->tools.registry, delivery->message->envelope.callback_url, out);
}

const char *posting_why_disabled(struct posting *posting, const struct delivery *delivery)
{
	struct registry_entry entry;

	look(posting, delivery, &entry);
	return entry.disabled;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Through the mailbox, as any other answer comes: a line of failures does not recurse. */
static void answer_unasked(struct delivery *delivery, const char *why)
{
	delivery->unasked = true;
	delivery->answer = (struct answer){.outcome = HTTP_FAILED, .retry_after_ms = -1};
	snprintf(delivery->answer.text, sizeof(delivery->answer.text), "not sent: %s", why);
	delivery_tell(delivery, DELIVERY_ANSWERED);
}

/* An endpoint that keeps failing is left alone, and what goes there waits on the ladder as after a failure. But the
 * last attempt of a callback is made in any case. */
static bool may_ask(struct posting *posting, struct delivery *delivery)
{
	const struct posting_tools *tools = &posting->tools;
	bool is_last = retry_plan_next(tools->plan, delivery_attempts(delivery) + 1, -1) < 0;

	delivery->ticket = breakers_allow(tools->breakers, &delivery->ctx, endpoint_origin(&delivery->place));
	return delivery->ticket || is_last;
}

static void post(struct posting *posting, struct delivery *delivery)
{
	const struct posting_tools *tools = &posting->tools;
	struct registry_entry entry;

	delivery->state = DELIVERY_POSTING;
	look(posting, delivery, &entry);
	if (entry.disabled) {
		delivery_tell(delivery, DELIVERY_DISABLED);
		return;
	}
	if (!may_ask(posting, delivery)) {
		answer_unasked(delivery, "the endpoint failed again and again");
		return;
	}
	int r = delivery_post(delivery, tools->client, entry.keys ? entry.keys : tools->keys, tools->timeout_ms);
	if (r == 0)
		return;
	breakers_withdraw(tools->breakers, endpoint_origin(&delivery->place), delivery->ticket);
	answer_unasked(delivery, strerror(-r));
}

/* --- turns ------------------------------------------------------------------------------------ */

int posting_enter(struct posting *posting, struct delivery *delivery, const char *origin)
{
	int r = endpoints_enter(posting->endpoints, &delivery->place, origin, clock_monotonic_ms());

	if (r != 0)
		return r;
	if (delivery->place.running)
		post(posting, delivery);
	else
		delivery->state = DELIVERY_WAITING;
	return 0;
}

void posting_leave(struct posting *posting, struct delivery *delivery)
{
	struct endpoint_place *next;

	if (!delivery->place.endpoint)
		return;
	next = endpoints_leave(posting->endpoints, &delivery->place);
	if (next)
		post(posting, delivery_of_place(next));
}

void posting_set_limits(struct posting *posting, unsigned max_per_endpoint, int64_t timeout_ms)
{
	struct endpoint_place *next;

	posting->tools.timeout_ms = timeout_ms;
	endpoints_set_limit(posting->endpoints, max_per_endpoint);
	while ((next = endpoints_start_next(posting->endpoints)))
		post(posting, delivery_of_place(next));
}

void posting_defer(const struct posting *posting, struct delivery *delivery)
{
	delivery->verdict =
	    (struct verdict){.what = VERDICT_DEFER, .delay_ms = retry_plan_shortest(posting->tools.plan)};
}

struct delivery *posting_shed(struct posting *posting, int64_t now_ms, bool crowded)
{
	struct endpoint_place *place = endpoints_shed_overdue(posting->endpoints, now_ms);
	struct delivery *delivery;

	if (!place && crowded)
		place = endpoints_shed(posting->endpoints, now_ms);
	if (!place)
		return NULL;
	delivery = delivery_of_place(place);
	posting_defer(posting, delivery);
	log_debug(&delivery->ctx, "callback deferred: its endpoint is slow", log_string("url", delivery->url));
	return delivery;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* No more callbacks for whoever said that it is gone, until an operator knows better. */
static void disable_endpoint(struct posting *posting, const struct delivery *delivery)
{
	char reason[ENDPOINTS_REASON_SIZE];

	snprintf(reason, sizeof(reason), "it answered HTTP %ld", delivery->answer.status);
	if (registry_disable(posting->tools.registry, delivery->message->envelope.callback_url, reason))
		log_warning(&delivery->ctx, "callback endpoint disabled", log_string("reason", reason),
			    log_string("url", delivery->url));
}

/* What an attempt says about the endpoint. */
static void note_answer(struct posting *posting, const struct delivery *delivery)
{
	const struct answer *answer = &delivery->answer;
	const char *origin = endpoint_origin(&delivery->place);

	if (delivery->unasked)
		return;
	if (posting->hurrying || answer->outcome == HTTP_REFUSED)
		breakers_withdraw(posting->tools.breakers, origin, delivery->ticket);
	else
		breakers_report(posting->tools.breakers, &delivery->ctx, origin, delivery->ticket,
				!http_server_failed(answer->outcome, answer->status));
}

void posting_judge(struct posting *posting, struct delivery *delivery)
{
	const struct verdict *verdict = &delivery->verdict;

	verdict_reach(&delivery->verdict, &delivery->answer, posting->tools.plan, delivery_attempts(delivery) + 1);
	/* Before anybody else's turn comes there. */
	if (!posting->hurrying && verdict->what == VERDICT_PARK && verdict->cause == PARK_GONE)
		disable_endpoint(posting, delivery);
	note_answer(posting, delivery);
	posting_leave(posting, delivery);
}
