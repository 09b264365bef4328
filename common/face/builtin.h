#ifndef FACE_BUILTIN_H
#define FACE_BUILTIN_H

#include "base/compiler.h"
#include "base/error.h"

#define BUILTIN_PATH_SIZE 4096

/**
 * Where a model folder is: `configured` if it is not empty, otherwise the folder `kind` ("detector",
 * "embedder") of the default set, which lies beside the running program: in
 * ../share/facefleet/models/default when installed, in deploy/models/default of the checkout that
 * a build folder stands in. ERROR_MODEL names both places when it is in neither.
 */
int builtin_model_folder(const char *configured, const char *kind, char out[BUILTIN_PATH_SIZE],
			 struct error *err) must_check;

#endif
