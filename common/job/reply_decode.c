#include <stdlib.h>

#include "job/names.h"
#include "job/reply.h"
#include "job/task.h"

static void read_required_number(const struct value *v, double *out)
{
	if (value_require(v))
		value_read_number(v, out);
}

/* Reads an array of exactly `count` numbers. */
static void read_numbers(const struct value *array, double *out, size_t count)
{
	size_t length;

	if (!value_require(array) || !value_read_array(array, count, count, &length))
		return;
	for (size_t i = 0; i < count; i++) {
		struct value number = value_element(array, i);
		read_required_number(&number, &out[i]);
	}
}

static void read_landmarks(const struct value *array, struct reply_face *face)
{
	size_t count = array_size(face->landmarks);
	size_t length;

	if (!value_require(array) || !value_read_array(array, count, count, &length))
		return;
	for (size_t i = 0; i < count; i++) {
		struct value point = value_element(array, i);
		read_numbers(&point, face->landmarks[i], 2);
	}
}

static void read_count(const struct value *v, int *out)
{
	int64_t number;

	if (value_require(v) && value_read_integer(v, 0, INT32_MAX, &number))
		*out = (int)number;
}

static void read_face(const struct value *result, const char *name, struct reply_face *face)
{
	struct value map = value_field(result, name);
	struct value box = value_field(&map, "box");
	struct value score = value_field(&map, "score");
	struct value landmarks = value_field(&map, "landmarks");
	struct value faces = value_field(&map, "faces");
	struct value index = value_field(&map, "index");

	if (!value_read_map(&map))
		return;
	face->present = true;
	read_numbers(&box, face->box, array_size(face->box));
	read_required_number(&score, &face->score);
	read_landmarks(&landmarks, face);
	read_count(&faces, &face->faces);
	read_count(&index, &face->index);
}

static void read_candidate(const struct value *map, struct reply_candidate *candidate)
{
	struct value user_id = value_field(map, "user_id");
	struct value image_id = value_field(map, "image_id");
	struct value similarity = value_field(map, "similarity");

	if (!value_require(map) || !value_read_map(map))
		return;
	if (value_require(&user_id))
		value_read_string(&user_id, candidate->user_id, sizeof(candidate->user_id));
	task_read_id(&image_id, candidate->image_id);
	read_required_number(&similarity, &candidate->similarity);
}

static void read_candidates(const struct value *map, struct reply_result *result)
{
	struct value array = value_field(map, "candidates");
	size_t count;

	if (!value_read_array(&array, 0, JOB_MAX_TOP_K, &count))
		return;
	result->has_candidates = true;
	if (count == 0)
		return;
	result->candidates = calloc(count, sizeof(result->candidates[0]));
	if (!result->candidates) {
		value_out_of_memory(&array);
		return;
	}
	result->candidate_count = count;
	for (size_t i = 0; i < count; i++) {
		struct value candidate = value_element(&array, i);
		read_candidate(&candidate, &result->candidates[i]);
	}
}

static void read_result(const struct value *root, struct reply_result *result)
{
	struct value map = value_field(root, "result");
	struct value matched = value_field(&map, "matched");
	struct value similarity = value_field(&map, "similarity");
	struct value threshold = value_field(&map, "threshold");
	struct value policy = value_field(&map, "face_policy");
	unsigned index;

	if (!value_read_map(&map))
		return;
	result->present = true;
	result->has_match = value_read_bool(&matched, &result->matched);
	if (result->has_match)
		read_required_number(&similarity, &result->similarity);
	value_read_number(&threshold, &result->threshold);
	if (value_read_choice(&policy, names_policies, array_size(names_policies), &index))
		result->face_policy = (enum face_policy)index;
	read_face(&map, "face_a", &result->face_a);
	read_face(&map, "face_b", &result->face_b);
	read_candidates(&map, result);
}

static void read_timings(const struct value *root, struct timings *timings)
{
	struct value map = value_field(root, "timings_ms");

	if (!value_read_map(&map))
		return;
	for (int i = 0; i < STAGE_COUNT; i++) {
		struct value stage = value_field(&map, names_stages[i]);
		double ms;
		if (!value_read_number(&stage, &ms))
			continue;
		if (ms < 0)
			value_refuse(&stage, "is negative");
		timings->ms[i] = ms;
	}
}

/* Words of a later version are passed over. */
#define MAX_DEGRADATIONS 16

static void read_degraded(const struct value *root, unsigned *degraded)
{
	struct value array = value_field(root, "degraded");
	size_t count;

	if (!value_read_array(&array, 0, MAX_DEGRADATIONS, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		struct value element = value_element(&array, i);
		char word[32];
		int index = value_read_text(&element, word, sizeof(word))
				? names_find(names_degradations, DEGRADATION_COUNT, word)
				: -1;
		if (index >= 0)
			*degraded |= 1u << index;
	}
}

static void read_reply(const struct value *root, struct reply *reply)
{
	struct value collection = value_field(root, "collection");
	struct value state = value_field(root, "state");
	struct value worker = value_field(root, "worker");
	struct value model = value_field(root, "model");
	struct value accepted_at = value_field(root, "accepted_at");
	struct value finished_at = value_field(root, "finished_at");

	task_read_identity(root, &(struct task_identity){
				     .task_id = reply->task_id,
				     .has_op = &reply->has_op,
				     .op = &reply->op,
				     .user_id = reply->user_id,
				     .reference = reply->reference,
				     .scene = reply->scene,
				 });
	value_read_string(&collection, reply->collection, sizeof(reply->collection));
	task_read_state(root, &reply->state);
	if (reply->state != TASK_SUCCEEDED && reply->state != TASK_FINAL_FAILED)
		value_refuse(&state, "is not the last state of a task");
	task_read_attempt(root, &reply->attempt);
	read_result(root, &reply->result);
	task_read_error(root, &reply->error);
	read_timings(root, &reply->timings);
	read_degraded(root, &reply->degraded);
	value_read_text(&worker, reply->worker, sizeof(reply->worker));
	value_read_text(&model, reply->model, sizeof(reply->model));
	value_read_time(&accepted_at, &reply->accepted_at_ms);
	value_read_time(&finished_at, &reply->finished_at_ms);
}

int reply_decode(struct reply *reply, enum encoding encoding, const uint8_t *body, size_t size, struct error *err)
{
	struct document doc;
	struct reply decoded;
	int r = document_open(&doc, encoding, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	reply_init(&decoded, "", NULL);
	read_reply(&root, &decoded);
	r = doc.result;
	document_close(&doc);
	if (r < 0)
		reply_finish(&decoded);
	else
		*reply = decoded;
	return r;
}
