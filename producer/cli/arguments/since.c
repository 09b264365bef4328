#include "cli/arguments/since.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* More days than anybody keeps anything. */
#define MOST 1000000

static int64_t unit_ms(const char *unit)
{
	if (unit[0] == '\0' || unit[1] != '\0')
		return 0;
	switch (unit[0]) {
	case 's':
		return 1000;
	case 'm':
		return INT64_C(60) * 1000;
	case 'h':
		return INT64_C(60) * 60 * 1000;
	case 'd':
		return INT64_C(24) * 60 * 60 * 1000;
	default:
		return 0;
	}
}

int since_parse(const char *text, int64_t now_ms, int64_t *out)
{
	char *end;

	if (clock_parse_rfc3339(text, out) == 0)
		return 0;
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	long number = strtol(text, &end, 10);
	int64_t unit = unit_ms(end);
	if (unit == 0 || number > MOST)
		return -EINVAL;
	*out = now_ms - number * unit;
	return 0;
}
