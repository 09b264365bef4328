#ifndef MODELS_PAIRS_H
#define MODELS_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/** Two photographs and whether they show one person. */
struct labelled_pair {
	size_t image_a; /**< for pairs_image() */
	size_t image_b;
	bool same;
};

/** A list of labelled pairs. Zero-initialise; pairs_finish() frees it. */
struct pairs {
	struct labelled_pair *items;
	size_t count;
	size_t capacity;
	struct buffer text; /**< the names of the images, each with a zero behind it */
};

/**
 * Reads CSV text with the columns id, image_a, image_b, label; the label is 1 or 0, true or false, same or different;
 * further columns and a header line (with image_a in it) are passed over. `invalid_job` with the line of the first row
 * that is wrong. At most a million pairs. `name` stands in errors.
 */
int pairs_parse(struct pairs *pairs, const char *name, const uint8_t *text, size_t size, struct error *err) must_check;

/** Reads a file of at most 64 MiB. Blocking. */
int pairs_read(struct pairs *pairs, const char *path, struct error *err) must_check;

/** The name of an image as the file has it; a relative path counts from the file's folder. */
const char *pairs_image(const struct pairs *pairs, size_t image);

void pairs_finish(struct pairs *pairs);

#endif
