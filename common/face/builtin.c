#include "face/builtin.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/executable.h"

/* From the program's folder: installed (bin/), and built (build/worker/match/). */
static const char *const places[] = {"../share/facefleet/models/default", "../../../deploy/models/default"};

int builtin_model_folder(const char *configured, const char *kind, char out[BUILTIN_PATH_SIZE], struct error *err)
{
	char program[BUILTIN_PATH_SIZE / 2];

	if (configured[0]) {
		if (snprintf(out, BUILTIN_PATH_SIZE, "%s", configured) < BUILTIN_PATH_SIZE)
			return 0;
		return error_set(err, ERROR_MODEL, "model.%s: the path is longer than %d bytes", kind,
				 BUILTIN_PATH_SIZE);
	}
	int r = executable_folder(program, sizeof(program));
	if (r < 0)
		return error_set(err, ERROR_MODEL, "model.%s: not set, and where the program is cannot be found: %s",
				 kind, strerror(-r));
	for (size_t i = 0; i < array_size(places); i++) {
		int needed = snprintf(out, BUILTIN_PATH_SIZE, "%s/%s/%s", program, places[i], kind);
		if (needed < BUILTIN_PATH_SIZE && access(out, R_OK | X_OK) == 0)
			return 0;
	}
	return error_set(err, ERROR_MODEL,
			 "model.%s: not set, and the default set is neither in %s nor in %s (from %.80s)", kind,
			 places[0], places[1], program);
}
