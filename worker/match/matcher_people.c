/* What a matcher does with enrolled people. */
#include <string.h>

#include "base/clock.h"
#include "matcher_private.h"

#define DEFAULT_TOP_K 10

static void compared(struct matching *m, int64_t start)
{
	timings_add(&m->reply->timings, STAGE_COMPARE, clock_elapsed_ms(start, clock_monotonic_ns()));
}

/* The photograph of a verification or search: its chosen face. */
static int look_at_photograph(struct matching *m, struct error *err)
{
	int r = matcher_analyse(m, &m->job->image_a, 'a', &m->matcher->faces_a, err);

	if (r == 0)
		matcher_describe(&m->reply->result.face_a, &m->matcher->faces_a, 0);
	return r;
}

int matcher_verify(struct matching *m, struct error *err)
{
	const float *face = m->matcher->faces_a.embeddings[0];
	struct reply_result *result = &m->reply->result;
	struct people_person person = {0};
	int r = matcher_threshold(m->matcher, &m->job->options, &result->threshold, err);

	/* Somebody who is not there costs no computing. */
	if (r == 0)
		r = people_desk_find(m->matcher->people, m->ctx, m->job->collection, m->job->user_id, &person, err);
	if (r == 0)
		r = look_at_photograph(m, err);
	if (r == 0)
		r = context_check(m->ctx, "compare", err);
	if (r == 0) {
		int64_t start = clock_monotonic_ns();

		result->similarity = -1;
		for (unsigned i = 0; i < person.count; i++) {
			double similarity =
			    face_similarity(face, person.embeddings + (size_t)i * person.dimension, person.dimension);
			if (similarity > result->similarity)
				result->similarity = similarity;
		}
		result->matched = result->similarity >= result->threshold;
		result->has_match = true;
		compared(m, start);
	}
	people_finish(&person);
	return r;
}

int matcher_search_begin(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
			 struct matcher_search *search, struct error *err)
{
	struct matching m;

	matcher_matching_init(&m, matcher, ctx, job, reply);
	int r = matcher_check_people(matcher, job, err);
	if (r == 0)
		r = matcher_threshold(matcher, &job->options, &reply->result.threshold, err);
	if (r == 0)
		r = look_at_photograph(&m, err);
	if (r < 0)
		return r;
	search->ctx = ctx;
	search->job = job;
	search->reply = reply;
	memcpy(search->embedding, matcher->faces_a.embeddings[0],
	       (size_t)matcher->settings.models->embedder.dimension * sizeof(float));
	error_clear(&search->error);
	return 0;
}

bool matcher_search_gains(const struct matcher *matcher, const struct job *job)
{
	return people_desk_search_gains(matcher->people, job->collection);
}

static void fill_query(struct people_query *query, const struct matcher_search *search)
{
	const struct job_options *options = &search->job->options;
	unsigned top_k = options->top_k > 0 ? (unsigned)options->top_k : DEFAULT_TOP_K;

	*query = (struct people_query){
	    .embedding = search->embedding,
	    .threshold = (float)search->reply->result.threshold,
	    .top_k = search->reply->degraded & 1u << DEGRADED_CANDIDATES ? 1 : top_k,
	    .result = &search->reply->result,
	};
}

/* Some searches of one collection, in one pass. */
struct pass {
	unsigned count;
	struct matcher_search *searches[GALLERY_MAX_QUERIES];
	struct people_query queries[GALLERY_MAX_QUERIES];
};

static void run_pass(struct matcher *matcher, struct pass *pass)
{
	struct error err = {0};
	int64_t start = clock_monotonic_ns();
	const struct matcher_search *first = pass->searches[0];
	int r =
	    people_desk_search(matcher->people, first->ctx, first->job->collection, pass->queries, pass->count, &err);
	double ms = clock_elapsed_ms(start, clock_monotonic_ns());

	for (unsigned i = 0; i < pass->count; i++) {
		struct matcher_search *search = pass->searches[i];
		struct matching m;

		timings_add(&search->reply->timings, STAGE_COMPARE, ms);
		matcher_matching_init(&m, matcher, search->ctx, search->job, search->reply);
		if (r < 0)
			search->error = err;
		else
			matcher_succeed(&m);
	}
}

void matcher_search_end(struct matcher *matcher, struct matcher_search *searches, unsigned count)
{
	bool done[GALLERY_MAX_QUERIES] = {false};

	for (unsigned first = 0; first < count; first++) {
		struct pass pass = {.count = 0};

		for (unsigned i = first; i < count; i++) {
			struct matcher_search *search = &searches[i];

			if (done[i] || strcmp(search->job->collection, searches[first].job->collection) != 0)
				continue;
			done[i] = true;
			if (context_check(search->ctx, stage_name(STAGE_COMPARE), &search->error) < 0)
				continue;
			fill_query(&pass.queries[pass.count], search);
			pass.searches[pass.count++] = search;
		}
		if (pass.count > 0)
			run_pass(matcher, &pass);
	}
}

int matcher_search_alone(struct matching *m, struct error *err)
{
	struct matcher_search *search = &m->matcher->search;
	int r = matcher_search_begin(m->matcher, m->ctx, m->job, m->reply, search, err);

	if (r < 0)
		return r;
	matcher_search_end(m->matcher, search, 1);
	if (!error_is_set(&search->error))
		return 0;
	*err = search->error;
	return error_errno(err);
}

static struct people_command command_of(const struct matching *m)
{
	return (struct people_command){.accepted_ms = m->reply->accepted_at_ms, .id = m->reply->task_id};
}

int matcher_enroll(struct matching *m, struct error *err)
{
	struct matcher *matcher = m->matcher;
	struct buffer portrait = {.limit = PEOPLE_MAX_CROP_BYTES};
	struct face_quality quality;
	int r = matcher_analyse_afresh(m, &m->job->image_a, 'a', &matcher->faces_a, err);

	if (r == 0) {
		matcher_describe(&m->reply->result.face_a, &matcher->faces_a, 0);
		r = matcher_look_closer(m, &matcher->faces_a, &quality,
					matcher->settings.rules.portraits ? &portrait : NULL, err);
	}
	if (r == 0) {
		r = quality_check(&quality, &matcher->settings.rules.enrolment, err);
		if (r < 0 && err)
			err->image = 'a';
	}
	if (r == 0)
		r = context_check(m->ctx, "enrolment", err);
	if (r == 0) {
		const struct people_enrolment enrolment = {
		    .collection = m->job->collection,
		    .user_id = m->job->user_id,
		    .command = command_of(m),
		    .model_id = matcher->settings.models->model_id,
		    .embedding = matcher->faces_a.embeddings[0],
		    .dimension = matcher->settings.models->embedder.dimension,
		    .crop = portrait.data,
		    .crop_size = portrait.size,
		};
		r = people_desk_enroll(matcher->people, m->ctx, &enrolment, err);
	}
	buffer_finish(&portrait);
	return r;
}

int matcher_unenroll(struct matching *m, struct error *err)
{
	const struct people_command command = command_of(m);

	return people_desk_unenroll(m->matcher->people, m->ctx, m->job->collection, m->job->user_id, &command, err);
}
