#include "fixture.h"

#include "broker.h"

struct amqp_url url;
struct post post;

int fixture_set_up(void **state)
{
	(void)state;
	post_init(&post);
	broker_new_vhost(&url);
	return 0;
}

int fixture_tear_down(void **state)
{
	(void)state;
	post_finish(&post);
	return 0;
}
