#ifndef FIXTURE_H
#define FIXTURE_H

/* What the cases of one test program share: a vhost of their own and a post office. */

#include "amqp/url.h"
#include "post.h"

extern struct amqp_url url;
extern struct post post;

/** For cmocka: each case begins with an empty vhost and leaves none. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

#endif
