/* SPDX-License-Identifier: ISC */
/*
 * What routers and hosts said by ICMP of datagrams that IKE sent.  Anybody can say that:
 * it is evidence for a person, and changes nothing (RFC 7296 2.4).
 */
#ifndef PROC_ICMP_H
#define PROC_ICMP_H

#include "base/addr.h"
#include "base/mono.h"

#define ICMP_SLOTS	256	/* of remote addresses; the newest wins */

struct icmp_said {
	struct addr	to, by;		/* whom it was sent to, who says so */
	uint16_t	port;		/* of to */
	uint8_t		type, code;	/* of the family of by */
};

struct icmp_seen {
	struct icmp_slot {
		struct icmp_said	s;	/* to: ADDR_NONE: free */
		monotime		at, told;
	}		slot[ICMP_SLOTS];
	monotime	since;		/* told in this minute: so many */
	unsigned int	told;
};

/* 1: a log line is due; 0: not again, or it says nothing (a path MTU). */
int		 icmp_note(struct icmp_seen *, monotime now, const struct icmp_said *);
/* Something has come from there: what was said before is no longer why nothing does. */
void		 icmp_forget(struct icmp_seen *, const struct addr *from);
/* What was said of what was sent to that address in the last minute. */
struct icmp_heard {
	struct addr	by;		/* who says so; ADDR_NONE: nobody says anything */
	uint8_t		type, code;
	uint64_t	ago_ms;
};
void		 icmp_heard(const struct icmp_seen *, monotime now, const struct addr *to,
		     struct icmp_heard *);
/* "port unreachable"; NULL: nothing that explains an outage. */
const char	*icmp_words(const struct icmp_said *);

#endif
