#include "config/value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool parse_integer(const char *text, int64_t *out)
{
	const char *digits = text + (text[0] == '-');
	size_t length = strspn(digits, "0123456789");

	if (length == 0 || length > 18 || digits[length] != '\0')
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

static bool parse_number(const char *text, double *out)
{
	char *end;

	/* Keeps strtod from reading blanks, hexadecimal, "inf" and "nan". */
	if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
		return false;
	*out = strtod(text, &end);
	return *end == '\0' && isfinite(*out);
}

static bool parse_boolean(const char *text, bool *out)
{
	static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};

	for (int truth = 0; truth < 2; truth++)
		for (size_t i = 0; i < array_size(words[truth]); i++)
			if (strcasecmp(text, words[truth][i]) == 0) {
				*out = truth == 1;
				return true;
			}
	return false;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t length = strlen(text);

	for (const char *choice = choices;; choice = strchr(choice, '|') + 1) {
		if (strcspn(choice, "|") == length && strncmp(choice, text, length) == 0)
			return true;
		if (!strchr(choice, '|'))
			return false;
	}
}

static bool is_string(const struct option_row *row, const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			return false;
	double length = (double)strlen(text);
	return length >= row->min && length <= row->max;
}

static bool parse(const struct option_row *row, const char *text, struct value *value)
{
	switch (row->type) {
	case OPTION_STRING:
	case OPTION_SECRET:
		return is_string(row, text);
	case OPTION_INTEGER:
		return parse_integer(text, &value->integer) && (double)value->integer >= row->min &&
		       (double)value->integer <= row->max;
	case OPTION_NUMBER:
		return parse_number(text, &value->number) && value->number >= row->min && value->number <= row->max;
	case OPTION_BOOLEAN:
		return parse_boolean(text, &value->boolean);
	case OPTION_CHOICE:
		return is_choice(row->choices, text);
	}
	return false;
}

void value_describe(const struct option_row *row, char *out, size_t size)
{
	bool has_unit = row->unit[0] != '\0';
	const char *open = has_unit ? " (" : "";
	const char *close = has_unit ? ")" : "";

	switch (row->type) {
	case OPTION_STRING:
	case OPTION_SECRET:
		snprintf(out, size, "a text of %g to %g bytes without control characters", row->min, row->max);
		break;
	case OPTION_INTEGER:
		snprintf(out, size, "an integer from %.0f to %.0f%s%s%s", row->min, row->max, open, row->unit, close);
		break;
	case OPTION_NUMBER:
		snprintf(out, size, "a number from %.15g to %.15g%s%s%s", row->min, row->max, open, row->unit, close);
		break;
	case OPTION_BOOLEAN:
		snprintf(out, size, "true or false");
		break;
	case OPTION_CHOICE:
		snprintf(out, size, "one of %s", row->choices);
		break;
	}
}

int value_parse(const struct option_row *row, const char *text, struct value *out, char *why, size_t why_size)
{
	struct value value = {0};
	char expected[100];

	if (parse(row, text, &value)) {
		*out = value;
		return 0;
	}
	value_describe(row, expected, sizeof(expected));
	if (row->type == OPTION_SECRET)
		snprintf(why, why_size, "expected %s", expected);
	else
		snprintf(why, why_size, "expected %s, not \"%.40s%s\"", expected, text, strlen(text) > 40 ? "…" : "");
	return -EINVAL;
}
