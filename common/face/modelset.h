#ifndef FACE_MODELSET_H
#define FACE_MODELSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "nn/nn.h"

#define MODELSET_MAX_SIZES 8
#define MODELSET_MAX_STRIDES 4
#define MODELSET_MAX_FARS 16
#define MODELSET_MAX_DIMENSION 2048

/** The only alignment there is: five points on 112×112 pixels, see face/align.h. */
#define MODELSET_TEMPLATE "arcface-112"

/** Beside an embedder's model.yaml that says `precision: int8`; see nn_model_load_int8(). */
#define MODELSET_RANGES "ranges.txt"

/** Values = (pixel − mean) / scale, for each channel in the network's order. */
struct normalisation {
	bool bgr;
	float mean[3];
	float scale[3];
};

struct face_decoder;

struct detector_spec {
	char name[64];
	const struct face_decoder *decoder; /**< see face/decoder.h */
	struct normalisation norm;
	int strides[MODELSET_MAX_STRIDES];
	int stride_count;
	int input_sizes[MODELSET_MAX_SIZES]; /**< long sides, tried in order */
	int input_size_count;
	float score_threshold;
	float nms_iou;
	int min_face; /**< shorter side of the box, full-size pixels */
	char licence[64];
};

struct embedder_spec {
	char name[64];
	struct normalisation norm;
	int width;
	int height;
	int dimension;
	bool int8; /**< convolutions in 8 bits, by the ranges in MODELSET_RANGES */
	double default_threshold;
	struct {
		double far;
		double threshold;
	} fars[MODELSET_MAX_FARS]; /**< by falling false-accept rate */
	int far_count;
	char licence[64];
};

/** A detector and an embedder, loaded and checked. Immutable, shared between threads. */
struct modelset {
	struct detector_spec detector;
	struct embedder_spec embedder;
	struct nn_model *detector_model;
	struct nn_model *embedder_model;
	char detector_id[65]; /**< SHA-256 over its model.yaml, which names that of its network; hex */
	char embedder_id[65]; /**< likewise; unlike model_id, other thresholds are another embedder */
	char model_id[65];    /**< SHA-256 over embedder file, preprocessing, template and precision, hex */
};

/**
 * Loads both folders: model.yaml (unknown keys, wrong types: file, line, key), network file (a plain
 * name inside the folder), its sha256, and that inputs and outputs fit the decoder and dimension.
 * ERROR_MODEL otherwise. Blocking.
 */
int modelset_load(struct modelset **out, const char *detector_dir, const char *embedder_dir,
		  struct error *err) must_check;
void modelset_free(struct modelset *set);

/** Whether both say the same of every photograph, thresholds included. */
bool modelset_equals(const struct modelset *a, const struct modelset *b);

/**
 * The cosine for a false-accept rate: that of the largest listed rate which is not above `far`.
 * -EBADMSG (invalid_job) if the set promises none so low.
 */
int modelset_threshold(const struct modelset *set, double far, double *threshold, struct error *err) must_check;

#endif
