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
	    .accepted = calloc(size, sizeof(*batch->accepted)),
	    .refused = calloc(size, sizeof(*batch->refused)),
	};
	if (batch->messages && batch->changes && batch->accepted && batch->refused)
		return 0;
	batch_finish(batch);
	return -ENOMEM;
}

void batch_finish(struct batch *batch)
{
	free(batch->messages);
	free(batch->changes);
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
	unsigned i = batch->count++;

	batch->messages[i] = message;
	batch->changes[i] = message->change;
	batch->accepted[i] = false;
	batch->refused[i] = false;
	batch->bytes += message->reply.size;
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->bytes = 0;
}
