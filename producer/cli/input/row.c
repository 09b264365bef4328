#include "cli/input/row.h"

#include <stdio.h>
#include <string.h>

#define BIT(column) (1u << (column))

static const struct {
	const char *name;
	size_t offset;
} columns[ROW_COLUMN_COUNT] = {
    [ROW_ID] = {"id", offsetof(struct row, id)},
    [ROW_IMAGE_A] = {"image_a", offsetof(struct row, image_a)},
    [ROW_IMAGE_B] = {"image_b", offsetof(struct row, image_b)},
    [ROW_IMAGE] = {"image", offsetof(struct row, image_a)},
    [ROW_USER_ID] = {"user_id", offsetof(struct row, user_id)},
    [ROW_COLLECTION] = {"collection", offsetof(struct row, collection)},
    [ROW_CALLBACK] = {"callback", offsetof(struct row, callback)},
    [ROW_SCENE] = {"scene", offsetof(struct row, scene)},
};

static const enum row_column pair_columns[] = {ROW_ID, ROW_IMAGE_A, ROW_IMAGE_B, ROW_USER_ID, ROW_CALLBACK};
static const struct row_form pairs = {
    .positional = pair_columns,
    .positional_count = array_size(pair_columns),
    .known = BIT(ROW_ID) | BIT(ROW_IMAGE_A) | BIT(ROW_IMAGE_B) | BIT(ROW_USER_ID) | BIT(ROW_CALLBACK) | BIT(ROW_SCENE),
    .required = BIT(ROW_ID) | BIT(ROW_IMAGE_A) | BIT(ROW_IMAGE_B),
    .marker = ROW_IMAGE_A,
};

static const enum row_column enrolment_columns[] = {ROW_USER_ID, ROW_IMAGE, ROW_COLLECTION};
static const struct row_form enrolments = {
    .positional = enrolment_columns,
    .positional_count = array_size(enrolment_columns),
    .known = BIT(ROW_ID) | BIT(ROW_IMAGE) | BIT(ROW_USER_ID) | BIT(ROW_COLLECTION) | BIT(ROW_CALLBACK) | BIT(ROW_SCENE),
    .required = BIT(ROW_USER_ID) | BIT(ROW_IMAGE),
    .marker = ROW_IMAGE,
    .id_from_values = true,
    .folders = true,
};

const struct row_form *row_form_of(enum job_op op)
{
	return op == JOB_ENROLL ? &enrolments : &pairs;
}

bool row_form_knows(const struct row_form *form, enum row_column column)
{
	return form->known & BIT(column);
}

bool row_form_requires(const struct row_form *form, enum row_column column)
{
	return form->required & BIT(column);
}

const char *row_column_name(enum row_column column)
{
	return columns[column].name;
}

void row_set(struct row *row, enum row_column column, const char *value)
{
	memcpy((char *)row + columns[column].offset, &value, sizeof(value));
}

static const char *get(const struct row *row, enum row_column column)
{
	const char *value;

	memcpy(&value, (const char *)row + columns[column].offset, sizeof(value));
	return value;
}

void row_init(struct row *row, uint64_t line)
{
	row->line = line;
	row->folder_fd = -1;
	for (int column = 0; column < ROW_COLUMN_COUNT; column++)
		row_set(row, column, "");
}

void row_name(struct row *row, const struct row_form *form, char name[ROW_NAME_SIZE])
{
	if (row->id[0] || !form->id_from_values)
		return;
	snprintf(name, ROW_NAME_SIZE, "%s %s%s%s", row->user_id, row->image_a, row->collection[0] ? " " : "",
		 row->collection);
	row->id = name;
}

int row_check(const struct row *row, const struct row_form *form, struct error *err)
{
	for (int column = 0; column < ROW_COLUMN_COUNT; column++)
		if (row_form_requires(form, column) && !get(row, column)[0])
			return error_set(err, ERROR_INVALID_JOB, "%s: missing", row_column_name(column));
	if (strlen(row->id) > JOB_MAX_REFERENCE_BYTES)
		return error_set(err, ERROR_INVALID_JOB, "id: longer than %d bytes", JOB_MAX_REFERENCE_BYTES);
	for (const char *c = row->id; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return error_set(err, ERROR_INVALID_JOB, "id: has a control character");
	return 0;
}
