#include "obs/breakers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/name_table.h"
#include "obs/log.h"

const struct breaker_settings breakers_of_strangers = {
    .window_ms = 5 * 60 * 1000, .least = 10, .share = 0.7, .open_ms = 30 * 1000};
const struct breaker_settings breakers_of_servers = {.window_ms = 10 * 1000, .least = 5, .share = 0.7, .open_ms = 1000};

struct breakers {
	const char *of;
	const struct breaker_settings *settings;
	struct metric *changes[BREAKER_HALF_OPEN + 1];
	pthread_mutex_t lock;
	struct name_table *table;
};

static void add_open(void *arg, const char *name, void *value)
{
	const struct breaker *breaker = value;
	double *count = arg;

	(void)name;
	*count += breaker->state != BREAKER_CLOSED;
}

/* Counted when it is asked for: what was forgotten while it was open is gone from it. */
static double count_open(void *arg)
{
	struct breakers *b = arg;
	double count = 0;

	pthread_mutex_lock(&b->lock);
	name_table_each(b->table, add_open, &count);
	pthread_mutex_unlock(&b->lock);
	return count;
}

static void register_metrics(struct breakers *b, struct metrics *metrics)
{
	metrics_gauge_callback(metrics, "facefleet_breakers_open", "Circuit breakers that are not closed.",
			       (const char *const[]){"of", b->of, NULL}, count_open, b);
	for (int state = BREAKER_CLOSED; state <= BREAKER_HALF_OPEN; state++)
		b->changes[state] = metrics_counter(
		    metrics, "facefleet_breaker_changes_total", "Changes of circuit breakers, by their new state.",
		    (const char *const[]){"of", b->of, "to", breaker_state_name(state), NULL});
}

struct breakers *breakers_new(const char *of, const struct breaker_settings *settings, size_t max,
			      struct metrics *metrics)
{
	struct breakers *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct breakers){.of = of, .settings = settings};
	b->table = name_table_new(max, BREAKERS_NAME_SIZE, sizeof(struct breaker));
	if (!b->table) {
		free(b);
		return NULL;
	}
	pthread_mutex_init(&b->lock, NULL);
	register_metrics(b, metrics);
	return b;
}

void breakers_free(struct breakers *b)
{
	if (!b)
		return;
	pthread_mutex_destroy(&b->lock);
	name_table_free(b->table);
	free(b);
}

static void say(struct breakers *b, const struct context *ctx, const char *name, enum breaker_state state)
{
	if (state == BREAKER_OPEN)
		log_warning(ctx, "it fails again and again: not asked for a while", log_string("of", b->of),
			    log_string("name", name));
	else if (state == BREAKER_CLOSED)
		log_info(ctx, "it answers again", log_string("of", b->of), log_string("name", name));
}

/* With the lock held. A half-open breaker that opens again is no news for the log. */
static void note_change(struct breakers *b, const struct context *ctx, const char *name, enum breaker_state before,
			enum breaker_state after)
{
	if (before == after)
		return;
	metric_add(b->changes[after], 1);
	if (before == BREAKER_CLOSED || after == BREAKER_CLOSED)
		say(b, ctx, name, after);
}

unsigned breakers_allow(struct breakers *b, const struct context *ctx, const char *name)
{
	unsigned ticket = BREAKER_FIRST_TICKET;

	pthread_mutex_lock(&b->lock);
	struct breaker *breaker = name_table_find(b->table, name);
	if (breaker) {
		enum breaker_state before = breaker->state;
		ticket = breaker_allow(breaker, clock_monotonic_ms());
		note_change(b, ctx, name, before, breaker->state);
	}
	pthread_mutex_unlock(&b->lock);
	return ticket;
}

void breakers_report(struct breakers *b, const struct context *ctx, const char *name, unsigned ticket, bool success)
{
	bool is_new;

	pthread_mutex_lock(&b->lock);
	struct breaker *breaker = name_table_get(b->table, name, &is_new);
	if (is_new)
		breaker_init(breaker, b->settings);
	enum breaker_state before = breaker->state;
	breaker_report(breaker, ticket, success, clock_monotonic_ms());
	note_change(b, ctx, name, before, breaker->state);
	pthread_mutex_unlock(&b->lock);
}

void breakers_withdraw(struct breakers *b, const char *name, unsigned ticket)
{
	pthread_mutex_lock(&b->lock);
	struct breaker *breaker = name_table_find(b->table, name);
	if (breaker)
		breaker_withdraw(breaker, ticket, clock_monotonic_ms());
	pthread_mutex_unlock(&b->lock);
}

int64_t breakers_wait_ms(struct breakers *b, const char *name)
{
	pthread_mutex_lock(&b->lock);
	struct breaker *breaker = name_table_find(b->table, name);
	int64_t wait_ms = breaker ? breaker_wait_ms(breaker, clock_monotonic_ms()) : 0;
	pthread_mutex_unlock(&b->lock);
	return wait_ms;
}
