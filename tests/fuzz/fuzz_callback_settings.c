/* The two settings of the callback service that have a syntax of their own. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "callback/retry_plan.h"
#include "callback/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_plan(const char *text)
{
	struct retry_plan plan;
	struct error err = {0};

	if (retry_plan_parse(&plan, text, &err) != 0) {
		assert(err.code == ERROR_CONFIG);
		return;
	}
	assert(plan.count >= 1 && plan.count <= RETRY_PLAN_MAX_STEPS);
	for (unsigned i = 0; i < plan.count; i++) {
		int64_t scheduled = retry_plan_next(&plan, (int)i + 1, -1);
		assert(scheduled > 0 && scheduled == plan.delays_ms[i]);
		assert(retry_plan_next(&plan, (int)i + 1, scheduled + 1) >= scheduled);
	}
	assert(retry_plan_next(&plan, (int)plan.count + 1, 0) == -1);
}

static void check_keys(const char *text)
{
	struct signature_keys *keys;
	struct error err = {0};
	struct buffer signature = {0};

	if (signature_keys_new(&keys, text, &err) != 0) {
		assert(err.code == ERROR_CONFIG);
		return;
	}
	assert(signature_sign(keys, "id", 1, (const uint8_t *)"{}", 2, &signature) == 0);
	assert(strncmp((const char *)signature.data, "v1,", 3) == 0);
	buffer_finish(&signature);
	signature_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_plan(text);
	check_keys(text);
	free(text);
	return 0;
}
