/* A configuration file of any bytes: the YAML reader, the option table and the checks of every value. */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/effective.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Secrets from files would read the fuzzer's own machine. */
static bool names_a_file(const struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].is_path)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = {0};
	struct config *config = NULL;
	struct error err = {0};
	int r = settings_add_yaml(&settings, "fuzz", data, size, &err);

	if (r == 0 && !names_a_file(&settings))
		r = config_merge(&config, &settings, &err);
	assert((r < 0) == error_is_set(&err));
	if (config) {
		FILE *nowhere = fopen("/dev/null", "w");
		assert(nowhere);
		config_print(config, nowhere);
		fclose(nowhere);
	}
	config_free(config);
	settings_finish(&settings);
	return 0;
}
