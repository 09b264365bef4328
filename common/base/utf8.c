#include "base/utf8.h"

size_t utf8_decode(const char *text, size_t size, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	uint32_t value;
	size_t length;

	if (size == 0)
		return 0;
	if (s[0] < 0x80) {
		if (code)
			*code = s[0];
		return 1;
	}
	if (s[0] >= 0xF0 && s[0] < 0xF8) {
		length = 4;
		value = s[0] & 0x07;
	} else if (s[0] >= 0xE0 && s[0] < 0xF0) {
		length = 3;
		value = s[0] & 0x0F;
	} else if (s[0] >= 0xC0 && s[0] < 0xE0) {
		length = 2;
		value = s[0] & 0x1F;
	} else {
		return 0;
	}
	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3F);
	}
	if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
		return 0;
	if (code)
		*code = value;
	return length;
}

bool utf8_is_valid(const char *text, size_t size)
{
	while (size > 0) {
		size_t length = utf8_decode(text, size, NULL);
		if (length == 0)
			return false;
		text += length;
		size -= length;
	}
	return true;
}
