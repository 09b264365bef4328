#include "base/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_size(size_t size)
{
	return (size + 2) / 3 * 4;
}

size_t base64_decoded_bound(size_t length)
{
	return length / 4 * 3;
}

void base64_encode(const uint8_t *bytes, size_t size, char *out)
{
	size_t i;

	for (i = 0; i + 2 < size; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = alphabet[v >> 6 & 63];
		*out++ = alphabet[v & 63];
	}
	if (i < size) {
		uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0);
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = i + 1 < size ? alphabet[v >> 6 & 63] : '=';
		*out++ = '=';
	}
	*out = '\0';
}

/* The value of each character plus one, so that everything not named is 0. */
#define V(c, v) [c] = (v) + 1
static const uint8_t values[256] = {
    V('A', 0),  V('B', 1),  V('C', 2),  V('D', 3),  V('E', 4),  V('F', 5),  V('G', 6),  V('H', 7),
    V('I', 8),  V('J', 9),  V('K', 10), V('L', 11), V('M', 12), V('N', 13), V('O', 14), V('P', 15),
    V('Q', 16), V('R', 17), V('S', 18), V('T', 19), V('U', 20), V('V', 21), V('W', 22), V('X', 23),
    V('Y', 24), V('Z', 25), V('a', 26), V('b', 27), V('c', 28), V('d', 29), V('e', 30), V('f', 31),
    V('g', 32), V('h', 33), V('i', 34), V('j', 35), V('k', 36), V('l', 37), V('m', 38), V('n', 39),
    V('o', 40), V('p', 41), V('q', 42), V('r', 43), V('s', 44), V('t', 45), V('u', 46), V('v', 47),
    V('w', 48), V('x', 49), V('y', 50), V('z', 51), V('0', 52), V('1', 53), V('2', 54), V('3', 55),
    V('4', 56), V('5', 57), V('6', 58), V('7', 59), V('8', 60), V('9', 61), V('+', 62), V('/', 63),
};
#undef V

static int64_t bad(size_t *where, size_t index)
{
	if (where)
		*where = index;
	return -EINVAL;
}

/* The last four characters, which may end in one or two '='. */
static int64_t decode_tail(const char *text, size_t at, uint8_t *out, size_t *where)
{
	int padding = text[at + 3] != '=' ? 0 : text[at + 2] != '=' ? 1 : 2;
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned value = values[(unsigned char)text[at + i]];
		if (i >= 4 - padding)
			value = 1;
		else if (value == 0)
			return bad(where, at + (size_t)i);
		v = v << 6 | (value - 1);
	}
	if ((padding == 1 && (v & 0xFF) != 0) || (padding == 2 && (v & 0xFFFF) != 0))
		return bad(where, at + 3 - (size_t)padding);
	out[0] = (uint8_t)(v >> 16);
	if (padding < 2)
		out[1] = (uint8_t)(v >> 8);
	if (padding < 1)
		out[2] = (uint8_t)v;
	return 3 - padding;
}

int64_t base64_decode(const char *text, size_t length, uint8_t *out, size_t *where)
{
	uint8_t *start = out;

	if (length % 4 != 0)
		return bad(where, length);
	if (length == 0)
		return 0;
	for (size_t i = 0; i + 4 < length; i += 4, out += 3) {
		const uint8_t *t = (const uint8_t *)text + i;
		unsigned a = values[t[0]];
		unsigned b = values[t[1]];
		unsigned c = values[t[2]];
		unsigned d = values[t[3]];
		if (!a || !b || !c || !d)
			return bad(where, i + (!a ? 0 : !b ? 1 : !c ? 2 : 3));
		uint32_t v = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
	}
	int64_t tail = decode_tail(text, length - 4, out, where);
	return tail < 0 ? tail : out - start + tail;
}
