#ifndef UNIT_HTTP_PEER_H
#define UNIT_HTTP_PEER_H

#include <stdint.h>

/*
 * The other end for tests of the HTTP client: a server on loopback, one thread for each
 * connection, whose path says how it (mis)behaves:
 *
 *   /ok                200 "hello"                    /echo         200 and the request's body
 *   /redirect          302 to /ok                     /headers      200 and the request as it came
 *   /retry-seconds     429, Retry-After: 7            /retry-date   503, Retry-After: in about an hour
 *   /large             declares a million bytes       /chunked      sends chunks without end
 *   /cut               100 bytes declared, 10 sent    /garbage      no HTTP at all
 *   /hang              no answer                      /many-headers headers without end
 *   /barrier           200 once peer_open_barrier()
 */
struct peer;

struct peer *peer_start(void);
/** Breaks every connection off and frees. */
void peer_stop(struct peer *peer);
uint16_t peer_port(const struct peer *peer);

unsigned peer_connections(struct peer *peer); /**< accepted so far */
unsigned peer_requests(struct peer *peer);    /**< read so far */

/** Waits until `count` requests stand at /barrier or /hang at the same moment; fails the test after 10 s. */
void peer_wait_for_held(struct peer *peer, unsigned count);
/** The most that ever stood there at the same moment. */
unsigned peer_most_held(struct peer *peer);
void peer_open_barrier(struct peer *peer);

#endif
