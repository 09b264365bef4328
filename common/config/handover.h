#ifndef CONFIG_HANDOVER_H
#define CONFIG_HANDOVER_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/*
 * The settings of a program that executes itself anew: it begins with those that the program of before worked with and
 * had checked, whatever is said elsewhere by then. They travel as a file in memory, secrets included, which nobody else
 * can open; an environment variable says which descriptor it is.
 */

/** What was left. Zero-initialise; handover_finish() in any case. */
struct handover {
	struct config *config;         /**< NULL: nothing was left. Becomes the caller's, who sets NULL to keep it */
	struct config_central *shared; /**< what the fleet shared then; strings borrow from `bytes` */
	unsigned shared_count;
	struct buffer bytes;
	struct config_central *settings; /* all of them */
};

/**
 * Leaves settings for the program that this process executes next, in place of any that were left before. No other
 * thread may run, for it changes the environment. 0 or a negative errno.
 */
int handover_leave(const struct config *config, const struct config_central *shared, unsigned count) must_check;

/** Takes what was left, once: 0, also if nothing was; or a negative errno with `err` (config). Before any thread
 * starts. */
int handover_take(struct handover *out, struct error *err) must_check;

void handover_finish(struct handover *handover);

#endif
