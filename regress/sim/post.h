/* SPDX-License-Identifier: ISC */
/*
 * Scenes of two gateways and the post between them.  A scene says what both do, and which
 * messages are lost or late.  It is played once as it is, and then once more for each of
 * its datagrams with that one lost.  A flow of packets runs all the time.
 */
#ifndef POST_H
#define POST_H

#include <atf-c.h>

#include "engine/engine_local.h"
#include "peer.h"
#include "sim.h"

#define POST_RULES	16
#define POST_HELD	64
#define A	0
#define B	1

enum mail {
	M_ANY, M_INIT, M_AUTH, M_CREATE, M_REKEY_CHILD, M_REKEY_IKE, M_DEL_CHILD, M_DEL_IKE,
	M_CHECK
};
#define REPLY	0x100		/* of that request */

struct post {
	struct sim	*s;
	struct node	*a, *b;
	int		 variant;
	int		 lose;		/* this datagram of the scene is lost; 0: none */
	int		 n;		/* datagrams so far */
	int		 begun;
	int		 quiet;		/* the flow has stopped */
	struct {
		int	from, what, times;
		int64_t	late;		/* ms; -1: for ever */
	} rule[POST_RULES];
	int		 nrules;
	struct {
		monotime	when;
		int		used;
		struct packet	pkt;
	} held[POST_HELD];
	struct {
		uint64_t	spii;
		uint32_t	msgid;
		int		from, what;
	} asked[64];
	unsigned int	 nasked;
	int		 seen[2][2 * M_CHECK + 2];	/* [from][mail, twice as replies] */
	uint32_t	 last_id[2];	/* of the last REKEY_IKE */
	int		 after_del[2];	/* requests on an SA after its DEL_IKE */
	uint64_t	 del_spi[2];
	uint64_t	 base_a, base_b, nosa;
	char		 trace[4096];
};

/* What has to be true in the end, beyond: one IKE SA, one Child, the same ones. */
#define LOSSY	0x01		/* packets may be lost, the tunnel may be down in between */
#define DOWN	0x02		/* there is nothing at all in the end */
#define UNSURE	0x08		/* LOSSY where a datagram is lost */
#define ONCE	0x04		/* not again with each datagram lost */

/* Plays it for variants 0 .. n-1. */
void	scene(const char *name, void (*play)(struct post *), int variants, int flags,
	    const char *conf_a, const char *conf_b);
#define SCENE_CONF(name, variants, flags, ca, cb)				\
	static void play_##name(struct post *);					\
	ATF_TC(name);								\
	ATF_TC_HEAD(name, tc) { atf_tc_set_md_var(tc, "timeout", "600"); }	\
	ATF_TC_BODY(name, tc) { scene(#name, play_##name, variants, flags, ca, cb); } \
	static void play_##name(struct post *p)
#define SCENE(name, variants, flags) SCENE_CONF(name, variants, flags, "", "")

/* The next `times` messages of that kind from a node come so late, or never (-1). */
void	post_late(struct post *, int from, int what, int times, int64_t ms);
void	post_forget(struct post *);	/* all of it; what is held comes when it comes */
/* Time passes, with ten packets a second, or a hundred when fast. */
void	post_run(struct post *, int64_t ms);
int	post_seen(const struct post *, int from, int what);
#define PLAIN(p) ((p)->lose == 0)

/* ---- what they do */
void	do_rekey_child(struct post *, int who);
void	do_rekey_ike(struct post *, int who);
void	do_del_child(struct post *, int who);	/* the one that carries the tunnel */
void	do_del_ike(struct post *, int who);
/* Both at once; the lowest nonce is, by variant: 0 Ni of A, 1 Nr of B, 2 Ni of B,
 * 3 Nr of A.  So B's new SA stays for 0 and 1, and A's for 2 and 3. */
void	do_both(struct post *, void (*what)(struct post *, int));
struct ike_sa	*ike_up(struct node *);
struct child_sa	*child_up(struct node *);

#endif
