#include "run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sightings.h"

#define DIMENSION 4

static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF, 0xE0, 0, 16};

static int set_up(void **state)
{
	struct sightings *s = calloc(2, sizeof(*s));

	if (!s)
		return -1;
	*state = s;
	timings_init(&s->timings);
	timings_add(&s->timings, STAGE_DETECT, 12.5);
	for (int i = 0; i < 2; i++) {
		s->faces[i].count = s->faces[i].embedded = 1;
		s->faces[i].faces[0].score = 0.5f;
		s->faces[i].embeddings[0][i] = 1;
	}
	s->quality = (struct face_quality){.eye_distance = 40, .sharpness = 300, .yaw = 1, .roll = 2};
	return buffer_append(&s->portrait, jpeg, sizeof(jpeg));
}

static int tear_down(void **state)
{
	struct sightings *s = *state;

	sightings_finish(&s[0]);
	sightings_finish(&s[1]);
	free(s);
	return 0;
}

static struct buffer write_as(const struct sightings *s, enum job_op op)
{
	struct buffer bytes = {0};

	assert_int_equal(sightings_write(s, op, DIMENSION, &bytes), 0);
	assert_true(bytes.size <= SIGHTINGS_MAX_BYTES);
	return bytes;
}

static int read_as(const struct buffer *bytes, enum job_op op, struct sightings *out)
{
	sightings_finish(out);
	memset(out, 0, sizeof(*out));
	return sightings_read(bytes->data, bytes->size, op, DIMENSION, out);
}

static void what_is_written_is_read(void **state)
{
	struct sightings *s = *state;
	struct buffer bytes = write_as(&s[0], JOB_MATCH);

	assert_int_equal(read_as(&bytes, JOB_MATCH, &s[1]), 0);
	assert_int_equal(s[1].error.code, ERROR_NONE);
	assert_true(s[1].timings.ms[STAGE_DETECT] == 12.5 && s[1].timings.ms[STAGE_ALIGN] < 0);
	assert_true(s[1].faces[0].embeddings[0][0] == 1 && s[1].faces[1].embeddings[0][1] == 1);
	assert_int_equal(s[1].portrait.size, 0);
	buffer_finish(&bytes);

	bytes = write_as(&s[0], JOB_ENROLL);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), 0);
	assert_true(s[1].quality.sharpness == 300 && s[1].quality.roll == 2);
	assert_int_equal(s[1].portrait.size, sizeof(jpeg));
	assert_memory_equal(s[1].portrait.data, jpeg, sizeof(jpeg));
	buffer_finish(&bytes);
}

static void an_error_comes_alone(void **state)
{
	struct sightings *s = *state;

	error_set_limit(&s[0].error, ERROR_IMAGE_TOO_LARGE, "width", 5000, 4000, "too wide");
	s[0].error.image = 'b';
	struct buffer bytes = write_as(&s[0], JOB_ENROLL);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), 0);
	assert_int_equal(s[1].error.code, ERROR_IMAGE_TOO_LARGE);
	assert_int_equal(s[1].error.class, ERROR_CLASS_REJECT);
	assert_int_equal(s[1].error.image, 'b');
	assert_string_equal(s[1].error.measure, "width");
	assert_true(s[1].timings.ms[STAGE_DETECT] == 12.5);
	assert_int_equal(s[1].portrait.size, 0);
	buffer_finish(&bytes);
}

static void every_other_length_is_refused(void **state)
{
	struct sightings *s = *state;
	struct buffer bytes = write_as(&s[0], JOB_ENROLL);
	struct buffer cut = bytes;

	for (cut.size = 0; cut.size < bytes.size; cut.size++)
		assert_int_equal(read_as(&cut, JOB_ENROLL, &s[1]), -EBADMSG);
	assert_int_equal(buffer_append(&bytes, "x", 1), 0);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), -EBADMSG);
	buffer_finish(&bytes);
}

static void another_op_is_refused(void **state)
{
	struct sightings *s = *state;
	struct buffer bytes = write_as(&s[0], JOB_MATCH);

	assert_int_equal(read_as(&bytes, JOB_VERIFY, &s[1]), -EBADMSG);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), -EBADMSG);
	buffer_finish(&bytes);
}

static void numbers_that_are_none_are_refused(void **state)
{
	struct sightings *s = *state;

	s[0].quality.yaw = NAN;
	struct buffer bytes = write_as(&s[0], JOB_ENROLL);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), -EBADMSG);
	buffer_finish(&bytes);

	s[0].faces[0].embeddings[0][0] = 3;
	bytes = write_as(&s[0], JOB_VERIFY);
	assert_int_equal(read_as(&bytes, JOB_VERIFY, &s[1]), -EBADMSG);
	buffer_finish(&bytes);
}

static void a_portrait_that_is_no_jpeg_is_refused(void **state)
{
	struct sightings *s = *state;

	s[0].portrait.data[0] = 'G';
	struct buffer bytes = write_as(&s[0], JOB_ENROLL);
	assert_int_equal(read_as(&bytes, JOB_ENROLL, &s[1]), -EBADMSG);
	buffer_finish(&bytes);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(what_is_written_is_read),           CASE(an_error_comes_alone),
    CASE(every_other_length_is_refused),     CASE(another_op_is_refused),
    CASE(numbers_that_are_none_are_refused), CASE(a_portrait_that_is_no_jpeg_is_refused),
};

RUN_TESTS(tests)
