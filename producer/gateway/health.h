#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

/** Whether the gateway turns, and whether it can take jobs; `why` says why not. Any thread. */
bool health_is_alive(void *gateway, char *why, size_t why_size);
bool health_is_ready(void *gateway, char *why, size_t why_size);

#endif
