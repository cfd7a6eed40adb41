/* SPDX-License-Identifier: ISC */
/*
 * `ipsecctl doctor': why a tunnel is down, or up and passes nothing.  What iked says of
 * it, and what this machine shows (host_*), become findings, the most likely first.
 */
#ifndef IPSECCTL_DOCTOR_H
#define IPSECCTL_DOCTOR_H

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "proc/rules.h"

#define FINDINGS_MAX	16
#define FINDING_TEXT	700

struct finding {
	int	likely;			/* 1..100, what comes first */
	char	cause[FINDING_TEXT];
	char	evidence[FINDING_TEXT];	/* "" none */
	char	advice[FINDING_TEXT];
};
struct findings {
	struct finding	f[FINDINGS_MAX];
	size_t		n;
};
/* A new one, its texts empty; the last is overwritten when there is no room. */
struct finding *finding_new(struct findings *, int likely);
void	finding_set(char dst[FINDING_TEXT], const char *, ...)
	    __attribute__((__format__(printf, 2, 3)));

/* What iked told of one tunnel. */
struct patient {
	const json_t	*tunnel;
	const json_t	*sa;		/* its Child SA, or NULL */
	const json_t	*keepalive;	/* or NULL: nothing is known */
	const json_t	*policies;	/* all; those of the tunnel by name; NULL not known */
	const struct rules *rules;	/* of this machine's packet filter; NULL not known */
	struct addr	 local, remote;	/* ADDR_NONE: any */
	int		 passing;	/* 1: counters of both directions moved meanwhile */
	/* Datagrams sent through it, from the from net, 0: none; how far the counters moved
	 * meanwhile; whether the other side's host answered a small one, and one as large as
	 * the kernel believes that may pass; how large (octets). */
	int		 poked, poked_large, answered, answered_large;
	unsigned int	 large;
	uint64_t	 moved_in, moved_out;
	uint64_t	 before_in;	/* packets that had come out of it before */
	int		 replaced;	/* so often others took the place of its SAs meanwhile */
	struct addr	 inside, beyond;	/* from, to */
	uint64_t	 clear_in;	/* packets that came in clear meanwhile, and were dropped */
	unsigned int	 begun;		/* IKE SAs that the peer has begun and not gone on with */
};

/* ---- doctor_down.c, doctor_traffic.c */
void	doctor_down(const struct patient *, struct findings *);
/* Why nobody starts it, where it is not up; answers: the peer's daemon has answered us. */
void	doctor_wait(const struct patient *, int answers, struct findings *);
void	doctor_traffic(const struct patient *, struct findings *);
/* What the word of iked.reasons(7) means. */
void	doctor_reason(const struct patient *, struct findings *);
/* What is wrong with this machine whatever the tunnel does. */
void	doctor_machine(const struct patient *, struct findings *);

/* ---- doctor_watch.c: netwatchd's own knowledge, NULL: it cannot be asked; in words */
json_t	*doctor_watch(const char *socket);
void	doctor_watch_words(const json_t *, char dst[FINDING_TEXT]);

/* ---- doctor_rules.c: NAT and filter rules */
void	doctor_rules(const struct patient *, struct findings *);
/* The first host of the first net in a list ("10.1.0.0/24"): 0, or -1 there is none. */
int	doctor_first_host(const json_t *nets, struct addr *);

/* 0: nothing is wrong; 1: something is, and was said.  name NULL: all tunnels.
 * -1: usage. */
int	doctor_main(const char *socket, const char *conf, int n, char *const *names);
/* ---- doctor_absent.c: iked does not run; conf is its file */
int	doctor_absent(const char *errtext, const char *conf);

/* ---- doctor_host.c: the same on every system */
/* The address packets to remote leave from; 0, or an errno. */
int	host_source(const struct addr *remote, struct addr *source);
/* 1: it is an address of this machine, 0, -1 cannot be known.  dev[64]: where. */
int	host_has(const struct addr *, char dev[64]);
/* 1: one of our addresses is in one of these nets ("10.1.0.0/24"), 0, -1. */
int	host_inside(const json_t *nets, struct addr *which, char dev[64]);
/* Any answer to a datagram that every IKEv2 daemon answers (RFC 7296 2.5: a version it
 * does not know).  0: answered; an errno that ICMP or the kernel gave; ETIMEDOUT.  by: who
 * said it by ICMP, ADDR_NONE not known. */
int	host_knock(const struct addr *remote, uint16_t port, struct addr *by);

/* A socket between these two, from which datagrams are sent to a port where nobody should
 * listen (33434, traceroute's): octets of the whole packet, 0 as few as there may be.  The
 * host says so by ICMP, which makes host_poked() 1. -1: cannot be. */
int	host_poke_open(const struct addr *src, const struct addr *dst);
void	host_poke(int fd, unsigned int octets, int v6);
int	host_poked(int fd);

/* ---- doctor_linux.c and its brothers; -1: cannot be known */
int	host_forwards(const struct addr *);	/* 1, 0 */
int	host_strict(const char *dev);		/* rp_filter: 1 strict, 0 */
/* 1: ARP for this neighbour, or for the gateway towards it, has failed; neighbour. */
int	host_unreached(const struct addr *remote, struct addr *neighbour);
/* Datagrams of that socket are not fragmented, nor cut by us. */
void	host_poke_whole(int fd, int v6);
/* What the kernel believes to pass there; 0 not known. */
unsigned int host_path_mtu(int fd, int v6);
/* A host of these nets does not answer ARP: 1, which. */
int	host_silent(const json_t *nets, struct addr *which);
/* Who has that UDP port: its name and pid, "" nobody. */
int	host_holder(uint16_t port, char *who, size_t cap);
/* 1: a policy for what goes from net to net is in the kernel, 0 there is none. */
int	host_policy(const struct prefix *from, const struct prefix *to);
/* Packets that should have come through a tunnel and came otherwise, since the start. */
uint64_t host_in_clear(void);
/* Errors of the kernel's IPsec since the machine started, not 0: "InNoStates 3, ..." with
 * what they mean. 1: there are some. */
int	host_errors(char *dst, size_t cap);

#endif
