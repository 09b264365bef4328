#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/input/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(enum job_op op, const uint8_t *data, size_t size)
{
	int fd = memfd_create("rows", MFD_CLOEXEC);
	struct rows *rows = rows_new(fd, -1, row_form_of(op));
	enum rows_status status;
	struct row row;
	struct error err;

	if (!rows || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	do {
		status = rows_next(rows, &row, &err);
		if (status == ROWS_ROW && (!row.id[0] || !row.image_a[0]))
			abort();
		if (status == ROWS_ROW && (op == JOB_MATCH ? !row.image_b[0] : !row.user_id[0]))
			abort();
	} while (status == ROWS_ROW || status == ROWS_BAD);
	rows_free(rows);
	close(fd);
}

/* The input of `facefleet submit` and of `enroll --from`, CSV or JSONL, row by row to its end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_as(JOB_MATCH, data, size);
	read_as(JOB_ENROLL, data, size);
	return 0;
}
