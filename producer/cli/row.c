#include "cli/row.h"

#include <string.h>

#include "job/job.h"

static const struct {
	const char *name;
	size_t offset;
} columns[ROW_COLUMN_COUNT] = {
    [ROW_ID] = {"id", offsetof(struct row, id)},
    [ROW_IMAGE_A] = {"image_a", offsetof(struct row, image_a)},
    [ROW_IMAGE_B] = {"image_b", offsetof(struct row, image_b)},
    [ROW_USER_ID] = {"user_id", offsetof(struct row, user_id)},
    [ROW_CALLBACK] = {"callback", offsetof(struct row, callback)},
    [ROW_SCENE] = {"scene", offsetof(struct row, scene)},
};

const char *row_column_name(enum row_column column)
{
	return columns[column].name;
}

void row_set(struct row *row, enum row_column column, const char *value)
{
	memcpy((char *)row + columns[column].offset, &value, sizeof(value));
}

void row_init(struct row *row, uint64_t line)
{
	row->line = line;
	for (int column = 0; column < ROW_COLUMN_COUNT; column++)
		row_set(row, column, "");
}

int row_check(const struct row *row, struct error *err)
{
	if (!row->id[0])
		return error_set(err, ERROR_INVALID_JOB, "id: missing");
	if (strlen(row->id) > JOB_MAX_REFERENCE_BYTES)
		return error_set(err, ERROR_INVALID_JOB, "id: longer than %d bytes", JOB_MAX_REFERENCE_BYTES);
	for (const char *c = row->id; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return error_set(err, ERROR_INVALID_JOB, "id: has a control character");
	if (!row->image_a[0])
		return error_set(err, ERROR_INVALID_JOB, "image_a: missing");
	if (!row->image_b[0])
		return error_set(err, ERROR_INVALID_JOB, "image_b: missing");
	return 0;
}
