/* Requests that their sender may repeat. */
#include "ticket.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gateway_private.h"
#include "obs/log.h"
#include "problems.h"
#include "store_access.h"

static struct idempotency_request request_of(const struct ticket *ticket)
{
	return (struct idempotency_request){.owner = ticket->owner, .key = ticket->key, .hash = ticket->hash};
}

static struct ticket *ticket_new(const struct visit *visit, const struct ticket_subject *subject)
{
	struct ticket *ticket = calloc(1, sizeof(*ticket));

	if (!ticket)
		return NULL;
	if (!idempotency_guard_read(visit->idempotency_key, ticket->key)) {
		free(ticket);
		return NULL;
	}
	/* Strangers share nothing but their address. */
	if (visit->visitor.owner[0] != '\0')
		snprintf(ticket->owner, sizeof(ticket->owner), "%.16s", visit->visitor.owner);
	else
		snprintf(ticket->owner, sizeof(ticket->owner), "@%s", visit->address);
	idempotency_guard_hash("POST", subject->target, subject->body, subject->body_size, ticket->hash);
	return ticket;
}

/* True: go on, with the id of the claim. */
static bool claim(struct gateway *gateway, struct visit *visit, struct store **store, struct ticket *ticket,
		  const struct ticket_subject *subject)
{
	const struct idempotency_request request = request_of(ticket);
	struct error err;
	int r = store_access_open(gateway, store, &err);

	if (r == 0)
		r = idempotency_guard_begin(gateway->guard, *store, &request, subject->id, clock_unix_ms(),
					    &ticket->claim, &err);
	if (r < 0) {
		if (err.code == ERROR_OVERLOADED)
			visit_refuse_as(visit, &http_problem_overloaded, err.text, 1);
		else
			store_access_refuse(gateway, visit, &err);
		return false;
	}
	switch (ticket->claim.state) {
	case IDEMPOTENCY_NEW:
		return true;
	case IDEMPOTENCY_IN_FLIGHT:
		visit_refuse_as(visit, &problem_idempotency_in_flight, "ask again for its result", 1);
		break;
	case IDEMPOTENCY_DONE:
		subject->answer_again(gateway, visit, store, ticket->claim.task_id);
		break;
	case IDEMPOTENCY_DIFFERENT:
		visit_refuse_as(visit, &problem_idempotency_reused, "use a new one for each request", 0);
		break;
	}
	return false;
}

struct ticket *ticket_claim(struct gateway *gateway, struct visit *visit, struct store **store,
			    const struct ticket_subject *subject)
{
	struct ticket *ticket = ticket_new(visit, subject);

	if (!ticket) {
		visit_refuse_as(visit, &problem_invalid_header,
				"Idempotency-Key: 1 to 255 printable characters were expected", 0);
		return NULL;
	}
	if (claim(gateway, visit, store, ticket, subject))
		return ticket;
	free(ticket);
	return NULL;
}

void ticket_end(struct gateway *gateway, struct ticket *ticket, bool done, struct store **store)
{
	const struct idempotency_request request = request_of(ticket);
	struct error err;
	int r = store_access_open(gateway, store, &err);

	/* Whether the store can be told or not, the request is in flight no longer. */
	if (r < 0)
		idempotency_guard_forget(gateway->guard, &request);
	else
		r = done ? idempotency_guard_finish(gateway->guard, *store, &request, &ticket->claim, &err)
			 : idempotency_guard_abandon(gateway->guard, *store, &request, &ticket->claim, &err);
	if (r < 0)
		log_warning(NULL, "the end of a request was not recorded", log_string("id", ticket->claim.task_id),
			    LOG_ERROR_FIELDS(&err));
	free(ticket);
}

void ticket_forget(struct gateway *gateway, struct ticket *ticket)
{
	const struct idempotency_request request = request_of(ticket);

	idempotency_guard_forget(gateway->guard, &request);
	free(ticket);
}

static void handle_end(struct gateway *gateway, struct visit *visit, struct store **store)
{
	ticket_end(gateway, visit->ticket, visit->done, store);
	visit_free(visit);
}

void ticket_end_later(void *arg, struct ticket *ticket, bool done)
{
	struct gateway *gateway = arg;
	struct visit *visit = calloc(1, sizeof(*visit));

	if (visit) {
		visit->handle = handle_end;
		visit->ticket = ticket;
		visit->done = done;
	}
	/* At the end the claim runs out by itself; a repetition then takes it over with the same id. */
	if (!visit || queue_push_urgent(gateway->reading, visit, 0) != 0) {
		ticket_forget(gateway, ticket);
		visit_free(visit);
	}
}
