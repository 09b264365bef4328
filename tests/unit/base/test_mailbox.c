#include "run.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/mailbox.h"
#include "base/thread.h"

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void gives_out_in_order(void **state)
{
	(void)state;
	struct mailbox box;
	struct mail mail[3];

	assert_int_equal(mailbox_init(&box), 0);
	assert_null(mailbox_take(&box));
	for (int i = 0; i < 3; i++)
		mailbox_post(&box, &mail[i]);
	struct mail *taken = mailbox_take(&box);
	assert_ptr_equal(taken, &mail[0]);
	assert_ptr_equal(taken->next, &mail[1]);
	assert_ptr_equal(taken->next->next, &mail[2]);
	assert_null(taken->next->next->next);
	assert_null(mailbox_take(&box));
	mailbox_finish(&box);
}

static void mail_and_knocks_end_the_wait(void **state)
{
	(void)state;
	struct mailbox box;
	struct mail mail;

	assert_int_equal(mailbox_init(&box), 0);
	mailbox_knock(&box);
	mailbox_wait(&box, -1, -1);
	assert_false(readable(box.wakeup));
	mailbox_post(&box, &mail);
	mailbox_wait(&box, -1, -1);
	assert_false(readable(box.wakeup));
	assert_ptr_equal(mailbox_take(&box), &mail);
	mailbox_finish(&box);
}

#define POSTERS 4
#define LETTERS 5000

struct poster {
	struct mailbox *box;
	struct mail letters[LETTERS];
};

static void *post_all(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < LETTERS; i++)
		mailbox_post(poster->box, &poster->letters[i]);
	return NULL;
}

static void loses_nothing_between_threads(void **state)
{
	(void)state;
	static struct poster posters[POSTERS];
	pthread_t threads[POSTERS];
	struct mailbox box;
	int seen = 0;

	assert_int_equal(mailbox_init(&box), 0);
	for (int i = 0; i < POSTERS; i++) {
		posters[i].box = &box;
		assert_int_equal(thread_start(&threads[i], post_all, &posters[i]), 0);
	}
	while (seen < POSTERS * LETTERS) {
		mailbox_wait(&box, -1, -1);
		for (struct mail *mail = mailbox_take(&box); mail; mail = mail->next)
			seen++;
	}
	for (int i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	assert_null(mailbox_take(&box));
	mailbox_finish(&box);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gives_out_in_order),
    cmocka_unit_test(mail_and_knocks_end_the_wait),
    cmocka_unit_test(loses_nothing_between_threads),
};

RUN_TESTS(tests)
