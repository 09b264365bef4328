#include "base/mailbox.h"

#include <poll.h>
#include <unistd.h>

#include "base/wakeup.h"

int mailbox_init(struct mailbox *box)
{
	int fd = wakeup_open();

	if (fd < 0)
		return fd;
	*box = (struct mailbox){.wakeup = fd};
	pthread_mutex_init(&box->lock, NULL);
	return 0;
}

void mailbox_finish(struct mailbox *box)
{
	pthread_mutex_destroy(&box->lock);
	close(box->wakeup);
}

void mailbox_post(struct mailbox *box, struct mail *mail)
{
	mail->next = NULL;
	pthread_mutex_lock(&box->lock);
	if (box->last)
		box->last->next = mail;
	else
		box->first = mail;
	box->last = mail;
	pthread_mutex_unlock(&box->lock);
	wakeup_signal(box->wakeup);
}

void mailbox_knock(struct mailbox *box)
{
	wakeup_signal(box->wakeup);
}

void mailbox_wait(struct mailbox *box, int fd, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = box->wakeup, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	/* Interrupted or not: the caller looks at everything anyway. */
	(void)poll(fds, array_size(fds), timeout_ms);
	wakeup_clear(box->wakeup);
}

struct mail *mailbox_take(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	struct mail *first = box->first;
	box->first = NULL;
	box->last = NULL;
	pthread_mutex_unlock(&box->lock);
	return first;
}
