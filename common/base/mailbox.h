#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <pthread.h>

#include "base/compiler.h"

/** What is posted embeds one; it can be in one mailbox once. */
struct mail {
	struct mail *next;
};

/**
 * Where other threads leave what they have for the one that owns the program's state. It needs no
 * bound of its own: what is in hand has at most one thing to say at a time, and the prefetch bounds
 * what is in hand.
 */
struct mailbox {
	pthread_mutex_t lock;
	struct mail *first;
	struct mail *last;
	int wakeup; /**< readable when there may be mail or somebody knocked: for poll */
};

/** Returns 0 or a negative errno. */
int mailbox_init(struct mailbox *box) must_check;
void mailbox_finish(struct mailbox *box);

/** Leaves `mail`, which is the owner's from now on, and wakes the owner. Any thread; never blocks for long. */
void mailbox_post(struct mailbox *box, struct mail *mail);

/** Wakes the owner without leaving anything. Any thread. */
void mailbox_knock(struct mailbox *box);

/** Waits for mail or a knock, or until `fd` (-1: none) is readable, at most `timeout_ms`. */
void mailbox_wait(struct mailbox *box, int fd, int timeout_ms);

/** Takes everything that was posted, oldest first, linked by `next`; NULL when there is nothing. */
struct mail *mailbox_take(struct mailbox *box) must_check;

#endif
