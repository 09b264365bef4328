#ifndef GATEWAY_HUB_H
#define GATEWAY_HUB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "http/service.h"
#include "job/reply.h"
#include "visitor.h"

/*
 * Streams of server-sent events, and what each of them wants to hear: one task until its end, or all tasks that its
 * visitor may see. Any thread.
 */

struct hub;

struct hub *hub_new(unsigned max_streams, struct metrics *metrics) must_check;

/** Ends every stream. NULL is fine. */
void hub_free(struct hub *hub);

/** True if one more stream may be opened. Counts it: hub_add() or hub_give_back() follows. */
bool hub_reserve(struct hub *hub) must_check;
void hub_give_back(struct hub *hub);

/** Adds a stream, which it takes over (NULL: gives the place back). `task_id` "": all tasks. Returns its number. */
uint64_t hub_add(struct hub *hub, struct http_stream *stream, const struct visitor *visitor, const char *task_id);

/** Something that happened to a task. */
struct hub_event {
	const char *task_id;
	const char *owner;
	enum task_state state;
	int attempt;
	const char *json; /**< one line: an event or a reply */
	size_t size;
};

/** Tells everybody who wants to hear of it; the streams of a task that has ended end. */
void hub_publish(struct hub *hub, const struct hub_event *event);

/** Tells stream `number` alone, unless it is gone, or knows of this state or a later one. */
void hub_show(struct hub *hub, uint64_t number, const struct hub_event *event);

/** Ends stream `number`, so that its client comes again: what it should have been shown is not known. */
void hub_end(struct hub *hub, uint64_t number);

/** Ends every stream, so that clients come again: something may have been missed. */
void hub_end_all(struct hub *hub);

/** Sends comments where nothing was sent for a while, and finds out who left that way. */
void hub_tick(struct hub *hub, int64_t now_ms);

#endif
