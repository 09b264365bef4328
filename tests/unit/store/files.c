#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int store_files_init(struct store_files *files)
{
	strcpy(files->folder, "/tmp/facefleet-store-XXXXXX");
	if (!mkdtemp(files->folder))
		return -1;
	for (unsigned i = 0; i < 2; i++)
		snprintf(files->urls[i], sizeof(files->urls[i]), "sqlite:%s/store%u.db", files->folder, i);
	return 0;
}

void store_files_finish(struct store_files *files)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	char path[80];

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned j = 0; j < 3; j++) {
			snprintf(path, sizeof(path), "%s%s", files->urls[i] + strlen("sqlite:"), endings[j]);
			unlink(path);
		}
	}
	rmdir(files->folder);
}
