#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "config/options.h"

/** A value as its option's type reads it; only that member is set. Strings stay text. */
struct value {
	int64_t integer;
	double number;
	bool boolean;
};

/**
 * Reads `text` as a value of the option: type, range, length, choice. Returns 0, or -EINVAL with
 * "expected …" in `why`; it quotes the text unless the option is a secret.
 */
int value_parse(const struct option_row *row, const char *text, struct value *out, char *why,
		size_t why_size) must_check;

/** Writes what value_parse() accepts, for people: "an integer from 5 to 60 (s)". */
void value_describe(const struct option_row *row, char *out, size_t size);

#endif
