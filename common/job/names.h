#ifndef JOB_NAMES_H
#define JOB_NAMES_H

#include <stddef.h>

#include "base/compiler.h"
#include "job/job.h"
#include "job/reply.h"

/* The words of the wire, indexed by their enums: what encoders write and decoders accept. */

extern const char *const names_ops[JOB_UNENROLL + 1];
extern const char *const names_policies[FACE_POLICY_REJECT_MULTIPLE + 1];
extern const char *const names_states[TASK_FINAL_FAILED + 1];
extern const char *const names_stages[STAGE_COUNT];
extern const char *const names_degradations[DEGRADATION_COUNT];

/** The index of `name` among `count` names, or -1. */
int names_find(const char *const *names, size_t count, const char *name) must_check;

#endif
