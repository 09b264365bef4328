#include "run.h"

#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "face/engine.h"
#include "nn/builder.h"
#include "picture.h"

/* All tests share one engine, as the jobs of one compute thread do. */
static struct modelset *set;
static struct face_engine *engine;

static int open_engine(void **state)
{
	(void)state;
	if (modelset_load(&set, SOURCE_ROOT "/deploy/models/default/detector",
			  SOURCE_ROOT "/deploy/models/default/embedder", NULL))
		return -1;
	return face_engine_new(&engine, set, &picture_limits, NULL);
}

static int close_engine(void **state)
{
	(void)state;
	face_engine_free(engine);
	modelset_free(set);
	return 0;
}

static int analyse(const struct bytes *bytes, enum face_policy policy, struct face_set *out, struct error *err)
{
	return face_engine_analyse(engine, NULL, bytes->data, bytes->size, policy, out, NULL, err);
}

static void must_analyse(const struct bytes *bytes, enum face_policy policy, struct face_set *out)
{
	struct error err = {0};

	if (analyse(bytes, policy, out, &err))
		fail_msg("%s", err.text);
}

static struct bytes read_person(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/data/people/%s", name);
	return picture_read_file(path);
}

static float similarity(const struct face_set *a, const struct face_set *b)
{
	return face_similarity(a->embeddings[0], b->embeddings[0], set->embedder.dimension);
}

static void analyse_person(const char *name, struct face_set *out)
{
	struct bytes jpeg = read_person(name);

	must_analyse(&jpeg, FACE_POLICY_LARGEST, out);
	bytes_free(&jpeg);
}

static void assert_near(float a, float b, float tolerance)
{
	if (!(fabsf(a - b) <= tolerance))
		fail_msg("%g and %g differ by more than %g", (double)a, (double)b, (double)tolerance);
}

/** Both pictures show the same largest face in the same place. */
static void assert_same_face(const struct face_set *a, const struct face_set *b, float pixels, float alike)
{
	for (int i = 0; i < 4; i++)
		assert_near(a->faces[0].box[i], b->faces[0].box[i], pixels);
	for (int i = 0; i < FACE_LANDMARKS; i++) {
		assert_near(a->faces[0].landmarks[i][0], b->faces[0].landmarks[i][0], pixels);
		assert_near(a->faces[0].landmarks[i][1], b->faces[0].landmarks[i][1], pixels);
	}
	assert_true(similarity(a, b) >= alike);
}

/** The embedding of personNN_K.jpg, computed once. */
static const float *person_embedding(const char *name)
{
	static float embeddings[12][3][FACE_MAX_DIMENSION];
	static bool known[12][3];
	static struct face_set found;
	int person, picture;

	assert_int_equal(sscanf(name, "person%d_%d.jpg", &person, &picture), 2);
	assert_in_range(person, 1, 12);
	assert_in_range(picture, 1, 3);
	float *embedding = embeddings[person - 1][picture - 1];
	if (!known[person - 1][picture - 1]) {
		analyse_person(name, &found);
		assert_int_equal(found.count, 1);
		memcpy(embedding, found.embeddings[0], sizeof(found.embeddings[0]));
		known[person - 1][picture - 1] = true;
	}
	return embedding;
}

static void test_pairs(void **state)
{
	struct bytes csv = picture_read_file("tests/data/people/pairs.csv");
	char text[8192];
	char *rest = text;
	char *line;
	int pairs = 0;

	(void)state;
	snprintf(text, sizeof(text), "%.*s", (int)csv.size, (const char *)csv.data);
	strtok_r(rest, "\r\n", &rest);
	while ((line = strtok_r(NULL, "\r\n", &rest))) {
		char first[64], second[64];
		int same;

		assert_int_equal(sscanf(line, "%*d,%63[^,],%63[^,],%d", first, second, &same), 3);
		float cosine =
		    face_similarity(person_embedding(first), person_embedding(second), set->embedder.dimension);
		if (same ? cosine < 0.70f : cosine > 0.25f)
			fail_msg("%s: %g", line, (double)cosine);
		pairs++;
	}
	assert_int_equal(pairs, 82);
	bytes_free(&csv);
}

/* One face in every picture, whatever the policy looks for. */
static void test_every_size_agrees_on_one_face(void **state)
{
	static struct face_set largest, all;

	(void)state;
	for (int person = 1; person <= 12; person++) {
		char name[32];

		snprintf(name, sizeof(name), "person%02d_2.jpg", person);
		struct bytes jpeg = read_person(name);
		must_analyse(&jpeg, FACE_POLICY_LARGEST, &largest);
		must_analyse(&jpeg, FACE_POLICY_REJECT_MULTIPLE, &all);
		assert_int_equal(all.count, 1);
		assert_true(similarity(&largest, &all) > 0.8f);
		bytes_free(&jpeg);
	}
}

static void test_exif_turns(void **state)
{
	static struct face_set upright, turned;
	struct bytes jpeg = read_person("person03_1.jpg");
	struct image picture = picture_decode(&jpeg);

	(void)state;
	must_analyse(&jpeg, FACE_POLICY_LARGEST, &upright);
	for (int exif = 1; exif <= 8; exif++) {
		struct image stored = picture_turned(&picture, exif);
		struct bytes copy = picture_jpeg(&stored, &(struct jpeg_style){.exif = exif, .quality = 95});

		must_analyse(&copy, FACE_POLICY_LARGEST, &turned);
		assert_same_face(&upright, &turned, 2, 0.98f);
		image_finish(&stored);
		bytes_free(&copy);
	}
	image_finish(&picture);
	bytes_free(&jpeg);
}

static void test_encodings(void **state)
{
	static const struct jpeg_style styles[] = {
	    {.progressive = true}, {.colours = COLOURS_CMYK}, {.colours = COLOURS_YCCK}, {.colours = COLOURS_RGB}};
	static struct face_set plain, other;
	struct bytes jpeg = read_person("person05_2.jpg");
	struct image picture = picture_decode(&jpeg);

	(void)state;
	must_analyse(&jpeg, FACE_POLICY_LARGEST, &plain);
	for (size_t i = 0; i < array_size(styles); i++) {
		struct bytes copy = picture_jpeg(&picture, &styles[i]);

		must_analyse(&copy, FACE_POLICY_LARGEST, &other);
		assert_same_face(&plain, &other, 2, 0.97f);
		bytes_free(&copy);
	}
	struct bytes png = picture_png(&picture);
	must_analyse(&png, FACE_POLICY_LARGEST, &other);
	assert_same_face(&plain, &other, 0.5f, 0.999f);
	bytes_free(&png);

	struct bytes grey = picture_jpeg(&picture, &(struct jpeg_style){.colours = COLOURS_GREY});
	must_analyse(&grey, FACE_POLICY_LARGEST, &other);
	assert_true(similarity(&plain, &other) > 0.7f);
	bytes_free(&grey);
	image_finish(&picture);
	bytes_free(&jpeg);
}

/** Two people side by side on a grey ground, the second at half size. */
static struct bytes two_people(const char *first, const char *second)
{
	struct bytes jpegs[2] = {read_person(first), read_person(second)};
	struct image large = picture_decode(&jpegs[0]);
	struct image whole = picture_decode(&jpegs[1]);
	struct image small = picture_scaled(&whole, whole.width / 2, whole.height / 2);
	struct image both = picture_new(large.width + small.width, large.height);

	memset(both.pixels, 120, both.capacity);
	picture_paste(&both, &large, 0, 0);
	picture_paste(&both, &small, large.width, 0);
	struct bytes jpeg = picture_jpeg(&both, &(struct jpeg_style){0});
	image_finish(&large);
	image_finish(&whole);
	image_finish(&small);
	image_finish(&both);
	bytes_free(&jpegs[0]);
	bytes_free(&jpegs[1]);
	return jpeg;
}

static void test_policies(void **state)
{
	static struct face_set first, second, both;
	struct bytes jpeg = two_people("person01_1.jpg", "person02_1.jpg");
	struct error err = {0};

	(void)state;
	analyse_person("person01_1.jpg", &first);
	analyse_person("person02_1.jpg", &second);

	must_analyse(&jpeg, FACE_POLICY_LARGEST, &both);
	assert_int_equal(both.embedded, 1);
	assert_true(similarity(&both, &first) > 0.8f);

	must_analyse(&jpeg, FACE_POLICY_BEST_PAIR, &both);
	assert_int_equal(both.count, 2);
	assert_int_equal(both.embedded, 2);
	assert_true(similarity(&both, &first) > 0.8f);
	assert_true(face_similarity(both.embeddings[1], second.embeddings[0], set->embedder.dimension) > 0.7f);
	assert_true(both.faces[0].box[2] * both.faces[0].box[3] > both.faces[1].box[2] * both.faces[1].box[3]);

	assert_true(analyse(&jpeg, FACE_POLICY_REJECT_MULTIPLE, &both, &err) < 0);
	assert_int_equal(err.code, ERROR_MULTIPLE_FACES);
	assert_string_equal(err.measure, "faces");
	assert_true(err.value == 2);
	bytes_free(&jpeg);
}

/** The face alone, cut at its box. */
static struct image tight_crop(const char *name, struct face_set *found)
{
	struct bytes jpeg = read_person(name);
	struct image picture = picture_decode(&jpeg);

	must_analyse(&jpeg, FACE_POLICY_LARGEST, found);
	const float *box = found->faces[0].box;
	struct image crop = picture_cut(&picture, (int)box[0], (int)box[1], (int)box[2], (int)box[3]);
	image_finish(&picture);
	bytes_free(&jpeg);
	return crop;
}

static void test_tight_crop(void **state)
{
	static struct face_set whole, cropped;

	(void)state;
	for (int person = 1; person <= 12; person++) {
		char name[32];

		snprintf(name, sizeof(name), "person%02d_1.jpg", person);
		struct image crop = tight_crop(name, &whole);
		struct bytes png = picture_png(&crop);

		must_analyse(&png, FACE_POLICY_LARGEST, &cropped);
		assert_true(similarity(&whole, &cropped) > 0.5f);
		image_finish(&crop);
		bytes_free(&png);
	}
}

static void test_too_small(void **state)
{
	static struct face_set whole, found;
	struct image crop = tight_crop("person01_1.jpg", &whole);
	struct image tiny = picture_scaled(&crop, 18, 18 * crop.height / crop.width);
	struct image ground = picture_new(100, 100);
	struct error err = {0};

	(void)state;
	memset(ground.pixels, 120, ground.capacity);
	picture_paste(&ground, &tiny, 40, 40);
	struct bytes png = picture_png(&ground);
	assert_true(analyse(&png, FACE_POLICY_LARGEST, &found, &err) < 0);
	assert_int_equal(err.code, ERROR_FACE_TOO_SMALL);
	assert_true(err.value < 24 && err.limit == 24);
	image_finish(&crop);
	image_finish(&tiny);
	image_finish(&ground);
	bytes_free(&png);
}

static void test_no_face(void **state)
{
	static const int sizes[][2] = {{1, 1}, {1, 700}, {900, 30}, {640, 480}, {3000, 40}};
	static struct face_set found;

	(void)state;
	for (size_t i = 0; i < array_size(sizes); i++) {
		struct image picture = picture_gradient(sizes[i][0], sizes[i][1]);
		struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){0});
		struct error err = {0};

		assert_true(analyse(&jpeg, FACE_POLICY_LARGEST, &found, &err) < 0);
		assert_int_equal(err.code, ERROR_NO_FACE);
		assert_true(analyse(&jpeg, FACE_POLICY_BEST_PAIR, &found, &err) < 0);
		assert_int_equal(err.code, ERROR_NO_FACE);
		image_finish(&picture);
		bytes_free(&jpeg);
	}
}

/* In the small decoding that detection gets the face is smaller than the template: it is decoded larger. */
static void test_small_face_in_a_large_picture(void **state)
{
	static struct face_set alone, inside;
	struct bytes jpeg = read_person("person04_1.jpg");
	struct image person = picture_decode(&jpeg);
	struct image ground = picture_new(3000, 2000);

	(void)state;
	must_analyse(&jpeg, FACE_POLICY_LARGEST, &alone);
	memset(ground.pixels, 120, ground.capacity);
	picture_paste(&ground, &person, 1500, 700);
	struct bytes large = picture_jpeg(&ground, &(struct jpeg_style){.quality = 95});
	must_analyse(&large, FACE_POLICY_LARGEST, &inside);
	assert_near(inside.faces[0].box[0], alone.faces[0].box[0] + 1500, 12);
	assert_near(inside.faces[0].box[1], alone.faces[0].box[1] + 700, 12);
	assert_true(similarity(&alone, &inside) > 0.9f);
	image_finish(&person);
	image_finish(&ground);
	bytes_free(&jpeg);
	bytes_free(&large);
}

static void test_bad_image(void **state)
{
	static struct face_set found;
	struct bytes jpeg = read_person("person01_1.jpg");
	struct error err = {0};

	(void)state;
	jpeg.size /= 2;
	assert_true(analyse(&jpeg, FACE_POLICY_LARGEST, &found, &err) < 0);
	assert_int_equal(err.code, ERROR_IMAGE_CORRUPT);
	assert_true(analyse(&jpeg, FACE_POLICY_LARGEST, &found, NULL) < 0);
	bytes_free(&jpeg);
}

static void test_ends_at_the_next_checkpoint(void **state)
{
	static struct face_set found;
	struct bytes jpeg = read_person("person01_1.jpg");
	struct context cancelled = {0};
	struct context late = {.deadline_ms = 1};
	struct error err = {0};
	struct timings timings;

	(void)state;
	timings_init(&timings);
	context_cancel(&cancelled);
	assert_true(face_engine_analyse(engine, &cancelled, jpeg.data, jpeg.size, FACE_POLICY_LARGEST, &found, &timings,
					&err) < 0);
	assert_int_equal(err.code, ERROR_CANCELLED);
	assert_true(timings.ms[STAGE_DECODE] < 0);
	assert_true(face_engine_analyse(engine, &late, jpeg.data, jpeg.size, FACE_POLICY_LARGEST, &found, NULL, &err) <
		    0);
	assert_int_equal(err.code, ERROR_DEADLINE_EXCEEDED);
	bytes_free(&jpeg);
}

static void test_timings(void **state)
{
	static const enum stage stages[] = {STAGE_DECODE, STAGE_DETECT, STAGE_ALIGN, STAGE_EMBED};
	static struct face_set found;
	struct bytes jpeg = read_person("person01_1.jpg");
	struct timings timings;

	(void)state;
	timings_init(&timings);
	assert_int_equal(
	    face_engine_analyse(engine, NULL, jpeg.data, jpeg.size, FACE_POLICY_LARGEST, &found, &timings, NULL), 0);
	for (size_t i = 0; i < array_size(stages); i++)
		assert_true(timings.ms[stages[i]] >= 0);
	assert_true(timings.ms[STAGE_QUEUE] < 0);
	assert_true(timings.ms[STAGE_COMPARE] < 0);
	bytes_free(&jpeg);
}

/* What one photograph leaves behind in the engine changes nothing for the next. */
static void test_repeats_exactly(void **state)
{
	static struct face_set first, again, other;

	(void)state;
	analyse_person("person07_1.jpg", &first);
	analyse_person("person08_3.jpg", &other);
	analyse_person("person07_1.jpg", &again);
	assert_int_equal(first.count, again.count);
	assert_memory_equal(first.faces[0].box, again.faces[0].box, sizeof(first.faces[0].box));
	assert_memory_equal(first.embeddings[0], again.embeddings[0], sizeof(float) * set->embedder.dimension);
}

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/* An embedder of 96 × 112 pixels, whose embedding is the mean colour. */
static void write_narrow_embedder(const char *folder)
{
	static const char yaml[] = "name: narrow\nfile: narrow.onnx\nsize: [96, 112]\ncolour: rgb\nmean: 0\nscale: 1\n"
				   "dimension: 3\ntemplate: arcface-112\nthresholds: {default: 0.5}\nlicence: none\n"
				   "sha256: ";
	static const int64_t dims[] = {1, 3, 112, 96};
	struct builder b;

	builder_init(&b, 13, 4, dims);
	builder_node(&b, "GlobalAveragePool", "x", "p");
	builder_node(&b, "Flatten", "p", "y");
	builder_output(&b, "y");
	struct buffer network = builder_write(&b);
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char text[sizeof(yaml) + 2 * SHA256_DIGEST_LENGTH];
	size_t length = (size_t)snprintf(text, sizeof(text), "%s", yaml);

	SHA256(network.data, network.size, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%02x", hash[i]);
	write_file(folder, "narrow.onnx", network.data, network.size);
	write_file(folder, "model.yaml", text, length);
	buffer_finish(&network);
	builder_finish(&b);
}

static void remove_folder(const char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/narrow.onnx", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/model.yaml", folder);
	unlink(path);
	rmdir(folder);
}

static void test_embedder_of_another_size(void **state)
{
	char folder[] = "/tmp/facefleet-engine-XXXXXX";
	struct modelset *narrow;
	struct face_engine *other;
	struct face_set found;
	struct error err = {0};
	struct bytes jpeg = read_person("person01_1.jpg");

	(void)state;
	assert_non_null(mkdtemp(folder));
	write_narrow_embedder(folder);
	if (modelset_load(&narrow, SOURCE_ROOT "/deploy/models/default/detector", folder, &err))
		fail_msg("%s", err.text);
	assert_int_equal(face_engine_new(&other, narrow, &picture_limits, &err), 0);
	assert_int_equal(face_engine_warm(other, &err), 0);
	assert_int_equal(
	    face_engine_analyse(other, NULL, jpeg.data, jpeg.size, FACE_POLICY_LARGEST, &found, NULL, &err), 0);
	/* A direction of length 1, of a face: more red than blue. */
	assert_near(face_similarity(found.embeddings[0], found.embeddings[0], 3), 1, 1e-5f);
	assert_true(found.embeddings[0][0] > found.embeddings[0][2]);
	face_engine_free(other);
	modelset_free(narrow);
	remove_folder(folder);
	bytes_free(&jpeg);
}

static void test_portrait_embeds_like_the_photograph(void **state)
{
	struct buffer portrait = {0};
	struct face_quality quality;
	struct error err = {0};
	static struct face_set found;
	float embedding[FACE_MAX_DIMENSION];

	(void)state;
	for (int person = 1; person <= 12; person++) {
		char name[32];

		snprintf(name, sizeof(name), "person%02d_1.jpg", person);
		analyse_person(name, &found);
		buffer_clear(&portrait);
		assert_int_equal(face_engine_look(engine, &found, &quality, &portrait, &err), 0);
		assert_true(quality.eye_distance > 20 && quality.sharpness > 10 && quality.yaw < 45);
		assert_int_equal(face_engine_embed_portrait(engine, portrait.data, portrait.size, embedding, &err), 0);
		float alike = face_similarity(embedding, found.embeddings[0], set->embedder.dimension);
		if (alike < 0.95f)
			fail_msg("%s: the portrait is %g like the photograph", name, (double)alike);
	}
	assert_true(face_engine_embed_portrait(engine, portrait.data, portrait.size / 2, embedding, &err) < 0);
	assert_int_equal(err.code, ERROR_IMAGE_CORRUPT);
	buffer_finish(&portrait);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pairs),
    cmocka_unit_test(test_every_size_agrees_on_one_face),
    cmocka_unit_test(test_exif_turns),
    cmocka_unit_test(test_encodings),
    cmocka_unit_test(test_policies),
    cmocka_unit_test(test_tight_crop),
    cmocka_unit_test(test_too_small),
    cmocka_unit_test(test_no_face),
    cmocka_unit_test(test_small_face_in_a_large_picture),
    cmocka_unit_test(test_bad_image),
    cmocka_unit_test(test_ends_at_the_next_checkpoint),
    cmocka_unit_test(test_timings),
    cmocka_unit_test(test_embedder_of_another_size),
    cmocka_unit_test(test_portrait_embeds_like_the_photograph),
    cmocka_unit_test(test_repeats_exactly),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, open_engine, close_engine);
}
