#ifndef NN_NN_H
#define NN_NN_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define NN_MAX_RANK 6

/** Sizes of a tensor, outermost first. */
struct nn_shape {
	int rank;
	int64_t dim[NN_MAX_RANK];
};

/** Elements of a shape. */
int64_t nn_shape_count(const struct nn_shape *shape);

/**
 * A network read from an ONNX file: checked, simplified (batch-norm folded, activation and
 * residual add fused), weights in memory once. Immutable, shared by any number of sessions on
 * any threads; outlives them.
 */
struct nn_model;

/**
 * Loads from bytes that stay the caller's. `name` stands in errors. Refuses, with ERROR_MODEL and a
 * sentence naming node and operator: damaged files, nesting beyond a bound (checked before
 * protobuf-c unpacks), external data, unknown operators, opsets outside 9–18, sizes over limits.
 */
int nn_model_load(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
		  struct error *err) must_check;

/**
 * The same for running in 8 bits: convolutions whose input has a range in `ranges`, a text with a line "LOW HIGH NAME"
 * for each value as `bench_int8 calibrate` prints them; the others stay in float32. Needs no instruction that
 * nn_model_load() does not; the 8-bit layers give the same bytes on every processor. ERROR_MODEL: also a line that is
 * none, or names no value of the network.
 */
int nn_model_load_int8(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size, const char *ranges,
		       size_t ranges_size, struct error *err) must_check;
void nn_model_free(struct nn_model *model);

/** Number of graph inputs that are not weights, and their declared shape (-1 where dynamic). */
unsigned nn_model_input_count(const struct nn_model *model);
const struct nn_shape *nn_model_input_shape(const struct nn_model *model, unsigned index);
unsigned nn_model_output_count(const struct nn_model *model);
const char *nn_model_output_name(const struct nn_model *model, unsigned index);
/** The output of that name, or -1. */
int nn_model_find_output(const struct nn_model *model, const char *name);

/**
 * A network made ready for one input size on one thread: every shape known, all memory planned
 * and allocated once, so running allocates nothing. Input and outputs are float32, row-major,
 * NCHW. Not for two threads at once.
 */
struct nn_session;

/**
 * Plans for inputs of `shape`, for networks with one input. The batch (dim 0) is the largest
 * nn_session_run() will be asked for; a file made for batches of D > 1 takes exactly D. Height and
 * width may differ from a fixed size in the file where the graph allows it. ERROR_MODEL when a node
 * cannot live with this size; memory is bounded by `max_bytes` (0 = 1 GiB).
 */
int nn_session_new(struct nn_session **out, const struct nn_model *model, const struct nn_shape *shape,
		   size_t max_bytes, struct error *err) must_check;
/**
 * Memory that sessions of one thread take turns in: a thread that needs a network at many sizes pays
 * for the largest only. What one session holds (input, outputs) is gone when another is written
 * or run, and nn_session_input() may move when a further session is made.
 */
struct nn_workspace;

int nn_workspace_new(struct nn_workspace **out, struct error *err) must_check;

/** After its sessions are freed. NULL is fine. */
void nn_workspace_free(struct nn_workspace *workspace);

/** Like nn_session_new(), in a workspace that outlives the session. */
int nn_session_new_in(struct nn_session **out, const struct nn_model *model, const struct nn_shape *shape,
		      size_t max_bytes, struct nn_workspace *workspace, struct error *err) must_check;

void nn_session_free(struct nn_session *session);

/** Where the caller writes the input before each run; belongs to the session, 64-byte aligned. */
float *nn_session_input(struct nn_session *session);

/** Runs the first `batch` (1 … the planned one) images of the input. Batch N gives what N single runs give. */
void nn_session_run(struct nn_session *session, int batch);

/** Result of the last run, valid until the next; `shape` (may be NULL) has the batch that ran in dim 0. */
const float *nn_session_output(const struct nn_session *session, unsigned index, struct nn_shape *shape);

#endif
