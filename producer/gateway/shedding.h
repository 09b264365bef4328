#ifndef GATEWAY_SHEDDING_H
#define GATEWAY_SHEDDING_H

#include "base/compiler.h"

/*
 * Decides which new jobs are taken while more come than can be done in time. The part that is taken is halved each
 * second in which a job would wait longer than it may, and grows slowly again once it would wait for less than half of
 * that; so some are always taken, which shows when things are better. What is taken is shared out fairly: everybody
 * gets all they ask for up to one level, the same for all (max-min fairness). Those who ask for much more than the
 * others are thus turned away first. Knows neither clock nor broker. One thread at a time.
 */

/** Names that are told apart; what comes beyond shares one place. */
#define SHEDDING_MOST 256
/** The longest name; what is longer is cut. */
#define SHEDDING_NAME_SIZE 64

/** The least part that is taken. */
#define SHEDDING_LEAST (1.0 / 32)

struct shedding;

/** NULL when memory is out. */
struct shedding *shedding_new(void) must_check;
/** NULL is fine. */
void shedding_free(struct shedding *shedding);

/** A second has passed: a job taken now would wait for `wait_ms`, and may for `limit_ms`. */
void shedding_turn(struct shedding *shedding, double wait_ms, double limit_ms);

enum shedding_verdict {
	SHEDDING_TAKE,
	SHEDDING_TOO_MANY,  /**< there are too many jobs */
	SHEDDING_OVER_SHARE /**< and the one who asks sends much more than others */
};

/** `name` asks for a job to be taken. */
enum shedding_verdict shedding_ask(struct shedding *shedding, const char *name) must_check;

/** The part of jobs that is taken, up to 1. */
double shedding_part(const struct shedding *shedding);

#endif
