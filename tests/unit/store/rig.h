#ifndef UNIT_STORE_RIG_H
#define UNIT_STORE_RIG_H

#include "../run.h"

#include "store/store.h"

/* The store that a group of tests works on, and what is every test's own. */

extern struct store_settings rig_settings; /**< set the URL before the group runs */
extern struct store *store;                /**< opened for each test */
extern unsigned rig_number;                /**< of the test: what has it in its name is nobody else's */

int rig_set_up(void **state);
int rig_tear_down(void **state);

/** Makes the schema. For a group whose tests do not. */
int rig_migrate(void **state);

#define RIG_CASE(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)

#endif
