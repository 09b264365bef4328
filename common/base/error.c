#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum error_class class;
} codes[ERROR_CODE_COUNT] = {
    [ERROR_NONE] = {"none", ERROR_CLASS_REJECT},
    [ERROR_INVALID_JOB] = {"invalid_job", ERROR_CLASS_REJECT},
    [ERROR_IMAGE_CORRUPT] = {"image_corrupt", ERROR_CLASS_REJECT},
    [ERROR_IMAGE_TOO_LARGE] = {"image_too_large", ERROR_CLASS_REJECT},
    [ERROR_IMAGE_UNSUPPORTED] = {"image_unsupported", ERROR_CLASS_REJECT},
    [ERROR_IMAGE_FETCH_FAILED] = {"image_fetch_failed", ERROR_CLASS_RETRY},
    [ERROR_NO_FACE] = {"no_face", ERROR_CLASS_REJECT},
    [ERROR_MULTIPLE_FACES] = {"multiple_faces", ERROR_CLASS_REJECT},
    [ERROR_FACE_TOO_SMALL] = {"face_too_small", ERROR_CLASS_REJECT},
    [ERROR_LOW_QUALITY] = {"low_quality", ERROR_CLASS_REJECT},
    [ERROR_USER_NOT_FOUND] = {"user_not_found", ERROR_CLASS_REJECT},
    [ERROR_MODEL_MISMATCH] = {"model_mismatch", ERROR_CLASS_REJECT},
    [ERROR_SUPERSEDED] = {"superseded", ERROR_CLASS_REJECT},
    [ERROR_DEADLINE_EXCEEDED] = {"deadline_exceeded", ERROR_CLASS_REJECT},
    [ERROR_CANCELLED] = {"cancelled", ERROR_CLASS_REJECT},
    [ERROR_POISON] = {"poison", ERROR_CLASS_REJECT},
    [ERROR_ATTEMPT_TIMEOUT] = {"attempt_timeout", ERROR_CLASS_RETRY},
    [ERROR_OVERLOADED] = {"overloaded", ERROR_CLASS_RETRY},
    [ERROR_INTERNAL] = {"internal", ERROR_CLASS_RETRY},
    [ERROR_STORE_UNAVAILABLE] = {"store_unavailable", ERROR_CLASS_RETRY},
    [ERROR_CONFIG] = {"config", ERROR_CLASS_FATAL},
    [ERROR_MODEL] = {"model", ERROR_CLASS_FATAL},
    [ERROR_TOPOLOGY] = {"topology", ERROR_CLASS_FATAL},
    [ERROR_CONNECTION] = {"connection", ERROR_CLASS_RETRY},
};

static int class_errno(enum error_class class)
{
	switch (class) {
	case ERROR_CLASS_RETRY:
		return -EAGAIN;
	case ERROR_CLASS_REJECT:
		return -EBADMSG;
	case ERROR_CLASS_FATAL:
		break;
	}
	return -ENOTRECOVERABLE;
}

/* Takes back the bytes of a UTF-8 character that vsnprintf cut in two. */
static void trim_partial_utf8(char *text)
{
	size_t length = strlen(text);
	size_t start = length;

	while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0 || (unsigned char)text[start - 1] < 0xC0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (length - (start - 1) < need)
		text[start - 1] = '\0';
}

static printf_like(4, 0) void fill(struct error *err, enum error_class class, enum error_code code, const char *fmt,
				   va_list args)
{
	char text[sizeof(err->text)]; /* the values may point into *err */

	if (vsnprintf(text, sizeof(text), fmt, args) >= (int)sizeof(text))
		trim_partial_utf8(text);
	memset(err, 0, sizeof(*err));
	err->class = class;
	err->code = code;
	memcpy(err->text, text, strlen(text) + 1);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	enum error_class class = error_code_class(code);

	if (err) {
		va_list args;
		va_start(args, fmt);
		fill(err, class, code, fmt, args);
		va_end(args);
	}
	return class_errno(class);
}

int error_set_class(struct error *err, enum error_class class, enum error_code code, const char *fmt, ...)
{
	if (err) {
		va_list args;
		va_start(args, fmt);
		fill(err, class, code, fmt, args);
		va_end(args);
	}
	return class_errno(class);
}

int error_set_limit(struct error *err, enum error_code code, const char *measure, double value, double limit,
		    const char *fmt, ...)
{
	enum error_class class = error_code_class(code);

	if (err) {
		va_list args;
		va_start(args, fmt);
		fill(err, class, code, fmt, args);
		va_end(args);
		snprintf(err->measure, sizeof(err->measure), "%s", measure);
		err->value = value;
		err->limit = limit;
	}
	return class_errno(class);
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	if (!err)
		return;

	char old[sizeof(err->text)];
	char prefix[121]; /* leaves room for half of the text */
	va_list args;

	memcpy(old, err->text, sizeof(old));
	va_start(args, fmt);
	if (vsnprintf(prefix, sizeof(prefix), fmt, args) >= (int)sizeof(prefix))
		trim_partial_utf8(prefix);
	va_end(args);
	if (snprintf(err->text, sizeof(err->text), "%s: %s", prefix, old) >= (int)sizeof(err->text))
		trim_partial_utf8(err->text);
}

void error_clear(struct error *err)
{
	memset(err, 0, sizeof(*err));
}

bool error_is_set(const struct error *err)
{
	return err->code != ERROR_NONE;
}

int error_errno(const struct error *err)
{
	return class_errno(err->class);
}

const char *error_code_name(enum error_code code)
{
	return (unsigned)code < ERROR_CODE_COUNT ? codes[code].name : "internal";
}

enum error_code error_code_from_name(const char *name)
{
	for (unsigned i = 1; i < ERROR_CODE_COUNT; i++)
		if (strcmp(codes[i].name, name) == 0)
			return (enum error_code)i;
	return ERROR_INTERNAL;
}

enum error_class error_code_class(enum error_code code)
{
	return (unsigned)code < ERROR_CODE_COUNT ? codes[code].class : ERROR_CLASS_FATAL;
}
