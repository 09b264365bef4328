#include <jansson.h>
#include <stdlib.h>

#include "amqp/topology_plan.h"

/* Lengths for a broker with a few GB to spare; an operator changes them there, not here. */
static const char policies[] =
    "rabbitmqctl set_policy --apply-to queues facefleet-realtime '^facefleet\\.jobs\\.realtime$' "
    "'{\"max-length\": 10000, \"max-length-bytes\": 2000000000}'\n"
    "rabbitmqctl set_policy --apply-to queues facefleet-batch '^facefleet\\.jobs\\.batch$' "
    "'{\"max-length\": 1000000, \"max-length-bytes\": 50000000000}'\n";

void topology_print_policies(FILE *out)
{
	fputs(policies, out);
}

static void print_queue(const struct topology_queue *queue, FILE *out)
{
	fprintf(out, "queue     %s\n", queue->name);
	for (unsigned i = 0; i < topology_argument_count(queue); i++) {
		const struct topology_argument *argument = &queue->arguments[i];
		if (argument->text)
			fprintf(out, "            %s = \"%s\"\n", argument->key, argument->text);
		else
			fprintf(out, "            %s = %lld\n", argument->key, (long long)argument->number);
	}
}

static void print_text(const struct topology_plan *plan, FILE *out)
{
	for (unsigned i = 0; i < plan->exchange_count; i++)
		fprintf(out, "exchange  %-20s %s\n", plan->exchanges[i].name, plan->exchanges[i].type);
	for (unsigned i = 0; i < plan->queue_count; i++)
		print_queue(&plan->queues[i], out);
	for (unsigned i = 0; i < plan->binding_count; i++)
		fprintf(out, "binding   %s -> %s, key %s\n", plan->bindings[i].source, plan->bindings[i].destination,
			plan->bindings[i].key);
}

static json_t *queue_to_json(const struct topology_queue *queue)
{
	json_t *arguments = json_object();

	for (unsigned i = 0; i < topology_argument_count(queue); i++) {
		const struct topology_argument *argument = &queue->arguments[i];
		json_object_set_new(arguments, argument->key,
				    argument->text ? json_string(argument->text) : json_integer(argument->number));
	}
	return json_pack("{s:s, s:b, s:o}", "name", queue->name, "durable", 1, "arguments", arguments);
}

static void print_json(const struct topology_plan *plan, FILE *out)
{
	json_t *exchanges = json_array();
	json_t *queues = json_array();
	json_t *bindings = json_array();

	for (unsigned i = 0; i < plan->exchange_count; i++)
		json_array_append_new(exchanges, json_pack("{s:s, s:s, s:b}", "name", plan->exchanges[i].name, "type",
							   plan->exchanges[i].type, "durable", 1));
	for (unsigned i = 0; i < plan->queue_count; i++)
		json_array_append_new(queues, queue_to_json(&plan->queues[i]));
	for (unsigned i = 0; i < plan->binding_count; i++) {
		const struct topology_binding *b = &plan->bindings[i];
		json_array_append_new(bindings,
				      json_pack("{s:s, s:s, s:s, s:s}", "source", b->source, "destination",
						b->destination, "destination_type",
						b->to_exchange ? "exchange" : "queue", "routing_key", b->key));
	}
	json_t *all = json_pack("{s:o, s:o, s:o}", "exchanges", exchanges, "queues", queues, "bindings", bindings);
	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}

void topology_print(FILE *out, bool json)
{
	struct topology_plan *plan = malloc(sizeof(*plan));

	if (!plan)
		return;
	topology_plan_fill(plan, TOPOLOGY_ALL, &(struct topology_delays){0});
	if (json)
		print_json(plan, out);
	else
		print_text(plan, out);
	free(plan);
}
