#include "job/utf8.h"

#include <stdint.h>

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

size_t utf8_character(const char *text, size_t length)
{
	const uint8_t *t = (const uint8_t *)text;

	if (length == 0)
		return 0;
	if (t[0] < 0x80)
		return 1;
	if (t[0] >= 0xC2 && t[0] <= 0xDF)
		return length >= 2 && is_continuation(t[1]) ? 2 : 0;
	if (length < 3 || !is_continuation(t[1]) || !is_continuation(t[2]))
		return 0;
	if (t[0] >= 0xE0 && t[0] <= 0xEF) {
		bool overlong = t[0] == 0xE0 && t[1] < 0xA0;
		bool surrogate = t[0] == 0xED && t[1] >= 0xA0;
		return overlong || surrogate ? 0 : 3;
	}
	if (t[0] < 0xF0 || t[0] > 0xF4 || length < 4 || !is_continuation(t[3]))
		return 0;
	bool overlong = t[0] == 0xF0 && t[1] < 0x90;
	bool beyond = t[0] == 0xF4 && t[1] >= 0x90;
	return overlong || beyond ? 0 : 4;
}

bool utf8_is_valid(const char *text, size_t length)
{
	while (length > 0) {
		size_t size = utf8_character(text, length);
		if (size == 0)
			return false;
		text += size;
		length -= size;
	}
	return true;
}
