#ifndef STORE_CANCELLATION_H
#define STORE_CANCELLATION_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/tasks.h"

/** What became of a cancellation. */
struct cancellation {
	bool accepted;         /**< the task has ended, as cancelled */
	bool known;            /**< something was recorded of it before */
	enum task_state stood; /**< how it stands when it was not accepted; in which state it was when it was */
};

/**
 * Records a task as final_failed, `cancelled`, with a reply that says so; one that has ended already stays as it is. A
 * task that nothing is recorded of is recorded as cancelled too: it may still wait in its queue. `facts` is what the
 * caller knows of the task (only the facts are read; NULL: nothing). 0, or a negative errno with `err` as of the store.
 */
int cancellation_record(struct store *store, const char *task_id, const struct task_change *facts,
			struct cancellation *out, struct error *err) must_check;

#endif
