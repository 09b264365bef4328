#include "scribe.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/queue.h"
#include "base/thread.h"
#include "obs/log.h"
#include "store/tasks.h"

#define SWEEP_MS 1000

struct scribe {
	struct scribe_settings settings;
	struct store *store; /* NULL until it could be opened */
	struct sweeper *sweeper;
	struct queue *batches;
	pthread_t thread;
	bool running;
	atomic_bool stopping;
	atomic_int_fast64_t turned_ms; /* when the thread last turned, monotonic */
	bool in_trouble;               /* said so in the log */
};

static int open_store(struct scribe *s, struct error *err)
{
	return s->store ? 0 : store_open(&s->store, &s->settings.store, err);
}

/* Says once that the store does not do its work, and once that it does again. */
static void report(struct scribe *s, int r, const struct error *err)
{
	metric_set(s->settings.meters->store_up, r == 0);
	if (r < 0 && err->class == ERROR_CLASS_FATAL)
		s->settings.on_fatal(s->settings.arg, err);
	if (r < 0 && !s->in_trouble)
		log_error(NULL, "the store records nothing; messages wait", LOG_ERROR_FIELDS(err));
	else if (r == 0 && s->in_trouble)
		log_info(NULL, "the store records again");
	s->in_trouble = r < 0;
}

/* --- batches --- */

/*
 * What is no passing trouble is the fault of the store, or of one message. Each alone: if the store takes some, it is
 * not to blame, and those it does not take are refused.
 */
static int apply_one_by_one(struct scribe *s, struct batch *batch, struct error *err)
{
	unsigned change = 0;
	unsigned delivery = 0;
	unsigned taken = 0;
	struct error first = {0};

	for (unsigned i = 0; i < batch->count; i++) {
		bool is_delivery = batch->messages[i]->kind == MESSAGE_DELIVERY;
		const struct tasks_news news = {.changes = batch->changes + change,
						.change_count = !is_delivery,
						.deliveries = batch->deliveries + delivery,
						.delivery_count = is_delivery};
		struct error why = {0};
		int r = tasks_record(s->store, &news, batch->accepted + change, &why);

		if (r < 0 && why.code != ERROR_INTERNAL) {
			*err = why;
			return r;
		}
		if (r < 0 && !error_is_set(&first))
			first = why;
		batch->refused[i] = r < 0;
		taken += r == 0;
		change += news.change_count;
		delivery += news.delivery_count;
	}
	if (taken > 0)
		return 0;
	*err = first;
	return error_errno(err);
}

static int apply(struct scribe *s, struct batch *batch, struct error *err)
{
	const struct tasks_news news = {batch->changes, batch->change_count, batch->deliveries, batch->delivery_count};
	int r = open_store(s, err);

	if (r == 0)
		r = tasks_record(s->store, &news, batch->accepted, err);
	if (r < 0 && s->store && err->code == ERROR_INTERNAL)
		r = apply_one_by_one(s, batch, err);
	return r;
}

static void record(struct scribe *s, struct batch *batch)
{
	int64_t start_ns = clock_monotonic_ns();

	error_clear(&batch->err);
	batch->result = apply(s, batch, &batch->err);
	report(s, batch->result, &batch->err);
	if (batch->result == 0) {
		metric_observe(s->settings.meters->apply_seconds,
			       clock_elapsed_ms(start_ns, clock_monotonic_ns()) / 1000);
		metric_observe(s->settings.meters->batch_messages, batch->count);
	}
	letter_post(&batch->letter, LETTER_APPLIED);
}

/* --- the thread --- */

static void sweep(struct scribe *s)
{
	struct error err = {0};
	int r = open_store(s, &err);

	if (r == 0)
		r = sweeper_run(s->sweeper, s->store, &err);
	report(s, r, &err);
}

static void *run(void *arg)
{
	struct scribe *s = arg;
	int64_t sweep_at_ms = clock_monotonic_ms() + SWEEP_MS;

	thread_set_name("store");
	for (;;) {
		int64_t left_ms = sweep_at_ms - clock_monotonic_ms();
		struct batch *batch = queue_pop(s->batches, left_ms > 0 ? left_ms : 0);

		if (batch)
			record(s, batch);
		else if (atomic_load(&s->stopping))
			return NULL;
		atomic_store(&s->turned_ms, clock_monotonic_ms());
		if (clock_monotonic_ms() >= sweep_at_ms) {
			sweep(s);
			sweep_at_ms = clock_monotonic_ms() + SWEEP_MS;
		}
	}
}

static int make(struct scribe *s, struct error *err)
{
	struct error why = {0};
	int r = open_store(s, &why);

	report(s, r, &why);
	if (r < 0 && why.class == ERROR_CLASS_FATAL) {
		*err = why;
		return r;
	}
	s->batches = queue_new(1);
	s->sweeper = sweeper_new(&s->settings.sweeper);
	if (!s->batches || !s->sweeper)
		return error_set(err, ERROR_INTERNAL, "no memory for the store's thread");
	atomic_store(&s->turned_ms, clock_monotonic_ms());
	r = thread_start(&s->thread, run, s);
	s->running = r == 0;
	return r < 0 ? error_set(err, ERROR_INTERNAL, "no thread for the store") : 0;
}

int scribe_start(struct scribe **out, const struct scribe_settings *settings, struct error *err)
{
	struct scribe *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, ERROR_INTERNAL, "no memory for the store's thread");
	s->settings = *settings;
	int r = make(s, err);
	if (r < 0) {
		scribe_stop(s);
		return r;
	}
	*out = s;
	return 0;
}

void scribe_set_times(struct scribe *s, int64_t lease_ms, int64_t keep_ms)
{
	sweeper_set_times(s->sweeper, lease_ms, keep_ms);
}

void scribe_give(struct scribe *s, struct batch *batch)
{
	int r = queue_push(s->batches, batch, 0);

	assert(r == 0);
}

bool scribe_holds(struct scribe *s, int64_t now_ms, char *why, size_t why_size)
{
	int64_t silent_ms = now_ms - atomic_load(&s->turned_ms);

	if (silent_ms <= SCRIBE_TURN_MS)
		return true;
	snprintf(why, why_size, "the store's thread has not turned for %" PRId64 " ms", silent_ms);
	return false;
}

void scribe_stop(struct scribe *s)
{
	if (!s)
		return;
	if (s->running) {
		atomic_store(&s->stopping, true);
		queue_close(s->batches);
		pthread_join(s->thread, NULL);
	}
	sweeper_free(s->sweeper);
	queue_free(s->batches);
	store_close(s->store);
	free(s);
}
