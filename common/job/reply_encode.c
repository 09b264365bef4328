#include <errno.h>

#include "job/names.h"
#include "job/reply.h"
#include "job/task.h"
#include "job/writer.h"

static void write_face(struct writer *w, const char *name, const struct reply_face *face)
{
	if (!face->present) {
		writer_null(w, name);
		return;
	}
	writer_open_map(w, name);
	writer_open_array(w, "box");
	for (size_t i = 0; i < array_size(face->box); i++)
		writer_decimal(w, NULL, face->box[i]);
	writer_close(w);
	writer_float(w, "score", face->score);
	writer_open_array(w, "landmarks");
	for (size_t i = 0; i < array_size(face->landmarks); i++) {
		writer_open_array(w, NULL);
		writer_decimal(w, NULL, face->landmarks[i][0]);
		writer_decimal(w, NULL, face->landmarks[i][1]);
		writer_close(w);
	}
	writer_close(w);
	writer_integer(w, "faces", face->faces);
	writer_integer(w, "index", face->index);
	writer_close(w);
}

static void write_candidates(struct writer *w, const struct reply_result *result, size_t count)
{
	if (!result->has_candidates) {
		writer_null(w, "candidates");
		return;
	}
	writer_open_array(w, "candidates");
	for (size_t i = 0; i < count; i++) {
		const struct reply_candidate *candidate = &result->candidates[i];
		writer_open_map(w, NULL);
		writer_string(w, "user_id", candidate->user_id);
		writer_string_or_null(w, "image_id", candidate->image_id);
		writer_float(w, "similarity", candidate->similarity);
		writer_close(w);
	}
	writer_close(w);
}

static void write_result(struct writer *w, const struct reply_result *result, size_t candidates)
{
	if (!result->present) {
		writer_null(w, "result");
		return;
	}
	writer_open_map(w, "result");
	if (result->has_match) {
		writer_bool(w, "matched", result->matched);
		writer_float(w, "similarity", result->similarity);
	} else {
		writer_null(w, "matched");
		writer_null(w, "similarity");
	}
	if (result->has_match || result->has_candidates)
		writer_number(w, "threshold", result->threshold);
	else
		writer_null(w, "threshold");
	writer_string(w, "face_policy", face_policy_name(result->face_policy));
	write_face(w, "face_a", &result->face_a);
	write_face(w, "face_b", &result->face_b);
	write_candidates(w, result, candidates);
	writer_close(w);
}

static bool is_degraded(const struct reply *reply, enum degradation degradation)
{
	return reply->degraded & 1u << degradation;
}

static void write_timings(struct writer *w, const struct reply *reply)
{
	bool all = !is_degraded(reply, DEGRADED_TIMINGS);

	writer_open_map(w, "timings_ms");
	for (int i = 0; i < STAGE_COUNT; i++)
		if (reply->timings.ms[i] >= 0 && (all || i == STAGE_QUEUE || i == STAGE_TOTAL))
			writer_decimal(w, names_stages[i], reply->timings.ms[i]);
	writer_close(w);
}

static void write_degraded(struct writer *w, const struct reply *reply)
{
	if (!reply->degraded)
		return;
	writer_open_array(w, "degraded");
	for (int i = 0; i < DEGRADATION_COUNT; i++)
		if (is_degraded(reply, (enum degradation)i))
			writer_string(w, NULL, names_degradations[i]);
	writer_close(w);
}

/* Encodes the reply with the first `candidates` of its candidates. */
static int encode(const struct reply *reply, enum encoding encoding, size_t candidates, struct buffer *out)
{
	struct writer w;

	writer_init(&w, encoding, out);
	writer_open_map(&w, NULL);
	writer_string_or_null(&w, "task_id", reply->task_id);
	task_write_op(&w, reply->has_op, reply->op);
	writer_string_or_null(&w, "user_id", reply->user_id);
	writer_string_or_null(&w, "collection", reply->collection);
	writer_string_or_null(&w, "reference", reply->reference);
	writer_string_or_null(&w, "scene", reply->scene);
	writer_string(&w, "state", task_state_name(reply->state));
	writer_integer(&w, "attempt", reply->attempt);
	write_result(&w, &reply->result, candidates);
	task_write_error(&w, &reply->error);
	write_timings(&w, reply);
	write_degraded(&w, reply);
	writer_string_or_null(&w, "worker", reply->worker);
	writer_string_or_null(&w, "model", reply->model);
	writer_time_or_null(&w, "accepted_at", reply->accepted_at_ms);
	writer_time_or_null(&w, "finished_at", reply->finished_at_ms);
	writer_close(&w);
	return writer_finish(&w);
}

int reply_encode(const struct reply *reply, enum encoding encoding, struct buffer *out)
{
	return encode(reply, encoding, reply->result.candidate_count, out);
}

int reply_encode_json_within(const struct reply *reply, size_t max_bytes, struct buffer *out)
{
	cleanup_with(buffer_finish) struct buffer trial = {.limit = max_bytes};
	size_t fits = 0;
	size_t too_many = reply->result.candidate_count;
	int r;

	if (max_bytes == 0) /* which a buffer takes for no limit */
		return -EMSGSIZE;
	r = encode(reply, ENCODING_JSON, too_many, &trial);
	if (r == -EMSGSIZE && too_many > 0) {
		while (too_many - fits > 1) {
			size_t middle = fits + (too_many - fits) / 2;
			r = encode(reply, ENCODING_JSON, middle, &trial);
			if (r == 0)
				fits = middle;
			else if (r == -EMSGSIZE)
				too_many = middle;
			else
				return r;
			buffer_clear(&trial);
		}
		r = encode(reply, ENCODING_JSON, fits, &trial);
	}
	return r < 0 ? r : buffer_append(out, trial.data, trial.size);
}
