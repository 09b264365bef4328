#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/people/export_line.h"

#define ID "00000000-0000-7000-8000-000000000001"

static struct export_line line;

static struct collection_image make_image(const char *user, const char *model, const float *vector, int dimension)
{
	return (struct collection_image){
	    .collection = "staff",
	    .user_id = user,
	    .image_id = ID,
	    .accepted_ms = 1234,
	    .crop = (const uint8_t *)"\xff\xd8 jpeg",
	    .crop_size = 7,
	    .model_id = model,
	    .embedding = vector,
	    .dimension = dimension,
	};
}

/* Writes images; *text gets all lines (free() it). Returns their number without the header. */
static unsigned write_images(const struct collection_image *images, unsigned count, char **text, uint64_t *counted)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	struct export_writer writer = {.out = out};
	unsigned lines = 0;

	assert_int_equal(export_writer_begin(&writer), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(export_writer_add(&writer, &images[i]), 0);
	assert_int_equal(export_writer_end(&writer), 0);
	export_writer_finish(&writer);
	fclose(out);
	*counted = writer.images;
	for (const char *at = *text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines - 1;
}

static void read_line(const char *text)
{
	struct error err = {0};

	if (export_line_read(&line, text, strcspn(text, "\n"), &err) < 0)
		fail_msg("%s", err.text);
}

static void test_comes_back(void **state)
{
	static const float a[] = {1, -0.5f, 0.1f};
	static const float b[] = {3.4e38f};
	const struct collection_image images[] = {
	    make_image("\xc3\xa9\n\"x", "model-a", a, 3),
	    make_image("\xc3\xa9\n\"x", "model-b", b, 1),
	    make_image("bob", NULL, NULL, 0),
	};
	uint64_t counted;
	char *text;

	(void)state;
	assert_int_equal(write_images(images, 3, &text, &counted), 2);
	assert_int_equal(counted, 2);
	assert_int_equal(export_line_check_header(text, strcspn(text, "\n"), NULL), 0);
	char *next = strchr(text, '\n') + 1;
	read_line(next);
	assert_string_equal(line.image.collection, "staff");
	assert_string_equal(line.image.user_id, "\xc3\xa9\n\"x");
	assert_string_equal(line.image.image_id, ID);
	assert_int_equal(line.image.accepted_ms, 1234);
	assert_int_equal(line.image.crop_size, 7);
	assert_memory_equal(line.image.crop, "\xff\xd8 jpeg", 7);
	assert_int_equal(line.embedding_count, 2);
	struct collection_image image = export_line_embedding(&line, 0);
	assert_string_equal(image.model_id, "model-a");
	assert_int_equal(image.dimension, 3);
	assert_memory_equal(image.embedding, a, sizeof(a));
	image = export_line_embedding(&line, 1);
	assert_string_equal(image.model_id, "model-b");
	assert_memory_equal(image.embedding, b, sizeof(b));
	read_line(strchr(next, '\n') + 1);
	assert_string_equal(line.image.user_id, "bob");
	assert_int_equal(line.embedding_count, 0);
	assert_null(line.image.embedding);
	export_line_finish(&line);
	free(text);
}

/* However many models there are, no line is longer than may be read. */
static void test_long_images_are_split(void **state)
{
	static float vector[PEOPLE_MAX_DIMENSION];
	enum { MODELS = 400 };
	static struct collection_image images[MODELS];
	static char models[MODELS][16];
	unsigned embeddings = 0;
	uint64_t counted;
	char *text;

	(void)state;
	for (unsigned i = 0; i < MODELS; i++) {
		snprintf(models[i], sizeof(models[i]), "model-%u", i);
		images[i] = make_image("ann", models[i], vector, PEOPLE_MAX_DIMENSION);
	}
	assert_int_equal(write_images(images, MODELS, &text, &counted), 3);
	assert_int_equal(counted, 1);
	for (char *at = strchr(text, '\n') + 1; *at; at = strchr(at, '\n') + 1) {
		assert_true(strcspn(at, "\n") <= EXPORT_LINE_MAX);
		read_line(at);
		assert_int_equal(line.image.crop_size, 7);
		embeddings += (unsigned)line.embedding_count;
	}
	assert_int_equal(embeddings, MODELS);
	export_line_finish(&line);
	free(text);
}

static void test_headers(void **state)
{
	static const char *const bad[] = {
	    "", "{}", "[]", "{\"facefleet_export\": \"1\"}", "{\"facefleet_export\": 2}", "{\"facefleet_export\": 1"};
	static const char good[] = "{\"facefleet_export\": 1, \"made\": \"later\"}";
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < array_size(bad); i++) {
		assert_true(export_line_check_header(bad[i], strlen(bad[i]), &err) < 0);
		assert_int_equal(err.code, ERROR_CONFIG);
	}
	assert_int_equal(export_line_check_header(good, strlen(good), &err), 0);
}

static void test_refusals(void **state)
{
	static const char start[] = "{\"collection\": \"c\", \"user_id\": \"u\", \"image_id\": \"i\", ";
	static const struct {
		const char *rest;
		const char *complaint;
	} rows[] = {
	    {"", "column"},
	    {"\"accepted_ms\": 1}", "embeddings"},
	    {"\"accepted_ms\": \"1\", \"embeddings\": []}", "accepted_ms"},
	    {"\"accepted_ms\": 1, \"crop\": 7, \"embeddings\": []}", "crop"},
	    {"\"accepted_ms\": 1, \"crop\": \"====\", \"embeddings\": []}", "crop"},
	    {"\"accepted_ms\": 1, \"embeddings\": [7]}", "model_id"},
	    {"\"accepted_ms\": 1, \"embeddings\": [{\"model_id\": \"m\", \"vector\": \"AAAA\"}]}", "dimension"},
	    {"\"accepted_ms\": 1, \"embeddings\": [{\"model_id\": \"m\", \"dimension\": 99999, \"vector\": \"\"}]}",
	     "dimension"},
	    {"\"accepted_ms\": 1, \"embeddings\": [{\"model_id\": \"m\", \"dimension\": 1, \"vector\": \"AAAA\"}]}",
	     "vector"},
	    {"\"accepted_ms\": 1, \"embeddings\": [{\"model_id\": \"m\", \"dimension\": 1}]}", "vector"},
	    {"\"user_id\": \"v\"}", "duplicate"},
	};
	char text[512];

	(void)state;
	for (unsigned i = 0; i < array_size(rows); i++) {
		struct error err = {0};

		snprintf(text, sizeof(text), "%s%s", start, rows[i].rest);
		assert_true(export_line_read(&line, text, strlen(text), &err) < 0);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		if (!strstr(err.text, rows[i].complaint))
			fail_msg("%s: %s", text, err.text);
	}
	export_line_finish(&line);
}

static void test_crop_that_is_too_large(void **state)
{
	struct error err = {0};
	char *text = NULL;

	(void)state;
	assert_true(asprintf(&text,
			     "{\"collection\": \"c\", \"user_id\": \"u\", \"image_id\": \"i\", \"accepted_ms\": 1,"
			     " \"embeddings\": [], \"crop\": \"%0*d\"}",
			     2 * PEOPLE_MAX_CROP_BYTES, 0) > 0);
	assert_true(export_line_read(&line, text, strlen(text), &err) < 0);
	assert_non_null(strstr(err.text, "crop: too long"));
	export_line_finish(&line);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_comes_back), cmocka_unit_test(test_long_images_are_split),  cmocka_unit_test(test_headers),
    cmocka_unit_test(test_refusals),   cmocka_unit_test(test_crop_that_is_too_large),
};

RUN_TESTS(tests)
