#include "amqp/link_meters.h"

#include <string.h>

void link_meters_init(struct link_meters *meters, struct metrics *metrics, const char *name)
{
	const char *const labels[] = {"link", name, NULL};

	memset(meters, 0, sizeof(*meters));
	if (!metrics)
		return;
	meters->connected =
	    metrics_gauge(metrics, "facefleet_amqp_connected", "1 while the link to the broker is up.", labels);
	meters->connects = metrics_counter(metrics, "facefleet_amqp_connects_total",
					   "Connections opened; each beyond the first is a reconnect.", labels);
	meters->published =
	    metrics_counter(metrics, "facefleet_amqp_published_total", "Messages written to the broker.", labels);
	meters->confirmed = metrics_counter(metrics, "facefleet_amqp_confirmed_total",
					    "Messages the broker confirmed and routed.", labels);
	meters->nacked =
	    metrics_counter(metrics, "facefleet_amqp_nacked_total", "Messages the broker refused.", labels);
	meters->returned =
	    metrics_counter(metrics, "facefleet_amqp_returned_total", "Messages that no queue took.", labels);
	meters->delivered =
	    metrics_counter(metrics, "facefleet_amqp_delivered_total", "Messages the broker delivered.", labels);
	meters->unconfirmed = metrics_gauge(metrics, "facefleet_amqp_unconfirmed",
					    "Messages accepted for publishing without an outcome.", labels);
}

void link_meters_count(struct metric *metric)
{
	if (metric)
		metric_add(metric, 1);
}

void link_meters_set(struct metric *metric, double value)
{
	if (metric)
		metric_set(metric, value);
}
