#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"

static void test_append(void **state)
{
	struct buffer b = {0};

	(void)state;
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	assert_int_equal(buffer_append(&b, NULL, 0), 0);
	assert_int_equal(buffer_append(&b, "de", 2), 0);
	assert_int_equal(b.size, 5);
	assert_string_equal((char *)b.data, "abcde");
	buffer_finish(&b);
	assert_null(b.data);
	assert_int_equal(b.size, 0);
}

static void test_growth_keeps_the_content(void **state)
{
	struct buffer b = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i * 7);
		assert_int_equal(buffer_append(&b, &byte, 1), 0);
	}
	assert_int_equal(b.size, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
	assert_int_equal(b.data[b.size], 0);
	buffer_finish(&b);
}

static void test_limit(void **state)
{
	struct buffer b = {.limit = 4};

	(void)state;
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	assert_int_equal(buffer_append(&b, "de", 2), -EMSGSIZE);
	assert_int_equal(buffer_printf(&b, "%d", 12), -EMSGSIZE);
	assert_string_equal((char *)b.data, "abc");
	assert_int_equal(buffer_append(&b, "d", 1), 0);
	assert_int_equal(buffer_append(&b, "e", 1), -EMSGSIZE);
	assert_int_equal(buffer_append(&b, "", 0), 0);
	assert_string_equal((char *)b.data, "abcd");
	buffer_finish(&b);
}

static void test_sizes_that_overflow(void **state)
{
	struct buffer b = {0};
	struct buffer boundless = {.limit = SIZE_MAX};

	(void)state;
	assert_int_equal(buffer_append(&b, "a", 1), 0);
	assert_int_equal(buffer_reserve(&b, SIZE_MAX), -EMSGSIZE);
	assert_int_equal(buffer_append(&boundless, "a", 1), 0);
	assert_int_equal(buffer_reserve(&boundless, SIZE_MAX - 1), -EMSGSIZE);
	buffer_finish(&b);
	buffer_finish(&boundless);
}

static void test_printf(void **state)
{
	struct buffer b = {0};
	char long_text[600];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(buffer_printf(&b, "%s-%d", "a", 7), 0);
	assert_string_equal((char *)b.data, "a-7");
	assert_int_equal(buffer_printf(&b, "%s", long_text), 0);
	assert_int_equal(b.size, 3 + 599);
	assert_int_equal(buffer_printf(&b, "%s", ""), 0);
	assert_int_equal(b.size, 3 + 599);
	buffer_finish(&b);
}

static void test_reserve_clear_steal(void **state)
{
	struct buffer b = {0};

	(void)state;
	assert_int_equal(buffer_reserve(&b, 1000), 0);
	uint8_t *memory = b.data;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_append(&b, "x", 1), 0);
	assert_ptr_equal(b.data, memory);
	buffer_clear(&b);
	assert_int_equal(b.size, 0);
	assert_string_equal((char *)b.data, "");
	assert_ptr_equal(b.data, memory);
	assert_int_equal(buffer_append(&b, "y", 1), 0);
	uint8_t *stolen = buffer_steal(&b);
	assert_string_equal((char *)stolen, "y");
	assert_null(b.data);
	assert_null(buffer_steal(&b));
	buffer_clear(&b);
	free(stolen);
}

/* A file of `content` in a folder of its own. */
struct file {
	char folder[64];
	char path[96];
};

static void file_make(struct file *f, const char *content)
{
	snprintf(f->folder, sizeof(f->folder), "/tmp/facefleet-test-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	FILE *stream = fopen(f->path, "w");
	assert_non_null(stream);
	fputs(content, stream);
	fclose(stream);
}

static void file_remove(struct file *f)
{
	unlink(f->path);
	rmdir(f->folder);
}

static void test_read_file(void **state)
{
	struct buffer b = {0};
	struct error err = {0};
	struct file f;

	(void)state;
	file_make(&f, "content");
	assert_int_equal(buffer_append(&b, "old ", 4), 0);
	assert_int_equal(buffer_read_file(&b, f.path, 7, &err), 0);
	assert_string_equal((char *)b.data, "old content");
	assert_int_equal(buffer_read_file(&b, f.path, 6, &err), -EFBIG);
	assert_non_null(strstr(err.text, f.path));
	assert_non_null(strstr(err.text, "7 bytes, at most 6"));
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal((char *)b.data, "old content");
	buffer_finish(&b);
	file_remove(&f);
}

static void test_read_empty_file(void **state)
{
	struct buffer b = {0};
	struct error err;
	struct file f;

	(void)state;
	file_make(&f, "");
	assert_int_equal(buffer_read_file(&b, f.path, 0, &err), 0);
	assert_int_equal(b.size, 0);
	assert_string_equal((char *)b.data, "");
	buffer_finish(&b);
	file_remove(&f);
}

static void test_what_cannot_be_read(void **state)
{
	struct buffer b = {0};
	struct error err;
	struct file f;
	char fifo[128];

	(void)state;
	file_make(&f, "x");
	snprintf(fifo, sizeof(fifo), "%s/fifo", f.folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(buffer_read_file(&b, fifo, 100, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(buffer_read_file(&b, f.folder, 100, &err), -EISDIR);
	assert_int_equal(buffer_read_file(&b, "/nonexistent/file", 100, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/file: "));
	assert_null(b.data);
	unlink(fifo);
	file_remove(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_append),
    cmocka_unit_test(test_growth_keeps_the_content),
    cmocka_unit_test(test_limit),
    cmocka_unit_test(test_sizes_that_overflow),
    cmocka_unit_test(test_printf),
    cmocka_unit_test(test_reserve_clear_steal),
    cmocka_unit_test(test_read_file),
    cmocka_unit_test(test_read_empty_file),
    cmocka_unit_test(test_what_cannot_be_read),
};

RUN_TESTS(tests)
