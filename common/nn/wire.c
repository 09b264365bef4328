#include "nn/wire.h"

#include <stdbool.h>

#include "onnx.pb-c.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* What protobuf-c keeps for each field while it unpacks (scanned member, list slot, malloc header). */
#define FIELD_MEMORY 64

struct walk {
	const uint8_t *begin;
	size_t memory;
	size_t limit;
	struct error *err;
};

/* A part of the file: one message, from `at` up to `end`. */
struct span {
	const uint8_t *at;
	const uint8_t *end;
};

static int damaged(const struct walk *walk, const struct span *span, const char *why)
{
	return error_set(walk->err, ERROR_MODEL, "not an ONNX file: %s at byte %zu", why,
			 (size_t)(span->at - walk->begin));
}

static bool read_varint(struct span *span, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70 && span->at < span->end; shift += 7) {
		uint8_t byte = *span->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*out = value;
			return true;
		}
	}
	return false;
}

static bool spend(struct walk *walk, size_t bytes)
{
	if (bytes > walk->limit - walk->memory)
		return false;
	walk->memory += bytes;
	return true;
}

static bool is_number(ProtobufCType type)
{
	return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES && type != PROTOBUF_C_TYPE_MESSAGE;
}

/* Reads one field's value; for a length-delimited one `body` is its content, else it is empty. */
static bool read_value(struct span *span, unsigned type, struct span *body)
{
	uint64_t length = 0;

	*body = (struct span){span->at, span->at};
	switch (type) {
	case WIRE_VARINT:
		return read_varint(span, &length);
	case WIRE_FIXED64:
		length = 8;
		break;
	case WIRE_FIXED32:
		length = 4;
		break;
	case WIRE_BYTES:
		if (!read_varint(span, &length))
			return false;
		break;
	default:
		return false;
	}
	if (length > (uint64_t)(span->end - span->at))
		return false;
	if (type == WIRE_BYTES)
		*body = (struct span){span->at, span->at + length};
	span->at += length;
	return true;
}

static size_t memory_of(const ProtobufCFieldDescriptor *field, const struct span *body)
{
	size_t length = (size_t)(body->end - body->at);

	if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
		const ProtobufCMessageDescriptor *message = field->descriptor;
		return FIELD_MEMORY + message->sizeof_message;
	}
	/* A packed list of one-byte numbers becomes eight bytes each. */
	if (field && is_number(field->type) && field->type != PROTOBUF_C_TYPE_FLOAT)
		length *= sizeof(uint64_t);
	return FIELD_MEMORY + length;
}

/* A part that may stand once, twice: protobuf-c would merge the two, in quadratic time for many. */
static bool is_repeated_wrongly(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field,
				uint64_t *seen)
{
	uint64_t bit;

	if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED)
		return false;
	bit = (uint64_t)1 << ((field - message->fields) % 64);
	if (*seen & bit)
		return true;
	*seen |= bit;
	return false;
}

static int walk_message(struct walk *walk, struct span span, const ProtobufCMessageDescriptor *message, int depth)
{
	uint64_t seen = 0;

	if (depth > NN_WIRE_MAX_DEPTH)
		return damaged(walk, &span, "messages nest too deep");
	while (span.at < span.end) {
		struct span body;
		uint64_t key;

		if (!read_varint(&span, &key) || key >> 3 == 0 || key > UINT32_MAX)
			return damaged(walk, &span, "damaged field key");
		const ProtobufCFieldDescriptor *field =
		    protobuf_c_message_descriptor_get_field(message, (unsigned)(key >> 3));
		if (is_repeated_wrongly(message, field, &seen))
			return damaged(walk, &span, "field stands twice");
		if (!read_value(&span, key & 7, &body))
			return damaged(walk, &span, "field is cut short or damaged");
		if (!spend(walk, memory_of(field, &body)))
			return damaged(walk, &span, "too many parts");
		if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && (key & 7) == WIRE_BYTES) {
			int r = walk_message(walk, body, field->descriptor, depth + 1);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int nn_wire_check(const uint8_t *bytes, size_t size, struct error *err)
{
	struct walk walk = {.begin = bytes, .limit = NN_WIRE_BASE_MEMORY + 4 * size, .err = err};
	struct span all = {bytes, bytes + size};

	return walk_message(&walk, all, &onnx__model_proto__descriptor, 1);
}
