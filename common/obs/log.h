#ifndef OBS_LOG_H
#define OBS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/context.h"
#include "base/error.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

/** One named value of a log line. Make it with the functions below. Strings are borrowed. */
struct log_field {
	const char *key; /**< NULL ends the list */
	enum { LOG_FIELD_STRING, LOG_FIELD_INTEGER, LOG_FIELD_NUMBER, LOG_FIELD_BOOLEAN } type;
	const char *string;
	int64_t integer;
	double number;
};

struct log_field log_string(const char *key, const char *value); /**< NULL value: the field is left out */
struct log_field log_integer(const char *key, int64_t value);
struct log_field log_number(const char *key, double value); /**< three decimals */
struct log_field log_boolean(const char *key, bool value);

/**
 * Sets where lines go (stderr) and how: AUTO is aligned, coloured text on a terminal and JSON
 * lines otherwise. `program` stands on every line. Call in main() before any thread starts.
 */
void log_setup(const char *program, enum log_level level, enum log_format format);

/** Changes the level; any thread, any time. */
void log_set_level(enum log_level level);

/** True if a line of `level` would be written: to skip expensive fields. */
bool log_enabled(enum log_level level);

int log_level_from_name(const char *name, enum log_level *level) must_check;
int log_format_from_name(const char *name, enum log_format *format) must_check;

/**
 * Writes one line in one write(2): time, level, program, message, then task id, trace id, scene
 * and op of `ctx` (may be NULL), then `fields`. Values are escaped, and cut at 1 KiB each, so a
 * hostile string cannot forge a line. Any thread. Never log a secret or a URL's user-info or
 * query: mask URLs with log_url().
 */
void log_write(enum log_level level, const struct context *ctx, const char *message, const struct log_field *fields);

/** A field for an error: three fields' worth in one call site is spelled LOG_ERROR_FIELDS(err). */
#define LOG_ERROR_FIELDS(err) log_string("code", error_code_name((err)->code)), log_string("error", (err)->text)

#define log_debug(ctx, message, ...) LOG_AT(LOG_LEVEL_DEBUG, ctx, message, __VA_ARGS__)
#define log_info(ctx, message, ...) LOG_AT(LOG_LEVEL_INFO, ctx, message, __VA_ARGS__)
#define log_warning(ctx, message, ...) LOG_AT(LOG_LEVEL_WARNING, ctx, message, __VA_ARGS__)
#define log_error(ctx, message, ...) LOG_AT(LOG_LEVEL_ERROR, ctx, message, __VA_ARGS__)
#define LOG_AT(level, ctx, message, ...)                                                                               \
	do {                                                                                                           \
		if (log_enabled(level))                                                                                \
			log_write(level, ctx, message, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}});     \
	} while (0)

/** Copies `url` without user-info, query and fragment into `out`, for logs. Always terminates. */
void log_url(const char *url, char *out, size_t size);

#endif
