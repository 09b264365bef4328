#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/input/row.h"
#include "cli/input/rows.h"

/**
 * Streams the photographs of a folder of people as rows, in no particular order: of the image files in a sub-folder its
 * name is the user id; of one directly in the folder the user id is its name without extension and without a last
 * _NUMBER ("ann_2.jpg" is ann's). A row's id is its path from the folder. Names with a dot in front are passed over;
 * what is neither a *.jpg, *.jpeg or *.png file nor such a sub-folder is a bad row. Links are never followed. Constant
 * memory. One thread.
 */
struct folder;

/** `fd` is an open folder, which is not owned. NULL, with errno, when it cannot be read or memory is out. */
struct folder *folder_new(int fd) must_check;
void folder_free(struct folder *folder);

/** The next row; its strings and folder_fd are good until the next call. */
enum rows_status folder_next(struct folder *folder, struct row *row, struct error *err);

#endif
