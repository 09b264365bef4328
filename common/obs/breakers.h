#ifndef OBS_BREAKERS_H
#define OBS_BREAKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/breaker.h"
#include "base/compiler.h"
#include "base/context.h"
#include "obs/metrics.h"

/**
 * Circuit breakers by name, one for each of those that may fail alone: hosts, endpoints, a server. Each change of state
 * is a log line and counts in facefleet_breaker_changes_total{of,to}; facefleet_breakers_open{of} says how many are not
 * closed. Any thread; one lock, held briefly.
 */
struct breakers;

/** Names that are remembered at most are longer than any host's. */
#define BREAKERS_NAME_SIZE 288

/** Outcomes of five minutes, at least ten, 70 % of them failures: open for 30 s. What others on the Internet get. */
extern const struct breaker_settings breakers_of_strangers;
/** The fleet's own servers: outcomes of ten seconds, at least five; tried every second, since tasks fail meanwhile. */
extern const struct breaker_settings breakers_of_servers;

/** `of`: what they are of, for metrics and logs ("image_host"). At most `max` names, the longest unused is forgotten.
 * `settings`, `of` and `metrics` are borrowed; the page may not be rendered after breakers_free(). NULL when memory is
 * out. */
struct breakers *breakers_new(const char *of, const struct breaker_settings *settings, size_t max,
			      struct metrics *metrics) must_check;
void breakers_free(struct breakers *breakers);

/** Whether `name` may be asked now: 0, or a ticket for breakers_report() or breakers_withdraw(). `ctx` (may be NULL)
 * stands on the log line. */
unsigned breakers_allow(struct breakers *breakers, const struct context *ctx, const char *name) must_check;
/** How it went; that of who asked without being allowed (ticket 0) does not count. */
void breakers_report(struct breakers *breakers, const struct context *ctx, const char *name, unsigned ticket,
		     bool success);
/** What became of it says nothing about `name`. */
void breakers_withdraw(struct breakers *breakers, const char *name, unsigned ticket);

/** How long until `name` may be tried again; 0: it may be asked. Changes nothing. */
int64_t breakers_wait_ms(struct breakers *breakers, const char *name);

#endif
