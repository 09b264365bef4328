#include "document.h"

#include <stdio.h>
#include <unistd.h>

void document_print(json_t *document)
{
	size_t flags = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9);

	if (isatty(STDOUT_FILENO))
		flags |= JSON_ENSURE_ASCII;
	json_dumpf(document, stdout, flags);
	putchar('\n');
	json_decref(document);
}
