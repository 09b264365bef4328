#include "cli/input/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/input/folder.h"
#include "cli/input/lines.h"
#include "cli/input/row_csv.h"
#include "cli/input/row_json.h"

struct rows {
	const struct row_form *form;
	struct folder *folder; /* NULL: there are lines */
	struct lines *lines;
	bool begun;          /* a line that is not blank was seen */
	struct row_csv *csv; /* one of both, from then on */
	struct row_json *json;
	char name[ROW_NAME_SIZE]; /* of a row that has no id */
};

static bool is_folder(int fd)
{
	struct stat about;

	return fstat(fd, &about) == 0 && S_ISDIR(about.st_mode);
}

struct rows *rows_new(int fd, int wake_fd, const struct row_form *form)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	rows->form = form;
	if (form->folders && is_folder(fd))
		rows->folder = folder_new(fd);
	else
		rows->lines = lines_new(fd, wake_fd);
	if (!rows->folder && !rows->lines) {
		free(rows);
		return NULL;
	}
	return rows;
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	folder_free(rows->folder);
	lines_free(rows->lines);
	row_csv_free(rows->csv);
	row_json_free(rows->json);
	free(rows);
}

/* Steps over a byte order mark; UTF-16 is refused by its own. */
static int skip_mark(char **text, size_t *length, struct error *err)
{
	if (*length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*length -= 3;
	} else if (*length >= 2 && (memcmp(*text, "\xff\xfe", 2) == 0 || memcmp(*text, "\xfe\xff", 2) == 0)) {
		return error_set(err, ERROR_CONFIG, "the input is UTF-16; save it as UTF-8");
	}
	return 0;
}

/* Decides between CSV and JSONL by the first line with content. */
static int begin(struct rows *rows, char first, struct error *err)
{
	rows->begun = true;
	if (first == '[')
		return error_set(err, ERROR_CONFIG, "the input is a JSON array; expected one object a line (JSONL)");
	if (first == '{')
		rows->json = row_json_new(rows->form);
	else
		rows->csv = row_csv_new(rows->form);
	if (!rows->json && !rows->csv)
		return error_set(err, ERROR_CONFIG, "out of memory");
	return 0;
}

/* ROWS_END stands for "no row here, read on". */
static enum rows_status read_line(struct rows *rows, char *text, size_t length, struct row *row, struct error *err)
{
	size_t blank = strspn(text, " \t\r");
	int r;

	if (blank == length)
		return ROWS_END;
	if (!rows->begun && begin(rows, text[blank], err) < 0)
		return ROWS_FAILED;
	if (rows->json)
		r = row_json_read(rows->json, text, length, row, err) < 0 ? -EBADMSG : 1;
	else
		r = row_csv_read(rows->csv, text, length, row, err);
	if (r == 0)
		return ROWS_END;
	if (r < 0)
		return r == -ENOTRECOVERABLE ? ROWS_FAILED : ROWS_BAD;
	row_name(row, rows->form, rows->name);
	return row_check(row, rows->form, err) == 0 ? ROWS_ROW : ROWS_BAD;
}

enum rows_status rows_next(struct rows *rows, struct row *row, struct error *err)
{
	if (rows->folder)
		return folder_next(rows->folder, row, err);
	for (;;) {
		char *text;
		size_t length;
		enum lines_status got = lines_next(rows->lines, &text, &length);
		enum rows_status status = ROWS_END;

		row_init(row, lines_number(rows->lines));
		switch (got) {
		case LINES_END:
			return ROWS_END;
		case LINES_STOPPED:
			return ROWS_STOPPED;
		case LINES_FAILED:
			error_set(err, ERROR_CONFIG, "the input cannot be read: %s", strerror(errno));
			return ROWS_FAILED;
		case LINES_TOO_LONG:
			error_set(err, ERROR_INVALID_JOB, "longer than %d bytes", LINES_MAX);
			return ROWS_BAD;
		case LINES_LINE:
			if (row->line == 1 && skip_mark(&text, &length, err) < 0)
				return ROWS_FAILED;
			status = read_line(rows, text, length, row, err);
			break;
		}
		if (status != ROWS_END)
			return status;
	}
}

uint64_t rows_offset(const struct rows *rows)
{
	return rows->lines ? lines_offset(rows->lines) : 0;
}
