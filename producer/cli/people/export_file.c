#include "cli/people/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stop.h"
#include "cli/input/lines.h"
#include "cli/people/export_line.h"

/* --- out --- */

/* Where the lines go: PATH.part until they are all there, unless that is something like a pipe. */
struct target {
	const char *path;
	char *part;
	FILE *file;
};

static int fail(const char *path, int number, struct error *err)
{
	return error_set(err, ERROR_INTERNAL, "%.180s: %s", path, strerror(number < 0 ? -number : number));
}

static int open_target(struct target *target, const char *path, struct error *err)
{
	struct stat about;
	int fd;

	*target = (struct target){.path = path ? path : "standard output"};
	if (!path) {
		target->file = stdout;
		return 0;
	}
	if (stat(path, &about) < 0 || S_ISREG(about.st_mode)) {
		if (asprintf(&target->part, "%s.part", path) < 0)
			return error_set(err, ERROR_INTERNAL, "out of memory");
		path = target->part;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (target->part ? O_NOFOLLOW : 0), 0600);
	if (fd >= 0 && target->part && fchmod(fd, 0600) < 0) {
		close(fd);
		fd = -1;
	}
	target->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (target->file)
		return 0;
	int number = errno;
	if (fd >= 0)
		close(fd);
	int r = fail(target->path, number, err);
	free(target->part);
	return r;
}

/* Returns `r`, or why the file is not in place. */
static int close_target(struct target *target, int r, struct error *err)
{
	int number = 0;

	if (target->file != stdout) {
		if (r == 0 && target->part && fsync(fileno(target->file)) < 0)
			number = errno;
		if (fclose(target->file) != 0 && number == 0)
			number = errno;
		if (r == 0 && number == 0 && target->part && rename(target->part, target->path) < 0)
			number = errno;
		if (target->part && (r < 0 || number != 0))
			unlink(target->part);
	}
	free(target->part);
	return r == 0 && number != 0 ? fail(target->path, number, err) : r;
}

struct exporting {
	struct export_writer writer;
	const char *path;
};

static int add_image(void *arg, const struct collection_image *image, struct error *err)
{
	struct exporting *exporting = arg;

	if (stop_requested())
		return error_set(err, ERROR_CANCELLED, "interrupted");
	int r = export_writer_add(&exporting->writer, image);
	return r < 0 ? fail(exporting->path, r, err) : 0;
}

int export_file_write(struct store *store, const char *collection, const char *path, uint64_t *images,
		      struct error *err)
{
	struct target target;
	int r = open_target(&target, path, err);

	if (r < 0)
		return r;
	struct exporting exporting = {.writer = {.out = target.file}, .path = target.path};
	r = export_writer_begin(&exporting.writer);
	if (r < 0)
		r = fail(target.path, r, err);
	if (r == 0)
		r = collections_export(store, collection, add_image, &exporting, err);
	if (r == 0) {
		r = export_writer_end(&exporting.writer);
		if (r < 0)
			r = fail(target.path, r, err);
	}
	export_writer_finish(&exporting.writer);
	r = close_target(&target, r, err);
	if (r == 0)
		*images = exporting.writer.images;
	return r;
}

/* --- in --- */

struct importing {
	struct store *store;
	struct lines *lines;
	struct export_line line;
	struct export_counts *counts;
	export_refusal_fn *refused;
};

static void refuse(struct importing *importing, const char *why)
{
	importing->counts->refused++;
	importing->refused(lines_number(importing->lines), why);
}

/* An image counts once, whatever it has: what happened to it that matters most. */
static void count(struct importing *importing, enum people_outcome outcome)
{
	struct export_counts *counts = importing->counts;

	switch (outcome) {
	case PEOPLE_STORED:
		counts->stored++;
		break;
	case PEOPLE_UNCHANGED:
		counts->unchanged++;
		break;
	case PEOPLE_SUPERSEDED:
		counts->superseded++;
		break;
	case PEOPLE_FULL:
		refuse(importing, "this person has as many images as there may be");
		break;
	}
}

static int put_image(struct importing *importing, struct error *err)
{
	struct export_line *line = &importing->line;
	enum people_outcome best = PEOPLE_UNCHANGED;
	size_t i = 0;

	/* Without embeddings, the image itself. */
	do {
		const struct collection_image image =
		    line->embedding_count > 0 ? export_line_embedding(line, i) : line->image;
		enum people_outcome outcome;
		int r = collections_import(importing->store, &image, &outcome, err);

		if (r < 0)
			return r;
		best = outcome == PEOPLE_UNCHANGED ? best : outcome;
	} while (++i < line->embedding_count);
	count(importing, best);
	return 0;
}

static int take_line(struct importing *importing, const char *text, size_t length, struct error *err)
{
	struct error fault = {0};
	int r;

	if (lines_number(importing->lines) == 1)
		return export_line_check_header(text, length, err);
	r = export_line_read(&importing->line, text, length, &fault);
	if (r == 0)
		r = put_image(importing, &fault);
	if (r < 0 && fault.code != ERROR_INVALID_JOB) {
		*err = fault;
		error_prefix(err, "line %llu", (unsigned long long)lines_number(importing->lines));
		return r;
	}
	if (r < 0)
		refuse(importing, fault.text);
	return 0;
}

static int take_lines(struct importing *importing, struct error *err)
{
	int r = 0;

	while (r == 0) {
		char *text;
		size_t length;

		switch (lines_next(importing->lines, &text, &length)) {
		case LINES_LINE:
			r = take_line(importing, text, length, err);
			break;
		case LINES_TOO_LONG:
			if (lines_number(importing->lines) == 1)
				return export_line_check_header("", 0, err);
			refuse(importing, "too long");
			break;
		case LINES_END:
			return lines_number(importing->lines) > 1 ? 0 : export_line_check_header("", 0, err);
		case LINES_STOPPED:
			return error_set(err, ERROR_CANCELLED, "interrupted");
		case LINES_FAILED:
			return error_set(err, ERROR_CONFIG, "%s", strerror(errno));
		}
	}
	return r;
}

int export_file_read(struct store *store, const char *path, struct export_counts *counts, export_refusal_fn *refused,
		     struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct importing *importing = calloc(1, sizeof(*importing));
	int r;

	*counts = (struct export_counts){0};
	if (importing)
		*importing = (struct importing){.store = store, .counts = counts, .refused = refused};
	if (fd < 0)
		r = error_set(err, ERROR_CONFIG, "%s", strerror(errno));
	else if (!importing || !(importing->lines = lines_new_bounded(fd, stop_fd(), EXPORT_LINE_MAX)))
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	else
		r = take_lines(importing, err);
	if (r < 0)
		error_prefix(err, "%.100s", is_stdin ? "standard input" : path);
	if (importing) {
		export_line_finish(&importing->line);
		lines_free(importing->lines);
	}
	free(importing);
	if (fd >= 0 && !is_stdin)
		close(fd);
	return r;
}
