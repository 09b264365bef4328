/* The other way round: what is exported from a file goes into PostgreSQL. */
#include "collections_cases.h"
#include "files.h"
#include "server.h"

int main(void)
{
	struct store_files files;

	if (store_files_init(&files) < 0)
		return 1;
	int failed = collections_export_cases_run(files.urls[0], server_new_database());
	store_files_finish(&files);
	return failed;
}
