#include "base/breaker.h"

#include <assert.h>
#include <string.h>

#include "base/random.h"

const char *breaker_state_name(enum breaker_state state)
{
	static const char *const names[] = {"closed", "open", "half_open"};

	return names[state];
}

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings)
{
	assert(settings->window_ms >= BREAKER_SLICES && settings->least >= 1 && settings->open_ms >= 1);
	assert(settings->share > 0 && settings->share <= 1);
	*breaker = (struct breaker){.settings = settings, .ticket = BREAKER_FIRST_TICKET};
}

unsigned breaker_allow(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->state == BREAKER_CLOSED)
		return breaker->ticket;
	if (now_ms < breaker->until_ms)
		return 0;
	if (breaker->state == BREAKER_OPEN)
		breaker->ticket++;
	breaker->state = BREAKER_HALF_OPEN;
	breaker->until_ms = now_ms + breaker->settings->open_ms;
	return breaker->ticket;
}

static void close_again(struct breaker *breaker)
{
	unsigned ticket = breaker->ticket + 1;

	breaker_init(breaker, breaker->settings);
	breaker->ticket = ticket;
}

static void open_up(struct breaker *breaker, int64_t now_ms)
{
	int64_t open_ms = breaker->settings->open_ms;

	breaker->state = BREAKER_OPEN;
	breaker->ticket++;
	breaker->until_ms = now_ms + random_between(open_ms, open_ms + open_ms / 4);
}

/* Forgets the slices that have left the window, and goes on with that of now. */
static unsigned turn(struct breaker *breaker, int64_t now_ms)
{
	int64_t slice = now_ms / (breaker->settings->window_ms / BREAKER_SLICES);

	if (slice >= breaker->newest + BREAKER_SLICES)
		memset(breaker->slices, 0, sizeof(breaker->slices));
	else
		while (breaker->newest < slice)
			memset(&breaker->slices[++breaker->newest % BREAKER_SLICES], 0, sizeof(breaker->slices[0]));
	if (breaker->newest < slice)
		breaker->newest = slice;
	return (unsigned)(breaker->newest % BREAKER_SLICES);
}

static bool fails_too_often(const struct breaker *breaker)
{
	unsigned outcomes = 0;
	unsigned failures = 0;

	for (unsigned i = 0; i < BREAKER_SLICES; i++) {
		outcomes += breaker->slices[i].outcomes;
		failures += breaker->slices[i].failures;
	}
	return outcomes >= breaker->settings->least && failures >= breaker->settings->share * outcomes;
}

void breaker_report(struct breaker *breaker, unsigned ticket, bool success, int64_t now_ms)
{
	if (ticket != breaker->ticket)
		return;
	if (breaker->state == BREAKER_HALF_OPEN) {
		if (success)
			close_again(breaker);
		else
			open_up(breaker, now_ms);
		return;
	}
	unsigned slice = turn(breaker, now_ms);
	breaker->slices[slice].outcomes++;
	breaker->slices[slice].failures += !success;
	if (!success && fails_too_often(breaker))
		open_up(breaker, now_ms);
}

void breaker_withdraw(struct breaker *breaker, unsigned ticket, int64_t now_ms)
{
	if (breaker->state == BREAKER_HALF_OPEN && ticket == breaker->ticket)
		breaker->until_ms = now_ms;
}

int64_t breaker_wait_ms(const struct breaker *breaker, int64_t now_ms)
{
	return breaker->state == BREAKER_CLOSED || now_ms >= breaker->until_ms ? 0 : breaker->until_ms - now_ms;
}
