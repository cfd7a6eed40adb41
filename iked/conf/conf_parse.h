/* SPDX-License-Identifier: ISC */
/* What the files of the parser share; private to conf. */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/conf_lex.h"
#include "conf/conf_words.h"

/* Open addressing; entries are indices whose keys the caller compares. */
struct table {
	uint32_t	*slot;		/* index + 1; 0 empty */
	uint32_t	*hash;
	size_t		 cap, n;
};
typedef int	 conf_table_same(void *arg, uint32_t index);
uint32_t	 conf_table_hash(const void *, size_t, uint32_t seed);
/* The index of an equal entry, or -1. */
int64_t		 conf_table_find(const struct table *, uint32_t hash, conf_table_same *,
		    void *arg);
int		 conf_table_add(struct table *, uint32_t hash, uint32_t index);
void		 conf_table_free(struct table *);

#define CONF_MAXPROTOS	8	/* after `proto` */

/* One side of the selectors while a statement is read. */
struct side {
	struct {
		uint8_t		any;	/* 2: dynamic */
		uint16_t	port;	/* 0: all */
		struct prefix	net;
	}		e[TS_MAX];
	uint32_t	n;
	uint32_t	pend;	/* entries that wait for the other side */
	uint8_t		toomany;	/* said */
};

struct stmt {
	struct pos	 pos;		/* of `ikev2` */
	int		 bad;		/* an error was reported in it */
	int		 unknown;	/* ... and what else it says is not known */
	char		 name[CONF_NAMELEN];
	uint64_t	 seen;		/* 1 << enum conf_kw, of single options */
	enum conf_mode	 mode;
	uint8_t		 natt, full, fam;	/* fam: inet, inet6 or none */
	uint8_t		 transport, single;
	uint8_t		 proto[CONF_MAXPROTOS];
	unsigned int	 nprotos;	/* 0: all */
	struct side	 from, to;
	uint8_t		 dyn;		/* enum conf_dyn */
	struct cp_list	 give, ask;
	char		 iface[CONF_IFACELEN];
	uint32_t	 pair[TS_MAX];	/* bits: to-entries named with a from-entry */
	struct addr	 local, remote;
	char		 localname[CONF_HOSTLEN], remotename[CONF_HOSTLEN];
	struct pos	 localpos, remotepos, portpos, backuppos;
	struct pos	 targetpos[CONF_TARGETS];
	struct ident	 srcid, dstid;
	struct proposals ike, esp;
	const char	*preset;	/* the word, or NULL */
	struct pos	 presetpos;
	uint32_t	 ikelifetime, lifetime;
	uint64_t	 lifebytes;
	struct conf_keepalive *keepalive;	/* or NULL; a reference */
	uint8_t		 has_psk;
	uint16_t	 psklen;
	uint8_t		 psk[CONF_PSKMAX];
	uint8_t		 has_old;	/* the secret of before */
	uint16_t	 oldlen;
	uint8_t		 old[CONF_PSKMAX];
	int64_t		 old_until;
};

/* Settings of which the last one counts. */
enum { SET_MODE, SET_DPD, SET_FRAG, SET_MOBIKE, SET_KINDS };

struct parser {
	struct lexer		 lx;
	struct tok		 tok;
	int			 have;	/* tok is read but not taken */
	unsigned int		 blocks; /* { open, but lists */
	int			 nlblank; /* the end of a line is a blank */
	int			 beyond; /* tok is already the next statement's */
	int			 orphan; /* options without a statement: said */
	struct pos		 set[SET_KINDS]; /* where each was said */
	struct conf_errors	*errs;
	const struct conf_io	*io;
	int			 flags;
	struct conf		*conf;
	struct stmt		 st;
	uint32_t		 nstmt;
	int			 toomany;
	uint32_t		*first;	/* first tunnel of each peer */
	uint32_t		 firstcap;
	struct table		 names, peers, pairs;
	/* names of all statements, the refused ones too, for duplicates */
	struct seen_name {
		char		 name[CONF_NAMELEN];
		struct pos	 pos;
	}			*seen;
	uint32_t		 nseen, seencap;
	/* selector pairs in use: tunnel and entries */
	struct seen_pair {
		uint32_t	 tunnel;
		struct ts	 from, to;
	}			*pair;
	uint32_t		 npair, paircap;
	/* backups, to be looked for when all tunnels are known */
	struct seen_backup {
		uint32_t	 tunnel;
		struct pos	 pos;
	}			*backup;
	uint32_t		 nbackup, backupcap;
};

/* conf_parse.c: tokens.  peek expands macros, peek_raw does not. */
struct tok	*conf_peek(struct parser *);
struct tok	*conf_peek_raw(struct parser *);
void		 conf_take(struct parser *);
/* The keyword that comes next in one of these places (not taken), or NULL. */
const struct conf_word *conf_peek_word(struct parser *, unsigned int ctx);
int		 conf_peek_punct(struct parser *, char);
/* At the end of the statement, or of its part in a block? */
int		 conf_peek_end(struct parser *);
/* Reads over the rest of the statement; its words are not looked at. */
void		 conf_skip_line(struct parser *);
#define SHOWLEN	72
/* The word as the user wrote it, in quotes, cut; never a string's content and
 * nothing while lx.hide. */
const char	*conf_show(const struct parser *, const struct tok *,
		    char dst[SHOWLEN]);
/* A value: a word that is no option, or a string.  NULL: reported.  Valid until
 * the next token is read.  conf_text: a macro is one text, not its words. */
struct tok	*conf_value(struct parser *, const char *after);
struct tok	*conf_text(struct parser *, const char *after);
/* A list { a, b } or one value: calls each for every one. 0 or -1 when reported. */
int		 conf_list(struct parser *, const char *after,
		    void (*each)(struct parser *, struct tok *, void *), void *);
/* "an error here, in this statement" */
void		 conf_stmt_error(struct parser *, const struct pos *, const char *, ...)
		    __attribute__((__format__(printf, 3, 4)));
void		 conf_unknown(struct parser *, const struct tok *, unsigned int ctx,
		    const char *where);
/* 10, 10s, 5m, 3h, 1d, 500ms -> milliseconds.  0 or -1. */
int		 conf_time_ms(const char *, uint64_t *);
int		 conf_bytes(const char *, uint64_t *);

/* A time, and how and where it was written.  0 or -1 when reported. */
int		 conf_take_time(struct parser *, const char *kw, const char *units,
		    uint64_t *ms, struct pos *, char show[SHOWLEN]);

/* An option at the beginning of a line; its name. */
#define CONF_ORPHAN	"\"%s\" is an option without its ikev2: end the line above " \
			"with a backslash (and no comment), or put all in { }"

/* conf_block.c: { options in lines of their own }; what: of which statement. */
void		 conf_block(struct parser *, const char *what, void (*)(struct parser *));
/* What parse reads: as it stands there, or in braces. */
void		 conf_braces(struct parser *, const char *what, unsigned int ctx,
		    const char *where, void (*parse)(struct parser *, void *), void *);
/* Reads over { ... }; over the rest of what is no statement. */
void		 conf_skip_braces(struct parser *);
void		 conf_skip_unknown(struct parser *);

/* conf_policy.c: the ikev2 statement, after its keyword. */
void		 conf_policy(struct parser *);
/* conf_watch.c: after keepalive and watch, whose places these are. */
void		 conf_keepalive(struct parser *, const struct pos *);
void		 conf_watch(struct parser *, const struct pos *);
/* conf_cp.c: after config, request and iface. */
void		 conf_cp(struct parser *, enum conf_kw);
void		 conf_iface(struct parser *);
void		 conf_cp_merge(struct parser *, struct conf_tunnel *);
const char	*conf_cp_word(uint16_t type);	/* NULL: none of ours */
int		 conf_cp_asks(const struct cp_list *);	/* for an address */
int		 conf_cp_ok(const struct conf_tunnel *);
int		 conf_iface_ok(const char *);
/* conf_psk.c */
void		 conf_psk(struct parser *, const struct pos *);
/* conf_xform.c: after ikesa or childsa. */
void		 conf_proposals(struct parser *, enum conf_kw, const struct pos *);
/* The configuration's own copy, the same for equal ones; NULL: no memory. */
const struct proposals *conf_proposals_share(struct conf *, const struct proposals *);
/* What the statement does not say; preset NULL: our own default. */
void		 conf_default(struct proposals *, uint8_t proto, const char *preset);
/* conf_merge.c: the finished statement becomes a tunnel of a peer. */
void		 conf_merge(struct parser *);
/* The statement's name: a second one is an error. */
void		 conf_name_seen(struct parser *);
/* A file's name as messages carry it. */
void		 conf_file_name(char dst[128], const char *);
/* What a peer is known by: local, remote, srcid, dstid. */
uint32_t	 conf_peer_hash(const struct conf_peer *);
int		 conf_peer_same(const struct conf_peer *, const struct conf_peer *);
/* Names for the unnamed; the order by name.  0 or -1 (no memory). */
int		 conf_merge_end(struct parser *);

/* conf_check.c: what both the parser and the codec hold true. */
int		 conf_name_ok(const char *);
int		 conf_ident_ok(const struct ident *);
int		 conf_proposals_ok(const struct proposals *, uint8_t proto);
int		 conf_addr_ok(const struct addr *);	/* a host's address */
/* Is a transform of this protocol something we can run? */
int		 conf_xform_built(uint8_t proto, const struct xform_info *);
/* Every family of one side stands on the other, too. */
int		 conf_families_ok(const struct conf_tunnel *);
/* keepalive has a target, and all of them are reached through the tunnel. */
int		 conf_target_ok(const struct conf_tunnel *);
/* Of one: is it in a `to', and do the selectors carry a probe to it? */
int		 conf_target_inside(const struct conf_tunnel *, const struct addr *);
int		 conf_target_carried(const struct conf_tunnel *, const struct addr *);
/* Two hosts, which are the peer's own addresses. */
int		 conf_transport_ok(const struct conf_tunnel *, const struct conf_peer *);

/* conf_host.c: is the peer's place one that a peer can have? */
int		 conf_place_ok(const struct conf_peer *);

/* conf_proto.c: IP protocols */
#define CONF_PROTOLEN	12
int		 conf_proto_byname(const char *);	/* a word or a number; -1: none */
const char	*conf_proto_name(uint8_t, char dst[CONF_PROTOLEN]);
int		 conf_proto_ports(uint8_t);	/* has it ports? */
/* How many protocols each network of a side has. */
unsigned int	 conf_protos(const struct prefix *, const struct tslist *);
/* Both sides are what a statement can say. */
int		 conf_selectors_ok(const struct conf_tunnel *);

/* conf.c */
struct conf	*conf_new(void);
struct conf_peer *conf_add_peer(struct conf *);
struct conf_tunnel *conf_add_tunnel(struct conf *);
void		 conf_ident_addr(struct ident *, const struct addr *);
/* Makes conf->byname.  0, 1: two of one name, -1: no memory. */
int		 conf_index(struct conf *);
int		 conf_grow(void **, uint32_t *cap, uint32_t n, size_t size);

#endif
