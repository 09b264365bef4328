/* Reports of deliveries. What decodes must encode, and decode to a report that encodes to the same bytes. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "job/delivery_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer first = {0};
	struct buffer second = {0};
	struct delivery_report report;
	struct error err = {0};

	if (delivery_report_decode(&report, data, size, &err) < 0) {
		assert(err.code == ERROR_INVALID_JOB && err.text[0] != '\0');
		return 0;
	}
	assert(uuid_is_valid(report.task_id) && report.attempt >= 0);
	assert(delivery_report_encode(&report, &first) == 0);
	assert(delivery_report_decode(&report, first.data, first.size, &err) == 0);
	assert(delivery_report_encode(&report, &second) == 0);
	assert(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	buffer_finish(&first);
	buffer_finish(&second);
	return 0;
}
