#ifndef CLI_IMAGE_FILE_H
#define CLI_IMAGE_FILE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"

/**
 * Makes the image of a job from what the user wrote: an http(s) URL is passed on as it is (and
 * borrowed), anything else is the path of a regular file of at most `max_bytes`, read into `bytes`
 * (emptied first, must outlive the image). A relative path counts from `base_dir` ("" is the
 * working directory). Blocking. On refusal `err` names the file: `image_too_large`, or
 * `invalid_job` when it cannot be read.
 */
int image_file_read(struct job_image *image, struct buffer *bytes, const char *base_dir, const char *name,
		    size_t max_bytes, struct error *err) must_check;

/** The same for the file that `path` ends with, in the open folder `folder_fd`, where a link is not followed. `err`
 * calls it "the file". */
int image_file_read_in(struct job_image *image, struct buffer *bytes, int folder_fd, const char *path, size_t max_bytes,
		       struct error *err) must_check;

#endif
