#include "job/names.h"

#include <string.h>

const char *const names_ops[] = {
    [JOB_MATCH] = "match",   [JOB_VERIFY] = "verify",     [JOB_SEARCH] = "search",
    [JOB_ENROLL] = "enroll", [JOB_UNENROLL] = "unenroll",
};

const char *const names_policies[] = {
    [FACE_POLICY_LARGEST] = "largest",
    [FACE_POLICY_BEST_PAIR] = "best_pair",
    [FACE_POLICY_REJECT_MULTIPLE] = "reject_multiple",
};

const char *const names_states[] = {
    [TASK_PENDING] = "pending", [TASK_RUNNING] = "running",   [TASK_SUCCEEDED] = "succeeded",
    [TASK_FAILED] = "failed",   [TASK_RETRYING] = "retrying", [TASK_FINAL_FAILED] = "final_failed",
};

const char *const names_stages[] = {
    [STAGE_QUEUE] = "queue", [STAGE_FETCH] = "fetch", [STAGE_DECODE] = "decode",   [STAGE_DETECT] = "detect",
    [STAGE_ALIGN] = "align", [STAGE_EMBED] = "embed", [STAGE_COMPARE] = "compare", [STAGE_TOTAL] = "total",
};

const char *const names_degradations[] = {
    [DEGRADED_CANDIDATES] = "candidates",
    [DEGRADED_TIMINGS] = "timings",
};

int names_find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}
