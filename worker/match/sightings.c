#include "sightings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "photo_entry.h"
#include "store/people.h"

int sightings_photographs(enum job_op op)
{
	switch (op) {
	case JOB_MATCH:
		return 2;
	case JOB_VERIFY:
	case JOB_SEARCH:
	case JOB_ENROLL:
		return 1;
	case JOB_UNENROLL:
		break;
	}
	return 0;
}

void sightings_finish(struct sightings *sightings)
{
	buffer_finish(&sightings->portrait);
}

/* ---- written: parts, each with its size in front ---- */

static int append_part(struct buffer *out, const struct buffer *part)
{
	uint32_t size = (uint32_t)part->size;
	int r = buffer_append(out, &size, sizeof(size));

	return r < 0 ? r : buffer_append(out, part->data, part->size);
}

/* Error and timings in the form that a reply has them, whose decoder trusts nobody. */
static int append_outcome(const struct sightings *s, struct buffer *part, struct buffer *out)
{
	struct reply reply;

	reply_init(&reply, "", NULL);
	reply.state = error_is_set(&s->error) ? TASK_FINAL_FAILED : TASK_SUCCEEDED;
	reply.error = s->error;
	reply.timings = s->timings;
	int r = reply_encode(&reply, ENCODING_MSGPACK, part);
	return r < 0 ? r : append_part(out, part);
}

int sightings_write(const struct sightings *s, enum job_op op, int dimension, struct buffer *out)
{
	struct buffer part = {0};
	int r = append_outcome(s, &part, out);
	int photographs = error_is_set(&s->error) ? 0 : sightings_photographs(op);

	for (int i = 0; i < photographs && r == 0; i++) {
		buffer_clear(&part);
		r = photo_entry_write(&s->faces[i], dimension, &part);
		if (r == 0)
			r = append_part(out, &part);
	}
	if (photographs > 0 && op == JOB_ENROLL) {
		if (r == 0)
			r = buffer_append(out, &s->quality, sizeof(s->quality));
		if (r == 0)
			r = append_part(out, &s->portrait);
	}
	buffer_finish(&part);
	return r;
}

/* ---- read ---- */

struct cursor {
	const uint8_t *at;
	size_t left;
};

static int take(struct cursor *cursor, size_t size, const uint8_t **bytes)
{
	if (size > cursor->left)
		return -EBADMSG;
	*bytes = cursor->at;
	cursor->at += size;
	cursor->left -= size;
	return 0;
}

static int take_part(struct cursor *cursor, const uint8_t **bytes, uint32_t *size)
{
	int r = take(cursor, sizeof(*size), bytes);

	if (r < 0)
		return r;
	memcpy(size, *bytes, sizeof(*size));
	return take(cursor, *size, bytes);
}

static int read_outcome(struct cursor *cursor, struct sightings *out)
{
	const uint8_t *bytes;
	uint32_t size;
	struct reply reply;
	int r = take_part(cursor, &bytes, &size);

	if (r == 0)
		r = reply_decode(&reply, ENCODING_MSGPACK, bytes, size, NULL);
	if (r < 0)
		return r == -EAGAIN ? -ENOMEM : -EBADMSG;
	bool consistent = (reply.state == TASK_FINAL_FAILED) == error_is_set(&reply.error);
	out->error = reply.error;
	out->timings = reply.timings;
	reply_finish(&reply);
	return consistent ? 0 : -EBADMSG;
}

static int read_faces(struct cursor *cursor, int dimension, struct face_set *faces)
{
	const uint8_t *bytes;
	uint32_t size;
	int r = take_part(cursor, &bytes, &size);

	return r < 0 ? r : photo_entry_read(bytes, size, dimension, faces);
}

static bool is_jpeg(const uint8_t *bytes, size_t size)
{
	static const uint8_t start[] = {0xFF, 0xD8, 0xFF};

	return size > sizeof(start) && memcmp(bytes, start, sizeof(start)) == 0;
}

static int read_enrolment(struct cursor *cursor, struct sightings *out)
{
	const struct face_quality *quality = &out->quality;
	const uint8_t *bytes;
	uint32_t size;
	int r = take(cursor, sizeof(out->quality), &bytes);

	if (r < 0)
		return r;
	memcpy(&out->quality, bytes, sizeof(out->quality));
	if (!isfinite(quality->eye_distance) || !isfinite(quality->sharpness) || !isfinite(quality->yaw) ||
	    !isfinite(quality->roll))
		return -EBADMSG;
	r = take_part(cursor, &bytes, &size);
	if (r < 0)
		return r;
	if (size > PEOPLE_MAX_CROP_BYTES || !is_jpeg(bytes, size))
		return -EBADMSG;
	return buffer_append(&out->portrait, bytes, size);
}

int sightings_read(const uint8_t *bytes, size_t size, enum job_op op, int dimension, struct sightings *out)
{
	struct cursor cursor = {bytes, size};
	int r = read_outcome(&cursor, out);

	if (r == 0 && !error_is_set(&out->error)) {
		for (int i = 0; i < sightings_photographs(op) && r == 0; i++)
			r = read_faces(&cursor, dimension, &out->faces[i]);
		if (r == 0 && op == JOB_ENROLL)
			r = read_enrolment(&cursor, out);
	}
	return r == 0 && cursor.left > 0 ? -EBADMSG : r;
}
