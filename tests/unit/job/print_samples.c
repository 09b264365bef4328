/*
 * Prints what the encoders write, for check_asyncapi.py to hold against common/job/asyncapi.yaml:
 * "body <schema> <JSON>" for samples in which every field is set once and absent once, and
 * "words <schema> <word>…" for every list of words; then limits, types and the names on the broker.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "job/control.h"
#include "job/delivery_report.h"
#include "job/event.h"
#include "job/job.h"
#include "job/names.h"
#include "job/reply.h"

#define TASK_ID "0193a5d0-7c00-7abc-8def-0123456789ab"
#define SOME_TIME_MS INT64_C(1764082387123)

static void print_body(const char *schema, struct buffer *body, int result)
{
	if (result < 0)
		abort();
	printf("body %s %s\n", schema, (const char *)body->data);
	buffer_finish(body);
}

static void print_job(const struct job *job)
{
	struct buffer body = {0};
	struct error err;

	print_body("Job", &body, job_encode(job, ENCODING_JSON, &body, &err));
}

static void print_jobs(void)
{
	struct job job;

	job_init(&job, JOB_MATCH);
	job.image_a = (struct job_image){.data = (const uint8_t *)"jpeg", .size = 4};
	job.image_b = (struct job_image){.url = "https://example.com/b.jpg"};
	job.callback_url = "HTTP://example.com:8080/hook";
	job.reference = "row 1";
	job.user_id = "u1";
	job.options.has_threshold = true;
	job.options.threshold = 0.36;
	job.options.has_face_policy = true;
	job.options.face_policy = FACE_POLICY_BEST_PAIR;
	job.options.top_k = JOB_MAX_TOP_K;
	print_job(&job);

	job_init(&job, JOB_UNENROLL);
	job.user_id = "u1";
	job.options.has_far = true;
	job.options.far = 1e-4;
	print_job(&job);
}

static void print_reply(const struct reply *reply)
{
	struct buffer body = {0};

	print_body("Reply", &body, reply_encode(reply, ENCODING_JSON, &body));
}

static void print_replies(void)
{
	struct reply_candidate candidate = {.user_id = "u1", .image_id = TASK_ID, .similarity = 0.9};
	struct reply reply;
	struct job job;

	reply_init(&reply, "", NULL);
	reply.state = TASK_FINAL_FAILED;
	error_set_limit(&reply.error, ERROR_LOW_QUALITY, "eye_distance", 10, 24, "too small");
	reply.error.image = 'b';
	print_reply(&reply);

	job_init(&job, JOB_SEARCH);
	job.user_id = "u1";
	job.reference = "row 1";
	reply_init(&reply, TASK_ID, &job);
	reply.state = TASK_SUCCEEDED;
	reply.attempt = 1;
	reply.result.present = true;
	reply.result.has_match = true;
	reply.result.similarity = -1;
	reply.result.face_a.present = true;
	reply.result.face_b.present = true;
	reply.result.has_candidates = true;
	reply.result.candidates = &candidate;
	reply.result.candidate_count = 1;
	for (int i = 0; i < STAGE_COUNT; i++)
		timings_add(&reply.timings, (enum stage)i, i);
	strcpy(reply.worker, "host-1");
	strcpy(reply.model, "abc");
	reply.accepted_at_ms = SOME_TIME_MS;
	reply.finished_at_ms = SOME_TIME_MS;
	print_reply(&reply);

	reply.degraded = 1 << DEGRADED_CANDIDATES | 1 << DEGRADED_TIMINGS;
	print_reply(&reply);

	reply.result = (struct reply_result){.present = true};
	print_reply(&reply);
}

static void print_event(const struct event *event)
{
	struct buffer body = {0};

	print_body("Event", &body, event_encode(event, &body));
}

static void print_events(void)
{
	struct event event = {
	    .task_id = TASK_ID,
	    .has_op = true,
	    .user_id = "u1",
	    .reference = "row 1",
	    .scene = "batch",
	    .state = TASK_RETRYING,
	    .attempt = 1,
	    .at_ms = SOME_TIME_MS,
	    .worker = "host-1",
	    .next_attempt_at_ms = SOME_TIME_MS,
	};

	error_set(&event.error, ERROR_OVERLOADED, "busy");
	print_event(&event);
	event = (struct event){.state = TASK_PENDING};
	print_event(&event);
}

static void print_delivery(const struct delivery_report *report)
{
	struct buffer body = {0};

	print_body("Delivery", &body, delivery_report_encode(report, &body));
}

static void print_deliveries(void)
{
	const struct delivery_report retrying = {
	    .task_id = TASK_ID,
	    .at_ms = SOME_TIME_MS,
	    .attempt = 1,
	    .outcome = DELIVERY_OUTCOME_RETRYING,
	    .origin = "https://example.com:443",
	    .http_status = 503,
	    .error = "HTTP 503",
	    .duration_us = 1500,
	    .next_attempt_at_ms = SOME_TIME_MS,
	};

	print_delivery(&retrying);
	print_delivery(&(struct delivery_report){
	    .task_id = TASK_ID, .at_ms = SOME_TIME_MS, .outcome = DELIVERY_OUTCOME_PARKED, .duration_us = -1});
}

static void print_controls(void)
{
	const struct control controls[] = {
	    {.kind = CONTROL_PEOPLE_CHANGED, .version = 7},
	    {.kind = CONTROL_PHOTOS_FORGET},
	    {.kind = CONTROL_TASK_CANCELLED, .task_id = TASK_ID},
	    {.kind = CONTROL_PERSON_ERASED, .user_id = "ann", .collection = "staff"},
	    {.kind = CONTROL_ROLL_CALL},
	    {.kind = CONTROL_HEARTBEAT,
	     .heartbeat = {.worker = "host-1",
			   .host = "host",
			   .version = "0.1.0",
			   .model = "abc",
			   .started_at_ms = SOME_TIME_MS,
			   .at_ms = SOME_TIME_MS}},
	};
	struct buffer body = {0};

	for (size_t i = 0; i < array_size(controls); i++) {
		int r = control_encode(&controls[i], &body);
		print_body("Control", &body, r);
	}
}

static void print_words(void)
{
	printf("words Op");
	for (int i = JOB_MATCH; i <= JOB_UNENROLL; i++)
		printf(" %s", job_op_name((enum job_op)i));
	printf("\nwords FacePolicy");
	for (int i = FACE_POLICY_LARGEST; i <= FACE_POLICY_REJECT_MULTIPLE; i++)
		printf(" %s", face_policy_name((enum face_policy)i));
	printf("\nwords State");
	for (int i = TASK_PENDING; i <= TASK_FINAL_FAILED; i++)
		printf(" %s", task_state_name((enum task_state)i));
	printf("\nwords DeliveryOutcome");
	for (int i = DELIVERY_OUTCOME_DELIVERED; i <= DELIVERY_OUTCOME_PARKED; i++)
		printf(" %s", delivery_outcome_name((enum delivery_outcome)i));
	printf("\nwords ErrorCode");
	for (int i = ERROR_INVALID_JOB; i <= ERROR_STORE_UNAVAILABLE; i++)
		printf(" %s", error_code_name((enum error_code)i));
	printf("\nwords Degradation");
	for (int i = 0; i < DEGRADATION_COUNT; i++)
		printf(" %s", names_degradations[i]);
	printf("\nmay-retry");
	for (int i = ERROR_INVALID_JOB; i <= ERROR_STORE_UNAVAILABLE; i++)
		if (error_code_class((enum error_code)i) == ERROR_CLASS_RETRY)
			printf(" %s", error_code_name((enum error_code)i));
	printf("\nlimits Job.reference=%d Job.user_id=%d Job.collection=%d Url=%d Options.top_k=%d\n",
	       JOB_MAX_REFERENCE_BYTES, JOB_MAX_USER_BYTES, JOB_MAX_COLLECTION_BYTES, JOB_MAX_URL_BYTES, JOB_MAX_TOP_K);
	printf("types job=%s reply=%s event=%s delivery=%s control=%s\n", ENVELOPE_TYPE_JOB, ENVELOPE_TYPE_REPLY,
	       ENVELOPE_TYPE_EVENT, ENVELOPE_TYPE_DELIVERY, ENVELOPE_TYPE_CONTROL);
	printf("addresses %s %s %s %s %s %s %s %s %s\n", TOPOLOGY_JOBS_EXCHANGE, TOPOLOGY_REPLIES_EXCHANGE,
	       TOPOLOGY_EVENTS_EXCHANGE, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_CONTROL_EXCHANGE, TOPOLOGY_CALLBACKS_QUEUE,
	       TOPOLOGY_TRACKER_QUEUE, TOPOLOGY_DEAD_JOBS_QUEUE, TOPOLOGY_DEAD_PARKED_QUEUE);
}

int main(void)
{
	print_jobs();
	print_replies();
	print_events();
	print_deliveries();
	print_controls();
	print_words();
	return 0;
}
