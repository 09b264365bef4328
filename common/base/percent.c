#include "base/percent.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int percent_decode(const char *text, size_t length, const char *what, char *out, size_t size, struct error *err)
{
	const char *end = text + length;
	size_t written = 0;

	while (text < end) {
		int c = (unsigned char)*text++;

		if (c == '%') {
			int high = end - text >= 2 ? hex_digit(text[0]) : -1;
			int low = high >= 0 ? hex_digit(text[1]) : -1;

			if (low < 0)
				return error_set(err, ERROR_CONFIG, "%s has a %% without two hex digits", what);
			c = high << 4 | low;
			text += 2;
		}
		if (c < 0x20 || c == 0x7F)
			return error_set(err, ERROR_CONFIG, "%s has a control character", what);
		if (written + 1 >= size)
			return error_set(err, ERROR_CONFIG, "%s is longer than %zu bytes", what, size - 1);
		out[written++] = (char)c;
	}
	out[written] = '\0';
	return 0;
}
