#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/**
 * What the border code does about an error. The class alone decides between another
 * attempt (RETRY), a final refusal (REJECT) and ending the program (FATAL).
 */
enum error_class { ERROR_CLASS_RETRY, ERROR_CLASS_REJECT, ERROR_CLASS_FATAL };

/**
 * Every error a task can end with, and the few a program can. The codes that a reply may
 * carry are documented in common/job/asyncapi.yaml and spelled by error_code_name().
 */
enum error_code {
	ERROR_NONE = 0,
	ERROR_INVALID_JOB,
	ERROR_IMAGE_CORRUPT,
	ERROR_IMAGE_TOO_LARGE,
	ERROR_IMAGE_UNSUPPORTED,
	ERROR_IMAGE_FETCH_FAILED,
	ERROR_NO_FACE,
	ERROR_MULTIPLE_FACES,
	ERROR_FACE_TOO_SMALL,
	ERROR_LOW_QUALITY,
	ERROR_USER_NOT_FOUND,
	ERROR_MODEL_MISMATCH,
	ERROR_SUPERSEDED,
	ERROR_DEADLINE_EXCEEDED,
	ERROR_CANCELLED,
	ERROR_POISON,
	ERROR_ATTEMPT_TIMEOUT,
	ERROR_OVERLOADED,
	ERROR_INTERNAL,
	ERROR_STORE_UNAVAILABLE,
	/* Not in replies: errors of a program's own making or surroundings. */
	ERROR_CONFIG,    /**< a configuration the program refuses to start with (fatal) */
	ERROR_MODEL,     /**< a model set that cannot be loaded (fatal) */
	ERROR_TOPOLOGY,  /**< a queue or exchange that exists with other arguments (fatal) */
	ERROR_CONNECTION /**< a server that cannot be reached or went away (retry) */
};
#define ERROR_CODE_COUNT (ERROR_CONNECTION + 1)

/**
 * An error as it crosses a border: class, code and one bounded sentence that names what, where
 * and why. It owns no memory. `measure`, `value` and `limit` are the machine-readable half of
 * "too large" and "low quality"; measure is "" where there is none.
 */
struct error {
	enum error_class class;
	enum error_code code;
	char image;       /**< 'a' or 'b' when one photograph is to blame, otherwise 0 */
	char measure[24]; /**< e.g. "width", "bytes", "eye_distance" */
	double value;
	double limit;
	char text[256];
};

/**
 * Sets `err` to `code` with its usual class and a formatted sentence (cut at the size of
 * err->text, never in the middle of a UTF-8 character). `err` may be NULL.
 * Returns the negative errno of the class: -EAGAIN retry, -EBADMSG reject, -ENOTRECOVERABLE
 * fatal, so that `return error_set(...)` is the whole error path.
 */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) printf_like(3, 4);

/** Like error_set(), with a class other than the usual one (a refused address is final). */
int error_set_class(struct error *err, enum error_class class, enum error_code code, const char *fmt, ...)
    printf_like(4, 5);

/** Like error_set(), and records which measure broke which limit. */
int error_set_limit(struct error *err, enum error_code code, const char *measure, double value, double limit,
		    const char *fmt, ...) printf_like(6, 7);

/** Puts "prefix: " before the text of an error that is already set. `err` may be NULL. */
void error_prefix(struct error *err, const char *fmt, ...) printf_like(2, 3);

/** Makes `err` say "no error". */
void error_clear(struct error *err);

/** True if `err` carries an error. */
bool error_is_set(const struct error *err);

/** The negative errno that stands for the class of a set error. */
int error_errno(const struct error *err);

/** The code as it stands on the wire ("image_corrupt"). Static storage. */
const char *error_code_name(enum error_code code);

/** The inverse of error_code_name(); ERROR_INTERNAL for a name it does not know. */
enum error_code error_code_from_name(const char *name);

/** The class a code has unless somebody says otherwise. */
enum error_class error_code_class(enum error_code code);

#endif
