#ifndef OBS_METRICS_H
#define OBS_METRICS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

/*
 * Counters, gauges and histograms, rendered as Prometheus text. Names are
 * `facefleet_<what>_<base unit>[_total]`; never a user or task id as a label.
 */

struct metrics; /**< one registry, made in main() */
struct metric;  /**< one time series; belongs to its registry */

struct metrics *metrics_new(void) must_check;
void metrics_free(struct metrics *m);

/**
 * Registers a series, or finds the one registered before under the same name and labels.
 * `labels` is NULL or an alternating list "key", "value", …, NULL. Names, help and label values
 * are copied; the same name must keep its type and help. Any thread. When memory is out a series
 * that counts into the void is returned, never NULL.
 */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels);
/** `bounds`: `count` rising upper bounds, +Inf is added. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels,
				 const double *bounds, unsigned count);

/**
 * A gauge that is asked when the page is rendered: `read` runs on the server's thread, must not
 * block and must not register series. A second call for the same series replaces the first.
 */
void metrics_gauge_callback(struct metrics *m, const char *name, const char *help, const char *const *labels,
			    double (*read)(void *arg), void *arg);

/** Latency bounds from 1 ms to 60 s, for stages and requests. */
extern const double metrics_latency_bounds[];
extern const unsigned metrics_latency_bound_count;

/** Any thread, lock-free. */
void metric_add(struct metric *m, double amount);
void metric_set(struct metric *m, double value);
void metric_observe(struct metric *m, double value);
double metric_value(const struct metric *m); /**< of a counter or gauge; a histogram's count */

/**
 * Appends the whole registry as Prometheus text 0.0.4, plus process_* (RSS, CPU, fds, start).
 * Returns as buffer_append(). Any thread.
 */
int metrics_render(struct metrics *m, struct buffer *out) must_check;

#endif
