#include "amqp/topology_declare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAY_OUT "empty it, delete it, then run `facefleet topology --apply`"

/* --- what the broker says --- */

/* Copies what stands between the next two quotes of *at; advances. */
static int read_quoted(const char **at, char *out, size_t size)
{
	const char *open = strchr(*at, '\'');
	const char *close = open ? strchr(open + 1, '\'') : NULL;

	if (!close)
		return -EINVAL;
	snprintf(out, size, "%.*s", (int)(close - open - 1), open + 1);
	*at = close + 1;
	return 0;
}

/* Reads "none", "'value'" or "the value 'value' of type 'type'". */
static int read_value(const char *text, char *out, size_t size)
{
	out[0] = '\0';
	return strncmp(text, "none", 4) == 0 ? 0 : read_quoted(&text, out, size);
}

int topology_read_difference(const char *reply_text, struct topology_difference *out)
{
	static const char start[] = "inequivalent arg ";
	static const char received[] = ": received ";
	static const char current[] = " but current is ";
	const char *at = strstr(reply_text, start);
	const char *wanted = at ? strstr(at, received) : NULL;
	const char *existing = wanted ? strstr(wanted, current) : NULL;
	struct topology_difference found;

	if (!existing || read_quoted(&at, found.key, sizeof(found.key)) < 0 ||
	    read_value(wanted + strlen(received), found.wanted, sizeof(found.wanted)) < 0 ||
	    read_value(existing + strlen(current), found.existing, sizeof(found.existing)) < 0)
		return -EINVAL;
	*out = found;
	return 0;
}

/* True for refusals that no waiting mends. */
static bool is_final(int code)
{
	return code == AMQP_ACCESS_REFUSED || code == AMQP_PRECONDITION_FAILED || code == AMQP_NOT_IMPLEMENTED;
}

static int check_declared(amqp_rpc_reply_t reply, const char *kind, const char *name, struct error *err)
{
	struct connection_refusal refusal = {0};
	char what[ENVELOPE_SHORT_SIZE + 32];

	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	if (is_final(refusal.code))
		return error_set(err, ERROR_TOPOLOGY, "%s %s: %s; %s", kind, name, refusal.text,
				 refusal.code == AMQP_PRECONDITION_FAILED ? WAY_OUT : "ask the broker's operator");
	snprintf(what, sizeof(what), "declare %s %s", kind, name);
	return connection_check(reply, what, err);
}

/* --- declaring --- */

int topology_declare_exchange(struct connection *c, const struct topology_exchange *exchange, struct error *err)
{
	amqp_exchange_declare(c->state, CONNECTION_CHANNEL, amqp_cstring_bytes(exchange->name),
			      amqp_cstring_bytes(exchange->type), 0, 1, 0, 0, amqp_empty_table);
	return check_declared(amqp_get_rpc_reply(c->state), "exchange", exchange->name, err);
}

int topology_declare_binding(struct connection *c, const struct topology_binding *binding, struct error *err)
{
	amqp_bytes_t destination = amqp_cstring_bytes(binding->destination);
	amqp_bytes_t source = amqp_cstring_bytes(binding->source);
	amqp_bytes_t key = amqp_cstring_bytes(binding->key);

	if (binding->to_exchange)
		amqp_exchange_bind(c->state, CONNECTION_CHANNEL, destination, source, key, amqp_empty_table);
	else
		amqp_queue_bind(c->state, CONNECTION_CHANNEL, destination, source, key, amqp_empty_table);
	return check_declared(amqp_get_rpc_reply(c->state), "binding of", binding->destination, err);
}

int topology_find_queue(struct connection *c, const char *name, struct error *err)
{
	struct connection_refusal refusal = {0};

	amqp_queue_declare(c->state, CONNECTION_CHANNEL, amqp_cstring_bytes(name), 1, 1, 0, 0, amqp_empty_table);
	amqp_rpc_reply_t reply = amqp_get_rpc_reply(c->state);
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return 1;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	/* The same code says of a queue that it is there, on a node that is not. */
	if (refusal.code == AMQP_NOT_FOUND && strstr(refusal.text, "no queue"))
		return 0;
	return connection_check(reply, "look up", err);
}

static amqp_rpc_reply_t declare_queue(struct connection *c, const struct topology_queue *queue)
{
	amqp_table_entry_t entries[TOPOLOGY_MAX_ARGUMENTS];
	unsigned count = topology_argument_count(queue);

	for (unsigned i = 0; i < count; i++) {
		const struct topology_argument *argument = &queue->arguments[i];
		entries[i].key = amqp_cstring_bytes(argument->key);
		if (argument->text) {
			entries[i].value.kind = AMQP_FIELD_KIND_UTF8;
			entries[i].value.value.bytes = amqp_cstring_bytes(argument->text);
		} else {
			entries[i].value.kind = AMQP_FIELD_KIND_I64;
			entries[i].value.value.i64 = argument->number;
		}
	}
	amqp_queue_declare(c->state, CONNECTION_CHANNEL, amqp_cstring_bytes(queue->name), 0, !queue->exclusive,
			   queue->exclusive, 0, (amqp_table_t){(int)count, entries});
	return amqp_get_rpc_reply(c->state);
}

/*
 * Makes `queue` agree with what the broker has in one argument. `text` keeps the value alive.
 * False when the queue cannot be described that way (an argument that is no argument, like durable).
 */
static bool adopt(struct topology_queue *queue, const struct topology_difference *difference, char *text, size_t size)
{
	unsigned count = topology_argument_count(queue);
	unsigned i = 0;

	while (i < count && strcmp(queue->arguments[i].key, difference->key) != 0)
		i++;
	if (i == count || (difference->existing[0] == '\0' && difference->wanted[0] == '\0'))
		return false;
	if (difference->existing[0] == '\0') {
		memmove(&queue->arguments[i], &queue->arguments[i + 1], (count - i - 1) * sizeof(queue->arguments[0]));
		queue->arguments[count - 1] = (struct topology_argument){0};
	} else if (queue->arguments[i].text) {
		snprintf(text, size, "%s", difference->existing);
		queue->arguments[i].text = text;
	} else {
		queue->arguments[i].number = strtoll(difference->existing, NULL, 10);
	}
	return true;
}

/* Adds "key is this, not that" to a list that is cut when it is full. */
static void describe(const struct topology_difference *d, char *list, size_t size)
{
	size_t length = strlen(list);

	/* Of a queue of another type nothing else can be compared. */
	if (strcmp(d->key, "x-queue-type") == 0)
		length = 0;
	snprintf(list + length, size - length, "%s%s is %s, not %s", length ? ", " : "", d->key,
		 d->existing[0] ? d->existing : "not set", d->wanted[0] ? d->wanted : "unset");
}

/*
 * The broker names one difference and closes the channel. To hear of them all, agree with it there
 * and ask again, until it is satisfied: a declaration that agrees with what exists changes nothing.
 */
int topology_list_differences(struct connection *c, const struct topology_queue *queue, char *list, size_t size,
			      struct error *err)
{
	struct topology_queue asked = *queue;
	char texts[TOPOLOGY_MAX_ARGUMENTS][128];
	bool more = true;
	int found = 0;

	list[0] = '\0';
	while (more && found < TOPOLOGY_MAX_ARGUMENTS) {
		struct connection_refusal refusal = {0};
		struct topology_difference d;

		connection_touch(c);
		amqp_rpc_reply_t reply = declare_queue(c, &asked);
		if (reply.reply_type == AMQP_RESPONSE_NORMAL)
			return found;
		if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
			connection_read_refusal(&reply.reply, &refusal);
		bool understood = topology_read_difference(refusal.text, &d) == 0;
		if (refusal.code != AMQP_PRECONDITION_FAILED || (!understood && found == 0))
			return check_declared(reply, "queue", queue->name, err);
		if (understood)
			describe(&d, list, size);
		more = understood && adopt(&asked, &d, texts[found], sizeof(texts[0]));
		found++;
		int r = connection_reopen_channel(c, err);
		if (r < 0)
			return r;
	}
	return found;
}

int topology_declare_queue(struct connection *c, const struct topology_queue *queue, struct error *err)
{
	struct connection_refusal refusal = {0};
	amqp_rpc_reply_t reply = declare_queue(c, queue);
	struct topology_difference ignored;
	char list[512];

	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return 0;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		connection_read_refusal(&reply.reply, &refusal);
	if (topology_read_difference(refusal.text, &ignored) < 0)
		return check_declared(reply, "queue", queue->name, err);
	int r = connection_reopen_channel(c, err);
	if (r == 0)
		r = topology_list_differences(c, queue, list, sizeof(list), err);
	if (r < 0)
		return r;
	return error_set(err, ERROR_TOPOLOGY, "queue %s exists, but %.130s; " WAY_OUT, queue->name, list);
}

int topology_declare(struct connection *c, const struct topology_plan *plan, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->exchange_count; i++) {
		connection_touch(c);
		r = topology_declare_exchange(c, &plan->exchanges[i], err);
	}
	for (unsigned i = 0; r == 0 && i < plan->queue_count; i++) {
		connection_touch(c);
		r = topology_declare_queue(c, &plan->queues[i], err);
	}
	for (unsigned i = 0; r == 0 && i < plan->binding_count; i++) {
		connection_touch(c);
		r = topology_declare_binding(c, &plan->bindings[i], err);
	}
	return r;
}
