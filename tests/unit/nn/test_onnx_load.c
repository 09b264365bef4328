/* What is refused when a file is loaded, and that the error names node and operator. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static int64_t dims[] = {1, 2, 4, 4};
static int64_t one[] = {1};

/* A model whose only node is y = Relu(x). */
static void init(struct builder *b)
{
	builder_init(b, 13, 4, dims);
	builder_node(b, "Relu", "x", "y");
	builder_output(b, "y");
}

static void test_loads(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	struct nn_model *model = support_build(&b);
	assert_int_equal(nn_model_input_count(model), 1);
	assert_int_equal(nn_model_input_shape(model, 0)->rank, 4);
	assert_int_equal(nn_model_input_shape(model, 0)->dim[1], 2);
	assert_null(nn_model_input_shape(model, 1));
	assert_int_equal(nn_model_output_count(model), 1);
	assert_string_equal(nn_model_output_name(model, 0), "y");
	assert_int_equal(nn_model_find_output(model, "y"), 0);
	assert_int_equal(nn_model_find_output(model, "x"), -1);
	nn_model_free(model);
	nn_model_free(NULL);
}

static void test_operators(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	b.nodes[0].op_type = (char *)"Frobnicate";
	support_assert_refused(&b, "built: node 'y': operator 'Frobnicate' is not supported");
	init(&b);
	b.nodes[0].domain = (char *)"com.microsoft";
	support_assert_refused(&b, "node 'y': operator 'Relu' is not supported");
	init(&b);
	b.nodes[0].op_type = NULL;
	support_assert_refused(&b, "operator '' is not supported");
	init(&b);
	b.nodes[0].name = (char *)"two\nlines";
	b.nodes[0].op_type = (char *)"No\x1bpe";
	support_assert_refused(&b, "node 'two?lines': operator 'No?pe'");
}

static void test_attributes(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_int(&b, "alpha", 1);
	support_assert_refused(&b, "node 'y' (Relu): attribute 'alpha' is unknown");
	init(&b);
	b.nodes[0].op_type = (char *)"LeakyRelu";
	builder_int(&b, "alpha", 1);
	support_assert_refused(&b, "node 'y' (LeakyRelu): attribute 'alpha' is unknown or of the wrong kind");
	init(&b);
	builder_int(&b, "alpha", 1);
	b.attributes[0][0].type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
	support_assert_refused(&b, "kind 5");
}

static void test_connections(void **state)
{
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, dims);
	builder_node(&b, "Relu", "later", "y");
	builder_node(&b, "Relu", "x", "later");
	builder_output(&b, "y");
	support_assert_refused(&b, "node 'y' (Relu): input 0 ('later') comes from no earlier node");
	init(&b);
	builder_node(&b, "Relu", "x", "y");
	support_assert_refused(&b, "tensor 'y' is defined twice");
	init(&b);
	builder_output(&b, "nowhere");
	support_assert_refused(&b, "output 'nowhere' comes from no node");
	builder_init(&b, 13, 4, dims);
	builder_node(&b, "Add", "x", "y");
	builder_output(&b, "y");
	support_assert_refused(&b, "node 'y' (Add): 1 inputs, 2 to 2");
	builder_init(&b, 13, 4, dims);
	builder_node(&b, "Max", "x - x", "y");
	builder_output(&b, "y");
	support_assert_refused(&b, "node 'y' (Max): input 1");
	builder_init(&b, 13, 4, dims);
	builder_node(&b, "Relu", "x", "y");
	support_assert_refused(&b, "0 outputs");
}

static void test_opsets(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	b.opset.version = 8;
	support_assert_refused(&b, "opset 8, 9 to 18");
	init(&b);
	b.opset.version = 19;
	support_assert_refused(&b, "opset 19");
	init(&b);
	b.opset.domain = (char *)"ai.onnx.ml";
	support_assert_refused(&b, "no opset");
}

static void test_tensors(void **state)
{
	static float data[] = {1, 2};
	static int64_t two[] = {2};
	static int64_t huge[] = {(int64_t)1 << 40};
	static int64_t negative[] = {-2};
	struct builder b;

	(void)state;
	init(&b);
	builder_floats(&b, "w", 1, two, data);
	b.tensors[0].n_float_data = 1;
	support_assert_refused(&b, "tensor 'w': the data does not fill its shape of 2");
	init(&b);
	builder_floats(&b, "w", 1, two, data);
	b.tensors[0].dims = huge;
	support_assert_refused(&b, "tensor 'w': impossible shape");
	init(&b);
	builder_floats(&b, "w", 1, two, data);
	b.tensors[0].dims = negative;
	support_assert_refused(&b, "tensor 'w': impossible shape");
	init(&b);
	builder_floats(&b, "w", 1, two, data);
	b.tensors[0].has_data_location = 1;
	b.tensors[0].data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
	support_assert_refused(&b, "tensor 'w': external data is refused");
	init(&b);
	builder_floats(&b, "w", 1, two, data);
	b.tensors[0].data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
	support_assert_refused(&b, "tensor 'w': data type 10");
}

static void test_inputs(void **state)
{
	static float data[] = {1};
	struct builder b;

	(void)state;
	init(&b);
	b.tensor_type.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
	support_assert_refused(&b, "input 'x' is not a float32 tensor");
	init(&b);
	b.tensor_type.shape = NULL;
	support_assert_refused(&b, "input 'x' has no shape");
	/* A weight that old files list among the inputs is no input. */
	init(&b);
	builder_floats(&b, "x", 1, one, data);
	struct nn_model *model = support_build(&b);
	assert_int_equal(nn_model_input_count(model), 0);
	nn_model_free(model);
}

static void test_no_onnx(void **state)
{
	static const uint8_t text[] = "this is no network";
	struct nn_model *model = NULL;
	struct error err = {0};
	struct builder b;

	(void)state;
	assert_true(nn_model_load(&model, "text.onnx", text, sizeof(text) - 1, &err) < 0);
	assert_non_null(strstr(err.text, "text.onnx: "));
	assert_true(nn_model_load(&model, "empty.onnx", text, 0, &err) < 0);
	init(&b);
	struct buffer file = builder_write(&b);
	for (size_t size = 0; size < file.size; size++) {
		uint8_t *part = malloc(size + 1);

		/* Cut anywhere: refused, or whole up to a field's end; never read beyond. */
		memcpy(part, file.data, size);
		if (nn_model_load(&model, "cut", part, size, &err) == 0)
			nn_model_free(model);
		free(part);
	}
	buffer_finish(&file);
	builder_finish(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_loads),       cmocka_unit_test(test_operators), cmocka_unit_test(test_attributes),
    cmocka_unit_test(test_connections), cmocka_unit_test(test_opsets),    cmocka_unit_test(test_tensors),
    cmocka_unit_test(test_inputs),      cmocka_unit_test(test_no_onnx),
};

RUN_TESTS(tests)
