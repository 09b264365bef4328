#ifndef UNIT_STORE_ENDPOINTS_CASES_H
#define UNIT_STORE_ENDPOINTS_CASES_H

/** Runs the tests of store/endpoints.h against the empty store of that URL; returns how many failed. */
int endpoints_cases_run(const char *url);

#endif
