#include "job/bounds.h"

#include <stdbool.h>
#include <string.h>

static int refuse_depth(struct error *err, size_t at)
{
	return error_set(err, ERROR_INVALID_JOB, "body: nested deeper than %d at byte %zu", BOUNDS_MAX_DEPTH, at);
}

static int refuse_values(struct error *err, size_t at)
{
	return error_set(err, ERROR_INVALID_JOB, "body: more than %d values at byte %zu", BOUNDS_MAX_VALUES, at);
}

static int refuse_fields(struct error *err, size_t at)
{
	return error_set(err, ERROR_INVALID_JOB, "body: a map of more than %d fields at byte %zu", BOUNDS_MAX_FIELDS,
			 at);
}

/* The index of the quote that ends the string whose content starts at `at`, or `size`. */
static size_t json_string_end(const uint8_t *body, size_t at, size_t size)
{
	size_t start = at;

	while (at < size) {
		const uint8_t *quote = memchr(body + at, '"', size - at);
		if (!quote)
			break;
		size_t end = (size_t)(quote - body);
		size_t slashes = 0;
		while (end - slashes > start && body[end - slashes - 1] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return end;
		at = start = end + 1;
	}
	return size;
}

int bounds_check_json(const uint8_t *body, size_t size, struct error *err)
{
	struct {
		bool is_map;
		size_t commas;
	} level[BOUNDS_MAX_DEPTH + 1] = {0};
	size_t depth = 0;
	size_t values = 1;

	for (size_t i = 0; i < size; i++) {
		switch (body[i]) {
		case '"':
			i = json_string_end(body, i + 1, size);
			break;
		case '{':
		case '[':
			if (depth == BOUNDS_MAX_DEPTH)
				return refuse_depth(err, i);
			depth++;
			level[depth].is_map = body[i] == '{';
			level[depth].commas = 0;
			values++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return 0;
			depth--;
			break;
		case ',':
			values++;
			level[depth].commas++;
			if (level[depth].is_map && level[depth].commas >= BOUNDS_MAX_FIELDS)
				return refuse_fields(err, i);
			break;
		default:
			break;
		}
		if (values > BOUNDS_MAX_VALUES)
			return refuse_values(err, i);
	}
	return 0;
}

/* One MessagePack value's head, as its bytes declare it. */
struct head {
	enum { HEAD_SCALAR, HEAD_STRING, HEAD_ARRAY, HEAD_MAP, HEAD_INVALID } kind;
	size_t width;    /* bytes of a size that follows the first byte, big-endian */
	uint64_t length; /* bytes or elements, when it stands in the first byte or is fixed */
	size_t extra;    /* bytes besides `length`: the type of an extension */
};

static struct head head_of(uint8_t byte)
{
	if (byte <= 0x7F || byte >= 0xE0)
		return (struct head){HEAD_SCALAR, 0, 0, 0};
	if (byte <= 0x8F)
		return (struct head){HEAD_MAP, 0, byte & 0x0F, 0};
	if (byte <= 0x9F)
		return (struct head){HEAD_ARRAY, 0, byte & 0x0F, 0};
	if (byte <= 0xBF)
		return (struct head){HEAD_STRING, 0, byte & 0x1F, 0};

	static const struct head heads[0x20] = {
	    {HEAD_SCALAR, 0, 0, 0},  /* C0: nil */
	    {HEAD_INVALID, 0, 0, 0}, /* C1: never used */
	    {HEAD_SCALAR, 0, 0, 0},  /* C2: false */
	    {HEAD_SCALAR, 0, 0, 0},  /* C3: true */
	    {HEAD_SCALAR, 1, 0, 0},  /* C4: bin 8 */
	    {HEAD_SCALAR, 2, 0, 0},  /* C5: bin 16 */
	    {HEAD_SCALAR, 4, 0, 0},  /* C6: bin 32 */
	    {HEAD_SCALAR, 1, 0, 1},  /* C7: ext 8 */
	    {HEAD_SCALAR, 2, 0, 1},  /* C8: ext 16 */
	    {HEAD_SCALAR, 4, 0, 1},  /* C9: ext 32 */
	    {HEAD_SCALAR, 0, 4, 0},  /* CA: float 32 */
	    {HEAD_SCALAR, 0, 8, 0},  /* CB: float 64 */
	    {HEAD_SCALAR, 0, 1, 0},  /* CC: uint 8 */
	    {HEAD_SCALAR, 0, 2, 0},  /* CD: uint 16 */
	    {HEAD_SCALAR, 0, 4, 0},  /* CE: uint 32 */
	    {HEAD_SCALAR, 0, 8, 0},  /* CF: uint 64 */
	    {HEAD_SCALAR, 0, 1, 0},  /* D0: int 8 */
	    {HEAD_SCALAR, 0, 2, 0},  /* D1: int 16 */
	    {HEAD_SCALAR, 0, 4, 0},  /* D2: int 32 */
	    {HEAD_SCALAR, 0, 8, 0},  /* D3: int 64 */
	    {HEAD_SCALAR, 0, 1, 1},  /* D4: fixext 1 */
	    {HEAD_SCALAR, 0, 2, 1},  /* D5: fixext 2 */
	    {HEAD_SCALAR, 0, 4, 1},  /* D6: fixext 4 */
	    {HEAD_SCALAR, 0, 8, 1},  /* D7: fixext 8 */
	    {HEAD_SCALAR, 0, 16, 1}, /* D8: fixext 16 */
	    {HEAD_STRING, 1, 0, 0},  /* D9: str 8 */
	    {HEAD_STRING, 2, 0, 0},  /* DA: str 16 */
	    {HEAD_STRING, 4, 0, 0},  /* DB: str 32 */
	    {HEAD_ARRAY, 2, 0, 0},   /* DC: array 16 */
	    {HEAD_ARRAY, 4, 0, 0},   /* DD: array 32 */
	    {HEAD_MAP, 2, 0, 0},     /* DE: map 16 */
	    {HEAD_MAP, 4, 0, 0},     /* DF: map 32 */
	};
	return heads[byte - 0xC0];
}

/* The maps and arrays that are still open, innermost last. */
struct open_levels {
	size_t depth;
	struct {
		uint64_t left; /* values, keys counted, that are still to come */
		bool is_map;
	} level[BOUNDS_MAX_DEPTH];
};

/* Counts one value as read; true if it must have been a map's key. */
static bool take_value(struct open_levels *open)
{
	if (open->depth == 0)
		return false;
	uint64_t left = open->level[open->depth - 1].left--;
	return open->level[open->depth - 1].is_map && left % 2 == 0;
}

static int open_level(struct open_levels *open, const struct head *head, size_t at, struct error *err)
{
	bool is_map = head->kind == HEAD_MAP;

	if (open->depth == BOUNDS_MAX_DEPTH)
		return refuse_depth(err, at);
	if (is_map && head->length > BOUNDS_MAX_FIELDS)
		return refuse_fields(err, at);
	if (head->length > BOUNDS_MAX_VALUES)
		return refuse_values(err, at);
	open->level[open->depth].left = is_map ? head->length * 2 : head->length;
	open->level[open->depth].is_map = is_map;
	open->depth++;
	return 0;
}

static int refuse_cut(struct error *err, size_t at)
{
	return error_set(err, ERROR_INVALID_JOB, "body: the value at byte %zu is cut short", at);
}

/* Reads the head at `*at` and steps behind it. */
static int read_head(const uint8_t *body, size_t size, size_t *at, struct head *head, struct error *err)
{
	size_t start = *at;

	if (start == size)
		return refuse_cut(err, start);
	*head = head_of(body[start]);
	if (head->kind == HEAD_INVALID)
		return error_set(err, ERROR_INVALID_JOB, "body: byte %zu is no MessagePack", start);
	if (size - start - 1 < head->width)
		return refuse_cut(err, start);
	for (size_t i = 1; i <= head->width; i++)
		head->length = head->length << 8 | body[start + i];
	*at = start + 1 + head->width;
	return 0;
}

int bounds_check_msgpack(const uint8_t *body, size_t size, struct error *err)
{
	struct open_levels open = {0};
	size_t values = 0;
	size_t at = 0;

	do {
		struct head head = {0};
		size_t start = at;
		int r = read_head(body, size, &at, &head, err);
		if (r < 0)
			return r;
		if (++values > BOUNDS_MAX_VALUES)
			return refuse_values(err, start);
		if (take_value(&open) && head.kind != HEAD_STRING)
			return error_set(err, ERROR_INVALID_JOB, "body: the key at byte %zu is not a string", start);
		if (head.kind == HEAD_MAP || head.kind == HEAD_ARRAY) {
			r = open_level(&open, &head, start, err);
			if (r < 0)
				return r;
		} else if (head.length + head.extra > size - at) {
			return refuse_cut(err, start);
		} else {
			at += (size_t)head.length + head.extra;
		}
		while (open.depth > 0 && open.level[open.depth - 1].left == 0)
			open.depth--;
	} while (open.depth > 0);
	if (at < size)
		return error_set(err, ERROR_INVALID_JOB, "body: %zu bytes follow the value", size - at);
	return 0;
}
