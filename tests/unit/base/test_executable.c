#include "run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/executable.h"

#define MARK "EXECUTED_AGAIN"
#define STATUS_OF_THE_SECOND 7

__attribute__((constructor)) static void end_if_second(void)
{
	if (getenv(MARK))
		_exit(STATUS_OF_THE_SECOND);
}

static void test_it_is_this_program_that_runs_again(void **state)
{
	char name[] = "test";
	char *argv[] = {name, NULL};
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv(MARK, "1", 1);
		execv(executable_again(), argv);
		_exit(EXIT_FAILURE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STATUS_OF_THE_SECOND);
}

static void test_its_folder_holds_it(void **state)
{
	char folder[PATH_MAX];
	char file[2 * PATH_MAX];

	(void)state;
	assert_int_equal(executable_folder(folder, sizeof(folder)), 0);
	assert_int_equal(folder[0], '/');
	snprintf(file, sizeof(file), "%s/%s", folder, program_invocation_short_name);
	assert_int_equal(access(file, X_OK), 0);
}

static void test_a_path_that_does_not_fit_is_refused(void **state)
{
	char folder[PATH_MAX];

	(void)state;
	for (size_t size = 1; size < 8; size++)
		assert_int_equal(executable_folder(folder, size), -ENAMETOOLONG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_it_is_this_program_that_runs_again),
    cmocka_unit_test(test_its_folder_holds_it),
    cmocka_unit_test(test_a_path_that_does_not_fit_is_refused),
};

RUN_TESTS(tests)
