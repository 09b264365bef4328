#ifndef INTEGRATION_STORE_SERVER_H
#define INTEGRATION_STORE_SERVER_H

/*
 * The PostgreSQL that tests/run started. Whatever goes wrong here ends the test program: a missing server fails a test.
 */

/** Makes an empty database and returns its URL. Static storage. */
const char *server_new_database(void);

/** Ends it with SIGKILL, and starts it again. Blocking. */
void server_kill(void);
void server_start(void);

#endif
