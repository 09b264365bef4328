#include "run.h"

#include <stdio.h>
#include <string.h>

#include "face/model_yaml.h"

#define SHA_LINE "sha256: a36160e6dd442585241789290cb0a0bb3ce26d7abf95ea1e05d94d2a01822c6d"

/* One line a key, so that a case can replace a line by its number. */
static const char *const detector_lines[] = {
    "name: some detector",     "file: detector.onnx",  SHA_LINE,        "decoder: yunet",
    "strides: [8, 16, 32]",    "colour: bgr",          "mean: 0",       "scale: 1",
    "input_sizes: [160, 320]", "score_threshold: 0.5", "nms_iou: 0.35", "min_face: 24",
    "licence: Apache-2.0",
};

static const char *const embedder_lines[] = {
    "name: some embedder",
    "file: embedder.onnx",
    SHA_LINE,
    "size: [112, 112]",
    "colour: rgb",
    "mean: [123.675, 116.28, 103.53]",
    "scale: [58.395, 57.12, 57.375]",
    "dimension: 128",
    "template: arcface-112",
    "thresholds: {0.001: 0.40, default: 0.25, 0.01: 0.29}",
    "licence: Apache-2.0",
};

static void join(char *out, size_t size, const char *const *lines, size_t count, size_t replaced, const char *by)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s\n", i + 1 == replaced ? by : lines[i]);
	assert_true(used < size);
}

static int read_detector(size_t replaced, const char *by, struct detector_spec *spec, struct error *err)
{
	char text[4096];
	struct model_file file;

	join(text, sizeof(text), detector_lines, array_size(detector_lines), replaced, by);
	return model_yaml_read_detector("d/model.yaml", (const uint8_t *)text, strlen(text), spec, &file, err);
}

static int read_embedder(size_t replaced, const char *by, struct embedder_spec *spec, struct error *err)
{
	char text[4096];
	struct model_file file;

	join(text, sizeof(text), embedder_lines, array_size(embedder_lines), replaced, by);
	return model_yaml_read_embedder("e/model.yaml", (const uint8_t *)text, strlen(text), spec, &file, err);
}

static void test_detector(void **state)
{
	struct detector_spec spec;

	(void)state;
	assert_int_equal(read_detector(0, NULL, &spec, NULL), 0);
	assert_string_equal(spec.name, "some detector");
	assert_string_equal(spec.licence, "Apache-2.0");
	assert_int_equal(spec.stride_count, 3);
	assert_int_equal(spec.strides[2], 32);
	assert_true(spec.norm.bgr);
	assert_true(spec.norm.mean[2] == 0 && spec.norm.scale[2] == 1);
	assert_int_equal(spec.input_size_count, 2);
	assert_int_equal(spec.input_sizes[1], 320);
	assert_true(spec.score_threshold == 0.5f);
	assert_true(spec.nms_iou == 0.35f);
	assert_int_equal(spec.min_face, 24);
}

static void test_embedder(void **state)
{
	struct embedder_spec spec;

	(void)state;
	assert_int_equal(read_embedder(0, NULL, &spec, NULL), 0);
	assert_false(spec.norm.bgr);
	assert_true(spec.norm.mean[1] == 116.28f && spec.norm.scale[2] == 57.375f);
	assert_int_equal(spec.width, 112);
	assert_int_equal(spec.dimension, 128);
	assert_true(spec.default_threshold == 0.25);
	assert_int_equal(spec.far_count, 2);
	assert_true(spec.fars[0].far == 0.01 && spec.fars[0].threshold == 0.29);
	assert_true(spec.fars[1].far == 0.001 && spec.fars[1].threshold == 0.40);
}

/** What a replaced line must lead to: the place and a part of the reason. */
struct bad_line {
	size_t line;
	const char *text;
	const char *error;
};

static void check_bad(const struct bad_line *bad, const char *file, int rc, const struct error *err)
{
	char place[64];

	snprintf(place, sizeof(place), "%s:%zu:", file, bad->line);
	if (rc == 0 || err->code != ERROR_MODEL || strncmp(err->text, place, strlen(place)) != 0 ||
	    !strstr(err->text, bad->error))
		fail_msg("%s\n  gave: %s\n  wanted: %s … %s", bad->text, rc ? err->text : "(no error)", place,
			 bad->error);
}

static void test_bad_detectors(void **state)
{
	static const struct bad_line cases[] = {
	    {1, "nam: x", "1:1: nam: unknown key"},
	    {1, "name: [x]", "1:7: name: a text"},
	    {1, "name: ''", "name: a text"},
	    {1, "name: \"a\\x01b\"", "name: a text"},
	    {1, "? [a, b]\n: c", "unknown key"},
	    {2, "name: again", "name: the key stands here twice"},
	    {2, "file: ../detector.onnx", "file: a plain name"},
	    {2, "file: .hidden", "file: a plain name"},
	    {3, "sha256: a361", "sha256: 64 lower-case"},
	    {4, "decoder: ssd", "the decoders there are: retinaface, scrfd and yunet"},
	    {5, "strides: 8", "strides: a list"},
	    {5, "strides: []", "0 elements"},
	    {5, "strides: [4, 8, 8, 16, 32]", "5 elements"},
	    {5, "strides: [8, 12]", "divide 32"},
	    {5, "strides: [8, 16.5]", "whole number"},
	    {6, "colour: grey", "\"rgb\" or \"bgr\""},
	    {7, "mean: [0, 0]", "2 elements"},
	    {7, "mean: {a: 1}", "a list is expected"},
	    {7, "mean: nan", "a number"},
	    {7, "mean: 0x10", "a number"},
	    {7, "mean: 1e999", "a number"},
	    {8, "scale: 0", "outside"},
	    {9, "input_sizes: [160, 100]", "multiple of 32"},
	    {9, "input_sizes: [4096]", "outside"},
	    {10, "score_threshold: high", "a number"},
	    {12, "min_face: 0", "outside"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct detector_spec spec;
		struct error err = {0};
		int rc = read_detector(cases[i].line, cases[i].text, &spec, &err);

		check_bad(&cases[i], "d/model.yaml", rc, &err);
	}
}

static void test_bad_embedders(void **state)
{
	static const struct bad_line cases[] = {
	    {4, "size: [112]", "1 elements"},
	    {4, "size: [16, 112]", "outside"},
	    {4, "size: [112, 513]", "outside"},
	    {8, "dimension: 5000", "outside"},
	    {9, "template: mine", "only \"arcface-112\""},
	    {10, "thresholds: 0.5", "a mapping"},
	    {10, "thresholds: {0.01: 0.3}", "no \"default\""},
	    {10, "thresholds: {default: 2}", "outside"},
	    {10, "thresholds: {default: 0.2, default: 0.3}", "twice"},
	    {10, "thresholds: {default: 0.2, 1.5: 0.3}", "between 0 and 1"},
	    {10, "thresholds: {default: 0.2, 0.01: 0.3, 1e-2: 0.3}", "twice"},
	    {10, "thresholds: {default: 0.2, 0.01: 0.3, 0.001: 0.2}", "lower rate"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct embedder_spec spec;
		struct error err = {0};
		int rc = read_embedder(cases[i].line, cases[i].text, &spec, &err);

		check_bad(&cases[i], "e/model.yaml", rc, &err);
	}
}

static void test_missing_key(void **state)
{
	struct detector_spec spec;
	struct error err = {0};

	(void)state;
	assert_true(read_detector(11, "", &spec, &err) < 0);
	assert_non_null(strstr(err.text, "nms_iou: the key is missing"));
}

static void test_no_mapping(void **state)
{
	static const char *const texts[] = {"", "# nothing\n", "- a\n- b\n", "name: [", "a: &x\n\tb", "\xff\xfe\x00"};

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		struct detector_spec spec;
		struct model_file file;
		struct error err = {0};

		assert_true(
		    model_yaml_read_detector("m", (const uint8_t *)texts[i], strlen(texts[i]), &spec, &file, &err) < 0);
		assert_int_equal(err.code, ERROR_MODEL);
		assert_int_equal(strncmp(err.text, "m:", 2), 0);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_detector),      cmocka_unit_test(test_embedder),    cmocka_unit_test(test_bad_detectors),
    cmocka_unit_test(test_bad_embedders), cmocka_unit_test(test_missing_key), cmocka_unit_test(test_no_mapping),
};
RUN_TESTS(tests)
