#ifndef BASE_BREAKER_H
#define BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * A circuit breaker: whether it makes sense to ask somebody who may be failing. Closed, everybody may ask, and outcomes
 * are counted. When too many of the last ones were failures it opens: nobody asks. After a while it is half open: one
 * may try, and the outcome closes it or opens it again. (M. Nygard, Release It!, 2007.) Whoever may ask gets a ticket,
 * and hands it back with the outcome: so what was begun before it opened is not taken for the outcome of that try. A
 * try that takes its time holds up nobody for long: after as long as it is open another may try beside it, and the
 * first to be heard of decides. A state machine without a clock or a lock of its own. obs/breakers.h has many of them,
 * locked, logged and counted.
 */

struct breaker_settings {
	int64_t window_ms; /**< outcomes that are older do not count; at least BREAKER_SLICES */
	unsigned least;    /**< so many outcomes before it can open, at least 1 */
	double share;      /**< it opens when so many of them are failures, above 0 to 1 */
	int64_t open_ms;   /**< how long it stays open, at least 1; up to a quarter more, so that not all try at once */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/** "closed", "open", "half_open". Static storage. */
const char *breaker_state_name(enum breaker_state state);

/** The window is forgotten piece by piece. */
#define BREAKER_SLICES 10

/** What a new breaker hands out. */
#define BREAKER_FIRST_TICKET 1

struct breaker {
	const struct breaker_settings *settings;
	enum breaker_state state;
	unsigned ticket;  /**< of this state: another one after each change */
	int64_t until_ms; /**< open: when one may try; half open: when another may, if nothing was heard by then */
	int64_t newest;   /**< number of the newest slice */
	struct {
		unsigned outcomes;
		unsigned failures;
	} slices[BREAKER_SLICES];
};

/** Makes it closed. `settings` is borrowed. */
void breaker_init(struct breaker *breaker, const struct breaker_settings *settings);

/** Whether one may ask now: 0, or a ticket for one of the next two, once. `now_ms` is monotonic. */
unsigned breaker_allow(struct breaker *breaker, int64_t now_ms) must_check;

/** How it went. The ticket of a state that has passed does not count, nor does 0. */
void breaker_report(struct breaker *breaker, unsigned ticket, bool success, int64_t now_ms);

/** Who was allowed never asked, or what became of it says nothing: another may try. */
void breaker_withdraw(struct breaker *breaker, unsigned ticket, int64_t now_ms);

/** How long until one may try; 0 when one may now. */
int64_t breaker_wait_ms(const struct breaker *breaker, int64_t now_ms);

#endif
