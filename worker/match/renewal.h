#ifndef MATCH_RENEWAL_H
#define MATCH_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "face/modelset.h"

#define RENEWAL_WHAT_SIZE 512

/**
 * Whether and when a worker renews itself: ends its jobs in hand and executes itself anew, because a setting of the
 * class OPTION_RENEWS or its model set is another one than it began with. One thread, the main one.
 */
struct renewal {
	const struct config *began;
	const struct modelset *models;
	char replaced[RENEWAL_WHAT_SIZE]; /* by what the models in use were replaced on disk; "": they were not */
	int64_t due_ms;                   /* monotonic; 0: nothing to renew for */
	char what[RENEWAL_WHAT_SIZE];     /**< for people: what changed, from what to what */
};

/** What the worker began with; both outlive it. */
void renewal_init(struct renewal *renewal, const struct config *began, const struct modelset *models);

/**
 * A reload_check_fn: refuses settings whose models cannot be loaded, which takes a good part of a second. If the worker
 * has to renew itself for them, that is due after a time drawn from 0 to worker.renew_within_ms; if it has not any
 * longer, it is not. `asked`: looks also whether the models in use were replaced where they lie.
 */
int renewal_check(void *renewal, const struct config *next, bool asked, struct error *err) must_check;

/** Whether it is time. */
bool renewal_is_due(const struct renewal *renewal);

/**
 * The last look where there is still a way back: loads the models that `now`, the settings in force, name. They may
 * have been replaced since they were looked at, or not looked at for what was changed. 0; or the errno of `err`, and
 * then it is due again a few seconds later.
 */
int renewal_prepare(struct renewal *renewal, const struct config *now, struct error *err) must_check;

#endif
