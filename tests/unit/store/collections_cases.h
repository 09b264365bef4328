#ifndef UNIT_STORE_COLLECTIONS_CASES_H
#define UNIT_STORE_COLLECTIONS_CASES_H

/*
 * The tests of collections, the same for every kind of database. The URLs name empty ones. They return the number of
 * failed tests.
 */

int collections_cases_run(const char *url);

/** What is exported from the first is imported into the other, which may be of another kind. */
int collections_export_cases_run(const char *url, const char *other_url);

#endif
