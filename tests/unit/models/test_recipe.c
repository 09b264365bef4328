#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "recipe.h"

#define ZOO SOURCE_ROOT "/deploy/models/recipes/opencv-zoo.yaml"

static void test_opencv_zoo(void **state)
{
	(void)state;
	static struct recipe recipe;
	struct error err = {0};

	if (recipe_read(&recipe, ZOO, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(recipe.name, "opencv-zoo");
	assert_int_equal(recipe.detector.size, 232589);
	assert_string_equal(recipe.detector.licence, "MIT");
	assert_string_equal(recipe.detector.file.name, "face_detection_yunet_2023mar.onnx");
	assert_string_equal(recipe.detector.file.sha256,
			    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4");
	assert_int_equal(recipe.embedder.size, 38696353);
	assert_string_equal(recipe.embedder.licence, "Apache-2.0");
	assert_string_equal(recipe.embedder.model, "sface-2021dec");
	assert_string_equal(recipe.embedder.file.sha256,
			    "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79");
}

/* The recipe with one line changed has to be refused with these words. */
static void assert_refused(const char *from, const char *to, const char *why)
{
	static struct recipe recipe;
	struct buffer text = {0};
	struct buffer changed = {0};
	struct error err = {0};

	assert_int_equal(buffer_read_file(&text, ZOO, 1 << 20, &err), 0);
	char *at = strstr((char *)text.data, from);
	assert_non_null(at);
	assert_int_equal(buffer_printf(&changed, "%.*s%s%s", (int)(at - (char *)text.data), (char *)text.data, to,
				       at + strlen(from)),
			 0);
	if (recipe_parse(&recipe, "r.yaml", changed.data, changed.size, &err) == 0 || !strstr(err.text, why))
		fail_msg("\"%s\" instead of \"%s\": %s", to, from, err.text);
	buffer_finish(&text);
	buffer_finish(&changed);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("name: opencv-zoo", "name: ../evil", "small letters");
	assert_refused("name: opencv-zoo", "name: .hidden", "small letters");
	assert_refused("name: opencv-zoo", "nmae: opencv-zoo", "nmae: unknown key");
	assert_refused("about:", "# ", "about: the key is missing");
	assert_refused("detector_url: https", "detector_url: http", "an https address");
	assert_refused("detector_url: https", "detector_url: file", "an https address");
	assert_refused("detector_size: 232589", "detector_size: 0", "outside");
	assert_refused("detector_size: 232589", "detector_size: 1000000000", "outside");
	assert_refused("file: face_detection_yunet_2023mar.onnx", "file: ../../etc/passwd", "plain name");
	assert_refused("decoder: yunet", "decodre: yunet", "decodre: unknown key");
	assert_refused("detector_yaml: |", "detector_yaml: [1]\nrest: |", "the text of a model.yaml");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_opencv_zoo),
    cmocka_unit_test(test_refusals),
};

RUN_TESTS(tests)
