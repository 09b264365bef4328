#ifndef MODELS_RECIPE_H
#define MODELS_RECIPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/model_yaml.h"

#define RECIPE_MAX_NETWORK_BYTES (512 << 20)

/** One half of a model set: where its network is, and the model.yaml that goes with it. */
struct recipe_part {
	char url[1024]; /**< https, or http on loopback */
	int size;       /**< bytes of the network */
	char yaml[8192];
	struct model_file file; /**< as the yaml says: the network's plain name and its SHA-256 */
	char model[64];         /**< its name */
	char licence[64];
};

/** What `fetch` needs to know about a model set. */
struct recipe {
	char name[64]; /**< of its folder: letters, digits, dots and dashes */
	char about[256];
	struct recipe_part detector;
	struct recipe_part embedder;
};

/** Reads a recipe; every key is required, others are refused. ERROR_MODEL: "path:line:column: key: why". */
int recipe_parse(struct recipe *recipe, const char *path, const uint8_t *text, size_t size,
		 struct error *err) must_check;

/** Reads a recipe's file. Blocking. */
int recipe_read(struct recipe *recipe, const char *path, struct error *err) must_check;

#endif
