#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "nn/wire.h"

static void assert_refused(const uint8_t *bytes, size_t size, const char *why)
{
	struct error err = {0};
	/* An allocation of just this size, so that a sanitizer sees one byte read too many. */
	uint8_t *exact = malloc(size);

	memcpy(exact, bytes, size);
	assert_true(nn_wire_check(exact, size, &err) < 0);
	assert_int_equal(err.code, ERROR_MODEL);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
	free(exact);
}

/* Puts the content of a length-delimited field behind its key and length. */
static size_t wrap(uint8_t *bytes, size_t size, uint8_t field)
{
	uint8_t head[8] = {(uint8_t)(field << 3 | 2)};
	size_t length = 1;
	size_t left = size;

	do {
		head[length++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		left >>= 7;
	} while (left > 0);
	memmove(bytes + length, bytes, size);
	memcpy(bytes, head, length);
	return size + length;
}

/* graph = 7 in a model, node = 1 in a graph, attribute = 5 in a node, g = 6 in an attribute. */
static size_t nest(uint8_t *bytes, int attributes)
{
	size_t size = 0;

	for (int i = 0; i < attributes; i++) {
		size = wrap(bytes, size, 6);
		size = wrap(bytes, size, 5);
		size = wrap(bytes, size, 1);
	}
	return wrap(bytes, size, 7);
}

static void test_damaged(void **state)
{
	static const uint8_t no_value[] = {0x08};
	static const uint8_t endless_varint[] = {0x08, 0xff, 0xff, 0xff, 0xff, 0xff,
						 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	static const uint8_t long_field[] = {0x12, 0x05, 'a', 'b'};
	static const uint8_t huge_field[] = {0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	static const uint8_t group[] = {0x0b, 0x0c};
	static const uint8_t field_zero[] = {0x00, 0x01};
	static const uint8_t inner_too_long[] = {0x3a, 0x02, 0x0a, 0x05};
	static const uint8_t graph_twice[] = {0x3a, 0x00, 0x3a, 0x00};

	(void)state;
	assert_refused(no_value, sizeof(no_value), "cut short");
	assert_refused(endless_varint, sizeof(endless_varint), "cut short");
	assert_refused(long_field, sizeof(long_field), "cut short");
	assert_refused(huge_field, sizeof(huge_field), "cut short");
	assert_refused(group, sizeof(group), "damaged");
	assert_refused(field_zero, sizeof(field_zero), "damaged field key");
	assert_refused(inner_too_long, sizeof(inner_too_long), "cut short");
	assert_refused(graph_twice, sizeof(graph_twice), "twice");
}

static void test_depth(void **state)
{
	uint8_t bytes[4096];

	(void)state;
	size_t shallow = nest(bytes, 2);
	assert_int_equal(nn_wire_check(bytes, shallow, NULL), 0);
	size_t deep = nest(bytes, 100);
	assert_refused(bytes, deep, "too deep");
}

/* Two bytes each, but each becomes a tensor of some hundred bytes. */
static void test_many_parts(void **state)
{
	size_t size = 2 << 20;
	uint8_t *bytes = malloc(size + 8);

	(void)state;
	for (size_t i = 0; i < size; i += 2) {
		bytes[i] = 5 << 3 | 2;
		bytes[i + 1] = 0;
	}
	size = wrap(bytes, size, 7);
	assert_refused(bytes, size, "too many parts");
	free(bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_damaged),
    cmocka_unit_test(test_depth),
    cmocka_unit_test(test_many_parts),
};

RUN_TESTS(tests)
