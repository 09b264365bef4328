#include "dispatcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"

/* Claimed or recorded in one transaction. */
#define BATCH 100
/* Memory of jobs that the broker has not confirmed yet; one is always let through. */
#define MAX_BYTES (64u << 20)

#define RUN_OF(pointer, member) ((struct run *)((char *)(pointer)-offsetof(struct run, member)))

int dispatcher_init(struct dispatcher *d, const struct dispatcher_tools *tools)
{
	*d = (struct dispatcher){.tools = *tools, .lookup = calloc(DISPATCHER_MAX_RUNS, sizeof(*d->lookup))};
	TAILQ_INIT(&d->runs);
	return d->lookup ? 0 : -ENOMEM;
}

void dispatcher_finish(struct dispatcher *d)
{
	struct run *run;

	/* The timers are in the runs. */
	timer_heap_finish(&d->retries);
	while ((run = TAILQ_FIRST(&d->runs)) != NULL) {
		TAILQ_REMOVE(&d->runs, run, entry);
		free(run);
	}
	free(d->lookup);
	*d = (struct dispatcher){0};
}

static void count(struct dispatcher *d, enum run_outcome outcome)
{
	metric_add(d->tools.meters->runs[outcome], 1);
}

static void forget(struct dispatcher *d, struct run *run)
{
	if (run->state == RUN_WAITING)
		d->waiting--;
	timer_heap_remove(&d->retries, &run->timer);
	TAILQ_REMOVE(&d->runs, run, entry);
	free(run);
	metric_set(d->tools.meters->in_hand, (double)--d->count);
}

/* --- what becomes of a run ------------------------------------------------------------------------ */

static void wait_and_retry(struct dispatcher *d, struct run *run)
{
	count(d, RUN_RETRIED);
	run->state = RUN_WAITING;
	d->waiting++;
	/* Without memory for its timer it is ready again at once. */
	if (timer_heap_add(&d->retries, &run->timer, clock_monotonic_ms() + backoff_next_ms(&run->backoff)) < 0) {
		d->waiting--;
		run->state = RUN_READY;
	}
}

static void retry_due(struct dispatcher *d)
{
	int64_t now_ms = clock_monotonic_ms();
	struct timer *first;

	while ((first = timer_heap_first(&d->retries)) != NULL && first->due_ms <= now_ms) {
		timer_heap_remove(&d->retries, first);
		RUN_OF(first, timer)->state = RUN_READY;
		d->waiting--;
	}
}

/* Said once, until the broker takes jobs again. */
static void note_refusal(struct dispatcher *d, const struct run *run)
{
	if (!d->was_refused)
		log_warning(NULL, "the broker refuses scheduled jobs; they are tried again",
			    log_string("scene", run->event.scene),
			    log_string("why", run->outcome == AMQP_RETURNED ? "no queue" : "the lane is full"));
	d->was_refused = true;
}

static void announce(struct dispatcher *d, struct run *run)
{
	struct amqp_message *message = run_make_event(run);

	if (message && run_publish(run, d->tools.link, message) == 0) {
		run->state = RUN_ANNOUNCING;
		d->in_flight++;
		return;
	}
	log_warning(NULL, "a task was not announced as pending", log_string("task_id", run->row.task_id));
	run->state = RUN_DONE;
}

static void sent(struct dispatcher *d, struct run *run)
{
	if (run->outcome == AMQP_CONFIRMED) {
		run->row.ran_at_ms = clock_unix_ms();
		count(d, RUN_PUBLISHED);
		metric_observe(d->tools.meters->lag_seconds, (double)(run->row.ran_at_ms - run->row.due_ms) / 1000);
		log_debug(NULL, "a scheduled job was published", log_string("schedule_id", run->row.schedule_id),
			  log_string("task_id", run->row.task_id));
		if (d->was_refused)
			log_info(NULL, "the broker takes scheduled jobs again");
		d->was_refused = false;
		announce(d, run);
	} else if (run->outcome == AMQP_ABANDONED) {
		run->is_orphan = true; /* the link is gone: it is published again by the next scheduler */
	} else {
		note_refusal(d, run);
		wait_and_retry(d, run);
	}
}

static void read_outcome(struct dispatcher *d, struct run *run)
{
	d->in_flight--;
	if (run->state == RUN_SENDING) {
		d->bytes -= run->bytes;
		if (!run->is_orphan)
			sent(d, run);
	} else {
		run->state = RUN_DONE;
	}
	if (run->is_orphan)
		forget(d, run);
}

void dispatcher_read_mail(struct dispatcher *d)
{
	struct mail *mail = mailbox_take(d->tools.box);

	while (mail) {
		struct mail *next = mail->next;
		read_outcome(d, RUN_OF(mail, mail));
		mail = next;
	}
}

void dispatcher_abandon(struct dispatcher *d)
{
	struct run *run = TAILQ_FIRST(&d->runs);

	while (run) {
		struct run *next = TAILQ_NEXT(run, entry);
		run->is_orphan = true;
		if (run->state != RUN_SENDING && run->state != RUN_ANNOUNCING)
			forget(d, run);
		run = next;
	}
}

/* --- claiming --------------------------------------------------------------------------------------- */

static int keep(struct dispatcher *d, const struct schedule_run *row, bool is_skipped, struct error *err)
{
	struct run *run = run_new(row, d->tools.box);

	if (!run)
		return error_set(err, ERROR_INTERNAL, "no memory for a run");
	run->is_skipped = is_skipped;
	TAILQ_INSERT_TAIL(&d->runs, run, entry);
	metric_set(d->tools.meters->in_hand, (double)++d->count);
	return 0;
}

static int keep_claimed(struct dispatcher *d, const struct schedule_run *rows, unsigned claimed, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; i < claimed; i++) {
		if (!rows[i].stands)
			count(d, RUN_GONE);
		else if (r == 0)
			r = keep(d, &rows[i], false, err);
	}
	return r;
}

/* Takes up to a batch of what is due out of the window, and claims what is not to be skipped. */
static int claim_batch(struct dispatcher *d, struct dispatcher_turn *turn, int64_t now_ms, unsigned *taken,
		       struct error *err)
{
	struct schedule_run rows[BATCH];
	struct window_entry entry;
	unsigned claimed = 0;
	int r = 0;

	for (*taken = 0; r == 0 && *taken < BATCH && d->count + claimed < DISPATCHER_MAX_RUNS; ++*taken) {
		if (!window_take(turn->window, now_ms, &entry))
			break;
		struct schedule_run row = {.due_ms = entry.due_ms};
		memcpy(row.schedule_id, entry.schedule_id, UUID_SIZE);
		uuid_v7(row.task_id);
		if (entry.may_skip && now_ms - entry.due_ms >= d->tools.misfire_after_ms)
			r = keep(d, &row, true, err);
		else
			rows[claimed++] = row;
	}
	if (r == 0 && claimed > 0)
		r = schedules_claim(turn->store, turn->token, rows, claimed, &turn->is_held, err);
	if (r == 0 && turn->is_held)
		r = keep_claimed(d, rows, claimed, err);
	return r;
}

/* --- publishing ------------------------------------------------------------------------------------- */

struct launch {
	struct dispatcher *d;
	struct run *run;
	int64_t now_ms;
	bool stands;
};

static void give_up(struct launch *launch, const struct error *err)
{
	const struct run *run = launch->run;

	log_error(NULL, "a scheduled job can never be published; its run is left out",
		  log_string("schedule_id", run->row.schedule_id), LOG_ERROR_FIELDS(err));
	count(launch->d, RUN_INVALID);
	launch->run->state = RUN_DONE;
}

static void put_off(struct launch *launch, const char *why, const struct error *err)
{
	log_warning(NULL, why, log_string("schedule_id", launch->run->row.schedule_id), LOG_ERROR_FIELDS(err));
	wait_and_retry(launch->d, launch->run);
}

static void publish(struct launch *launch, struct amqp_message *message)
{
	struct dispatcher *d = launch->d;
	struct run *run = launch->run;
	struct error err = {0};

	/* The outcome may be there before this returns, but is not read before. */
	int r = run_publish(run, d->tools.link, message);
	if (r == 0) {
		run->state = RUN_SENDING;
		d->in_flight++;
		d->bytes += run->bytes;
	} else if (r == -EMSGSIZE) {
		error_set(&err, ERROR_IMAGE_TOO_LARGE, "%zu bytes", run->bytes);
		give_up(launch, &err);
	} else {
		wait_and_retry(d, run);
	}
}

static int launch_schedule(void *arg, const struct schedule *schedule, struct error *unused)
{
	struct launch *launch = arg;
	struct run *run = launch->run;
	struct amqp_message *message;
	struct error err = {0};

	(void)unused;
	/* Removed and made anew, or made due meanwhile: that is another run. */
	launch->stands = schedule->due_ms == run->row.due_ms &&
			 (run->is_skipped || strcmp(schedule->task_id, run->row.task_id) == 0);
	if (!launch->stands)
		return 0;
	if (run_read_plan(run, schedule, launch->now_ms, &err) < 0) {
		put_off(launch, "a schedule's next run cannot be told", &err);
	} else if (run->is_skipped) {
		count(launch->d, RUN_SKIPPED);
		run->state = RUN_DONE;
	} else if (run_make_job(run, schedule, launch->now_ms, &message, &err) == 0) {
		publish(launch, message);
	} else if (err.class == ERROR_CLASS_REJECT) {
		give_up(launch, &err);
	} else {
		put_off(launch, "a scheduled job is put off", &err);
	}
	return 0;
}

static int launch_run(struct dispatcher *d, struct dispatcher_turn *turn, struct run *run, struct error *err)
{
	struct launch launch = {.d = d, .run = run, .now_ms = clock_unix_ms()};
	bool found;
	int r = schedules_find(turn->store, run->row.schedule_id, launch_schedule, &launch, &found, err);

	if (r == 0 && !launch.stands) {
		count(d, RUN_GONE);
		forget(d, run);
		turn->window->is_stale = true;
	}
	return r;
}

static bool may_launch(const struct dispatcher *d)
{
	return d->in_flight < DISPATCHER_MAX_IN_FLIGHT && (d->bytes < MAX_BYTES || d->in_flight == 0);
}

static int launch_ready(struct dispatcher *d, struct dispatcher_turn *turn, struct error *err)
{
	struct run *run = TAILQ_FIRST(&d->runs);
	int r = 0;

	while (r == 0 && run && may_launch(d)) {
		struct run *next = TAILQ_NEXT(run, entry);
		if (run->state == RUN_READY)
			r = launch_run(d, turn, run, err);
		run = next;
	}
	return r;
}

/* Batch by batch, so that the first of many need not wait until all are claimed. */
int dispatcher_start(struct dispatcher *d, struct dispatcher_turn *turn, struct error *err)
{
	int64_t now_ms = clock_unix_ms();
	unsigned taken = 0;
	int r;

	retry_due(d);
	do {
		r = claim_batch(d, turn, now_ms, &taken, err);
		/* What was taken out and not claimed must be read again. */
		if (r < 0 || !turn->is_held)
			turn->window->is_stale = true;
		else
			r = launch_ready(d, turn, err);
	} while (r == 0 && turn->is_held && taken == BATCH && may_launch(d));
	return r;
}

/* --- recording -------------------------------------------------------------------------------------- */

static unsigned gather_done(struct dispatcher *d, struct run *done[BATCH], struct schedule_run rows[BATCH])
{
	unsigned gathered = 0;
	struct run *run;

	TAILQ_FOREACH(run, &d->runs, entry)
	{
		if (run->state != RUN_DONE || run->is_orphan)
			continue;
		rows[gathered] = run->row;
		done[gathered++] = run;
		if (gathered == BATCH)
			break;
	}
	return gathered;
}

static void move_on(struct dispatcher *d, struct window *window, struct run *run, const struct schedule_run *row)
{
	if (!row->stands)
		window->is_stale = true; /* made due meanwhile, perhaps */
	else if (row->next_due_ms > 0)
		window_add(window, row->schedule_id, row->next_due_ms, run->may_skip);
	forget(d, run);
}

int dispatcher_record(struct dispatcher *d, struct dispatcher_turn *turn, struct error *err)
{
	struct schedule_run rows[BATCH];
	struct run *done[BATCH];
	unsigned gathered;
	int r = 0;

	while (r == 0 && turn->is_held && (gathered = gather_done(d, done, rows)) > 0) {
		r = schedules_ran(turn->store, turn->token, rows, gathered, &turn->is_held, err);
		for (unsigned i = 0; r == 0 && turn->is_held && i < gathered; i++)
			move_on(d, turn->window, done[i], &rows[i]);
	}
	return r;
}

/* --- for the loop ----------------------------------------------------------------------------------- */

int64_t dispatcher_next_ms(const struct dispatcher *d)
{
	const struct timer *first = timer_heap_first(&d->retries);

	return first ? first->due_ms : INT64_MAX;
}

bool dispatcher_has_room(const struct dispatcher *d)
{
	return d->count < DISPATCHER_MAX_RUNS && may_launch(d);
}

bool dispatcher_is_idle(const struct dispatcher *d)
{
	return d->in_flight == 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void dispatcher_sort(struct dispatcher *d)
{
	struct run *run;

	d->lookup_count = 0;
	TAILQ_FOREACH(run, &d->runs, entry)
	if (!run->is_orphan)
		d->lookup[d->lookup_count++] = run->row.schedule_id;
	qsort(d->lookup, d->lookup_count, sizeof(*d->lookup), compare);
}

bool dispatcher_has(void *arg, const char *schedule_id)
{
	const struct dispatcher *d = arg;

	return bsearch(&schedule_id, d->lookup, d->lookup_count, sizeof(*d->lookup), compare) != NULL;
}
