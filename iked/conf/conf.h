/* SPDX-License-Identifier: ISC */
/*
 * iked.conf(5): text -> checked configuration -> text again.
 *
 * A struct conf is an immutable generation.  The parser reads no file itself:
 * the caller brings a reader, so that the root parent reads files and tests and
 * fuzzers read memory.  All errors of a text are collected in one run, each with
 * file:line:column, the offending word and what to write instead.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/cp.h"
#include "base/id.h"
#include "base/ts.h"
#include "base/xform.h"
#include "conf/conf_keepalive.h"

#define CONF_NAMELEN	64	/* tunnel names, NUL included */
#define CONF_PSKMAX	1024
#define CONF_OLDSOON	(14 * 86400)	/* s: the end of an old secret is near */
#define CONF_MAXTUNNELS	131072
#define CONF_IKELIFE	28800		/* s */
#define CONF_LIFE	10800		/* s */
#define CONF_LIFEBYTES	(4ULL << 30)
#define CONF_LIFEMIN	10		/* s, of both lifetimes */
#define CONF_LIFEMAX	(366U * 86400)
#define CONF_DPD	60		/* s */
#define CONF_DPDMAX	86400

#define CONF_IFACELEN	16	/* NUL included */
#define CONF_HOSTLEN	254	/* a host name: RFC 1035 2.3.4; NUL included */
#define CONF_ABSENTLEN	200	/* why it has no address; NUL included */

enum conf_mode { MODE_PASSIVE, MODE_ACTIVE, MODE_ONDEMAND };

/* Everything that makes two statements share one IKE SA. */
struct conf_peer {
	struct addr		 local;		/* ADDR_NONE: any */
	struct addr		 remote;	/* ADDR_NONE: any (responder only) */
	struct ident		 srcid;		/* ID_NONE: the local address, as ID_IPV4/6_ADDR */
	struct ident		 dstid;		/* ID_NONE: the remote address; with `peer any`: any */
	const struct proposals	*ike;		/* ours, in order of preference; shared */
	uint32_t		 ikelifetime;	/* seconds until rekey; 0: default (8h) */
	uint16_t		 psklen;	/* 0 in a parse without secrets */
	uint8_t			*psk;		/* owned; wiped by conf_free */
	uint8_t			 has_psk;	/* also set when the secret was left out */
	uint32_t		 psk_serial;	/* another one when the secret changed */
	uint64_t		 psk_mark;	/* conf_psk_serials(); never in a message */
	/* while the secret is changed: the one of before, good until then (s since 1970).
	 * old as psk, oldlen 0 in a parse without secrets */
	uint8_t			 has_old;
	uint16_t		 oldlen;
	uint8_t			*old;
	int64_t			 old_until;
	uint64_t		 old_mark;
	uint8_t			 natt;		/* 0 auto, 1 forced (`natt`) */
	uint8_t			 full;		/* `fulltranscript`: AUTH over all, or no SA */
	uint32_t		 ntunnels;	/* how many statements use it */
	/* Names, as they were written, where addresses were not (NULL).  Who runs the
	 * configuration fills in local and remote; until then, and where they are of no
	 * use, absent says why, and the peer is nobody's: not `any', either. */
	char			*localname, *remotename;	/* owned, like absent */
	uint8_t			 fam;		/* `inet' or `inet6' beside a name; or none */
	char			*absent;
};

/* `dynamic`: the address that the peer gives us, or we give the peer. */
enum conf_dyn { DYN_NO, DYN_FROM, DYN_TO };

/* One `ikev2` statement. */
struct conf_tunnel {
	char			 name[CONF_NAMELEN];	/* never empty: "policyN" when unnamed */
	uint32_t		 peer;		/* index into conf.peers */
	enum conf_mode		 mode;
	uint8_t			 transport;	/* 0 tunnel, 1 transport */
	uint8_t			 single;	/* a Child SA for each pair of selectors */
	/* local and remote selectors: each network with each protocol, network by network */
	struct tslist		 from, to;
	struct prefix		 fromnet[TS_MAX], tonet[TS_MAX]; /* same, as prefixes */
	const struct proposals	*esp;		/* ditto */
	uint32_t		 lifetime;	/* seconds, hard; default 3h */
	uint64_t		 lifebytes;	/* default 4G; 0 none */
	struct conf_keepalive	*keepalive;	/* a reference; NULL: without */
	uint8_t			 dyn;		/* enum conf_dyn */
	struct cp_list		 give;		/* `config`; an address is the pool */
	struct cp_list		 ask;		/* `request` */
	char			 iface[CONF_IFACELEN]; /* for the address we get; or "" */
	uint32_t		 line;
	char			 file[128];
};

/* One `watch` statement: netwatchd's alone, it is in no message of iked's. */
struct conf_watch {
	char			 name[CONF_NAMELEN];	/* no tunnel has it */
	struct addr		 source;	/* ADDR_NONE: by route */
	struct conf_keepalive	*keepalive;	/* a reference; never NULL */
	uint32_t		 line;
	char			 file[128];
};

struct conf {
	uint32_t		 gen;		/* set by the owner */
	uint32_t		 npeers, ntunnels;
	struct conf_peer	*peers;
	struct conf_tunnel	*tunnels;
	uint32_t		 nwatches;
	struct conf_watch	*watches;
	uint8_t			 passive;	/* `set passive`: start nothing ourselves */
	uint32_t		 dpd_interval;	/* `set dpd_check_interval`, s; default 60;
						   0: no liveness checks */
	uint8_t			 fragmentation;	/* `set fragmentation`; default 1 */
	uint8_t			 mobike;	/* `set mobike`: default 1 */
	/* private to conf */
	uint32_t		 want_peers, want_tunnels;	/* announced by globals */
	uint32_t		 cap_peers, cap_tunnels, cap_watches;
	struct conf_kashare	 kas;
	uint32_t		*byname;	/* tunnels ordered by name; NULL while filling */
	struct proposals	**props;	/* each once, as far as that is seen */
	uint32_t		 nprops, cap_props;
};

/* Reads a whole file named by the main text (`include`, `psk file`).  The
 * octets are malloc'd and become the parser's.  0, or -1 and errno: EINVAL where it
 * is not a regular file, EFBIG where it is too large. */
struct conf_io {
	int	(*read)(void *arg, const char *path, uint8_t **data, size_t *len);
	void	*arg;
};
/* Such an errno, for a person. */
const char *conf_io_error(int);
#define CONF_NOSECRETS	1	/* secrets are checked for syntax, wiped, not kept;
				   `psk file` is not opened */

struct conf_error {
	char		file[128];
	uint32_t	line, col;
	char		text[320];	/* without file:line:col */
};
struct conf_errors {
	uint32_t		 n;		/* in all, even past the limit */
	uint32_t		 nwarn;		/* of which warnings do not refuse the file */
	struct conf_error	 e[64];
	uint8_t			 warn[64];	/* e[i] is a warning */
};

/* Parses text (named `file` in messages).  Gives a new configuration, or NULL with
 * at least one error.  Bounded: include depth 8, 128k tunnels, lines of 64 KiB. */
struct conf	*conf_parse(const char *file, const char *text, size_t len,
		    const struct conf_io *, int flags, struct conf_errors *);
void		 conf_free(struct conf *);	/* wipes secrets */
/* One of its own; flags as conf_put_peer()'s; without watches.  NULL: no memory. */
struct conf	*conf_clone(const struct conf *, int flags);
/* The canonical text; parses back to an equal configuration.  Without
 * with_secrets the psk line is left as a comment.  malloc'd, NUL-terminated. */
char		*conf_print(const struct conf *, int with_secrets);

/* Equal for a reload of iked: no SA has to change.  keepalive is netwatchd's
 * business and tears nothing down. */
int	conf_proposals_equal(const struct proposals *, const struct proposals *);
int	conf_peer_equal(const struct conf_peer *, const struct conf_peer *);
int	conf_tunnel_equal(const struct conf *, const struct conf_tunnel *,
	    const struct conf *, const struct conf_tunnel *);
int	conf_watch_equal(const struct conf_watch *, const struct conf_watch *);
/*
 * What differs, as bits: 1 << enum conf_field (conf_diff.c).  The indices of a tunnel's
 * peer must be good.
 */
enum conf_field { CF_MODE, CF_LIFETIME, CF_LIFEBYTES, CF_CHILDSA, CF_IKELIFETIME,
    CF_IKESA, CF_TRANSPORT, CF_SINGLE, CF_FROM, CF_TO, CF_CONFIG, CF_REQUEST, CF_IFACE,
    CF_LOCAL, CF_PEER, CF_SRCID, CF_DSTID, CF_PSK, CF_NATT, CF_FULL, CF_FIELDS };
#define CF_KEEP		(1U << CF_MODE)		/* no SA has to change */
#define CF_REKEY_CHILD	(1U << CF_LIFETIME | 1U << CF_LIFEBYTES | 1U << CF_CHILDSA)
#define CF_REKEY_IKE	(1U << CF_IKELIFETIME | 1U << CF_IKESA)
const char *conf_field_name(unsigned int);	/* as in iked.conf; NULL past the end */
uint32_t conf_peer_diff(const struct conf_peer *, const struct conf_peer *);
uint32_t conf_tunnel_diff(const struct conf *, const struct conf_tunnel *,
	    const struct conf *, const struct conf_tunnel *);
/* What a reload does with the tunnel's SAs: nothing, make before break, break. */
enum conf_change { CHANGE_KEPT = 1, CHANGE_RENEGOTIATED, CHANGE_REPLACED, CHANGE_ADDED,
    CHANGE_REMOVED };
enum conf_change conf_change(uint32_t diff);
const char *conf_change_name(enum conf_change);
/*
 * Who has no secrets cannot see that one changed.  Who reads them numbers them: a peer
 * that has a secret in common with the same peer in old keeps its serial, any other gets
 * c->gen.  old may be NULL.  key is random, of CONF_MARKLEN octets, and the same for both:
 * secrets are compared by marks made with it, so that old needs none.  0, or -1: no
 * memory.
 */
#define CONF_MARKLEN	16
int	conf_psk_serials(struct conf *c, const struct conf *old, const uint8_t *key);
/* Only what the next conf_psk_serials() looks at stays: secrets are wiped. */
void	conf_keep_marks(struct conf *);
int	conf_cp_equal(const struct cp_list *, const struct cp_list *);
/* Where the tunnel's addresses of that family come from; NULL: none are given out. */
const struct prefix *conf_pool(const struct conf_tunnel *, uint8_t fam);
/* Index of the tunnel of that name, or -1. */
int32_t	conf_tunnel_byname(const struct conf *, const char *);
const char *conf_mode_name(enum conf_mode);
/* Do the selectors from.t[i] and to.t[j] make a pair, of one family and one protocol? */
int	conf_is_pair(const struct conf_tunnel *, unsigned int i, unsigned int j);
/* Of a host: letters, digits, hyphens, underscores and dots, and no number at its end. */
int	conf_host_ok(const char *);
/* An address that a name may lead to: a host's, and not this one's own. */
int	conf_host_addr(const struct addr *);
int	conf_peer_named(const struct conf_peer *);	/* by a name, at either end */
/* Text to be shown behind a name. */
int	conf_absent_ok(const char *);
/* Its addresses are these now; or why NULL is not: none.  0, or -1: no memory. */
int	conf_peer_place(struct conf_peer *, const struct addr *local,
	    const struct addr *remote, const char *why);
/* What is known of a name: its addresses, the best first, or why there is none. */
struct conf_found {
	uint8_t			 n;
	const struct addr	*a;
	const char		*why;
};
typedef void conf_lookup(void *arg, const char *name, struct conf_found *);
/* Puts all peers that have names in their places.  How many are elsewhere now; -1: no
 * memory, and some may be. */
int	conf_places(struct conf *, conf_lookup *, void *arg);
/* A day as seconds since 1970, at its end (UTC): "2026-12-31".  0 or -1; and back. */
int	conf_day_parse(const char *, int64_t *);
#define CONF_DAYLEN	16
char	*conf_day_str(int64_t, char dst[CONF_DAYLEN]);
/* The i-th word of the keyword table, NULL past the end (manual page test). */
const char *conf_keyword(size_t i);

/* Typed messages between the processes: one peer or tunnel an item, at most
 * 16 KiB each.  get: 0, or -1 when malformed (every field is checked again). */
#define CONF_WITH_SECRETS 2
void	conf_put_globals(struct wbuf *, const struct conf *);
void	conf_put_peer(struct wbuf *, const struct conf_peer *, int flags);
void	conf_put_tunnel(struct wbuf *, const struct conf_tunnel *);
/* An empty conf to be filled: globals first (they hold the counts), then all peers,
 * then all tunnels.  conf_complete(): 0 when all came, every reference fits and
 * names differ; it also makes the index of names. */
struct conf *conf_get_globals(struct rbuf *);
int	conf_get_peer(struct rbuf *, struct conf *);
int	conf_get_tunnel(struct rbuf *, struct conf *);
int	conf_complete(struct conf *);
/* Where a peer that has a name is now: its index first. */
void	conf_put_place(struct wbuf *, const struct conf *, uint32_t peer);
int	conf_get_place(struct rbuf *, struct conf *);

#endif
