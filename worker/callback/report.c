#include "report.h"

#include <stdio.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "http/url.h"
#include "job/delivery_report.h"

static enum delivery_outcome outcome_of(const struct verdict *verdict)
{
	return verdict->what == VERDICT_DELIVERED ? DELIVERY_OUTCOME_DELIVERED
	       : verdict->what == VERDICT_PARK    ? DELIVERY_OUTCOME_PARKED
						  : DELIVERY_OUTCOME_RETRYING;
}

static void fill_report(const struct delivery *delivery, bool attempted, struct delivery_report *report)
{
	const struct answer *answer = &delivery->answer;
	const struct verdict *verdict = &delivery->verdict;

	*report = (struct delivery_report){
	    .at_ms = clock_unix_ms(),
	    .attempt = delivery_attempts(delivery) + attempted,
	    .outcome = outcome_of(verdict),
	    .http_status = attempted && answer->outcome == HTTP_ANSWERED ? (int)answer->status : 0,
	    .duration_us = attempted ? (int64_t)(answer->elapsed_ms * 1000) : -1,
	};
	memcpy(report->task_id, delivery->ctx.task_id, UUID_SIZE);
	if (http_url_origin(delivery->message->envelope.callback_url, report->origin) != 0)
		report->origin[0] = '\0';
	if (verdict->what != VERDICT_DELIVERED)
		memcpy(report->error, verdict->reason, sizeof(report->error));
	if (verdict->what == VERDICT_RETRY)
		report->next_attempt_at_ms = report->at_ms + verdict->delay_ms;
}

static struct amqp_message *make_message(const struct delivery *delivery, bool attempted)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct amqp_message *message = NULL;
	struct delivery_report report;
	char key[ENVELOPE_SHORT_SIZE];

	fill_report(delivery, attempted, &report);
	delivery_report_routing_key(delivery->scene, report.outcome, key);
	if (delivery_report_encode(&report, &body) == 0)
		message = amqp_message_new(TOPOLOGY_EVENTS_EXCHANGE, key, &body);
	if (!message)
		return NULL;
	struct envelope *envelope = &message->envelope;
	snprintf(envelope->message_id, sizeof(envelope->message_id), "%s", report.task_id);
	snprintf(envelope->type, sizeof(envelope->type), "%s", ENVELOPE_TYPE_DELIVERY);
	snprintf(envelope->content_type, sizeof(envelope->content_type), "%s", encoding_content_type(ENCODING_JSON));
	return message;
}

void report_note(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct meters *meters = arg;

	(void)message;
	if (outcome != AMQP_CONFIRMED)
		metric_add(meters->unreported, 1);
}

bool report_send(struct amqp_link *publishing, struct meters *meters, const struct delivery *delivery, bool attempted,
		 amqp_outcome_fn *done, void *arg)
{
	if (delivery->ctx.task_id[0] == '\0')
		return false;

	struct amqp_message *message = make_message(delivery, attempted);
	if (message && amqp_link_publish(publishing, message, done, arg) == 0)
		return true;
	metric_add(meters->unreported, 1);
	return false;
}
