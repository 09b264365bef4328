#include "support.h"

#include "nn/memory.h"

static void test_no_overlap(void **state)
{
	enum { COUNT = 200 };
	struct nn_buffer buffers[COUNT];
	size_t total = 0;
	size_t arena;
	float noise[3 * COUNT];

	(void)state;
	support_noise(noise, array_size(noise), 5);
	for (int i = 0; i < COUNT; i++) {
		size_t size = (size_t)((noise[3 * i] + 1) * 50) * 64;
		unsigned first = (unsigned)((noise[3 * i + 1] + 1) * 50);
		unsigned length = (unsigned)((noise[3 * i + 2] + 1) * 5);

		buffers[i] = (struct nn_buffer){.size = size, .first = first, .last = first + length};
		total += size;
	}
	assert_int_equal(nn_memory_place(buffers, COUNT, &arena), 0);
	assert_true(arena < total / 4);
	for (int i = 0; i < COUNT; i++) {
		assert_true(buffers[i].offset + buffers[i].size <= arena);
		for (int k = 0; k < i; k++) {
			bool same_time = buffers[i].first <= buffers[k].last && buffers[k].first <= buffers[i].last;
			bool same_place = buffers[i].offset < buffers[k].offset + buffers[k].size &&
					  buffers[k].offset < buffers[i].offset + buffers[i].size;

			assert_false(same_time && same_place);
		}
	}
}

/* A chain needs two buffers at a time, however long it is. */
static void test_chain(void **state)
{
	struct nn_buffer buffers[10];
	size_t arena;

	(void)state;
	for (unsigned i = 0; i < array_size(buffers); i++)
		buffers[i] = (struct nn_buffer){.size = 640, .first = i, .last = i + 1};
	assert_int_equal(nn_memory_place(buffers, array_size(buffers), &arena), 0);
	assert_int_equal(arena, 1280);
	assert_int_equal(nn_memory_place(buffers, 0, &arena), 0);
	assert_int_equal(arena, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_no_overlap),
    cmocka_unit_test(test_chain),
};

RUN_TESTS(tests)
