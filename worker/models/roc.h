#ifndef MODELS_ROC_H
#define MODELS_ROC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

/** A labelled pair that was compared. A failed one counts as wrong whatever the threshold. */
struct roc_pair {
	double similarity;
	bool same;
	bool failed;
};

/** What a threshold gives: shares of all pairs of different people, and of all pairs of one person, that it accepts. */
struct roc_point {
	double threshold;
	double false_accept;
	double true_accept;
};

/** Bounds that are looked at, see roc_summary.at. */
#define ROC_FARS 2
extern const double roc_fars[ROC_FARS]; /**< 1e-2, 1e-3 */

struct roc_summary {
	size_t pairs;
	size_t same;
	size_t failed;
	double accuracy;  /**< share of right verdicts at `threshold` */
	double threshold; /**< the best one: the middle of the gap between two similarities */
	double two_way;   /**< the best threshold of each half of the list judges the other; mean of both shares. NAN
			    when a half has no pair of one of both kinds */
	struct roc_point at[ROC_FARS];
};

/** Sums up at least two pairs. 0 or -ENOMEM. */
int roc_summarise(const struct roc_pair *pairs, size_t count, struct roc_summary *out) must_check;

/** Share of right verdicts: accepted from `threshold` on. */
double roc_accuracy(const struct roc_pair *pairs, size_t count, double threshold);

/** The lowest of the thresholds with the most right verdicts. 0 or -ENOMEM. */
int roc_best_threshold(const struct roc_pair *pairs, size_t count, double *threshold) must_check;

/**
 * The lowest threshold of four decimals, as model.yaml lists them, at which at most the share `far` of the pairs of
 * different people is accepted. 0 or -ENOMEM.
 */
int roc_at_far(const struct roc_pair *pairs, size_t count, double far, struct roc_point *out) must_check;

/**
 * The curve by falling threshold, a point for every similarity that occurs, into `points` (room for `count`). Returns
 * how many there are, or -ENOMEM.
 */
int roc_curve(const struct roc_pair *pairs, size_t count, struct roc_point *points) must_check;

#endif
