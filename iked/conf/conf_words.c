/* SPDX-License-Identifier: ISC */
/* The keyword table of iked.conf, and what a mistyped word was meant to be. */
#include <string.h>
#include <stdio.h>

#include "conf/conf.h"
#include "conf/conf_words.h"

#define WORDMAX	31
#define NOKEYS	"keys and certificates are not used; write psk \"secret\""

static const struct conf_word words[] = {
	{ "ikev2",	K_IKEV2,	C_STMT,		NULL },
	{ "watch",	K_WATCH,	C_STMT,		NULL },
	{ "set",	K_SET,		C_STMT,		NULL },
	{ "include",	K_INCLUDE,	C_STMT,		NULL },
	{ "user",	K_LATER_STMT,	C_STMT,
	    "users are for EAP; authenticate with psk" },
	{ "radius",	K_LATER_STMT,	C_STMT,
	    "its servers are for EAP; authenticate with psk" },
	{ "ikev1",	K_IPSECCONF,	C_STMT,		NULL },
	{ "ike",	K_IPSECCONF,	C_STMT,		NULL },
	{ "flow",	K_IPSECCONF,	C_STMT,		NULL },
	{ "tcpmd5",	K_IPSECCONF,	C_STMT,		NULL },

	{ "active",	K_ACTIVE,	C_OPT | C_SET,	NULL },
	{ "passive",	K_PASSIVE,	C_OPT | C_SET,	NULL },
	{ "ondemand",	K_ONDEMAND,	C_OPT,		NULL },
	{ "tunnel",	K_TUNNEL,	C_OPT,		NULL },
	{ "transport",	K_TRANSPORT,	C_OPT,		NULL },
	{ "single",	K_SINGLE,	C_OPT,		NULL },
	{ "proto",	K_PROTO,	C_OPT,		NULL },
	{ "natt",	K_NATT,		C_OPT,		NULL },
	{ "fulltranscript", K_FULL,	C_OPT,		NULL },
	{ "esp",	K_ESP,		C_OPT,		NULL },
	{ "inet",	K_INET,		C_OPT,		NULL },
	{ "inet6",	K_INET6,	C_OPT,		NULL },
	{ "from",	K_FROM,		C_OPT,		NULL },
	{ "to",		K_TO,		C_OPT,		NULL },
	{ "local",	K_LOCAL,	C_OPT,		NULL },
	{ "peer",	K_PEER,		C_OPT,		NULL },
	{ "srcid",	K_SRCID,	C_OPT,		NULL },
	{ "dstid",	K_DSTID,	C_OPT,		NULL },
	{ "ikesa",	K_IKESA,	C_OPT,		NULL },
	{ "childsa",	K_CHILDSA,	C_OPT,		NULL },
	{ "preset",	K_PRESET,	C_OPT,		NULL },
	{ "ikelifetime", K_IKELIFETIME,	C_OPT,		NULL },
	{ "lifetime",	K_LIFETIME,	C_OPT,		NULL },
	{ "psk",	K_PSK,		C_OPT,		NULL },
	{ "keepalive",	K_KEEPALIVE,	C_OPT,		NULL },
	{ "config",	K_CONFIG,	C_OPT,		NULL },
	{ "request",	K_REQUEST,	C_OPT,		NULL },
	{ "iface",	K_IFACE,	C_OPT,		NULL },
	{ "quick",	K_QUICK,	C_OPT,		NULL },
	{ "skip",	K_LATER,	C_OPT,
	    "remove it; a peer that may not connect is best kept off UDP 500 "
	    "and 4500 by the packet filter" },
	{ "default",	K_DEFAULT,	C_OPT,		NULL },
	{ "ipcomp",	K_LATER,	C_OPT,
	    "remove it; packets go uncompressed" },
	{ "ah",		K_LATER,	C_OPT,
	    "write esp, which authenticates and encrypts" },
	{ "rdomain",	K_LATER1,	C_OPT,
	    "remove it; routing domains are OpenBSD's" },
	{ "rsa",	K_LATER,	C_OPT,	NOKEYS },
	{ "ecdsa256",	K_LATER,	C_OPT,	NOKEYS },
	{ "ecdsa384",	K_LATER,	C_OPT,	NOKEYS },
	{ "ecdsa521",	K_LATER,	C_OPT,	NOKEYS },
	{ "rfc7427",	K_LATER,	C_OPT,	NOKEYS },
	{ "signature",	K_LATER,	C_OPT,	NOKEYS },
	{ "eap",	K_LATER1,	C_OPT,	"write psk \"secret\"" },
	{ "tag",	K_LATER1,	C_OPT,
	    "remove it, and filter by the addresses; tags are of OpenBSD's pf" },
	{ "tap",	K_LATER1,	C_OPT,
	    "remove it; enc(4) is OpenBSD's" },

	{ "couple",	K_SAME,		C_SET,		NULL },
	{ "decouple",	K_LATER_SET,	C_SET,
	    "remove it: SAs always go into the kernel; `iked -n` checks a file" },
	{ "dpd_check_interval", K_DPD,	C_SET,		NULL },
	{ "enforcesingleikesa", K_SAME,	C_SET,		NULL },
	{ "noenforcesingleikesa", K_LATER_SET, C_SET,
	    "remove it: a peer has one IKE SA" },
	{ "fragmentation", K_FRAG,	C_SET,		NULL },
	{ "nofragmentation", K_NOFRAG,	C_SET,		NULL },
	{ "mobike",	K_MOBIKE,	C_SET,		NULL },
	{ "nomobike",	K_NOMOBIKE,	C_SET,		NULL },
	{ "stickyaddress", K_SAME,	C_SET,		NULL },
	{ "nostickyaddress", K_SAME,	C_SET,		NULL },
	{ "vendorid",	K_LATER_SET,	C_SET,
	    "write set novendorid; no vendor ID is sent" },
	{ "novendorid",	K_SAME,		C_SET,		NULL },
	{ "cert_partial_chain", K_LATER_SET, C_SET,
	    "remove it: certificates are not used" },
	{ "ocsp",	K_OCSP,		C_SET,
	    "remove it: certificates are not used" },

	{ "auth",	K_AUTH,		C_IKESA | C_CHILDSA,	NULL },
	{ "enc",	K_ENC,		C_IKESA | C_CHILDSA,	NULL },
	{ "prf",	K_PRF,		C_IKESA,		NULL },
	{ "group",	K_GROUP,	C_IKESA | C_CHILDSA,	NULL },
	{ "esn",	K_ESN,		C_CHILDSA,		NULL },
	{ "noesn",	K_NOESN,	C_CHILDSA,		NULL },

	{ "any",	K_ANY,		C_SUB,		NULL },
	{ "dynamic",	K_DYNAMIC,	C_SUB,		NULL },
	{ "port",	K_PORT,		C_SUB,		NULL },
	{ "bytes",	K_BYTES,	C_SUB,		NULL },
	{ "routeros",	K_PEERKIND,	C_SUB,		NULL },
	{ "windows",	K_PEERKIND,	C_SUB,		NULL },
	{ "openiked",	K_PEERKIND,	C_SUB,		NULL },
	{ "file",	K_FILE,		C_SUB,		NULL },
	{ "until",	K_UNTIL,	C_SUB,		NULL },
	{ "tolerate",	K_TOLERATE,	C_SUB,		NULL },
	{ "maxage",	K_MAXAGE,	C_SUB,		NULL },

	{ "target",		K_TARGET,	C_KA,		NULL },
	{ "quorum",		K_QUORUM,	C_KA,		NULL },
	{ "interval",	K_INTERVAL,	C_KA,		NULL },
	{ "timeout",	K_TIMEOUT,	C_KA,		NULL },
	{ "fall",		K_FALL,		C_KA,		NULL },
	{ "rise",		K_RISE,		C_KA,		NULL },
	{ "probe",		K_PROBE,	C_KA,		NULL },
	{ "type",		K_TYPE,		C_KA,		NULL },
	{ "status",		K_STATUS,	C_KA,		NULL },
	{ "pace",		K_PACE,		C_KA,		NULL },
	{ "size",		K_SIZE,		C_KA,		NULL },
	{ "ttl",		K_TTL,		C_KA,		NULL },
	{ "dscp",		K_DSCP,		C_KA,		NULL },
	{ "nodf",		K_NODF,		C_KA,		NULL },
	{ "fib",		K_FIB,		C_KA,		NULL },
	{ "mark",		K_MARK,		C_KA,		NULL },
	{ "vrf",		K_VRF,		C_KA,		NULL },
	{ "source",		K_SOURCE,	C_KA,		NULL },
	{ "norecover",	K_NORECOVER,	C_KA,		NULL },
	{ "backup",		K_BACKUP,	C_KA,		NULL },
	{ "preempt",	K_PREEMPT,	C_KA,		NULL },
	{ "pmtu",		K_PMTU,		C_KA,		NULL },
	{ "onup",		K_ONUP,		C_KA,		NULL },
	{ "ondown",		K_ONDOWN,	C_KA,		NULL },
	{ "ontest",		K_ONTEST,	C_KA,		NULL },
};
#define NWORDS	(sizeof(words) / sizeof(words[0]))

const struct conf_word *
conf_word_row(size_t i)
{
	return (i < NWORDS ? &words[i] : NULL);
}

const char *
conf_keyword(size_t i)
{
	return (i < NWORDS ? words[i].word : NULL);
}

const struct conf_word *
conf_word_find(const char *s, unsigned int ctx)
{
	size_t	 i;

	for (i = 0; i < NWORDS; i++)
		if ((words[i].ctx & ctx) != 0 && strcmp(words[i].word, s) == 0)
			return (&words[i]);
	return (NULL);
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return (a < b ? a : b);
}

/* Optimal string alignment: three rows of the usual matrix. */
unsigned int
conf_word_distance(const char *a, const char *b)
{
	unsigned int	 row[3][WORDMAX + 1], *pp, *p, *c, *t, d;
	size_t		 la, lb, i, j;

	la = strlen(a);
	lb = strlen(b);
	if (la > WORDMAX || lb > WORDMAX)
		return (2 * WORDMAX);
	pp = row[0];
	p = row[1];
	c = row[2];
	for (j = 0; j <= lb; j++)
		p[j] = pp[j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		c[0] = (unsigned int)i;
		for (j = 1; j <= lb; j++) {
			d = p[j - 1] + (a[i - 1] != b[j - 1]);
			d = least(d, p[j] + 1);
			d = least(d, c[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = least(d, pp[j - 2] + 1);
			c[j] = d;
		}
		t = pp;
		pp = p;
		p = c;
		c = t;
	}
	return (p[lb]);
}

/* How many slips still make "nearly": one in three letters, at most three. */
unsigned int
conf_word_tolerance(const char *s)
{
	size_t	 n = strlen(s);

	return (n < 3 ? 1 : n < 6 ? (unsigned int)(n / 2) : 3);
}

/* What other programs call it. */
static const char *
alias(const char *s)
{
	static const char *const	 secrets[] = { "secret", "sharedkey",
	    "presharedkey", "preshared-key", "pre-shared-key", "password" };
	size_t				 i;

	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strcmp(s, secrets[i]) == 0)
			return ("psk");
	return (s);
}

const struct conf_word *
conf_word_nearest(const char *word, unsigned int ctx)
{
	const struct conf_word	*best = NULL;
	char			 lower[WORDMAX + 2];
	const char		*s;
	unsigned int		 d, bestd;
	size_t			 i;

	for (i = 0; word[i] != '\0' && i < sizeof(lower) - 1; i++)
		lower[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ?
		    word[i] - 'A' + 'a' : word[i]);
	lower[i] = '\0';
	s = alias(lower);
	bestd = conf_word_tolerance(s) + 1;
	for (i = 0; i < NWORDS; i++) {
		if ((words[i].ctx & ctx) == 0)
			continue;
		/* A slip that changes every letter is another word. */
		d = conf_word_distance(s, words[i].word);
		if (d < bestd && d < strlen(words[i].word)) {
			best = &words[i];
			bestd = d;
		}
	}
	return (best);
}

void
conf_word_list(unsigned int ctx, char *dst, size_t cap)
{
	size_t	 i, len = 0;
	int	 n;

	dst[0] = '\0';
	for (i = 0; i < NWORDS; i++) {
		if ((words[i].ctx & ctx) == 0 || words[i].instead != NULL ||
		    words[i].id == K_IPSECCONF)
			continue;
		if (len + strlen(words[i].word) + 8 > cap) {
			if (len + 5 < cap)
				snprintf(dst + len, cap - len, ", ...");
			return;
		}
		n = snprintf(dst + len, cap - len, "%s%s", len ? ", " : "",
		    words[i].word);
		len += (size_t)n;
	}
}
