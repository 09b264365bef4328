#include <stdint.h>
#include <stdlib.h>

#include "job/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted and known can be written, and reads the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control control;
	struct control again;
	struct buffer body = {0};
	struct error err;

	if (control_decode(&control, data, size, &err) < 0 || control.kind == CONTROL_OTHER)
		return 0;
	if (control_encode(&control, &body) < 0 || control_decode(&again, body.data, body.size, &err) < 0)
		abort();
	if (again.kind != control.kind || again.version != control.version)
		abort();
	buffer_finish(&body);
	return 0;
}
