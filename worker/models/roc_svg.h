#ifndef MODELS_ROC_SVG_H
#define MODELS_ROC_SVG_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "roc.h"

/**
 * Appends a plot of the true-accept rate over the false-accept rate (logarithmic) as an SVG of its own, readable on
 * light and on dark paper. `title` is escaped. Returns 0 or a negative errno of the buffer.
 */
int roc_svg_write(struct buffer *out, const char *title, const struct roc_summary *summary,
		  const struct roc_point *points, int count) must_check;

#endif
