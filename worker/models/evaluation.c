#include "evaluation.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/stop.h"
#include "base/thread.h"
#include "face/engine.h"

#define NAMED_FAILURES 5

/* What the threads share. Each takes the next pair until there is none. */
struct work {
	const struct evaluation *evaluation;
	struct roc_pair *scores;
	atomic_size_t next;
	atomic_size_t done;
	atomic_int failures;
	atomic_bool broken; /* a thread could not begin: `err` of its hand says why */
};

struct hand {
	struct work *work;
	pthread_t thread;
	struct face_engine *engine;
	struct buffer bytes;
	struct face_set found[2];
	struct error err;
};

static int analyse(struct hand *hand, const char *image, struct face_set *found, struct error *err)
{
	const struct evaluation *e = hand->work->evaluation;
	char path[4096];

	int length =
	    snprintf(path, sizeof(path), "%s%s%s", image[0] == '/' ? "" : e->folder, image[0] == '/' ? "" : "/", image);
	if (length < 0 || (size_t)length >= sizeof(path))
		return error_set(err, ERROR_INVALID_JOB, "the path of an image is too long");
	buffer_clear(&hand->bytes);
	int r = buffer_read_file(&hand->bytes, path, e->limits.max_bytes, err);
	if (r == 0)
		r = face_engine_analyse(hand->engine, NULL, hand->bytes.data, hand->bytes.size, FACE_POLICY_LARGEST,
					found, NULL, err);
	return r;
}

static void compare(struct hand *hand, size_t index)
{
	struct work *work = hand->work;
	const struct pairs *pairs = work->evaluation->pairs;
	const struct labelled_pair *pair = &pairs->items[index];
	struct roc_pair *score = &work->scores[index];
	const char *image = pairs_image(pairs, pair->image_a);
	struct error err = {0};

	*score = (struct roc_pair){.same = pair->same};
	int r = analyse(hand, image, &hand->found[0], &err);
	if (r == 0) {
		image = pairs_image(pairs, pair->image_b);
		r = analyse(hand, image, &hand->found[1], &err);
	}
	if (r == 0) {
		score->similarity = face_similarity(hand->found[0].embeddings[0], hand->found[1].embeddings[0],
						    work->evaluation->models->embedder.dimension);
		return;
	}
	score->failed = true;
	if (atomic_fetch_add(&work->failures, 1) < NAMED_FAILURES)
		fprintf(stderr, "%s: %s\n", image, err.text);
}

static void *run(void *arg)
{
	struct hand *hand = arg;
	struct work *work = hand->work;
	const struct evaluation *e = work->evaluation;

	thread_set_name("evaluate");
	if (face_engine_new(&hand->engine, e->models, &e->limits, &hand->err) < 0) {
		atomic_store(&work->broken, true);
		return NULL;
	}
	while (!stop_requested() && !atomic_load(&work->broken)) {
		size_t index = atomic_fetch_add(&work->next, 1);
		if (index >= e->pairs->count)
			break;
		compare(hand, index);
		size_t done = atomic_fetch_add(&work->done, 1) + 1;
		if (e->progress)
			e->progress(done, e->pairs->count);
	}
	face_engine_free(hand->engine);
	buffer_finish(&hand->bytes);
	return NULL;
}

int evaluation_run(const struct evaluation *evaluation, struct roc_pair *scores, struct error *err)
{
	struct work work = {.evaluation = evaluation, .scores = scores};
	struct hand *hands = calloc(evaluation->threads, sizeof(*hands));
	unsigned started = 0;
	int r = 0;

	if (!hands)
		return error_set(err, ERROR_INTERNAL, "no memory for %u threads", evaluation->threads);
	while (started < evaluation->threads && r == 0) {
		hands[started].work = &work;
		r = thread_start(&hands[started].thread, run, &hands[started]);
		started += r == 0;
	}
	if (r < 0) {
		atomic_store(&work.broken, true);
		r = error_set(err, ERROR_INTERNAL, "cannot start %u threads", evaluation->threads);
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(hands[i].thread, NULL);
		if (r == 0 && error_is_set(&hands[i].err)) {
			*err = hands[i].err;
			r = error_errno(err);
		}
	}
	free(hands);
	if (r == 0 && stop_requested())
		r = error_set(err, ERROR_CANCELLED, "interrupted");
	return r;
}
