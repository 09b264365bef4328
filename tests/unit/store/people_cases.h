#ifndef UNIT_STORE_PEOPLE_CASES_H
#define UNIT_STORE_PEOPLE_CASES_H

/**
 * The tests of enrolled people, the same for every kind of database. `url` names an empty one, whose schema the first
 * test makes. Returns the number of failed tests.
 */
int people_cases_run(const char *url);

#endif
