/* The headers of a message, as they stand on the wire. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "amqp/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG};
	amqp_bytes_t encoded = {size, (void *)(uintptr_t)data};
	struct envelope envelope;
	size_t offset = 0;
	amqp_pool_t pool;

	init_amqp_pool(&pool, 4096);
	if (amqp_decode_table(encoded, &pool, &properties.headers, &offset) == AMQP_STATUS_OK) {
		properties_to_envelope(&envelope, &properties);
		assert(envelope.attempt >= 0);
		assert(strnlen(envelope.callback_url, sizeof(envelope.callback_url)) < sizeof(envelope.callback_url));
		assert(strnlen(envelope.death_reason, sizeof(envelope.death_reason)) < sizeof(envelope.death_reason));
	}
	empty_amqp_pool(&pool);
	return 0;
}
