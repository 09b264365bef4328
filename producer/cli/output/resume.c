#include "cli/output/resume.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input/csv_line.h"
#include "cli/input/lines.h"

/* One pass over a results file. */
struct resume {
	enum result_format format;
	struct id_set *ids;
	struct csv_line *csv;
	uint64_t line;
};

static int not_results(const struct resume *resume, struct error *err)
{
	return error_set(err, ERROR_CONFIG, "line %llu is not a result that facefleet wrote",
			 (unsigned long long)resume->line);
}

static int add(struct resume *resume, const char *id, struct error *err)
{
	return id_set_add(resume->ids, id) < 0 ? error_set(err, ERROR_CONFIG, "out of memory") : 0;
}

static int read_csv(struct resume *resume, const char *text, size_t length, struct error *err)
{
	if (csv_line_split(resume->csv, text, length, NULL) < 0 || resume->csv->count == 0)
		return not_results(resume, err);
	if (resume->line > 1)
		return add(resume, resume->csv->fields[0], err);
	return strcmp(resume->csv->fields[0], "id") == 0 ? 0 : not_results(resume, err);
}

static int read_json(struct resume *resume, const char *text, size_t length, struct error *err)
{
	json_t *object = json_loadb(text, length, 0, NULL);
	const char *id = json_string_value(json_object_get(object, "id"));
	int r = id ? add(resume, id, err) : not_results(resume, err);

	json_decref(object);
	return r;
}

static int read_lines(struct resume *resume, struct lines *lines, uint64_t *length, struct error *err)
{
	uint64_t whole = 0;
	char *text;
	size_t text_length;

	for (;;) {
		enum lines_status status = lines_next(lines, &text, &text_length);
		if (status == LINES_FAILED)
			return error_set(err, ERROR_CONFIG, "%s", strerror(errno));
		if (status == LINES_END || lines_torn(lines))
			break;
		resume->line = lines_number(lines);
		if (status != LINES_LINE)
			return not_results(resume, err);
		int r = resume->format == RESULT_CSV ? read_csv(resume, text, text_length, err)
						     : read_json(resume, text, text_length, err);
		if (r < 0)
			return r;
		whole = lines_offset(lines);
	}
	*length = whole;
	return 0;
}

int resume_read(int fd, enum result_format format, struct id_set *ids, uint64_t *length, struct error *err)
{
	struct resume resume = {.format = format, .ids = ids, .csv = malloc(sizeof(*resume.csv))};
	struct lines *lines = lines_new(fd, -1);
	int r = -ENOMEM;

	if (lines && resume.csv)
		r = read_lines(&resume, lines, length, err);
	else
		error_set(err, ERROR_CONFIG, "out of memory");
	lines_free(lines);
	free(resume.csv);
	return r;
}
