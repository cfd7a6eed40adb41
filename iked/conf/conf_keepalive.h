/* SPDX-License-Identifier: ISC */
/*
 * What `keepalive' and `watch' of iked.conf say: whom netwatchd probes, how, and what it
 * does about what it sees.  One that is made never changes, so that equal ones are
 * shared; a tunnel without keepalive has none.
 */
#ifndef CONF_CONF_KEEPALIVE_H
#define CONF_CONF_KEEPALIVE_H

#include "base/addr.h"
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define CONF_TARGETS	8		/* of one tunnel or watch */
#define CONF_INTERVAL	10000		/* ms between keepalive probes */
#define CONF_INTERVALMIN 100	/* ms; netwatchd remembers as many probes as
				   are out for its timeout at this distance */
#define CONF_INTERVALCONN 1000		/* ms, the least where each probe is a socket */
#define CONF_INTERVALMAX 86400000
#define CONF_TIMEOUT	2000		/* ms until a probe counts as lost */
#define CONF_TIMEOUTMIN	100
#define CONF_TIMEOUTMAX	60000
#define CONF_TIMEOUTS	20		/* no timeout is longer than so many intervals */
#define CONF_FALL	4		/* probes in a row lost: down */
#define CONF_RISE	3		/* ... answered: up again, once it was down */
#define CONF_ROWMAX	20		/* most of both */
#define CONF_SIZE	64		/* octets of ICMP, its header among them */
#define CONF_SIZEMAX	9000
#define CONF_DSCP	48		/* CS6, network control (RFC 4594 3.1) */
#define CONF_PREEMPT	60		/* s the tunnel is up before its backup ends */
#define CONF_PREEMPTMAX	86400
#define CONF_STATUSLO	100		/* HTTP answers that are good ones */
#define CONF_STATUSHI	299
#define CONF_KASTRLEN	256		/* NUL included */

/* HTTP is a GET; DNS over UDP; with UDP any answer, an ICMP port unreachable, too. */
enum ka_kind { KA_ICMP, KA_TCP, KA_UDP, KA_DNS, KA_HTTP };
enum ka_pace { KA_OPTIMIZED, KA_ALWAYS, KA_OFF };
enum ka_route { KA_NOROUTE, KA_FIB, KA_MARK, KA_VRF };
/* Queries (RFC 1035 3.2.2, RFC 3596 2.1). */
enum { KA_DNS_A = 1, KA_DNS_NS = 2, KA_DNS_AAAA = 28 };

enum ka_str {
	KA_ARG,		/* dns: the name; http: the path */
	KA_VRFNAME, KA_BACKUP, KA_ONUP, KA_ONDOWN, KA_ONTEST,
	KA_NSTR
};

struct conf_keepalive {
	uint32_t	 refs;
	uint32_t	 interval_ms, timeout_ms;
	uint32_t	 preempt;	/* s */
	uint32_t	 number;	/* of the FIB or the mark */
	uint16_t	 port;		/* of tcp, udp, dns (53) and http; else 0 */
	uint16_t	 size;
	uint16_t	 qtype;		/* dns: KA_DNS_*; else 0 */
	uint16_t	 statuslo, statushi;	/* http; else 0 */
	uint8_t		 kind;		/* enum ka_kind */
	uint8_t		 pace;		/* enum ka_pace */
	uint8_t		 route;		/* enum ka_route */
	uint8_t		 quorum;	/* so many targets must answer */
	uint8_t		 fall;
	uint8_t		 rise;		/* 0: 1 while first coming up, then CONF_RISE */
	uint8_t		 ttl;		/* 0: the system's */
	uint8_t		 dscp;
	uint8_t		 nodf, norecover, pmtu;
	uint8_t		 gateway;	/* target gateway: TTL 1, answered by the peer */
	uint8_t		 ntargets;	/* 0: conf_tunnel_targets() finds one */
	struct addr	*target;
	char		*str[KA_NSTR];	/* NULL: not said */
};

struct conf_keepalive *conf_keepalive_new(void);	/* the defaults; one reference */
struct conf_keepalive *conf_keepalive_ref(struct conf_keepalive *);	/* NULL: NULL */
void	conf_keepalive_unref(struct conf_keepalive *);
/* 0 or -1: no memory. */
int	conf_keepalive_str(struct conf_keepalive *, enum ka_str, const char *);
int	conf_keepalive_target(struct conf_keepalive *, const struct addr *);
/* Either may be NULL. */
int	conf_keepalive_equal(const struct conf_keepalive *, const struct conf_keepalive *);
/* All fields are what such a statement can say. */
enum ka_form {
	KA_TUNNEL, KA_WATCH,
	KA_APART	/* of either, and the targets are kept elsewhere */
};
int	conf_keepalive_ok(const struct conf_keepalive *, enum ka_form);
/* get: one reference, or NULL: malformed, not what a statement can say, no memory. */
void	conf_keepalive_put(struct wbuf *, const struct conf_keepalive *);
struct conf_keepalive *conf_keepalive_get(struct rbuf *, enum ka_form);

/* The latest ones, for others that are equal; all zero: empty. */
#define CONF_KASHARE	8
struct conf_kashare {
	struct conf_keepalive	*ka[CONF_KASHARE];
	unsigned int		 next;
};
/* Takes the reference and gives one, perhaps to another that is equal. */
struct conf_keepalive *conf_keepalive_share(struct conf_kashare *, struct conf_keepalive *);
void	conf_kashare_clear(struct conf_kashare *);

const char *ka_kind_name(uint8_t);	/* "icmp", "tcp", ... */
const char *ka_pace_name(uint8_t);	/* "optimized", ... */
const char *ka_qtype_name(uint16_t);	/* "a", "aaaa", "ns" */
int	conf_dnsname_ok(const char *);
int	conf_path_ok(const char *);	/* of a program or on a web server */

/* What of a tunnel keepalive needs to know: see conf.h. */
struct conf_tunnel;
/*
 * The addresses to probe: those that were given, or else the first host of full length in
 * `to', or else the first host of the first network in `to', of what the probes can go
 * to.  Their number; 0: there is none (`to any').
 */
unsigned int conf_tunnel_targets(const struct conf_tunnel *, struct addr[CONF_TARGETS]);
/* Do the selectors carry this tunnel's probes from the i-th from, to the j-th to?  Its
 * `keepalive' must not be NULL. */
int	conf_probe_from(const struct conf_tunnel *, unsigned int i);
int	conf_probe_to(const struct conf_tunnel *, unsigned int j);

#endif
