#ifndef MODELS_DOCUMENT_H
#define MODELS_DOCUMENT_H

#include <jansson.h>

/**
 * Prints a JSON document and a line feed on standard output, and gives it up. On a terminal all but ASCII is spelled
 * out: sets come from elsewhere, and their texts must not steer it.
 */
void document_print(json_t *document);

#endif
