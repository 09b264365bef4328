#include "cli/fleet/submission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/stop.h"
#include "cli/fleet/client.h"
#include "cli/fleet/feeder.h"
#include "cli/fleet/pending.h"
#include "cli/output/escape.h"
#include "cli/output/progress.h"
#include "cli/output/report.h"
#include "obs/log.h"

/* Rows read, with their images, before it is their turn. */
#define READ_AHEAD 16
/* No further row is read while so much waits for the broker's confirm. */
#define UNCONFIRMED_BYTES (64u << 20)
#define TICK_MS 100
/* How long replies are waited for once they can come in again. */
#define LISTENING_GRACE_MS 30000
/* How long a broker may stay away in the middle. */
#define BROKER_PATIENCE_MS (INT64_C(10) * 60 * 1000)
/* How long after Ctrl-C the broker may take to confirm what it was sent. */
#define STOP_PATIENCE_MS 5000
#define RESEND_MIN_MS 100
#define RESEND_MAX_MS 5000

struct submission {
	const struct submission_settings *settings;
	struct results *results;
	struct client *client;
	struct feeder *feeder;
	struct pending_table *table;
	struct progress progress;
	struct progress_counts counts;
	double input_bytes; /* 0: unknown */
	unsigned granted;   /* to the feeder, not yet posted */
	unsigned in_use;    /* posted, not yet given back */
	unsigned unconfirmed;
	size_t unconfirmed_bytes;
	struct pending *again; /* refused by a full queue, newest first */
	int64_t again_ms;      /* when to try them */
	int64_t again_wait_ms;
	int64_t away_since_ms;      /* 0: the broker is there */
	int64_t listening_since_ms; /* 0: replies cannot come in */
	int64_t stop_since_ms;      /* 0: no stop was asked for */
	int64_t next_tick_ms;
	bool input_ended;
	bool over;                /* nothing more is done */
	enum exit_status verdict; /* STATUS_OK while nothing ended it early */
};

static void give_back(struct submission *s, struct pending *pending)
{
	pending_give_back(s->table, pending);
	s->in_use--;
}

/* Ends the run early; the first reason is the one that is told ("": it goes without saying). */
printf_like(3, 4) static void end_early(struct submission *s, enum exit_status verdict, const char *fmt, ...)
{
	char text[ESCAPE_SIZE];
	va_list args;

	if (s->over)
		return;
	s->over = true;
	s->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	progress_clear(&s->progress);
	if (text[0])
		report_error("%s", text);
}

static void write_result(struct submission *s, const struct result *result)
{
	int r = results_write(s->results, result);

	if (r == -EPIPE)
		end_early(s, STATUS_LOCAL_FAULT, "%s", "");
	else if (r < 0)
		end_early(s, STATUS_LOCAL_FAULT, "results cannot be written: %s", strerror(-r));
}

static void refuse(struct submission *s, struct pending *pending)
{
	s->counts.refused++;
	progress_clear(&s->progress);
	if (pending->line > 0)
		report_note("line %" PRIu64 ": %s", pending->line, pending->error.text);
	else
		report_note("%s: %s", pending->reference, pending->error.text);
	give_back(s, pending);
}

static void send_job(struct submission *s, struct pending *pending)
{
	struct amqp_message *message = pending->message;

	pending->message = NULL;
	pending->bytes = message->body_size;
	int r = client_send(s->client, message, &pending->ticket, pending);
	if (r < 0) {
		end_early(s, STATUS_NO_BROKER, "%s: the job cannot be sent: %s", pending->reference, strerror(-r));
		return;
	}
	s->unconfirmed++;
	s->unconfirmed_bytes += pending->bytes;
}

static void on_row(struct submission *s, struct pending *pending)
{
	s->granted--;
	s->in_use++;
	if (error_is_set(&pending->error)) {
		refuse(s, pending);
	} else if (s->stop_since_ms) {
		give_back(s, pending);
	} else {
		if (s->settings->wait)
			pending_await(s->table, pending);
		send_job(s, pending);
	}
}

static void on_confirmed(struct submission *s, struct pending *pending)
{
	struct result result;

	s->counts.sent++;
	s->again_wait_ms = 0;
	pending->confirmed_ms = clock_monotonic_ms();
	if (s->settings->wait && !pending->answered)
		return;
	if (!s->settings->wait) {
		result_init(&result, pending->reference, pending->task_id, task_state_name(TASK_PENDING));
		result.user_id = pending->user_id;
		write_result(s, &result);
	}
	give_back(s, pending);
}

/* The lane's queue is full: nothing new is read until the broker took what it refused. */
static void on_nacked(struct submission *s, struct pending *pending, struct amqp_message *copy)
{
	if (pending->answered) {
		amqp_message_free(copy);
		give_back(s, pending);
		return;
	}
	if (!copy) {
		end_early(s, STATUS_LOCAL_FAULT, "out of memory");
		return;
	}
	pending->message = copy;
	pending->next_again = s->again;
	s->again = pending;
	if (s->again_ms == 0) {
		s->again_wait_ms = s->again_wait_ms ? s->again_wait_ms * 2 : RESEND_MIN_MS;
		if (s->again_wait_ms > RESEND_MAX_MS)
			s->again_wait_ms = RESEND_MAX_MS;
		s->again_ms = clock_monotonic_ms() + random_between(s->again_wait_ms / 2, s->again_wait_ms);
	}
}

static void on_outcome(struct submission *s, struct pending *pending, enum amqp_outcome outcome,
		       struct amqp_message *nacked)
{
	s->unconfirmed--;
	s->unconfirmed_bytes -= pending->bytes;
	switch (outcome) {
	case AMQP_CONFIRMED:
		on_confirmed(s, pending);
		break;
	case AMQP_NACKED:
		on_nacked(s, pending, nacked);
		break;
	case AMQP_RETURNED:
		end_early(s, STATUS_NO_BROKER, "no queue takes the job of %s; see `facefleet topology --check`",
			  pending->reference);
		break;
	case AMQP_ABANDONED:
		break;
	}
}

static void count_reply(struct progress_counts *counts, const struct result *result)
{
	counts->answered++;
	if (result->error[0])
		counts->failed++;
	else if (counts->enrolling)
		counts->stored++;
	else if (result->matched)
		counts->same++;
	else
		counts->different++;
}

static void on_reply(struct submission *s, const struct reply *reply)
{
	struct pending *pending = pending_answer(s->table, reply->task_id);
	struct result result;

	if (!pending) {
		progress_clear(&s->progress);
		log_warning(NULL, "ignored a reply that nobody waits for (repeated, late or foreign)",
			    log_string("task_id", reply->task_id));
		return;
	}
	result_from_reply(&result, reply);
	result.id = pending->reference;
	result.user_id = pending->user_id;
	count_reply(&s->counts, &result);
	write_result(s, &result);
	pending->answered = true;
	if (pending->confirmed_ms)
		give_back(s, pending);
}

static void handle(struct submission *s, enum client_event_kind kind, const struct client_event *event)
{
	switch (kind) {
	case CLIENT_NOTHING:
		break;
	case CLIENT_POSTED:
		if (event->subject == s->feeder)
			s->input_ended = true;
		else
			on_row(s, event->subject);
		break;
	case CLIENT_OUTCOME:
		on_outcome(s, event->subject, event->outcome, event->nacked);
		break;
	case CLIENT_REPLY:
		on_reply(s, event->reply);
		break;
	case CLIENT_FAULT:
		end_early(s, STATUS_NO_BROKER, "%s", event->error->text);
		break;
	}
}

/* Lets the feeder read on, as far as there is room for what it reads. */
static void grant(struct submission *s)
{
	while (!s->input_ended && !s->stop_since_ms && !s->again && s->granted < READ_AHEAD &&
	       s->unconfirmed_bytes < UNCONFIRMED_BYTES) {
		struct pending *pending = pending_take(s->table);
		if (!pending)
			break;
		feeder_grant(s->feeder, pending);
		s->granted++;
	}
}

/* Sends what a full queue refused again, when it is time to. */
static void send_again(struct submission *s, int64_t now)
{
	if (!s->again || now < s->again_ms || s->stop_since_ms)
		return;
	s->again_ms = 0;
	while (s->again && !s->over) {
		struct pending *pending = s->again;
		s->again = pending->next_again;
		if (pending->answered)
			give_back(s, pending);
		else
			send_job(s, pending);
	}
}

/* Reports as failed what was never answered; not while replies could not have come in. */
static void give_up_overdue(struct submission *s, int64_t now)
{
	struct pending *pending;
	struct result result;
	size_t cursor = 0;

	if (s->listening_since_ms == 0 || now - s->listening_since_ms < LISTENING_GRACE_MS)
		return;
	while ((pending = pending_overdue(s->table, now, &cursor))) {
		result_init(&result, pending->reference, pending->task_id, task_state_name(TASK_FINAL_FAILED));
		result.user_id = pending->user_id;
		result.error = "no_reply";
		result.message = "no reply came within the time of its scene";
		s->counts.lost++;
		write_result(s, &result);
		give_back(s, pending);
	}
}

static void look_at_broker(struct submission *s, int64_t now)
{
	struct client_health health;

	client_health(s->client, &health);
	s->counts.note = health.trouble ? health.trouble : s->again ? "queue full, waiting" : NULL;
	if (!health.listening)
		s->listening_since_ms = 0;
	else if (s->listening_since_ms == 0)
		s->listening_since_ms = now;
	if (health.connected)
		s->away_since_ms = 0;
	else if (s->away_since_ms == 0)
		s->away_since_ms = now;
	else if (now - s->away_since_ms > BROKER_PATIENCE_MS)
		end_early(s, STATUS_NO_BROKER, "%s", health.trouble);
}

static void look_at_input(struct submission *s)
{
	struct feeder_position position;

	feeder_position(s->feeder, &position);
	s->counts.read = position.rows;
	s->counts.skipped = position.skipped;
	s->counts.fraction = s->input_bytes > 0 ? (double)position.bytes / s->input_bytes : -1;
}

/* A first signal stops the reading and leaves the broker time to confirm what is on its way. */
static void heed_signals(struct submission *s, int64_t now)
{
	if (stop_requested() == 0)
		return;
	if (s->stop_since_ms == 0)
		s->stop_since_ms = now;
	if (stop_requested() > 1 || s->unconfirmed == 0 || now - s->stop_since_ms > STOP_PATIENCE_MS)
		end_early(s, STATUS_ABORTED, "%s", "");
}

static void tick(struct submission *s)
{
	int64_t now = clock_monotonic_ms();

	heed_signals(s, now);
	send_again(s, now);
	if (now < s->next_tick_ms)
		return;
	s->next_tick_ms = now + TICK_MS;
	look_at_broker(s, now);
	look_at_input(s);
	give_up_overdue(s, now);
	progress_update(&s->progress, &s->counts);
}

static void loop(struct submission *s)
{
	while (!s->over && !(s->input_ended && s->in_use == 0)) {
		struct client_event event;
		grant(s);
		handle(s, client_next(s->client, TICK_MS, &event), &event);
		tick(s);
	}
}

static int open_all(struct submission *s, struct error *err)
{
	const struct submission_settings *settings = s->settings;
	struct client_settings client = {
	    .config = settings->config,
	    .replies = settings->wait,
	    .tickets = settings->in_flight + 1, /* each row's, and the feeder's */
	};
	struct feeder_settings feeder = {
	    .fd = settings->input_fd,
	    .base_dir = settings->base_dir,
	    .present = results_present(s->results),
	    .max_image_bytes = (size_t)config_integer(settings->config, OPTION_IMAGE_MAX_BYTES),
	    .op = settings->op,
	    .collection = settings->collection,
	    .scene = settings->scene,
	    .callback_url = settings->callback_url,
	    .options = settings->options,
	    .max_grants = READ_AHEAD,
	};

	s->table = pending_table_new(settings->in_flight);
	if (!s->table)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	int r = client_open(&s->client, &client, settings->connect_timeout_ms, err);
	if (r < 0)
		return r;
	feeder.client = s->client;
	return feeder_start(&s->feeder, &feeder, err);
}

static void close_all(struct submission *s)
{
	if (s->feeder)
		feeder_stop(s->feeder);
	client_free(s->client);
	feeder_free(s->feeder);
	pending_table_free(s->table);
}

/* What the run comes to, after the loop. */
static enum exit_status conclude(struct submission *s)
{
	const struct progress_counts *counts = &s->counts;
	const struct error *input = s->input_ended ? feeder_error(s->feeder) : NULL;

	look_at_input(s);
	if (input && !s->over)
		end_early(s, counts->sent ? STATUS_LOCAL_FAULT : STATUS_USAGE, "%s", input->text);
	progress_finish(&s->progress, counts);
	if (s->over && s->settings->wait && counts->sent > counts->answered + counts->lost)
		report_note("ended early: %" PRIu64
			    " tasks that were sent have no result here (--resume sends them again)",
			    counts->sent - counts->answered - counts->lost);
	if (s->over)
		return s->verdict;
	return counts->refused + counts->failed + counts->lost > 0 ? STATUS_SOME_FAILED : STATUS_OK;
}

enum exit_status submission_run(const struct submission_settings *settings, struct results *results)
{
	struct submission s = {
	    .settings = settings,
	    .results = results,
	    .counts = {.waiting = settings->wait, .enrolling = settings->op == JOB_ENROLL},
	};
	enum exit_status status;
	struct error err = {0};
	struct stat about;

	if (fstat(settings->input_fd, &about) == 0 && S_ISREG(about.st_mode))
		s.input_bytes = (double)about.st_size;
	progress_start(&s.progress, settings->quiet);
	if (open_all(&s, &err) == 0) {
		loop(&s);
		status = conclude(&s);
	} else {
		status = exit_status_of(&err);
		if (status != STATUS_ABORTED)
			report_error("%s", err.text);
	}
	close_all(&s);
	return status;
}
