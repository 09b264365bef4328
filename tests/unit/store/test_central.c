/* Central settings in a file. PostgreSQL has the same tests among the integration tests. */
#include "central_cases.h"
#include "files.h"

int main(void)
{
	struct store_files files;

	if (store_files_init(&files) < 0)
		return 1;
	int failed = central_cases_run(files.urls[0]);
	store_files_finish(&files);
	return failed;
}
