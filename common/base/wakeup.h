#ifndef BASE_WAKEUP_H
#define BASE_WAKEUP_H

#include "base/compiler.h"

/** Opens an eventfd (non-blocking, close-on-exec) for waking an epoll or poll loop. Returns it or a negative errno. */
int wakeup_open(void) must_check;

/** Makes the descriptor readable. Any thread, also a signal handler; never blocks. */
void wakeup_signal(int fd);

/** Makes the descriptor quiet again; the loop's thread calls it before it looks for work. */
void wakeup_clear(int fd);

#endif
