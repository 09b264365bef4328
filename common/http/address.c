#include "http/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* "ffff:…:255.255.255.255/128" and the terminating zero. */
#define CIDR_SIZE (INET6_ADDRSTRLEN + 4)

struct network {
	sa_family_t family;
	unsigned bits;
	uint8_t bytes[16]; /* 4 used with AF_INET */
};

/*
 * Where no public server lives: the special-purpose address registries of IANA, multicast, and
 * everything in IPv6 outside the global unicast block 2000::/3. Addresses with an IPv4 address
 * inside never get here, see embedded_ipv4().
 */
static const char *const special_purpose[] = {
    "0.0.0.0/8",         /* this network */
    "10.0.0.0/8",        /* private */
    "100.64.0.0/10",     /* shared by carriers (CGNAT) */
    "127.0.0.0/8",       /* loopback */
    "169.254.0.0/16",    /* link-local, cloud metadata */
    "172.16.0.0/12",     /* private */
    "192.0.0.0/24",      /* protocol assignments */
    "192.0.2.0/24",      /* documentation */
    "192.31.196.0/24",   /* AS112 */
    "192.52.193.0/24",   /* AMT */
    "192.88.99.0/24",    /* 6to4 relays */
    "192.168.0.0/16",    /* private */
    "192.175.48.0/24",   /* AS112 */
    "198.18.0.0/15",     /* benchmarking */
    "198.51.100.0/24",   /* documentation */
    "203.0.113.0/24",    /* documentation */
    "224.0.0.0/4",       /* multicast */
    "240.0.0.0/4",       /* reserved, broadcast */
    "::/3",              /* unspecified, loopback, discard, local NAT64 */
    "2001::/23",         /* protocol assignments: Teredo, benchmarking, ORCHID … */
    "2001:db8::/32",     /* documentation */
    "2002::/16",         /* 6to4 */
    "2620:4f:8000::/48", /* AS112 */
    "3fff::/20",         /* documentation */
    "4000::/2",          /* reserved, segment routing */
    "8000::/1",          /* reserved, ULA, link-local, site-local, multicast */
};

/* The /96 prefixes whose last 32 bits are an IPv4 address that the packet may end up at. */
static const uint8_t ipv4_prefixes[][12] = {
    {[10] = 0xFF, [11] = 0xFF},                       /* ::ffff:0:0/96, IPv4-mapped */
    {0},                                              /* ::/96, IPv4-compatible */
    {[0] = 0x00, [1] = 0x64, [2] = 0xFF, [3] = 0x9B}, /* 64:ff9b::/96, NAT64 */
};

struct address_policy {
	struct network refused[array_size(special_purpose)];
	size_t allowed_count;
	struct network allowed[];
};

static bool contains(const struct network *network, sa_family_t family, const uint8_t *bytes)
{
	unsigned whole = network->bits / 8;
	unsigned rest = network->bits % 8;

	if (network->family != family || memcmp(network->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

static bool any_contains(const struct network *networks, size_t count, sa_family_t family, const uint8_t *bytes)
{
	for (size_t i = 0; i < count; i++)
		if (contains(&networks[i], family, bytes))
			return true;
	return false;
}

static bool host_bits_are_zero(const struct network *network, unsigned size)
{
	for (unsigned bit = network->bits; bit < size * 8; bit++)
		if (network->bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

/* Reads "address" or "address/bits". Returns NULL or what is wrong with it. */
static const char *parse_network(struct network *network, const char *text)
{
	char address[CIDR_SIZE];
	size_t length = strcspn(text, "/");
	const char *bits = text[length] == '/' ? text + length + 1 : NULL;

	if (length >= sizeof(address))
		return "is not an address";
	memcpy(address, text, length);
	address[length] = '\0';
	memset(network, 0, sizeof(*network));
	if (inet_pton(AF_INET, address, network->bytes) == 1)
		network->family = AF_INET;
	else if (inet_pton(AF_INET6, address, network->bytes) == 1)
		network->family = AF_INET6;
	else
		return "is not an address";

	unsigned size = network->family == AF_INET ? 4 : 16;
	network->bits = size * 8;
	if (bits) {
		size_t digits = strspn(bits, "0123456789");
		if (digits == 0 || digits > 3 || bits[digits] != '\0' || strtoul(bits, NULL, 10) > size * 8)
			return "has no valid prefix length";
		network->bits = (unsigned)strtoul(bits, NULL, 10);
	}
	return host_bits_are_zero(network, size) ? NULL : "has bits set behind its prefix";
}

/* Copies the next comma-separated entry without the spaces around it; false if it is too long. */
static bool next_entry(const char **list, char entry[CIDR_SIZE])
{
	const char *start = *list + strspn(*list, " \t");
	size_t length = strcspn(start, ",");

	*list = start[length] == ',' ? start + length + 1 : NULL;
	while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
		length--;
	if (length >= CIDR_SIZE)
		return false;
	memcpy(entry, start, length);
	entry[length] = '\0';
	return true;
}

static int parse_allowed(struct address_policy *policy, const char *list, struct error *err)
{
	while (list) {
		char entry[CIDR_SIZE];
		const char *at = list;

		if (!next_entry(&list, entry))
			return error_set(err, ERROR_CONFIG, "\"%.60s\" is not an address", at);
		const char *wrong = parse_network(&policy->allowed[policy->allowed_count], entry);
		if (wrong)
			return error_set(err, ERROR_CONFIG, "\"%s\" %s (expected networks like 10.1.0.0/16, fd00::/8)",
					 entry, wrong);
		policy->allowed_count++;
	}
	return 0;
}

int address_policy_new(struct address_policy **out, const char *allowed, struct error *err)
{
	size_t most = 1;

	for (const char *c = allowed; *c != '\0'; c++)
		most += *c == ',';
	struct address_policy *policy = calloc(1, sizeof(*policy) + most * sizeof(policy->allowed[0]));
	if (!policy) {
		error_set(err, ERROR_CONFIG, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < array_size(special_purpose); i++) {
		const char *wrong = parse_network(&policy->refused[i], special_purpose[i]);
		assert(!wrong);
	}
	int r = allowed[strspn(allowed, " \t")] == '\0' ? 0 : parse_allowed(policy, allowed, err);
	if (r < 0) {
		address_policy_free(policy);
		return r;
	}
	*out = policy;
	return 0;
}

void address_policy_free(struct address_policy *policy)
{
	free(policy);
}

static bool is_allowed(const struct address_policy *policy, sa_family_t family, const uint8_t *bytes)
{
	return any_contains(policy->allowed, policy->allowed_count, family, bytes) ||
	       !any_contains(policy->refused, array_size(policy->refused), family, bytes);
}

/* The IPv4 address inside an IPv6 address of a family of addresses made for that, or NULL. */
static const uint8_t *embedded_ipv4(const uint8_t *bytes)
{
	for (size_t i = 0; i < array_size(ipv4_prefixes); i++)
		if (memcmp(bytes, ipv4_prefixes[i], sizeof(ipv4_prefixes[i])) == 0)
			return bytes + sizeof(ipv4_prefixes[i]);
	return NULL;
}

bool address_allowed(const struct address_policy *policy, const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, address, sizeof(v4));
		return is_allowed(policy, AF_INET, (const uint8_t *)&v4.sin_addr);
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, address, sizeof(v6));
		const uint8_t *bytes = v6.sin6_addr.s6_addr;
		const uint8_t *v4 = embedded_ipv4(bytes);
		if (v4 && is_allowed(policy, AF_INET, v4))
			return true;
		/* Inside the /96 blocks this asks the allow-list only: they are special-purpose themselves. */
		return is_allowed(policy, AF_INET6, bytes);
	}
	return false;
}
