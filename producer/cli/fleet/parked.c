#include "cli/fleet/parked.h"

#include <string.h>

#include "job/job.h"
#include "job/reply.h"

/* What a body says, or that it says nothing. */
enum answer { UNREADABLE, ANOTHER, ABOUT };

static enum answer compare(const struct parked_search *search, bool named, const char *collection)
{
	if (named && search->collection)
		named = strcmp(collection, search->collection) == 0;
	return named ? ABOUT : ANOTHER;
}

static enum answer read_job(const struct parked_search *search, enum encoding encoding,
			    const struct amqp_delivery *delivery)
{
	enum answer answer = UNREADABLE;
	struct job job;

	int r = job_decode(&job, encoding, delivery->body, delivery->body_size, NULL);
	/* What was refused may have got as far as its user id; its collection is anybody's guess. */
	if (r == 0 || (job.user_id[0] && !search->collection))
		answer = compare(search, strcmp(job.user_id, search->user_id) == 0, job.collection);
	job_finish(&job);
	return answer;
}

static enum answer read_reply(const struct parked_search *search, enum encoding encoding,
			      const struct amqp_delivery *delivery)
{
	struct reply reply;

	if (reply_decode(&reply, encoding, delivery->body, delivery->body_size, NULL) < 0)
		return UNREADABLE;
	bool named = strcmp(reply.user_id, search->user_id) == 0 || reply_remove_candidate(&reply, search->user_id);
	enum answer answer = compare(search, named, reply.collection);
	reply_finish(&reply);
	return answer;
}

bool parked_is_about(void *arg, const struct amqp_delivery *delivery)
{
	struct parked_search *search = arg;
	enum answer answer = UNREADABLE;
	enum encoding encoding;

	if (!delivery->too_large && encoding_from_content_type(delivery->envelope.content_type, &encoding) == 0) {
		if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_REPLY) == 0)
			answer = read_reply(search, encoding, delivery);
		else if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_JOB) == 0)
			answer = read_job(search, encoding, delivery);
	}
	search->unreadable += answer == UNREADABLE;
	return answer == ABOUT;
}
