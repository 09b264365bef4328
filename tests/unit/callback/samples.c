#include "run.h"

#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "job/reply.h"

#define TASK_END_MS 1795445587123

static void add_candidates(struct reply *reply, size_t count)
{
	struct reply_result *result = &reply->result;

	result->has_candidates = true;
	result->candidates = calloc(count, sizeof(result->candidates[0]));
	assert_non_null(result->candidates);
	result->candidate_count = count;
	for (size_t i = 0; i < count; i++) {
		snprintf(result->candidates[i].user_id, sizeof(result->candidates[i].user_id), "user-%zu", i);
		snprintf(result->candidates[i].image_id, UUID_SIZE, "%s", SAMPLE_TASK);
		result->candidates[i].similarity = 0.5;
	}
}

struct amqp_delivery *sample_delivery(enum encoding encoding, size_t candidates)
{
	struct amqp_delivery *message = calloc(1, sizeof(*message));
	struct buffer body = {0};
	struct reply reply;

	assert_non_null(message);
	reply_init(&reply, SAMPLE_TASK, NULL);
	reply.op = JOB_MATCH;
	reply.has_op = true;
	reply.state = TASK_SUCCEEDED;
	reply.attempt = 1;
	reply.finished_at_ms = TASK_END_MS;
	reply.result.present = true;
	reply.result.has_match = true;
	reply.result.matched = true;
	reply.result.similarity = 0.75;
	if (candidates)
		add_candidates(&reply, candidates);
	assert_int_equal(reply_encode(&reply, encoding, &body), 0);
	reply_finish(&reply);

	message->body_size = body.size;
	message->body = buffer_steal(&body);
	message->tag = (struct amqp_tag){.generation = 1, .delivery = 1};
	strcpy(message->envelope.message_id, SAMPLE_TASK);
	strcpy(message->envelope.type, ENVELOPE_TYPE_REPLY);
	strcpy(message->envelope.content_type, encoding_content_type(encoding));
	strcpy(message->envelope.callback_url, SAMPLE_URL);
	return message;
}
