#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/** How one setting differs between what holds and what is said now. The strings are borrowed. */
struct config_change {
	const char *key;      /**< "log.level", "scenes.kiosk.lane"; "scenes.kiosk" where a scene is gone */
	const char *before;   /**< NULL: it was not there, or is a secret */
	const char *after;    /**< NULL: it is gone, or is a secret */
	const char *source;   /**< where the new value was said */
	bool needs_a_restart; /**< the old value still holds */
};

/** Hears of each change. */
typedef void config_change_fn(void *arg, const struct config_change *change);

/**
 * Reads all sources again. *out is what then holds: the new values of what is reloadable and, of the rest, those of
 * `now`. Each difference is told to `note`, once everything has passed its checks. A fault in any source refuses
 * everything; errors as config_load(). Blocking, on files.
 */
int config_reload(struct config **out, const struct config *now, const struct config_sources *sources,
		  config_change_fn *note, void *arg, struct error *err) must_check;

#endif
