#ifndef JOB_JOB_CHECK_H
#define JOB_JOB_CHECK_H

#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"

/**
 * What makes a job valid beyond the types of its fields: the same for a job that came in and one
 * that is to be sent. Returns 0, or -EBADMSG with `err` an `invalid_job` naming the field's path.
 */
int job_check(const struct job *job, struct error *err) must_check;

#endif
