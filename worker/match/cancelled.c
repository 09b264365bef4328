#include "cancelled.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"

struct cancelled {
	pthread_mutex_t lock;
	unsigned count;
	unsigned next; /* to be overwritten */
	char ids[CANCELLED_MOST][UUID_SIZE];
};

struct cancelled *cancelled_new(void)
{
	struct cancelled *cancelled = calloc(1, sizeof(*cancelled));

	if (cancelled)
		pthread_mutex_init(&cancelled->lock, NULL);
	return cancelled;
}

void cancelled_free(struct cancelled *cancelled)
{
	if (!cancelled)
		return;
	pthread_mutex_destroy(&cancelled->lock);
	free(cancelled);
}

void cancelled_add(struct cancelled *cancelled, const char *task_id)
{
	pthread_mutex_lock(&cancelled->lock);
	strncpy(cancelled->ids[cancelled->next], task_id, UUID_SIZE - 1);
	cancelled->next = (cancelled->next + 1) % CANCELLED_MOST;
	if (cancelled->count < CANCELLED_MOST)
		cancelled->count++;
	pthread_mutex_unlock(&cancelled->lock);
}

bool cancelled_has(struct cancelled *cancelled, const char *task_id)
{
	bool found = false;

	pthread_mutex_lock(&cancelled->lock);
	for (unsigned i = 0; i < cancelled->count && !found; i++)
		found = strcmp(cancelled->ids[i], task_id) == 0;
	pthread_mutex_unlock(&cancelled->lock);
	return found;
}
