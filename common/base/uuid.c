#include "base/uuid.h"

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/random.h"

void uuid_v7(char out[UUID_SIZE])
{
	uint64_t ms = (uint64_t)clock_unix_ms();
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(ms >> (8 * (5 - i)));
	b[6] = (uint8_t)(0x70 | (b[6] & 0x0F));
	b[8] = (uint8_t)(0x80 | (b[8] & 0x3F));
	snprintf(out, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

bool uuid_is_valid(const char *text)
{
	for (int i = 0; i < UUID_SIZE - 1; i++) {
		char c = text[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		if (dash ? c != '-' : !hex)
			return false;
	}
	return text[UUID_SIZE - 1] == '\0';
}
