#include "batch.h"

#include <errno.h>
#include <stdlib.h>

/* Large replies are written in smaller batches. */
#define MAX_BYTES (8u << 20)

int batch_init(struct batch *batch, unsigned size, struct mailbox *box)
{
	*batch = (struct batch){
	    .letter = {.box = box},
	    .size = size,
	    .messages = calloc(size, sizeof(*batch->messages)),
	    .changes = calloc(size, sizeof(*batch->changes)),
	    .deliveries = calloc(size, sizeof(*batch->deliveries)),
	    .accepted = calloc(size, sizeof(*batch->accepted)),
	    .refused = calloc(size, sizeof(*batch->refused)),
	};
	if (batch->messages && batch->changes && batch->deliveries && batch->accepted && batch->refused)
		return 0;
	batch_finish(batch);
	return -ENOMEM;
}

void batch_finish(struct batch *batch)
{
	free(batch->messages);
	free(batch->changes);
	free(batch->deliveries);
	free(batch->accepted);
	free(batch->refused);
	*batch = (struct batch){0};
}

bool batch_has_room(const struct batch *batch)
{
	return batch->count < batch->size && batch->bytes < MAX_BYTES;
}

void batch_add(struct batch *batch, struct message *message)
{
	batch->refused[batch->count] = false;
	batch->messages[batch->count++] = message;
	if (message->kind == MESSAGE_DELIVERY) {
		batch->deliveries[batch->delivery_count++] = &message->report;
	} else {
		batch->accepted[batch->change_count] = false;
		batch->changes[batch->change_count++] = message->change;
	}
	batch->bytes += message->reply.size;
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->change_count = 0;
	batch->delivery_count = 0;
	batch->bytes = 0;
}
