/* The choice of OpenBLAS kernels. The program executes itself again, so the cases run in children. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nn/blas.h"
#include "nn/kernels/kernels.h"

#define CHILD "--child"

/* Runs this program as a child that chooses; what it then finds is its exit status. */
static int child_status(const char *core_type)
{
	char *argv[] = {(char *)"test_blas", (char *)CHILD, NULL};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (core_type)
			setenv("OPENBLAS_CORETYPE", core_type, 1);
		else
			unsetenv("OPENBLAS_CORETYPE");
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

enum { CHOSEN_AVX512 = 10, CHOSEN_OTHER = 11 };

static int child(char **argv)
{
	nn_blas_choose(argv);
	return strcasecmp(nn_blas_kernels(), "SkylakeX") == 0 || strcasecmp(nn_blas_kernels(), "SapphireRapids") == 0
		   ? CHOSEN_AVX512
		   : CHOSEN_OTHER;
}

static void test_the_processor_decides(void **state)
{
	(void)state;
	assert_int_equal(child_status(NULL), nn_kernels_named("avx512") ? CHOSEN_AVX512 : CHOSEN_OTHER);
}

static void test_the_operator_overrules(void **state)
{
	(void)state;
	assert_int_equal(child_status("Sandybridge"), CHOSEN_OTHER);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_processor_decides),
	    cmocka_unit_test(test_the_operator_overrules),
	};

	if (argc > 1 && strcmp(argv[1], CHILD) == 0)
		return child(argv);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
