#ifndef OBS_NOTIFY_H
#define OBS_NOTIFY_H

#include <stdint.h>

#include "base/compiler.h"

/*
 * What a service says to the manager that started it, as sd_notify(3) has it: lines of text in one datagram to the
 * socket named by $NOTIFY_SOCKET. A sender of our own, as that page suggests: libsystemd would bring its libraries for
 * compression and cryptography into every program for these lines.
 */

/**
 * Says `state`, such as "READY=1" or "STOPPING=1\nSTATUS=finishing". Any thread; never waits. 0, also when there is no
 * manager ($NOTIFY_SOCKET is not set); a negative errno when it cannot be said.
 */
int notify_send(const char *state);

/**
 * The time after which the manager counts this process as hung unless it hears "WATCHDOG=1": microseconds from
 * $WATCHDOG_USEC if $WATCHDOG_PID is this process or not set, otherwise 0.
 */
uint64_t notify_watchdog_usec(void);

#endif
