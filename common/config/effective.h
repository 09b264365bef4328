#ifndef CONFIG_EFFECTIVE_H
#define CONFIG_EFFECTIVE_H

#include "config/config.h"
#include "config/settings.h"
#include "config/value.h"

/* What struct config is made of. Inside of common/config. */
struct config {
	struct {
		char *text; /* as it was given, or as the file of a secret holds it */
		char *source;
		struct value value;
	} options[OPTION_COUNT];
};

/**
 * Checks every setting and lets the last one for each option win; reads the files of secrets and
 * nothing else from outside. `settings` stays the caller's. Errors as config_load().
 */
int config_merge(struct config **out, const struct settings *settings, struct error *err) must_check;

#endif
