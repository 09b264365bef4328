#ifndef HTTP_SCHEDULE_H
#define HTTP_SCHEDULE_H

#include <stdbool.h>

#include "base/compiler.h"

/*
 * Which waiting request may start next: never more than a number in all and a number for each
 * origin, and the origins that wait take turns, so that a slow one cannot hold up the others.
 * For one thread.
 */

struct schedule;
struct schedule_origin;

/** Stands in the request that is scheduled. Zero-initialise it. */
struct schedule_entry {
	struct schedule_origin *origin; /**< NULL while it is not in the schedule */
	struct schedule_entry *previous;
	struct schedule_entry *next;
	bool running;
};

/** `per_origin` 0 means no limit beside `total`. NULL when memory is out. */
struct schedule *schedule_new(unsigned total, unsigned per_origin) must_check;

/** Every entry must have left. NULL is fine. */
void schedule_free(struct schedule *s);

/** Lets `entry` wait for its turn. `origin` is copied. Returns 0 or -ENOMEM. */
int schedule_add(struct schedule *s, struct schedule_entry *entry, const char *origin) must_check;

/** Moves the entry whose turn it is from waiting to running; NULL if none may start. */
struct schedule_entry *schedule_next(struct schedule *s) must_check;

/** Takes an entry out, waiting or running. One that is not in the schedule is left alone. */
void schedule_remove(struct schedule *s, struct schedule_entry *entry);

#endif
