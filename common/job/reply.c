#include "job/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/names.h"
#include "job/task.h"

const char *stage_name(enum stage stage)
{
	return names_stages[stage];
}

void timings_init(struct timings *t)
{
	for (int i = 0; i < STAGE_COUNT; i++)
		t->ms[i] = -1;
}

void timings_add(struct timings *t, enum stage stage, double ms)
{
	if (t->ms[stage] < 0)
		t->ms[stage] = 0;
	t->ms[stage] += ms;
}

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text);
}

void reply_init(struct reply *reply, const char *task_id, const struct job *job)
{
	memset(reply, 0, sizeof(*reply));
	timings_init(&reply->timings);
	copy(reply->task_id, sizeof(reply->task_id), task_id);
	if (!job)
		return;
	reply->op = job->op;
	reply->has_op = job->has_op;
	copy(reply->user_id, sizeof(reply->user_id), job->user_id);
	copy(reply->collection, sizeof(reply->collection), job->collection);
	copy(reply->reference, sizeof(reply->reference), job->reference);
	copy(reply->scene, sizeof(reply->scene), job->scene);
	if (job->callback_url)
		copy(reply->callback_url, sizeof(reply->callback_url), job->callback_url);
}

bool reply_remove_candidate(struct reply *reply, const char *user_id)
{
	struct reply_result *result = &reply->result;
	size_t kept = 0;

	for (size_t i = 0; i < result->candidate_count; i++) {
		if (strcmp(result->candidates[i].user_id, user_id) != 0)
			result->candidates[kept++] = result->candidates[i];
	}
	bool removed = kept < result->candidate_count;
	result->candidate_count = kept;
	return removed;
}

void reply_finish(struct reply *reply)
{
	free(reply->result.candidates);
	reply->result.candidates = NULL;
	reply->result.candidate_count = 0;
}

void reply_routing_key(const struct reply *reply, char out[ENVELOPE_SHORT_SIZE])
{
	task_routing_key(reply->scene, reply->state, reply->callback_url[0] != '\0' ? "callback" : "quiet", out);
}
