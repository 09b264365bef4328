#ifndef UNIT_STORE_TASKS_CASES_H
#define UNIT_STORE_TASKS_CASES_H

/*
 * The tests of tasks, the same for every kind of database. `url` names an empty one. They return the number of failed
 * tests.
 */

int tasks_cases_run(const char *url);
int tasks_deliveries_cases_run(const char *url);
int tasks_lists_cases_run(const char *url);
int tasks_removal_cases_run(const char *url);

#endif
