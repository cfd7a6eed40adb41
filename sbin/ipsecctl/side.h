/* SPDX-License-Identifier: ISC */
/*
 * One side of tunnels, whatever program its configuration is for: what `diff' compares.
 * Every value knows the place it was read from.
 */
#ifndef IPSECCTL_SIDE_H
#define IPSECCTL_SIDE_H

#include <stdio.h>

#include "base/addr.h"
#include "base/id.h"
#include "base/xform.h"
#include "side_words.h"

#define SIDE_NAMELEN	64
#define SIDE_NOTES	32
#define SIDE_TEXTLEN	240
#define SIDE_MAXPEERS	131072
#define SIDE_MAXCHILDREN 262144
#define SIDE_MAXSELS	128	/* a side of a Child SA */

struct place {
	const char	*file;		/* the side's own; NULL: nowhere */
	unsigned int	 line;		/* 0: not said, the default counts */
};

struct side_sel {
	struct prefix	net;
	uint8_t		proto;		/* 0: all */
	uint16_t	port;		/* 0: all */
	uint8_t		any;		/* an address that is given, or a template */
};

enum side_rule { RULE_UNKNOWN, RULE_GOOD, RULE_BAD };

/* What becomes one Child SA. */
struct side_child {
	char			 name[SIDE_NAMELEN];
	uint32_t		 peer;
	struct place		 at, at_from, at_to, at_esp, at_pfs, at_life, at_mode;
	struct side_sel		*from, *to;	/* owned */
	unsigned int		 nfrom, nto;
	const struct proposals	*esp;
	uint8_t			 transport, ah;
	uint8_t			 gcmauth;	/* RouterOS: AEAD beside auth-algorithms */
	uint8_t			 shared;	/* RouterOS: level=require */
	uint32_t		 life;		/* s, at most; 0: not known */
	enum side_rule		 nat, fast;	/* RouterOS's firewall */
	struct place		 at_nat, at_fast;
};

enum side_secret { SECRET_ABSENT, SECRET_KNOWN, SECRET_PLACE };
enum side_natt { NATT_AUTO, NATT_FORCED, NATT_OFF };

struct side_peer {
	char			 name[SIDE_NAMELEN];
	struct place		 at, at_local, at_remote, at_my, at_his, at_secret,
				 at_ike, at_life, at_version, at_natt;
	struct addr		 local, remote;		/* ADDR_NONE: not said, any */
	struct prefix		 remotenet;		/* of several; or fam none */
	char			 remotename[SIDE_NAMELEN];	/* not resolved */
	struct ident		 my, his;	/* ID_NONE: the address */
	uint8_t			 my_unknown, his_any;
	uint8_t			 version;	/* 1, 2; 0: calls with 2, takes both */
	uint8_t			 passive;	/* waits for the other side */
	uint8_t			 full;		/* fulltranscript */
	enum side_natt		 natt;
	char			 auth[32];	/* "psk", or the program's word */
	enum side_secret	 secret_state;
	uint8_t			*secret;	/* owned, wiped */
	size_t			 secretlen;
	const struct proposals	*ike;
	uint32_t		 ikelife;	/* s, at most; 0: not known or never */
};

struct side_note {
	struct place	at;
	char		text[SIDE_TEXTLEN];
};

struct side {
	enum form		 form;
	char			*file;
	struct side_peer	*peers;
	struct side_child	*children;
	uint32_t		 npeers, nchildren;
	struct side_note	 note[SIDE_NOTES];	/* what was not understood */
	unsigned int		 nnotes;
	/* private */
	uint32_t		 cappeers, capchildren;
	struct proposals	**props;
	uint32_t		 nprops, capprops;
	char			**files;
	uint32_t		 nfiles, capfiles;
	int			 nomem;
};

/*
 * Reads a configuration of one of the forms, which its content tells unless form is
 * given.  On -1 a line (or several) about it went to err.
 */
int		 side_load(struct side *, const char *path, FILE *err);
int		 side_parse(struct side *, const char *name, const enum form *,
		    const uint8_t *text, size_t len, FILE *err);
void		 side_free(struct side *);
/* 0, or -1: it is none that we know. */
int		 side_guess(const uint8_t *text, size_t len, enum form *);

/* For the parsers.  Gives NULL when there is no memory (and side->nomem) or too many. */
struct side_peer	*side_peer_new(struct side *);
struct side_child	*side_child_new(struct side *, uint32_t peer);
int		 side_sel_add(struct side *, struct side_sel **, unsigned int *,
		    const struct side_sel *);
const struct proposals	*side_props(struct side *, const struct proposals *);
void		 side_note(struct side *, struct place, const char *, ...)
		    __attribute__((__format__(printf, 3, 4)));
/* The octets of a secret, as text or placeholder; copied. */
void		 side_secret(struct side *, struct side_peer *, const uint8_t *, size_t,
		    struct place);
/* A name that lives as long as the side. */
const char	*side_filename(struct side *, const char *);
void		 side_name(char dst[SIDE_NAMELEN], const char *);

/* A proposal under way: transforms are added once each. */
void		 side_xform(struct proposal *, uint8_t type, uint16_t id, uint16_t keybits);
int		 side_has(const struct proposal *, uint8_t type);

/* side_iked.c, side_routeros.c, side_swanctl.c: 0, or -1 when said.  text is theirs to
 * change. */
int		 side_iked(struct side *, uint8_t *text, size_t len, FILE *err);
int		 side_routeros(struct side *, uint8_t *text, size_t len, FILE *err);
int		 side_swanctl(struct side *, uint8_t *text, size_t len, FILE *err);

#endif
