/* Enrolled people in a file. PostgreSQL has the same tests among the integration tests. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "people_cases.h"

int main(void)
{
	static const char *const files[] = {"", "-wal", "-shm"};
	char folder[] = "/tmp/facefleet-store-XXXXXX";
	char url[64];
	char path[64];

	if (!mkdtemp(folder))
		return 1;
	snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
	int failed = people_cases_run(url);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/store.db%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
	return failed;
}
