#ifndef CLI_EXPORT_LINE_H
#define CLI_EXPORT_LINE_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/collections.h"

/*
 * Enrolled people as JSON lines. The first is a header, {"facefleet_export": 1}; then one for each image: collection,
 * user_id, image_id, accepted_ms, crop (JPEG in base64, or null), and embeddings, a list of model_id, dimension and
 * vector (little-endian float32 in base64).
 */

#define EXPORT_VERSION 1

/** Longest line. An image with hundreds of models is split over several, each with its crop. */
#define EXPORT_LINE_MAX (4u << 20)

/** Writes lines to a stream, which stays the caller's. Zero-initialise, with `out`. */
struct export_writer {
	FILE *out;
	uint64_t images;
	json_t *line; /**< the image that may get more embeddings */
	size_t line_size;
};

/** These return 0 or a negative errno: -errno of writing, or -ENOMEM. */
int export_writer_begin(struct export_writer *writer) must_check;
int export_writer_add(struct export_writer *writer, const struct collection_image *image) must_check;
int export_writer_end(struct export_writer *writer) must_check; /**< flushes */
void export_writer_finish(struct export_writer *writer);

/** One line that was read. Zero-initialise; may be read into again and again. */
struct export_line {
	json_t *object;
	struct collection_image image; /**< without an embedding */
	size_t embedding_count;
	uint8_t crop[PEOPLE_MAX_CROP_BYTES];
	float vector[PEOPLE_MAX_DIMENSION];
};

/** Checks that a line is the header of an export that this program reads; else `config`. */
int export_line_check_header(const char *text, size_t length, struct error *err) must_check;

/**
 * Reads an image, and checks the form of all its embeddings; `invalid_job` says what is wrong. What the values may be
 * is for collections_import() to say.
 */
int export_line_read(struct export_line *line, const char *text, size_t length, struct error *err) must_check;

/** The image with one of its embeddings, which is good until the next call. */
struct collection_image export_line_embedding(struct export_line *line, size_t index);

void export_line_finish(struct export_line *line);

#endif
