#ifndef TRACKER_BATCH_H
#define TRACKER_BATCH_H

#include <stdbool.h>

#include "base/compiler.h"
#include "letter.h"
#include "message.h"

/** Messages that are recorded together. While the store thread has it, it has all that is in it. */
struct batch {
	struct letter letter; /**< LETTER_APPLIED, when the store thread is done */
	unsigned size;        /**< the most messages */
	unsigned count;
	size_t bytes; /**< of replies */
	struct message **messages;

	/* What they say: both in the order of the messages, whose pointers they borrow. */
	struct task_change *changes;
	unsigned change_count;
	const struct delivery_report **deliveries;
	unsigned delivery_count;

	/* The outcome. */
	int result; /**< 0, or a negative errno with `err`: then none of them counts as recorded */
	struct error err;
	bool *accepted; /**< of each change: the task moved on */
	bool *refused;  /**< of each message: the store took others, but not this one */
};

/** Returns 0 or -ENOMEM. */
int batch_init(struct batch *batch, unsigned size, struct mailbox *box) must_check;

/** Frees the batch, not the messages. */
void batch_finish(struct batch *batch);

/** True if one more message has room. */
bool batch_has_room(const struct batch *batch);

void batch_add(struct batch *batch, struct message *message);
void batch_clear(struct batch *batch);

#endif
