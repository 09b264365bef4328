#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * The guard against server-side request forgery: which resolved addresses a URL that came in a
 * message may lead to.
 */

/** A list of networks that are allowed although they are not public. */
struct address_policy;

/**
 * Parses a comma-separated list of CIDR networks ("127.0.0.0/8, fd00::/8"; a bare address is one
 * host; "" allows public addresses only). On a bad entry returns an errno and `err` (config)
 * names it.
 */
int address_policy_new(struct address_policy **out, const char *allowed, struct error *err) must_check;
void address_policy_free(struct address_policy *policy);

/**
 * True if a connection to `address` is allowed: a public unicast address, or one in the allow-list.
 * Refused otherwise: private, loopback, link-local, CGNAT, multicast, broadcast, reserved,
 * documentation, benchmarking, unspecified, IPv6 ULA, site-local, IPv4-mapped and -compatible (judged by the
 * address inside), 6to4, Teredo, NAT64 (judged by the address inside).
 */
bool address_allowed(const struct address_policy *policy, const struct sockaddr *address);

#endif
