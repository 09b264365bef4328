#include "pairs.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

static int read_image(struct buffer *out, const char *folder, const char *name)
{
	char path[4096];
	struct error err = {0};

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (buffer_read_file(out, path, BENCH_MAX_IMAGE_BYTES, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return -1;
}

/* Rows are id,image_a,image_b,…; names without quotes, relative to the CSV. */
int bench_pairs_read(const char *csv, struct bench_pair *pairs)
{
	char path[4096];
	char line[4096];
	int count = 0;
	FILE *file = fopen(csv, "r");

	if (!file) {
		fprintf(stderr, "%s: %s\n", csv, strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "%s", csv);
	const char *folder = dirname(path);
	while (count < BENCH_MAX_PAIRS && fgets(line, sizeof(line), file)) {
		char *rest = line;
		const char *id = strsep(&rest, ",");
		const char *a = strsep(&rest, ",");
		const char *b = strsep(&rest, ",\n");
		if (!b || strcmp(id, "id") == 0)
			continue;
		if (read_image(&pairs[count].a, folder, a) < 0 || read_image(&pairs[count].b, folder, b) < 0)
			count = BENCH_MAX_PAIRS + 1;
		else
			count++;
	}
	fclose(file);
	return count > BENCH_MAX_PAIRS ? -1 : count;
}

void bench_pairs_finish(struct bench_pair *pairs, int count)
{
	for (int i = 0; i < count; i++) {
		buffer_finish(&pairs[i].a);
		buffer_finish(&pairs[i].b);
	}
}
