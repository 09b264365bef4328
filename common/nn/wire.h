#ifndef NN_WIRE_H
#define NN_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** Messages inside messages; a network of plain nodes needs 7. */
#define NN_WIRE_MAX_DEPTH 12

/** A file's parts may take this much memory, plus four times the size of the file. */
#define NN_WIRE_BASE_MEMORY ((size_t)32 << 20)

/**
 * Walks an ONNX file in protobuf's wire format before protobuf-c unpacks it, which recurses as
 * deep and allocates as much as the file asks for. ERROR_MODEL for anything that is cut short,
 * nests deeper than NN_WIRE_MAX_DEPTH, would unpack to more memory than the limit, or uses a wire
 * type that does not exist. The bytes may be any.
 */
int nn_wire_check(const uint8_t *bytes, size_t size, struct error *err) must_check;

#endif
