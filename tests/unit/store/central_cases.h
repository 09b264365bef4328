#ifndef UNIT_STORE_CENTRAL_CASES_H
#define UNIT_STORE_CENTRAL_CASES_H

/** Runs the tests of store/central.h against the empty store of that URL; returns how many failed. */
int central_cases_run(const char *url);

#endif
