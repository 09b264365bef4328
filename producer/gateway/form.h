#ifndef GATEWAY_FORM_H
#define GATEWAY_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* A body of multipart/form-data (RFC 7578), taken apart where it lies. */

#define FORM_MAX_PARTS 32
#define FORM_MAX_NAME_BYTES 63
#define FORM_BOUNDARY_SIZE 71 /**< RFC 2046: at most 70 characters, and the end */

struct form_part {
	char name[FORM_MAX_NAME_BYTES + 1];
	bool is_file;        /**< it has a file name, or a type other than text/plain */
	const uint8_t *data; /**< into the body */
	size_t size;
};

struct form {
	unsigned count;
	struct form_part parts[FORM_MAX_PARTS];
};

/** True if the header says multipart/form-data; `boundary` is "" when it has none that is allowed. */
bool form_is_wanted(const char *content_type, char boundary[FORM_BOUNDARY_SIZE]) must_check;

/**
 * Takes a whole body apart. -EBADMSG and `err` (invalid_job) if it is none: the text names the part and what is wrong.
 * Linear in `size`, allocates nothing.
 */
int form_parse(struct form *form, const char *boundary, const uint8_t *body, size_t size, struct error *err) must_check;

#endif
