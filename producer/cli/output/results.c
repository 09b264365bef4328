#include "cli/output/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/resume.h"
#include "cli/output/terminal.h"

struct results {
	int fd;
	bool terminal;
	enum job_op op;
	enum result_format format;
	struct id_set *present;
	struct buffer line;
};

static int write_all(int fd, const struct buffer *bytes)
{
	size_t done = 0;

	while (done < bytes->size) {
		ssize_t written = write(fd, bytes->data + done, bytes->size - done);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0)
			done += (size_t)written;
	}
	return 0;
}

/* Reads what an earlier run left and cuts off its torn end. 1 when something is left, else 0. */
static int take_up(struct results *results, struct error *err)
{
	struct stat about;
	uint64_t length = 0;

	if (fstat(results->fd, &about) < 0 || !S_ISREG(about.st_mode))
		return error_set(err, ERROR_CONFIG, "--resume needs a regular file");
	int r = resume_read(results->fd, results->format, results->present, &length, err);
	if (r < 0)
		return r;
	if (ftruncate(results->fd, (off_t)length) < 0 || lseek(results->fd, 0, SEEK_END) < 0)
		return error_set(err, ERROR_CONFIG, "%s", strerror(errno));
	return length > 0 ? 1 : 0;
}

/* Returns as take_up(). */
static int open_file(struct results *results, const char *path, bool resume, struct error *err)
{
	results->fd = open(path, O_CREAT | O_CLOEXEC | (resume ? O_RDWR : O_WRONLY | O_TRUNC), 0666);
	if (results->fd < 0)
		return error_set(err, ERROR_CONFIG, "%s", strerror(errno));
	return resume ? take_up(results, err) : 0;
}

int results_open(struct results **out, const char *path, enum job_op op, enum result_format format, bool resume,
		 struct error *err)
{
	struct results *results = calloc(1, sizeof(*results));
	int r = -ENOMEM;

	if (!results)
		return error_set(err, ERROR_CONFIG, "out of memory");
	results->fd = STDOUT_FILENO;
	results->op = op;
	results->format = format;
	results->present = id_set_new();
	if (!results->present) {
		error_set(err, ERROR_CONFIG, "out of memory");
		goto fail;
	}
	r = path ? open_file(results, path, resume, err) : 0;
	if (r < 0) {
		error_prefix(err, "%s", path);
		goto fail;
	}
	results->terminal = terminal_of(results->fd).interactive;
	if (r == 0) {
		r = result_header(op, format, &results->line);
		r = r < 0 ? r : write_all(results->fd, &results->line);
		if (r < 0 && r != -EPIPE) {
			error_set(err, ERROR_CONFIG, "results cannot be written: %s", strerror(-r));
			goto fail;
		}
	}
	*out = results;
	return 0;
fail:
	results_close(results);
	return r;
}

const struct id_set *results_present(const struct results *results)
{
	return results->present;
}

int results_write(struct results *results, const struct result *result)
{
	int r;

	buffer_clear(&results->line);
	r = result_line(results->op, result, results->format, results->terminal, &results->line);
	return r < 0 ? r : write_all(results->fd, &results->line);
}

int results_close(struct results *results)
{
	int r = 0;

	if (!results)
		return 0;
	if (results->fd > STDERR_FILENO && close(results->fd) < 0 && errno != EINTR)
		r = -errno;
	buffer_finish(&results->line);
	id_set_free(results->present);
	free(results);
	return r;
}
