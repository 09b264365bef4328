#ifndef AMQP_LINK_METERS_H
#define AMQP_LINK_METERS_H

#include "obs/metrics.h"

/** What a link counts; all NULL when nobody wants to know. */
struct link_meters {
	struct metric *connected;
	struct metric *connects;
	struct metric *published;
	struct metric *confirmed;
	struct metric *nacked;
	struct metric *returned;
	struct metric *delivered;
	struct metric *unconfirmed;
};

/** Registers the series of the link called `name`; `metrics` may be NULL. */
void link_meters_init(struct link_meters *meters, struct metrics *metrics, const char *name);

/** metric_add() and metric_set() for a series that may be NULL. */
void link_meters_count(struct metric *metric);
void link_meters_set(struct metric *metric, double value);

#endif
