#ifndef GATEWAY_LOOKUP_H
#define GATEWAY_LOOKUP_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"
#include "later.h"
#include "store/tasks.h"
#include "visitor.h"

struct gateway;

/** One task for one visitor: as the store has it, as it is scheduled, or as memory knows it. */
struct lookup {
	const struct visitor *visitor;
	bool as_event;      /**< what is wanted: an event instead of the whole task; of a scheduled one there is none */
	struct buffer *out; /**< gets it */

	bool visible; /**< there is one; of the rest nothing is said otherwise */
	enum task_state state;
	bool cancelled; /**< that is how it ended */
	bool scheduled; /**< it has not begun: `planned` says what is known */
	int attempt;
	char owner[ENVELOPE_OWNER_SIZE];
	struct later_task planned;

	struct buffer history; /**< private, as what follows */
	struct buffer deliveries;
};

/** Looks a task up: 0 with `visible`; or an error of a store that cannot be asked. Blocking. */
int lookup_task(struct gateway *gateway, struct store **store, const char *task_id, struct lookup *lookup,
		struct error *err) must_check;

#endif
