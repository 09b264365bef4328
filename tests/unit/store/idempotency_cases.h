#ifndef UNIT_STORE_IDEMPOTENCY_CASES_H
#define UNIT_STORE_IDEMPOTENCY_CASES_H

/** Runs the tests of store/idempotency.h against the empty store of that URL; returns how many failed. */
int idempotency_cases_run(const char *url);

#endif
