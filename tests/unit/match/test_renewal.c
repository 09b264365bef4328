/* When a worker renews itself. */

#include "renewal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "run.h"

#define DEFAULT_SET SOURCE_ROOT "/deploy/models/default"

static const char at_once[] = "worker.renew_within_ms=0";
static const char usual[] = "model.detector=" DEFAULT_SET "/detector";

struct fixture {
	char folder[64];      /* an embedder's */
	char embedder[100];   /* --set of that folder */
	struct config *began; /* one thread, the default set from a folder */
	struct config *next;
	struct modelset *models;
	struct renewal renewal;
	struct error err;
};

static struct config *load(const char *first, const char *second)
{
	const char *const sets[] = {at_once, usual, first, second};
	const struct config_sources sources = {.path = "none.yaml", .sets = sets, .set_count = 4};
	struct config *config = NULL;
	struct error err = {0};

	if (config_load(&config, &sources, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* The default embedder's description in the test's folder, and a line more. */
static void describe(struct fixture *f, const char *line)
{
	struct buffer yaml = {0};
	char path[100];

	assert_int_equal(buffer_read_file(&yaml, DEFAULT_SET "/embedder/model.yaml", 65536, &f->err), 0);
	snprintf(path, sizeof(path), "%s/model.yaml", f->folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%s%s", (char *)yaml.data, line);
	assert_int_equal(fclose(file), 0);
	buffer_finish(&yaml);
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	char path[100];

	*f = (struct fixture){0};
	clearenv();
	strcpy(f->folder, "/tmp/facefleet-renewal-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(path, sizeof(path), "%s/embedder.onnx", f->folder);
	assert_int_equal(symlink(DEFAULT_SET "/embedder/embedder.onnx", path), 0);
	describe(f, "");
	assert_int_equal(chdir(f->folder), 0);
	assert_int_equal(close(creat("none.yaml", 0600)), 0);
	snprintf(f->embedder, sizeof(f->embedder), "model.embedder=%s", f->folder);
	f->began = load(f->embedder, "worker.threads=1");
	if (modelset_load(&f->models, DEFAULT_SET "/detector", f->folder, &f->err) < 0)
		fail_msg("%s", f->err.text);
	renewal_init(&f->renewal, f->began, f->models);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[100];

	modelset_free(f->models);
	config_free(f->began);
	config_free(f->next);
	snprintf(path, sizeof(path), "%s/embedder.onnx", f->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/model.yaml", f->folder);
	unlink(path);
	unlink("none.yaml");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(f->folder), 0);
	return 0;
}

static int look(struct fixture *f, const char *first, const char *second, bool asked)
{
	config_free(f->next);
	f->next = load(first, second);
	return renewal_check(&f->renewal, f->next, asked, &f->err);
}

static void test_a_setting_that_renews(void **state)
{
	struct fixture *f = *state;

	assert_false(renewal_is_due(&f->renewal));
	assert_int_equal(look(f, f->embedder, "worker.threads=2", false), 0);
	assert_true(renewal_is_due(&f->renewal));
	assert_string_equal(f->renewal.what, "worker.threads: 1 → 2");
	/* Back again before it has renewed. */
	assert_int_equal(look(f, f->embedder, "worker.threads=1", false), 0);
	assert_false(renewal_is_due(&f->renewal));
}

static void test_a_time_is_drawn_once(void **state)
{
	struct fixture *f = *state;
	struct config *late;

	assert_int_equal(look(f, f->embedder, "worker.threads=2", false), 0);
	int64_t due_ms = f->renewal.due_ms;
	late = load(f->embedder, "worker.threads=3");
	assert_int_equal(renewal_check(&f->renewal, late, false, &f->err), 0);
	assert_true(f->renewal.due_ms == due_ms);
	assert_string_equal(f->renewal.what, "worker.threads: 1 → 3");
	config_free(late);
}

static void test_what_is_hot_and_what_restarts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(look(f, f->embedder, "worker.threads=1", true), 0);
	assert_false(renewal_is_due(&f->renewal));
	config_free(f->began);
	f->began = load(f->embedder, "log.level=info");
	renewal_init(&f->renewal, f->began, f->models);
	assert_int_equal(look(f, f->embedder, "log.level=error", false), 0);
	assert_int_equal(look(f, f->embedder, "worker.name=other", false), 0);
	assert_false(renewal_is_due(&f->renewal));
}

static void test_other_models(void **state)
{
	struct fixture *f = *state;
	char expected[200];

	assert_int_equal(look(f, "model.embedder=" DEFAULT_SET "/embedder", "worker.threads=1", false), 0);
	assert_true(renewal_is_due(&f->renewal));
	snprintf(expected, sizeof(expected), "model.embedder: %s → " DEFAULT_SET "/embedder", f->folder);
	assert_string_equal(f->renewal.what, expected);
}

static void test_models_that_do_not_load(void **state)
{
	struct fixture *f = *state;

	assert_true(look(f, "model.embedder=/nowhere", "worker.threads=2", false) < 0);
	assert_int_equal(f->err.code, ERROR_MODEL);
	assert_non_null(strstr(f->err.text, "--set: model.embedder: /nowhere/model.yaml: "));
	assert_false(renewal_is_due(&f->renewal));
}

static void test_models_that_were_replaced(void **state)
{
	struct fixture *f = *state;

	describe(f, "# others\n");
	assert_int_equal(look(f, f->embedder, "worker.threads=1", false), 0);
	assert_false(renewal_is_due(&f->renewal));
	assert_int_equal(look(f, f->embedder, "worker.threads=1", true), 0);
	assert_true(renewal_is_due(&f->renewal));
	assert_non_null(strstr(f->renewal.what, "models on disk: facefleet-detector-1 "));
	/* What is heard meanwhile does not make it forget. */
	assert_int_equal(look(f, f->embedder, "worker.threads=1", false), 0);
	assert_true(renewal_is_due(&f->renewal));

	describe(f, "nonsense: 1\n");
	assert_true(look(f, f->embedder, "worker.threads=1", true) < 0);
	assert_non_null(strstr(f->err.text, "model.yaml"));

	describe(f, "");
	assert_int_equal(look(f, f->embedder, "worker.threads=1", true), 0);
	assert_false(renewal_is_due(&f->renewal));
}

static void test_models_that_broke_since(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(look(f, f->embedder, "worker.threads=2", false), 0);
	assert_int_equal(renewal_prepare(&f->renewal, f->next, &f->err), 0);
	assert_true(renewal_is_due(&f->renewal));

	describe(f, "nonsense: 1\n");
	assert_true(renewal_prepare(&f->renewal, f->next, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "the models in use, on disk: "));
	/* Later: it is not forgotten. */
	assert_false(renewal_is_due(&f->renewal));
	assert_true(f->renewal.due_ms > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_a_setting_that_renews),         TEST(test_a_time_is_drawn_once),
    TEST(test_what_is_hot_and_what_restarts), TEST(test_other_models),
    TEST(test_models_that_do_not_load),       TEST(test_models_that_were_replaced),
    TEST(test_models_that_broke_since),
};

RUN_TESTS(tests)
