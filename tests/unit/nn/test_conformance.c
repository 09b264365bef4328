/*
 * The ONNX project's own node tests, as far as they lie beside the repository: every float32 case of opsets 9 to 18
 * gives the right answer (but for cubic Resize), everything else is refused by a sentence. Inputs other than the first
 * float32 one become initializers, which is how networks have them. Prints a table by operator.
 */
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/onnx_tensor.h"
#include "nn/operator.h"

#define FOLDER SOURCE_ROOT "/../shared/models/conformance"
#define MAX_INPUTS 8

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

/* True if input `index` is one that its operator computes with, not a setting like axes. */
static bool is_operand(const struct conformance *c, size_t index)
{
	const Onnx__GraphProto *graph = c->model->graph;

	for (size_t i = 0; i < graph->n_node; i++) {
		const struct nn_operator *op = nn_operator_find(graph->node[i]->op_type);

		for (size_t k = 0; op && k < graph->node[i]->n_input && k < op->data_inputs; k++) {
			if (strcmp(graph->node[i]->input[k], graph->input[index]->name) == 0)
				return true;
		}
	}
	return false;
}

static bool is_float(const Onnx__ValueInfoProto *value)
{
	return value->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
	       value->type->tensor_type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
}

/* Why a case may be refused; NULL: it must pass. */
static const char *reason_to_refuse(const struct conformance *c)
{
	const Onnx__GraphProto *graph = c->model->graph;
	int64_t opset = c->model->opset_import[0]->version;

	if (opset < 9 || opset > 18)
		return "opset";
	for (size_t i = 0; i < graph->n_output; i++) {
		if (!is_float(graph->output[i]))
			return "not float32";
	}
	for (size_t i = 0; i < graph->n_input; i++) {
		if (!is_float(graph->input[i]) && is_operand(c, i))
			return "not float32";
	}
	for (size_t i = 0; i < graph->node[0]->n_attribute; i++) {
		const Onnx__AttributeProto *attribute = graph->node[0]->attribute[i];

		if (strcmp(attribute->name, "mode") == 0 && attribute->s.len == 5 &&
		    memcmp(attribute->s.data, "cubic", 5) == 0)
			return "cubic";
	}
	return NULL;
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
	struct nn_shape none = {0};
	struct nn_tensor *input = NULL;
	struct nn_session *session;
	int batch = 1;

	if (c->float_input < c->input_count)
		assert_int_equal(nn_onnx_tensor(&input, c->inputs[c->float_input], NULL), 0);
	if (nn_session_new(&session, model, input ? &input->shape : &none, 0, err) < 0) {
		nn_tensor_free(input);
		return REFUSED;
	}
	if (input) {
		memcpy(nn_session_input(session), input->f32, (size_t)nn_shape_count(&input->shape) * sizeof(float));
		if (input->shape.rank > 0 && input->shape.dim[0] > 0)
			batch = (int)input->shape.dim[0];
	}
	nn_session_run(session, batch);
	enum outcome outcome = are_outputs_right(model, session, folder) ? PASSED : WRONG;
	nn_session_free(session);
	nn_tensor_free(input);
	return outcome;
}

/* What became of the cases of one operator. */
struct row {
	char op[32];
	int counts[3];
	char reasons[64];
};

static struct row rows[64];
static size_t row_count;

static struct row *row_of(const char *op)
{
	size_t i = 0;

	while (i < row_count && strcmp(rows[i].op, op) != 0)
		i++;
	assert_true(i < sizeof(rows) / sizeof(*rows));
	if (i == row_count)
		snprintf(rows[row_count++].op, sizeof(rows->op), "%s", op);
	return &rows[i];
}

static void note(const struct conformance *c, enum outcome outcome, const char *reason)
{
	struct row *row = row_of(c->model->graph->node[c->model->graph->n_node - 1]->op_type);
	size_t length = strlen(row->reasons);

	row->counts[outcome]++;
	if (outcome == REFUSED && !strstr(row->reasons, reason))
		snprintf(row->reasons + length, sizeof(row->reasons) - length, "%s%s", length > 0 ? ", " : "", reason);
}

static void print_rows(void)
{
	int total[3] = {0};

	print_message("# %-20s %6s %7s %5s\n", "operator", "passed", "refused", "wrong");
	for (size_t i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		print_message("# %-20s %6d %7d %5d  %s\n", row->op, row->counts[PASSED], row->counts[REFUSED],
			      row->counts[WRONG], row->reasons);
		for (int k = 0; k < 3; k++)
			total[k] += row->counts[k];
	}
	print_message("# %-20s %6d %7d %5d\n", "all", total[PASSED], total[REFUSED], total[WRONG]);
}

/* True if the case passed, or was refused as it may be. */
static bool try_case(const char *name)
{
	struct conformance c;
	struct nn_model *model;
	struct error err = {0};
	enum outcome outcome = REFUSED;
	char folder[4096];

	snprintf(folder, sizeof(folder), FOLDER "/%s", name);
	open_case(&c, folder);
	const char *reason = reason_to_refuse(&c);
	struct buffer file = splice(&c);
	if (nn_model_load(&model, name, file.data, file.size, &err) == 0) {
		outcome = run_case(&c, folder, model, &err);
		nn_model_free(model);
	}
	bool is_well = outcome == PASSED || (outcome == REFUSED && reason && err.code == ERROR_MODEL);
	if (!is_well)
		print_error("%s: %s\n", name, outcome == WRONG ? "wrong answer" : err.text);
	note(&c, outcome, reason ? reason : "MUST PASS");
	buffer_finish(&file);
	close_case(&c);
	return is_well;
}

static int is_case(const struct dirent *entry)
{
	return strncmp(entry->d_name, "test_", 5) == 0;
}

static void test_conformance(void **state)
{
	struct dirent **cases;
	int bad = 0;
	int count = scandir(FOLDER, &cases, is_case, alphasort);

	(void)state;
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		bad += !try_case(cases[i]->d_name);
		free(cases[i]);
	}
	free(cases);
	print_rows();
	assert_int_equal(bad, 0);
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
