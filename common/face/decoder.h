#ifndef FACE_DECODER_H
#define FACE_DECODER_H

#include "base/compiler.h"
#include "base/error.h"
#include "face/candidates.h"
#include "face/modelset.h"
#include "nn/nn.h"

/** What a family of detectors has for each stride, as far as it does. */
enum decoder_part { DECODER_SCORE, DECODER_OBJECT, DECODER_BOX, DECODER_POINTS, DECODER_PARTS };

/** Which output of the network holds which part. RetinaFace has all strides in one output: that of stride 0. */
struct decoder_outputs {
	unsigned at[MODELSET_MAX_STRIDES][DECODER_PARTS];
};

/** How a family of detectors writes down what it finds. One for each `decoder:` that model.yaml may name. */
struct face_decoder {
	const char *name;

	/** Finds the outputs it reads. ERROR_MODEL naming what is missing. */
	int (*find_outputs)(const struct nn_model *model, const struct detector_spec *spec, struct decoder_outputs *out,
			    struct error *err);
	/** Checks the sizes of all outputs after a run with a frame of width × height. ERROR_MODEL naming the wrong
	 * one. */
	int (*check_outputs)(const struct nn_session *session, const struct detector_spec *spec,
			     const struct decoder_outputs *outputs, int width, int height, struct error *err);
	/** The most candidates that a frame of width × height can give. */
	int (*cells)(const struct detector_spec *spec, int width, int height);
	/**
	 * Appends what the last run found at or above the score threshold, in pixels of the frame; what does
	 * not fit the capacity is dropped. Cells with non-finite values or boxes beyond reason are no faces.
	 */
	void (*decode)(const struct nn_session *session, const struct detector_spec *spec,
		       const struct decoder_outputs *outputs, int width, int height, struct candidates *candidates);
};

extern const struct face_decoder face_decoder_retinaface;
extern const struct face_decoder face_decoder_scrfd;
extern const struct face_decoder face_decoder_yunet;

/** The names of all, for errors. */
#define FACE_DECODER_NAMES "retinaface, scrfd and yunet"

/** The decoder of that name, or NULL. */
const struct face_decoder *face_decoder_find(const char *name);

/* For the decoders. */

/** Rows times columns of a stride's cells in a frame. */
int decoder_cells_of(int stride, int width, int height);

/** Appends a face unless it is nonsense: empty, not finite, or some frames long; or there is no room. */
void decoder_put(struct candidates *candidates, const struct face *face, int width, int height);

/** 0 if output `index` has `want` values; `what` names it in the error. */
int decoder_check_size(const struct nn_session *session, unsigned index, const char *what, int64_t want,
		       struct error *err) must_check;

#endif
