#include "amqp/topology.h"

#include <errno.h>
#include <stdlib.h>

#include "amqp/connection.h"
#include "amqp/topology_declare.h"
#include "amqp/url.h"
#include "base/clock.h"

#define REQUEST_TIMEOUT_MS 10000
#define HEARTBEAT_S 30

/* One run over the table. */
struct survey {
	struct connection connection;
	struct topology_plan plan;
	bool apply;
	int64_t until_ms;
	FILE *out;
	bool wrong; /* something is missing or differs */
};

static int64_t remaining_ms(const struct survey *s)
{
	int64_t left = s->until_ms - clock_monotonic_ms();

	return left < REQUEST_TIMEOUT_MS ? left : REQUEST_TIMEOUT_MS;
}

static int connect_to_any(struct survey *s, const struct amqp_url *url, struct error *err)
{
	const struct connection_settings settings = {
	    .url = url,
	    .name = "facefleet topology",
	    .heartbeat_s = HEARTBEAT_S,
	    .timeout_ms = REQUEST_TIMEOUT_MS,
	};

	return connection_open_any(&s->connection, &settings, s->until_ms, err);
}

/*
 * Looks for an object without creating it: 1 it is there, 0 it is not, or a negative errno. A
 * broker that does not find it closes the channel, which is opened again.
 */
static int find_exchange(struct survey *s, const struct topology_exchange *exchange, struct error *err)
{
	struct connection_refusal refusal = {0};

	amqp_exchange_declare(s->connection.state, CONNECTION_CHANNEL, amqp_cstring_bytes(exchange->name),
			      amqp_cstring_bytes(exchange->type), 1, 1, 0, 0, amqp_empty_table);
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(s->connection.state);
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return 1;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	if (refusal.code != AMQP_NOT_FOUND)
		return connection_check(reply, "look up", err);
	return connection_reopen_channel(&s->connection, err);
}

static int find_queue(struct survey *s, const struct topology_queue *queue, struct error *err)
{
	int found = topology_find_queue(&s->connection, queue->name, err);

	return found == 0 ? connection_reopen_channel(&s->connection, err) : found;
}

static void report(struct survey *s, const char *verdict, const char *kind, const char *name, const char *why)
{
	fprintf(s->out, "%-9s %s %s%s%s\n", verdict, kind, name, why[0] ? ": " : "", why);
}

/* Reports an object that is not there, which was declared when that was asked for. */
static void report_missing(struct survey *s, const char *kind, const char *name)
{
	s->wrong = s->wrong || !s->apply;
	report(s, s->apply ? "declared" : "missing", kind, name, "");
}

static int survey_exchange(struct survey *s, const struct topology_exchange *exchange, struct error *err)
{
	int found = find_exchange(s, exchange, err);
	int r = found < 0 ? found : 0;

	if (found == 1 || (found == 0 && s->apply))
		r = topology_declare_exchange(&s->connection, exchange, err);
	if (found == 1 && r < 0 && err->code == ERROR_TOPOLOGY) {
		s->wrong = true;
		report(s, "differs", "exchange", exchange->name, err->text);
		return connection_reopen_channel(&s->connection, err);
	}
	if (r == 0 && found)
		report(s, "ok", "exchange", exchange->name, "");
	else if (r == 0)
		report_missing(s, "exchange", exchange->name);
	return r;
}

static int survey_queue(struct survey *s, const struct topology_queue *queue, struct error *err)
{
	char differences[1024];
	int found = find_queue(s, queue, err);

	if (found < 0)
		return found;
	if (found) {
		int count = topology_list_differences(&s->connection, queue, differences, sizeof(differences), err);
		if (count < 0)
			return count;
		s->wrong = s->wrong || count > 0;
		report(s, count > 0 ? "differs" : "ok", "queue", queue->name, differences);
		return 0;
	}
	int r = s->apply ? topology_declare_queue(&s->connection, queue, err) : 0;
	if (r == 0)
		report_missing(s, "queue", queue->name);
	return r;
}

static int survey_all(struct survey *s, struct error *err)
{
	const struct topology_plan *plan = &s->plan;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->exchange_count && remaining_ms(s) > 0; i++)
		r = survey_exchange(s, &plan->exchanges[i], err);
	for (unsigned i = 0; r == 0 && i < plan->queue_count && remaining_ms(s) > 0; i++)
		r = survey_queue(s, &plan->queues[i], err);
	/* AMQP cannot ask for bindings: they are made good, or left unlooked at. */
	for (unsigned i = 0; r == 0 && s->apply && !s->wrong && i < plan->binding_count && remaining_ms(s) > 0; i++)
		r = topology_declare_binding(&s->connection, &plan->bindings[i], err);
	if (r == 0 && remaining_ms(s) <= 0)
		return error_set(err, ERROR_CONNECTION, "the broker did not answer everything in time");
	return r;
}

int topology_check(const struct amqp_url *url, bool apply, int64_t timeout_ms, FILE *out, struct error *err)
{
	struct survey *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, ERROR_CONNECTION, "out of memory");
	s->apply = apply;
	s->out = out;
	s->until_ms = clock_monotonic_ms() + timeout_ms;
	topology_plan_fill(&s->plan, TOPOLOGY_ALL, &(struct topology_delays){0});
	int r = connect_to_any(s, url, err);
	if (r == 0)
		r = survey_all(s, err);
	if (r == 0 && s->wrong)
		r = 1;
	connection_close(&s->connection, r >= 0);
	free(s);
	return r;
}
