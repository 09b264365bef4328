#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/** How one setting differs between what holds and what is said now. The strings are borrowed. */
struct config_change {
	const char *key;           /**< "log.level", "scenes.kiosk.lane"; "scenes.kiosk" where a scene is gone */
	const char *before;        /**< NULL: it was not there, or is a secret */
	const char *after;         /**< NULL: it is gone, or is a secret */
	const char *source;        /**< where the new value was said */
	enum option_change change; /**< OPTION_RESTARTS: the old value still holds */
};

/** Hears of each change. */
typedef void config_change_fn(void *arg, const struct config_change *change);

/* A reload is config_load(), config_compare() with what holds, config_keep(). */

/** Tells `note` all that differs in `after`. */
void config_compare(const struct config *before, const struct config *after, config_change_fn *note, void *arg);

/** Puts the values of `now` in `next` wherever a change needs a restart. 0 or -ENOMEM with `err`. */
int config_keep(struct config *next, const struct config *now, struct error *err) must_check;

#endif
