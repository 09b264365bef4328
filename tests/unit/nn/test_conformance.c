/*
 * The ONNX project's own node tests, as far as they lie beside the repository: whatever is loaded
 * gives the right answer, and everything else is refused by name. Inputs other than the first
 * float32 one become initializers, which is how networks have them.
 */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/onnx_tensor.h"

#define FOLDER SOURCE_ROOT "/../shared/models/conformance"
#define MAX_INPUTS 8

/* Cases that passed when this was written; a change must not lose any. */
#define KNOWN_TO_PASS 197

enum outcome { PASSED, REFUSED, WRONG };

struct conformance {
	Onnx__ModelProto *model;
	Onnx__TensorProto *inputs[MAX_INPUTS];
	size_t input_count;
	size_t float_input; /* the one that is fed; input_count: none */
};

static Onnx__TensorProto *read_tensor(const char *folder, const char *kind, size_t index)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s_%zu.pb", folder, kind, index);
	if (access(path, R_OK) != 0)
		return NULL;
	struct buffer content = support_read(path);
	Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, content.size, content.data);
	buffer_finish(&content);
	return tensor;
}

static void open_case(struct conformance *c, const char *folder)
{
	char path[4200];

	memset(c, 0, sizeof(*c));
	snprintf(path, sizeof(path), "%s/model.onnx", folder);
	struct buffer content = support_read(path);
	c->model = onnx__model_proto__unpack(NULL, content.size, content.data);
	buffer_finish(&content);
	assert_non_null(c->model);
	while (c->input_count < MAX_INPUTS &&
	       (c->inputs[c->input_count] = read_tensor(folder, "input", c->input_count)))
		c->input_count++;
	c->float_input = c->input_count;
	for (size_t i = c->input_count; i > 0; i--) {
		if (c->inputs[i - 1]->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
			c->float_input = i - 1;
	}
}

static void close_case(struct conformance *c)
{
	for (size_t i = 0; i < c->input_count; i++)
		onnx__tensor_proto__free_unpacked(c->inputs[i], NULL);
	onnx__model_proto__free_unpacked(c->model, NULL);
}

/* The case's file with all inputs but one as initializers. */
static struct buffer splice(const struct conformance *c)
{
	Onnx__GraphProto *graph = c->model->graph;
	Onnx__TensorProto *list[MAX_INPUTS];
	struct buffer file = {0};

	graph->initializer = list;
	for (size_t i = 0; i < c->input_count; i++) {
		free(c->inputs[i]->name);
		c->inputs[i]->name = strdup(graph->input[i]->name);
		if (i != c->float_input)
			list[graph->n_initializer++] = c->inputs[i];
	}
	file.size = onnx__model_proto__get_packed_size(c->model);
	file.data = malloc(file.size);
	onnx__model_proto__pack(c->model, file.data);
	graph->initializer = NULL;
	graph->n_initializer = 0;
	return file;
}

static bool is_close(const float *got, const float *expected, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		double tolerance = 1e-5 + 1e-4 * (expected[i] < 0 ? -expected[i] : expected[i]);

		if (!((double)got[i] - (double)expected[i] <= tolerance &&
		      (double)expected[i] - (double)got[i] <= tolerance))
			return false;
	}
	return true;
}

static bool are_outputs_right(const struct nn_model *model, const struct nn_session *session, const char *folder)
{
	bool right = true;

	for (unsigned i = 0; i < nn_model_output_count(model); i++) {
		Onnx__TensorProto *proto = read_tensor(folder, "output", i);
		struct nn_tensor *expected;
		struct nn_shape shape;
		const float *got = nn_session_output(session, i, &shape);

		assert_int_equal(nn_onnx_tensor(&expected, proto, NULL), 0);
		right = right && nn_shape_equal(&shape, &expected->shape) &&
			is_close(got, expected->f32, nn_shape_count(&shape));
		nn_tensor_free(expected);
		onnx__tensor_proto__free_unpacked(proto, NULL);
	}
	return right;
}

static enum outcome run_case(const struct conformance *c, const char *folder, const struct nn_model *model,
			     struct error *err)
{
	struct nn_tensor *input = NULL;
	struct nn_session *session;
	enum outcome outcome;

	if (c->float_input == c->input_count) {
		error_set(err, ERROR_MODEL, "no float32 input");
		return REFUSED;
	}
	assert_int_equal(nn_onnx_tensor(&input, c->inputs[c->float_input], NULL), 0);
	if (nn_session_new(&session, model, &input->shape, 0, err) < 0) {
		nn_tensor_free(input);
		return REFUSED;
	}
	memcpy(nn_session_input(session), input->f32, (size_t)nn_shape_count(&input->shape) * sizeof(float));
	nn_session_run(session, input->shape.rank > 0 ? (int)input->shape.dim[0] : 1);
	outcome = are_outputs_right(model, session, folder) ? PASSED : WRONG;
	nn_session_free(session);
	nn_tensor_free(input);
	return outcome;
}

static enum outcome try_case(const char *name, struct error *err)
{
	struct conformance c;
	struct nn_model *model;
	enum outcome outcome = REFUSED;
	char folder[4096];

	snprintf(folder, sizeof(folder), FOLDER "/%s", name);
	open_case(&c, folder);
	struct buffer file = splice(&c);
	if (nn_model_load(&model, name, file.data, file.size, err) == 0) {
		outcome = run_case(&c, folder, model, err);
		nn_model_free(model);
	}
	buffer_finish(&file);
	close_case(&c);
	return outcome;
}

static int is_case(const struct dirent *entry)
{
	return strncmp(entry->d_name, "test_", 5) == 0;
}

static void test_conformance(void **state)
{
	struct dirent **cases;
	int counts[3] = {0};
	int count = scandir(FOLDER, &cases, is_case, alphasort);

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		struct error err = {0};
		enum outcome outcome = try_case(cases[i]->d_name, &err);

		counts[outcome]++;
		if (outcome == WRONG)
			print_error("%s: wrong answer\n", cases[i]->d_name);
		else if (outcome == REFUSED)
			print_message("# refused: %s\n", err.text);
		assert_true(outcome != REFUSED || err.code == ERROR_MODEL);
		free(cases[i]);
	}
	free(cases);
	print_message("# %d passed, %d refused, %d wrong\n", counts[PASSED], counts[REFUSED], counts[WRONG]);
	assert_int_equal(counts[WRONG], 0);
	assert_true(counts[PASSED] >= KNOWN_TO_PASS);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_conformance)};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (access(FOLDER, R_OK) != 0) {
		printf("1..0 # SKIP the node tests are not beside the repository\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
