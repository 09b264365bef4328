/* Runs one fuzz target over the files of a folder, as TAP: a crash or a sanitizer report fails. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int is_file_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	unsigned char *data = NULL;
	size_t size = 0;
	size_t got;

	if (!file)
		return -1;
	do {
		unsigned char *more = realloc(data, size + 65536);
		if (!more)
			abort();
		data = more;
		got = fread(data + size, 1, 65536, file);
		size += got;
	} while (got > 0);
	fclose(file);

	/* An allocation of exactly this size, so that a sanitizer sees one byte read too many. */
	unsigned char *exact = malloc(size ? size : 1);
	if (!exact)
		abort();
	memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int count = argc == 2 ? scandir(argv[1], &entries, is_file_name, alphasort) : -1;

	if (count <= 0) {
		fprintf(stderr, "usage: %s FOLDER (with at least one file)\n", argv[0]);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
		printf("%s %d - %s\n", replay(path) == 0 ? "ok" : "not ok", i + 1, entries[i]->d_name);
		fflush(stdout);
		free(entries[i]);
	}
	free(entries);
	return 0;
}
