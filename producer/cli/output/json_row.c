#include "cli/output/json_row.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/output/terminal.h"

json_t *json_row_text(const char *text)
{
	json_t *string = text[0] ? json_string(text) : NULL;

	return string ? string : json_null();
}

json_t *json_row_time(int64_t unix_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (unix_ms == 0)
		return json_null();
	clock_format_rfc3339(unix_ms, text);
	return json_string(text);
}

int json_row_print(json_t *object, bool pretty, FILE *out)
{
	size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9);
	int fd = fileno(out); /* negative: gathered in memory, and then printed */

	if (!object)
		return -ENOMEM;
	flags |= pretty ? JSON_INDENT(2) : JSON_COMPACT;
	if (terminal_of(fd >= 0 ? fd : STDOUT_FILENO).interactive)
		flags |= JSON_ENSURE_ASCII;
	int r = json_dumpf(object, out, flags) < 0 && !ferror(out) ? -ENOMEM : 0;
	putc('\n', out);
	json_decref(object);
	return r;
}
