#include "cli/output/exit_status.h"

#include "base/stop.h"

enum exit_status exit_status_of(const struct error *err)
{
	if (stop_requested())
		return STATUS_ABORTED;
	switch (err->code) {
	case ERROR_CONNECTION:
	case ERROR_TOPOLOGY:
		return STATUS_NO_BROKER;
	case ERROR_STORE_UNAVAILABLE:
		return STATUS_NO_STORE;
	case ERROR_INTERNAL:
		return STATUS_LOCAL_FAULT;
	default:
		return STATUS_USAGE;
	}
}
