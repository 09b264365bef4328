#ifndef OBS_RELOAD_H
#define OBS_RELOAD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "config/config.h"
#include "obs/metrics.h"

/**
 * Keeps the settings of a running program up with what is said of them: reads them again after SIGHUP, and when the
 * file has changed and then stayed as it is for a second. A fault changes nothing; it is logged and counted
 * (facefleet_config_reloads_total). Each change is logged, also one that needs a restart and so is left. One thread,
 * the program's main one, calls all that does not say otherwise.
 */
struct reload;

/**
 * `config` is what was loaded from `sources`; both outlive the reload. hangup_install() comes before. NULL when memory
 * is out.
 */
struct reload *reload_new(const struct config *config, const struct config_sources *sources,
			  struct metrics *metrics) must_check;

/**
 * What the fleet shares, for this program, from now on: copied, and taken over by the next reload_poll(). Any thread.
 * 0 or -ENOMEM.
 */
int reload_set_central(struct reload *reload, const struct config_central *settings, unsigned count) must_check;

/**
 * Goes on where the program of before was, which left `config`: with what the fleet shared then, and with a file of
 * which nobody knows whether it has changed since. Before the first reload_poll(). 0 or -ENOMEM.
 */
int reload_continue(struct reload *reload, const struct config_central *shared, unsigned count) must_check;

/** Leaves what holds now for the program that is executed next (config/handover.h). 0 or a negative errno. */
int reload_hand_over(const struct reload *reload) must_check;

/**
 * Whether the program can work with what was read, before anything of it is taken over: 0, or a negative errno with
 * `err`, and then all stays as it is. `asked`: by SIGHUP, so that what the settings point to counts as well.
 */
typedef int reload_check_fn(void *arg, const struct config *next, bool asked, struct error *err);

/** From now on, as long as the reload lives. */
void reload_set_check(struct reload *reload, reload_check_fn *check, void *arg);

/** Gives what reload_poll() returned last to the caller, who keeps it as long as the reload lives. NULL: nothing is. */
struct config *reload_release(struct reload *reload) must_check;

/** NULL is fine. */
void reload_free(struct reload *reload);

/**
 * Looks whether there is reason to read the settings again; call it a few times a second. Returns what holds now if
 * that is something new, NULL otherwise. By then the log level and the scenes are in force: the caller does the same
 * with what else is its own. The result lives until the next one is returned, and borrowed strings of it as long.
 * Blocking, on files.
 */
const struct config *reload_poll(struct reload *reload);

#endif
