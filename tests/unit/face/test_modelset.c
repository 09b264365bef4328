#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "face/modelset.h"
#include "picture.h"

#define DETECTOR SOURCE_ROOT "/deploy/models/default/detector"
#define EMBEDDER SOURCE_ROOT "/deploy/models/default/embedder"

/** A folder of its own for each test; `folder` is changed, its files are removed by leave(). */
static char folder[64];

static int enter(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/facefleet-modelset-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
	static const char *const files[] = {"model.yaml", "embedder.onnx", "detector.onnx", "ranges.txt"};

	(void)state;
	for (size_t i = 0; i < array_size(files); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

/** Copies the default embedder into the folder, with `from` replaced by `to` in its model.yaml. */
static void copy_embedder(const char *from, const char *to)
{
	struct bytes network = picture_read_file("deploy/models/default/embedder/embedder.onnx");
	struct bytes yaml = picture_read_file("deploy/models/default/embedder/model.yaml");
	char text[4096];
	char changed[4096];

	write_file("embedder.onnx", network.data, network.size);
	snprintf(text, sizeof(text), "%.*s", (int)yaml.size, (const char *)yaml.data);
	char *at = strstr(text, from);
	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	write_file("model.yaml", changed, strlen(changed));
	bytes_free(&network);
	bytes_free(&yaml);
}

static void check_refused(const char *detector, const char *embedder, const char *why)
{
	struct modelset *set = NULL;
	struct error err = {0};

	assert_true(modelset_load(&set, detector, embedder, &err) < 0);
	assert_int_equal(err.code, ERROR_MODEL);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	assert_null(set);
}

static void test_default_set(void **state)
{
	struct modelset *set;

	(void)state;
	assert_int_equal(modelset_load(&set, DETECTOR, EMBEDDER, NULL), 0);
	assert_string_equal(set->detector.name, "facefleet-detector-1");
	assert_int_equal(set->embedder.dimension, 128);
	assert_int_equal(strlen(set->model_id), 64);
	modelset_free(set);
	modelset_free(NULL);
}

static void test_missing_folder(void **state)
{
	(void)state;
	check_refused("/nonexistent", EMBEDDER, "/nonexistent/model.yaml");
	check_refused(DETECTOR, folder, "model.yaml");
}

static void test_missing_network(void **state)
{
	char path[128];

	(void)state;
	copy_embedder("Apache-2.0", "Apache-2.0");
	snprintf(path, sizeof(path), "%s/embedder.onnx", folder);
	unlink(path);
	check_refused(DETECTOR, folder, "embedder.onnx");
}

static void test_wrong_hash(void **state)
{
	(void)state;
	copy_embedder("sha256: 8031", "sha256: 0031");
	check_refused(DETECTOR, folder, "SHA-256");
}

static void test_wrong_dimension(void **state)
{
	(void)state;
	copy_embedder("dimension: 128", "dimension: 512");
	check_refused(DETECTOR, folder, "gives 128 values");
}

/* An embedder has none of a detector's outputs. */
static void test_wrong_network_for_a_detector(void **state)
{
	struct bytes network = picture_read_file("deploy/models/default/embedder/embedder.onnx");
	struct bytes yaml = picture_read_file("deploy/models/default/detector/model.yaml");
	char text[4096];

	(void)state;
	snprintf(text, sizeof(text), "%.*s", (int)yaml.size, (const char *)yaml.data);
	char *sha = strstr(text, "sha256: ");
	assert_non_null(sha);
	memcpy(sha + 8, "8031167309572e0b3b983ab144851c6b84f1172b92b71494eee8d1d341831600", 64);
	write_file("model.yaml", text, strlen(text));
	write_file("detector.onnx", network.data, network.size);
	check_refused(folder, EMBEDDER, "cls_8");
	bytes_free(&network);
	bytes_free(&yaml);
}

/* The id depends on what changes embeddings, and on nothing else. */
static void test_model_id(void **state)
{
	struct modelset *set;
	char plain[65];

	(void)state;
	assert_int_equal(modelset_load(&set, DETECTOR, EMBEDDER, NULL), 0);
	memcpy(plain, set->model_id, sizeof(plain));
	modelset_free(set);

	copy_embedder("default: 0.25", "default: 0.26");
	assert_int_equal(modelset_load(&set, DETECTOR, folder, NULL), 0);
	assert_string_equal(set->model_id, plain);
	modelset_free(set);

	copy_embedder("mean: 127.5", "mean: [127.5, 127.5, 127]");
	assert_int_equal(modelset_load(&set, DETECTOR, folder, NULL), 0);
	assert_string_not_equal(set->model_id, plain);
	modelset_free(set);

	copy_embedder("colour: rgb", "colour: bgr");
	assert_int_equal(modelset_load(&set, DETECTOR, folder, NULL), 0);
	assert_string_not_equal(set->model_id, plain);
	modelset_free(set);
}

static void test_precision(void **state)
{
	static const char *const ranges[] = {"-1 1 input\n", "-1 1.5 input\n"};
	char ids[3][65];
	struct modelset *set;

	(void)state;
	copy_embedder("licence:", "precision: float32\nlicence:");
	assert_int_equal(modelset_load(&set, DETECTOR, folder, NULL), 0);
	memcpy(ids[2], set->model_id, sizeof(ids[2]));
	modelset_free(set);
	assert_int_equal(modelset_load(&set, DETECTOR, EMBEDDER, NULL), 0);
	assert_string_equal(ids[2], set->model_id);
	modelset_free(set);

	copy_embedder("licence:", "precision: int8\nlicence:");
	check_refused(DETECTOR, folder, "ranges.txt");
	for (int i = 0; i < 2; i++) {
		write_file("ranges.txt", ranges[i], strlen(ranges[i]));
		assert_int_equal(modelset_load(&set, DETECTOR, folder, NULL), 0);
		memcpy(ids[i], set->model_id, sizeof(ids[i]));
		modelset_free(set);
	}
	assert_string_not_equal(ids[0], ids[1]);
	assert_string_not_equal(ids[0], ids[2]);
	write_file("ranges.txt", "-1 1 nobody", 11);
	check_refused(DETECTOR, folder, "no value \"nobody\"");
	copy_embedder("licence:", "precision: int4\nlicence:");
	check_refused(DETECTOR, folder, "\"float32\" or \"int8\" is expected");
}

static void test_threshold(void **state)
{
	struct modelset set = {.embedder = {.name = "e", .fars = {{0.01, 0.29}, {0.001, 0.40}}, .far_count = 2}};
	double threshold = 0;
	struct error err = {0};

	(void)state;
	assert_int_equal(modelset_threshold(&set, 0.01, &threshold, &err), 0);
	assert_true(threshold == 0.29);
	assert_int_equal(modelset_threshold(&set, 0.5, &threshold, &err), 0);
	assert_true(threshold == 0.29);
	assert_int_equal(modelset_threshold(&set, 0.005, &threshold, &err), 0);
	assert_true(threshold == 0.40);
	assert_true(modelset_threshold(&set, 0.0005, &threshold, &err) < 0);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
	assert_true(threshold == 0.40);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_default_set),
    cmocka_unit_test_setup_teardown(test_missing_folder, enter, leave),
    cmocka_unit_test_setup_teardown(test_missing_network, enter, leave),
    cmocka_unit_test_setup_teardown(test_wrong_hash, enter, leave),
    cmocka_unit_test_setup_teardown(test_wrong_dimension, enter, leave),
    cmocka_unit_test_setup_teardown(test_wrong_network_for_a_detector, enter, leave),
    cmocka_unit_test_setup_teardown(test_model_id, enter, leave),
    cmocka_unit_test_setup_teardown(test_precision, enter, leave),
    cmocka_unit_test(test_threshold),
};
RUN_TESTS(tests)
