#include "cli/input/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	DIR *top;
	DIR *person; /* a sub-folder that is being read; NULL: none */
	char user[NAME_MAX + 1];
	char person_name[NAME_MAX + 1];
	char path[2 * NAME_MAX + 2]; /* of the entry, from the folder */
};

struct folder *folder_new(int fd)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	int own = folder ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (own >= 0)
		folder->top = fdopendir(own);
	if (own >= 0 && folder->top)
		return folder;
	int why = errno;
	if (own >= 0)
		close(own);
	free(folder);
	errno = why;
	return NULL;
}

void folder_free(struct folder *folder)
{
	if (!folder)
		return;
	if (folder->person)
		closedir(folder->person);
	closedir(folder->top);
	free(folder);
}

static bool is_image(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 || strcasecmp(dot, ".png") == 0);
}

/* "ann" of "ann.jpg" and of "ann_2.jpg"; nothing is cut that would leave nothing. */
static void user_of_file(const char *name, char user[NAME_MAX + 1])
{
	size_t length = (size_t)(strrchr(name, '.') - name);
	size_t stem = length;

	while (stem > 0 && name[stem - 1] >= '0' && name[stem - 1] <= '9')
		stem--;
	if (stem < length && stem > 1 && name[stem - 1] == '_')
		length = stem - 1;
	snprintf(user, NAME_MAX + 1, "%.*s", (int)length, name);
}

/* ROWS_END: it is open now. */
static enum rows_status enter(struct folder *folder, const char *name, struct error *err)
{
	int fd = openat(dirfd(folder->top), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		folder->person = fdopendir(fd);
	if (fd >= 0 && folder->person) {
		snprintf(folder->person_name, sizeof(folder->person_name), "%s", name);
		return ROWS_END;
	}
	error_set(err, ERROR_INVALID_JOB, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ROWS_BAD;
}

static enum rows_status refuse(struct error *err, const char *why)
{
	error_set(err, ERROR_INVALID_JOB, "%s", why);
	return ROWS_BAD;
}

/* ROWS_END stands for "no row here, read on". */
static enum rows_status read_entry(struct folder *folder, const char *name, struct row *row, struct error *err)
{
	DIR *where = folder->person ? folder->person : folder->top;
	struct stat about;

	snprintf(folder->path, sizeof(folder->path), "%s%s%s", folder->person ? folder->person_name : "",
		 folder->person ? "/" : "", name);
	row->id = folder->path;
	row->image_a = folder->path;
	if (fstatat(dirfd(where), name, &about, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? ROWS_END : refuse(err, strerror(errno));
	if (S_ISLNK(about.st_mode))
		return refuse(err, "is a symbolic link, which is not followed");
	if (S_ISDIR(about.st_mode))
		return folder->person ? refuse(err, "is a folder within a person's") : enter(folder, name, err);
	if (!S_ISREG(about.st_mode) || !is_image(name))
		return refuse(err, "is no .jpg, .jpeg or .png file");
	if (folder->person)
		snprintf(folder->user, sizeof(folder->user), "%s", folder->person_name);
	else
		user_of_file(name, folder->user);
	row->user_id = folder->user;
	row->folder_fd = dirfd(where);
	return row_check(row, row_form_of(JOB_ENROLL), err) == 0 ? ROWS_ROW : ROWS_BAD;
}

/* The next name, of the sub-folder first; NULL at the end, or with errno when it cannot be read. */
static const char *next_name(struct folder *folder)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(folder->person ? folder->person : folder->top);
		if (entry && entry->d_name[0] != '.')
			return entry->d_name;
		if (entry)
			continue;
		if (errno != 0 || !folder->person)
			return NULL;
		closedir(folder->person);
		folder->person = NULL;
	}
}

enum rows_status folder_next(struct folder *folder, struct row *row, struct error *err)
{
	const char *name;

	while ((name = next_name(folder))) {
		row_init(row, 0);
		enum rows_status status = read_entry(folder, name, row, err);
		if (status != ROWS_END)
			return status;
	}
	if (errno == 0)
		return ROWS_END;
	error_set(err, ERROR_CONFIG, "the folder cannot be read: %s", strerror(errno));
	return ROWS_FAILED;
}
