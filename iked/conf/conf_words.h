/* SPDX-License-Identifier: ISC */
/* The keyword table of iked.conf, and what a mistyped word was meant to be. */
#ifndef CONF_WORDS_H
#define CONF_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Where a word may stand. */
enum {
	C_STMT = 1,	/* first of a line */
	C_SET = 2,	/* after `set` */
	C_OPT = 4,	/* option of an `ikev2` statement */
	C_IKESA = 8,	/* after `ikesa` */
	C_CHILDSA = 16,	/* after `childsa` */
	C_SUB = 32,	/* inside the value of an option */
	C_KA = 64	/* option of keepalive and watch */
};

enum conf_kw {
	K_NONE = 0,
	/* statements */
	K_IKEV2, K_WATCH, K_SET, K_INCLUDE, K_LATER_STMT, K_IPSECCONF,
	/* modes, in `set` and in a policy */
	K_ACTIVE, K_PASSIVE, K_ONDEMAND,
	/* `set` */
	K_SAME, K_DPD, K_FRAG, K_NOFRAG, K_MOBIKE, K_NOMOBIKE, K_LATER_SET, K_OCSP,
	/* options */
	K_TRANSPORT, K_SINGLE, K_PROTO, K_PRESET, K_QUICK, K_DEFAULT, K_TUNNEL, K_NATT, K_FULL, K_ESP,
	K_INET, K_INET6, K_FROM, K_TO,
	K_LOCAL, K_PEER, K_SRCID, K_DSTID, K_IKESA, K_CHILDSA, K_IKELIFETIME,
	K_LIFETIME, K_PSK, K_KEEPALIVE, K_CONFIG, K_REQUEST, K_IFACE,
	K_LATER,	/* known, not built: no value */
	K_LATER1,	/* ... one value or a list */
	/* transforms */
	K_AUTH, K_ENC, K_PRF, K_GROUP, K_ESN, K_NOESN,
	/* inside values */
	K_ANY, K_DYNAMIC, K_PORT, K_BYTES, K_FILE, K_TOLERATE, K_MAXAGE, K_PEERKIND,
	K_UNTIL,
	/* after keepalive and watch; K_TARGET first, K_ONTEST last */
	K_TARGET, K_QUORUM, K_INTERVAL, K_TIMEOUT, K_FALL, K_RISE, K_PROBE, K_TYPE,
	K_STATUS, K_PACE, K_SIZE, K_TTL, K_DSCP, K_NODF, K_FIB, K_MARK, K_VRF, K_SOURCE,
	K_NORECOVER, K_BACKUP, K_PREEMPT, K_PMTU, K_ONUP, K_ONDOWN, K_ONTEST
};

struct conf_word {
	const char	*word;
	enum conf_kw	 id;
	unsigned int	 ctx;
	const char	*instead;	/* known but not built: what to do */
};

/* The word in one of these places; NULL. */
const struct conf_word	*conf_word_find(const char *, unsigned int ctx);
/* The most similar word of these places, NULL when none is near. */
const struct conf_word	*conf_word_nearest(const char *, unsigned int ctx);
/* Edit distance with transpositions; words over 31 octets are far from all. */
unsigned int		 conf_word_distance(const char *, const char *);
unsigned int		 conf_word_tolerance(const char *);
/* "active, passive, ..." of what is built; cut with "..." at cap. */
void			 conf_word_list(unsigned int ctx, char *dst, size_t cap);
const struct conf_word	*conf_word_row(size_t);		/* NULL past the end */

#endif
