#include "cli/output/escape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Characters that act on the terminal or on the order of what is shown instead of being shown. */
static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Spells one harmful character or stray byte; returns the length. */
static size_t spell(uint32_t code, bool stray, char out[8])
{
	if (code == '\n' || code == '\t' || code == '\r')
		return (size_t)sprintf(out, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
	return (size_t)sprintf(out, stray || code < 0x80 ? "\\x%02x" : "\\u%04x", code);
}

const char *escape_text(const char *text, char *out, size_t size)
{
	size_t left = strlen(text);
	size_t used = 0;

	assert(size > 0);
	while (left > 0) {
		char spelled[8];
		const char *piece = text;
		uint32_t code = 0;
		size_t length = utf8_decode(text, left, &code);
		size_t piece_length = length;

		if (length == 0 || is_harmful(code)) {
			piece_length = spell(length ? code : (unsigned char)*text, length == 0, spelled);
			piece = spelled;
		}
		if (used + piece_length >= size)
			break;
		memcpy(out + used, piece, piece_length);
		used += piece_length;
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	out[used] = '\0';
	return out;
}
