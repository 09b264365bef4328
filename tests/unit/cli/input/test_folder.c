#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/input/folder.h"
#include "cli/input/image_file.h"

static char dir[] = "/tmp/test_folder_XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	return mkdtemp(dir) == NULL || chdir(dir) < 0;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return chdir("/") < 0 || system(command);
}

static void put(const char *name)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(name, file);
	fclose(file);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a row says, and that its file is the one it names. */
static char *describe(enum rows_status status, const struct row *row, const struct error *err)
{
	struct buffer bytes = {0};
	struct job_image image;
	struct error fault = {0};
	char *text;

	assert_int_equal(row->line, 0);
	if (status == ROWS_BAD) {
		assert_true(asprintf(&text, "%s: %s", row->id, err->text) > 0);
		return text;
	}
	if (image_file_read_in(&image, &bytes, row->folder_fd, row->image_a, 1000, &fault) < 0)
		fail_msg("%s", fault.text);
	assert_int_equal(image.size, strlen(row->image_a));
	assert_memory_equal(image.data, row->image_a, image.size);
	assert_string_equal(row->id, row->image_a);
	assert_true(asprintf(&text, "%s = %s", row->id, row->user_id) > 0);
	buffer_finish(&bytes);
	return text;
}

/* Compares all rows, sorted, with `expected`: one a line. */
static void assert_rows(const char *expected)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct folder *folder = folder_new(fd);
	char *found[32];
	size_t count = 0;
	char text[4096] = "";

	assert_non_null(folder);
	for (;;) {
		struct error err = {0};
		struct row row;
		enum rows_status status = folder_next(folder, &row, &err);
		if (status == ROWS_END)
			break;
		assert_true(status == ROWS_ROW || status == ROWS_BAD);
		assert_true(count < 32);
		found[count++] = describe(status, &row, &err);
	}
	qsort(found, count, sizeof(found[0]), compare);
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(text, found[i]), "\n");
		free(found[i]);
	}
	assert_string_equal(text, expected);
	folder_free(folder);
	close(fd);
}

static void test_sub_folders_are_people(void **state)
{
	(void)state;
	assert_int_equal(mkdir("ann", 0777), 0);
	assert_int_equal(mkdir("bob lee", 0777), 0);
	assert_int_equal(mkdir("nobody", 0777), 0);
	put("ann/1.jpg");
	put("ann/2.JPEG");
	put("bob lee/carl_3.png");
	assert_rows("ann/1.jpg = ann\nann/2.JPEG = ann\nbob lee/carl_3.png = bob lee\n");
}

static void test_files_are_named_after_people(void **state)
{
	(void)state;
	put("ann.jpg");
	put("ann_2.jpg");
	put("ann_lee_14.png");
	put("ann_lee.png");
	put("2024.jpg");
	put("_7.jpg");
	put("a.b_1.jpg");
	put("x__1.jpg");
	put("y_1a.jpg");
	assert_rows(
	    "2024.jpg = 2024\n_7.jpg = _7\na.b_1.jpg = a.b\nann.jpg = ann\nann_2.jpg = ann\nann_lee.png = ann_lee\n"
	    "ann_lee_14.png = ann_lee\nx__1.jpg = x_\ny_1a.jpg = y_1a\n");
}

static void test_what_is_no_photograph_is_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir("ann", 0777), 0);
	assert_int_equal(mkdir("ann/more", 0777), 0);
	assert_int_equal(mkdir(".git", 0777), 0);
	assert_int_equal(mkfifo("pipe.jpg", 0666), 0);
	put("ann/more/1.jpg");
	put("ann/notes.txt");
	put("ann/.DS_Store");
	put(".git/1.jpg");
	put("README");
	put("a\n.jpg");
	assert_rows("README: is no .jpg, .jpeg or .png file\n"
		    "a\n.jpg: id: has a control character\n"
		    "ann/more: is a folder within a person's\n"
		    "ann/notes.txt: is no .jpg, .jpeg or .png file\n"
		    "pipe.jpg: is no .jpg, .jpeg or .png file\n");
}

static void test_links_are_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir("ann", 0777), 0);
	put("ann/1.jpg");
	assert_int_equal(symlink("1.jpg", "ann/2.jpg"), 0);
	assert_int_equal(symlink("/etc", "etc"), 0);
	assert_int_equal(symlink("/etc/passwd", "root.jpg"), 0);
	assert_rows("ann/1.jpg = ann\n"
		    "ann/2.jpg: is a symbolic link, which is not followed\n"
		    "etc: is a symbolic link, which is not followed\n"
		    "root.jpg: is a symbolic link, which is not followed\n");
}

static void test_a_file_that_became_a_link(void **state)
{
	struct buffer bytes = {0};
	struct job_image image;
	struct error err = {0};
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(symlink("/etc/passwd", "ann.jpg"), 0);
	assert_true(image_file_read_in(&image, &bytes, fd, "x/ann.jpg", 100000, &err) < 0);
	assert_non_null(strstr(err.text, "the file: "));
	close(fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_sub_folders_are_people, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_files_are_named_after_people, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_what_is_no_photograph_is_told, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_links_are_not_followed, make_dir, remove_dir),
    cmocka_unit_test_setup_teardown(test_a_file_that_became_a_link, make_dir, remove_dir),
};

RUN_TESTS(tests)
