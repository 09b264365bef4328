#ifndef GATEWAY_ADMISSION_H
#define GATEWAY_ADMISSION_H

#include <stdbool.h>

#include "base/compiler.h"
#include "http/problem.h"

struct gateway;
struct visit;

/**
 * What stands before every request of the API, in this order: who is it, may they ask for this, do they ask too often,
 * have they asked before. Fills in the visitor. False: the request is to be refused with `problem`. On a pool's thread;
 * may ask the store.
 */
bool admission_check(struct gateway *gateway, struct visit *visit, struct http_problem *problem) must_check;

#endif
