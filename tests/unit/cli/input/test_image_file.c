#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input/image_file.h"

static char dir[] = "/tmp/test_image_file_XXXXXX";
static struct job_image image;
static struct buffer bytes;
static struct error err;

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	memset(&err, 0, sizeof(err));
	return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	buffer_finish(&bytes);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void put(const char *name, const char *content)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void test_relative_and_absolute_paths(void **state)
{
	char path[128];

	(void)state;
	put("a.jpg", "pixels");
	assert_int_equal(image_file_read(&image, &bytes, dir, "a.jpg", 100, &err), 0);
	assert_int_equal(image.size, 6);
	assert_memory_equal(image.data, "pixels", 6);
	assert_null(image.url);
	snprintf(path, sizeof(path), "%s/a.jpg", dir);
	assert_int_equal(image_file_read(&image, &bytes, "/nonexistent", path, 100, &err), 0);
	assert_int_equal(image.size, 6);
}

static void test_urls_are_passed_on(void **state)
{
	(void)state;
	assert_int_equal(image_file_read(&image, &bytes, dir, "HTTPS://example.com/a.jpg", 100, &err), 0);
	assert_string_equal(image.url, "HTTPS://example.com/a.jpg");
	assert_null(image.data);
}

static void assert_refused(const char *name, enum error_code code, const char *expected)
{
	memset(&err, 0, sizeof(err));
	assert_true(image_file_read(&image, &bytes, dir, name, 10, &err) < 0);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, expected));
}

static void test_refusals(void **state)
{
	char path[128];

	(void)state;
	put("large.jpg", "more than ten bytes");
	put("empty.jpg", "");
	snprintf(path, sizeof(path), "%s/fifo.jpg", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("large.jpg", ERROR_IMAGE_TOO_LARGE, "19 bytes, at most 10");
	assert_refused("empty.jpg", ERROR_INVALID_JOB, "empty");
	assert_refused("missing.jpg", ERROR_INVALID_JOB, "No such file");
	assert_refused("fifo.jpg", ERROR_INVALID_JOB, "regular file"); /* and does not hang */
	assert_refused("..", ERROR_INVALID_JOB, "directory");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_relative_and_absolute_paths, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_urls_are_passed_on, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_refusals, make_dir, remove_dir),
};

RUN_TESTS(tests)
