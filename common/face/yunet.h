#ifndef FACE_YUNET_H
#define FACE_YUNET_H

#include "base/compiler.h"
#include "base/error.h"
#include "face/candidates.h"
#include "face/modelset.h"
#include "nn/nn.h"

/** Where a YuNet-like network puts its results: for each stride a class, an objectness, a box and a landmarks output.
 */
struct yunet_outputs {
	struct {
		unsigned cls;
		unsigned obj;
		unsigned bbox;
		unsigned kps;
	} at[MODELSET_MAX_STRIDES];
};

/** Finds the outputs `cls_S`, `obj_S`, `bbox_S` and `kps_S` of every stride. ERROR_MODEL naming the missing one. */
int yunet_find_outputs(const struct nn_model *model, const struct detector_spec *spec, struct yunet_outputs *out,
		       struct error *err) must_check;

/** Checks the sizes of all outputs after a run with a frame of width × height. ERROR_MODEL naming the wrong one. */
int yunet_check_outputs(const struct nn_session *session, const struct detector_spec *spec,
			const struct yunet_outputs *outputs, int width, int height, struct error *err) must_check;

/** Cells, and so candidates at most, in a frame of width × height. */
int yunet_cells(const struct detector_spec *spec, int width, int height);

/**
 * Appends what the last run found at or above the score threshold, in pixels of the frame; what does
 * not fit the capacity is dropped. Cells with non-finite values are no faces.
 */
void yunet_decode(const struct nn_session *session, const struct detector_spec *spec,
		  const struct yunet_outputs *outputs, int width, int height, struct candidates *candidates);

#endif
