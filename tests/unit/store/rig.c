#include "rig.h"

struct store_settings rig_settings = {.timeout_ms = 20000};
struct store *store;
unsigned rig_number;

int rig_set_up(void **state)
{
	(void)state;
	rig_number++;
	return store_open(&store, &rig_settings, NULL);
}

int rig_tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

int rig_migrate(void **state)
{
	(void)state;
	return store_migrate(&rig_settings, NULL, NULL, NULL);
}
