#ifndef UNIT_STORE_FILES_H
#define UNIT_STORE_FILES_H

/* SQLite stores of a test, in a folder of its own. */

struct store_files {
	char folder[40];
	char urls[2][64];
};

/** Makes the folder; the files come with the first use. Returns 0 or -1. */
int store_files_init(struct store_files *files);

/** Removes all of it. */
void store_files_finish(struct store_files *files);

#endif
