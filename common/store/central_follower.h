#ifndef STORE_CENTRAL_FOLLOWER_H
#define STORE_CENTRAL_FOLLOWER_H

#include "base/compiler.h"
#include "base/error.h"
#include "obs/program.h"

/**
 * Keeps a program up with the settings that the fleet shares: a thread with a store connection of its own looks every
 * other second, and when it is told that there is something new. A store that is away changes nothing; it is asked
 * again.
 */
struct central_follower;

/**
 * Takes over what the store has by now (program_settle()), then goes on following it. `name` is what the program is
 * called there: "worker". Without a store, *out is NULL. Blocking, as long as the store's timeout; call it before
 * anything is made of the configuration.
 */
int central_follower_start(struct central_follower **out, struct program *program, const char *name,
			   struct error *err) must_check;

/** Somebody says that there are new ones. Any thread; never blocks. NULL is fine. */
void central_follower_hear(struct central_follower *follower);

/** May take as long as the store's timeout. Before program_end(). NULL is fine. */
void central_follower_stop(struct central_follower *follower);

#endif
