#ifndef FACE_MODEL_YAML_H
#define FACE_MODEL_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/modelset.h"

/** Which network file a model.yaml speaks of. */
struct model_file {
	char name[128];  /**< plain name in the same folder */
	char sha256[65]; /**< lower-case hex */
};

/**
 * Reads the text of a detector's model.yaml. Every key is required (but an embedder's
 * `precision`, float32 if missing); unknown and repeated ones are
 * errors. ERROR_MODEL: "path:line:column: key: why".
 */
int model_yaml_read_detector(const char *path, const uint8_t *text, size_t size, struct detector_spec *spec,
			     struct model_file *file, struct error *err) must_check;

/** The same for an embedder's. */
int model_yaml_read_embedder(const char *path, const uint8_t *text, size_t size, struct embedder_spec *spec,
			     struct model_file *file, struct error *err) must_check;

#endif
