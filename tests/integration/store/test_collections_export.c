/* What is exported from PostgreSQL goes into a file. */
#include "collections_cases.h"
#include "files.h"
#include "server.h"

int main(void)
{
	struct store_files files;

	if (store_files_init(&files) < 0)
		return 1;
	int failed = collections_export_cases_run(server_new_database(), files.urls[0]);
	store_files_finish(&files);
	return failed;
}
