#ifndef MATCH_SIGHTINGS_H
#define MATCH_SIGHTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "face/engine.h"
#include "job/job.h"
#include "job/reply.h"

/** What was found in the photographs of one job. Some 140 kB: keep it on the heap. Zero-initialise. */
struct sightings {
	struct error error; /**< set: why there is nothing else but timings */
	struct timings timings;
	struct face_set faces[2];    /**< of photographs a and b */
	struct face_quality quality; /**< of an enrolment */
	struct buffer portrait;      /**< of an enrolment */
};

/** The most that sightings_write() makes. */
#define SIGHTINGS_MAX_BYTES (2u << 20)

/** Appends what was found for a job of that `op` (embeddings of `dimension` numbers). 0, -EMSGSIZE or -ENOMEM. */
int sightings_write(const struct sightings *sightings, enum job_op op, int dimension, struct buffer *out) must_check;

/**
 * Reads what sightings_write() made in a process that a hostile photograph may have taken over: all sizes, counts and
 * numbers are checked. 0, -EBADMSG or -ENOMEM; `out` (zero-initialised) may be half written then. Free it in any case.
 */
int sightings_read(const uint8_t *bytes, size_t size, enum job_op op, int dimension, struct sightings *out) must_check;

/** Frees what it owns. */
void sightings_finish(struct sightings *sightings);

/** How many photographs a job of that op has. */
int sightings_photographs(enum job_op op);

#endif
