#include "cli/output/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/output/escape.h"
#include "cli/output/terminal.h"

printf_like(2, 0) static void put(const char *prefix, const char *fmt, va_list args)
{
	char text[ESCAPE_SIZE];
	char shown[ESCAPE_SIZE * 2];
	struct terminal terminal = terminal_of(STDERR_FILENO);

	vsnprintf(text, sizeof(text), fmt, args);
	fprintf(stderr, "%s%s%s%s\n", terminal_bad(terminal), prefix, terminal_plain(terminal),
		escape_text(text, shown, sizeof(shown)));
}

void report_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("facefleet: ", fmt, args);
	va_end(args);
}

enum exit_status report_failure(const struct error *err)
{
	report_error("%s", err->text);
	return exit_status_of(err);
}

void report_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put("", fmt, args);
	va_end(args);
}
