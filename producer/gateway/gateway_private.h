#ifndef GATEWAY_GATEWAY_PRIVATE_H
#define GATEWAY_GATEWAY_PRIVATE_H

#include <stdatomic.h>

#include "amqp/link.h"
#include "base/loop_state.h"
#include "base/pool.h"
#include "base/queue.h"
#include "desk.h"
#include "gateway.h"
#include "http/service.h"
#include "hub.h"
#include "overload.h"
#include "recent.h"
#include "store/store.h"
#include "synchronous.h"
#include "visit.h"

/* What the parts of the gateway share. */
struct gateway {
	const struct config *config; /**< as the program began */
	struct metrics *metrics;
	struct synchronous *synchronous; /**< NULL: jobs go to the broker; otherwise there are no links to one */
	struct amqp_url broker;
	struct amqp_link *publishing;
	struct amqp_link *hearing;
	struct recent *recent;
	struct desk *desk;
	struct hub *hub;
	struct overload *overload;
	struct queue *heard; /**< deliveries of events and replies, for the main thread */
	struct http_service *service;
	bool allows_anonymous;
	struct keyring *keyring;
	struct rate_limit *keys_limit;      /**< of those who have a key */
	struct rate_limit *strangers_limit; /**< of those who have none */
	struct rate_limit *guesses_limit;   /**< of those whose key is none */
	struct idempotency_guard *guard;
	struct schedule_quota *schedule_quota;
	bool has_store;
	struct store_settings store;
	struct breakers *breakers; /**< of the store */
	int64_t silence_ms;

	/* Of the settings, what may change; written by the main thread. */
	_Atomic double rate;
	_Atomic double burst;
	atomic_int_fast64_t max_wait_ms;
	atomic_int_fast64_t max_schedules;
	int64_t drain_timeout_ms;

	/** Visits that become jobs, and visits that ask the store. */
	struct queue *intake;
	struct pool *intake_pool;
	struct queue *reading;
	struct pool *reading_pool;

	/** Visits that have a job looked for among the parked messages: one at a time. */
	struct queue *replays;
	struct pool *replays_pool;

	/* Written by one thread, read by others. */
	struct loop_state loop;
	atomic_bool missed;      /**< the hearing connection broke */
	atomic_bool out_of_time; /**< to finish what is in hand */

	atomic_int_fast64_t store_logged_ms; /**< when the log was last told that the store fails requests */
};

/** The routes, and their number. */
extern const struct http_route routes_table[];
extern const unsigned routes_count;

/** What a request is asked when its headers are there; as http_service_settings.admit. */
bool routes_glance(void *gateway, struct http_call *call, struct http_problem *problem);

/** Makes a job of a visit and submits it. */
visit_fn intake_handle;

/** Shows a task, cancels one, lists tasks, opens a stream of one task's events or all. */
visit_fn tasks_handle_one;
visit_fn tasks_handle_cancel;
visit_fn tasks_handle_list;
visit_fn tasks_handle_events;

/** Answers that there is no such task, and frees the visit. */
void tasks_refuse_unknown(struct visit *visit);

/** Sends the job of a failed task again as a new one. */
visit_fn replays_handle;

/** Starts the thread that looks through the parked messages. Returns 0 or a negative errno. */
int replays_start(struct gateway *gateway) must_check;

/** Ends it: what waits is handled first. */
void replays_stop(struct gateway *gateway);

/** Adds a schedule, shows one, has one run now, removes one, lists them. */
visit_fn schedules_handle_add;
visit_fn schedules_handle_one;
visit_fn schedules_handle_run_now;
visit_fn schedules_handle_remove;
visit_fn schedules_handle_list;

/** Handles one message that was heard: an event or a reply. */
void feed_handle(struct gateway *gateway, const struct amqp_delivery *delivery);

#endif
