#ifndef STORE_CENTRAL_SET_H
#define STORE_CENTRAL_SET_H

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "store/central.h"

/** All settings that the fleet shares, in memory. Large; zero-initialise. */
struct central_set {
	unsigned count;
	struct central_setting items[CENTRAL_MAX]; /**< with strings of their own */
};

/** Reads them all. */
int central_set_read(struct central_set *set, struct store *store, struct error *err) must_check;

/** Sets one, or removes it (value NULL). `config` when there would be too many. */
int central_set_put(struct central_set *set, const struct central_setting *setting, struct error *err) must_check;

/** Those that count for a program ("": only those for all), as config_load() wants them; strings are borrowed. */
unsigned central_set_pick(const struct central_set *set, const char *program, struct config_central out[CENTRAL_MAX]);

void central_set_finish(struct central_set *set);

#endif
