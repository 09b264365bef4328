#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input of `facefleet submit`, CSV or JSONL, row by row to its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	struct rows *rows = rows_new(fd, -1);
	enum rows_status status;
	struct row row;
	struct error err;

	if (!rows || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	do {
		status = rows_next(rows, &row, &err);
		if (status == ROWS_ROW && (!row.id[0] || !row.image_a[0] || !row.image_b[0]))
			abort();
	} while (status == ROWS_ROW || status == ROWS_BAD);
	rows_free(rows);
	close(fd);
	return 0;
}
