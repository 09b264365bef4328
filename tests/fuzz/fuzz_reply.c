/*
 * Reply bodies: the first byte picks the encoding. What decodes must encode, and decode to a reply
 * that encodes to the same bytes.
 */

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "job/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode_twice(const struct reply *reply, enum encoding encoding)
{
	struct buffer first = {0};
	struct buffer second = {0};
	struct reply again;
	struct error err;

	assert(reply_encode(reply, encoding, &first) == 0);
	assert(reply_decode(&again, encoding, first.data, first.size, &err) == 0);
	assert(reply_encode(&again, encoding, &second) == 0);
	assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	reply_finish(&again);
	buffer_finish(&first);
	buffer_finish(&second);
}

static void encode_within(const struct reply *reply, size_t max)
{
	struct buffer body = {0};
	int r = reply_encode_json_within(reply, max, &body);

	assert(r == 0 ? body.size <= max : r == -EMSGSIZE && body.size == 0);
	buffer_finish(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply;
	struct error err = {0};

	if (size == 0)
		return 0;
	if (reply_decode(&reply, data[0] % 2 ? ENCODING_MSGPACK : ENCODING_JSON, data + 1, size - 1, &err) < 0) {
		assert(err.code == ERROR_INVALID_JOB && err.text[0] != '\0');
		return 0;
	}
	encode_twice(&reply, ENCODING_JSON);
	encode_twice(&reply, ENCODING_MSGPACK);
	encode_within(&reply, 8 * (size_t)data[0]);
	reply_finish(&reply);
	return 0;
}
