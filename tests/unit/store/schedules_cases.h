#ifndef UNIT_STORE_SCHEDULES_CASES_H
#define UNIT_STORE_SCHEDULES_CASES_H

/**
 * The tests of schedules, the same for every kind of database. `url` names an empty one. Returns the number of failed
 * tests.
 */
int schedules_cases_run(const char *url);

#endif
