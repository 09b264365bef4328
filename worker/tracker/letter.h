#ifndef TRACKER_LETTER_H
#define TRACKER_LETTER_H

#include "base/mailbox.h"

/** What other threads leave in the main thread's mailbox. Embedded first in what it is about. */
struct letter {
	struct mail mail;
	struct mailbox *box;
	enum letter_news {
		LETTER_ARRIVED,   /**< a message came in */
		LETTER_PUBLISHED, /**< the broker has said what became of a message's copy */
		LETTER_APPLIED    /**< the store thread is done with a batch */
	} news;
};

static inline void letter_post(struct letter *letter, enum letter_news news)
{
	letter->news = news;
	mailbox_post(letter->box, &letter->mail);
}

#endif
