/* Tasks that go, in a file. PostgreSQL has the same tests among the integration tests. */
#include "files.h"
#include "tasks_cases.h"

int main(void)
{
	struct store_files files;

	if (store_files_init(&files) < 0)
		return 1;
	int failed = tasks_removal_cases_run(files.urls[0]);
	store_files_finish(&files);
	return failed;
}
