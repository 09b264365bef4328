/* Collections carried from a file to another. PostgreSQL has the same tests among the integration tests. */
#include "collections_cases.h"
#include "files.h"

int main(void)
{
	struct store_files files;

	if (store_files_init(&files) < 0)
		return 1;
	int failed = collections_export_cases_run(files.urls[0], files.urls[1]);
	store_files_finish(&files);
	return failed;
}
