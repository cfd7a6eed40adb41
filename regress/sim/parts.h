/* SPDX-License-Identifier: ISC */
/*
 * Messages taken apart and put together again, well or badly, and what a node makes of
 * them: nothing at all (a drop), or one answer.  For the negative tests.
 */
#ifndef PARTS_H
#define PARTS_H

#include "peer.h"

#define PARTS_MAX	128

struct part {
	uint8_t		 type, flags;
	uint16_t	 len;		/* of the body */
	uint8_t		*body;		/* in the parts' room */
};

struct parts {
	int		 n;
	struct part	 p[PARTS_MAX];
	size_t		 used;
	uint8_t		 room[3 * MSG_MAX];
};

void	parts_read(struct parts *, uint8_t first, const uint8_t *, size_t);
/* The chain: its length; *first its first type. */
size_t	parts_write(const struct parts *, uint8_t *first, uint8_t *, size_t cap);
/* The nth (from 0) payload of that type, or NULL. */
struct part *parts_find(struct parts *, uint8_t type, int nth);
/* Another payload, before the at-th one (-1: behind all). */
struct part *parts_add(struct parts *, int at, uint8_t type, const void *body, size_t);
struct part *parts_note(struct parts *, int at, uint16_t type, const void *data, size_t);
void	parts_del(struct parts *, uint8_t type);
/* Its body becomes this one. */
void	part_set(struct parts *, struct part *, const void *, size_t);

/* ---- a message of a node, changed on its way */
struct patch {
	struct node	*from;
	uint8_t		 exch;
	int		 response;
	void		(*change)(struct parts *);
	/* instead: the datagram itself; gives its new length */
	size_t		(*raw)(uint8_t *, size_t len);
	int		 keep;		/* the real one goes, too, afterwards */
	int		 all;		/* not only the first */
	int		 done;
	/* every datagram of the other nodes that came after */
	int		 answers;
	uint8_t		 ans[MSG_MAX];
	size_t		 anslen;
};
/* s->filter with a struct patch as its argument */
int	patch_filter(struct sim *, struct node *, struct packet *);
/* The notify of the protected refusal in t->ans, opened with what the initiator n has; -1:
 * that is not what it is. */
int	patch_refusal(const struct patch *, struct node *n);

/* ---- how a node does, to see that nothing has changed */
struct mark {
	uint64_t	rx, tx, bad, nike, nchild, half, jobs, rng, datagrams;
	uint32_t	in, out, spi_in, spi_out;
	int		established, kernel;
};
void	mark_take(struct node *, struct mark *);
/* n datagrams were dropped: counted, and nothing else.  Else it prints what.  With rng 0 it
 * does not look at chance: timers want some after a while. */
int	mark_same(struct node *, const struct mark *, uint64_t n);
/* Injects it, and it is dropped without a trace. */
int	is_dropped(struct node *, const struct endpoint *src, const struct endpoint *dst,
	    int marker, const uint8_t *, size_t);

/* ---- a whole pair; `bad` seals what it likes for `good` */
struct duel {
	struct sim	*s;
	struct node	*bad, *good;
	struct ike_sa	*ike;		/* bad's */
	/* the answer of good, opened */
	int		 answers;
	uint8_t		 raw[MSG_MAX], plain[MSG_MAX];
	size_t		 rawlen, len;
	uint8_t		 first;
	struct wire_hdr	 h;
	struct wire_msg	 m;
};
/* Up, bad is the initiator or (responder) it is not. */
void	duel_start(struct duel *, uint64_t seed, const char *extra, int responder);
void	duel_free(struct duel *);
/* The endpoints of what bad sends. */
struct endpoint duel_src(const struct duel *), duel_dst(const struct duel *);
/* The chain of a request with bad's next message id: the number of datagrams that good
 * sends in return (the last is in raw, and opened when it is sealed). */
int	duel_ask(struct duel *, uint8_t exch, const struct parts *);
int	duel_ask_raw(struct duel *, uint8_t exch, uint8_t first, const uint8_t *, size_t);
/* Sealed, with that id and direction, not yet sent. */
size_t	duel_seal(struct duel *, uint8_t exch, int response, uint32_t msgid,
	    const struct parts *, uint8_t out[MSG_MAX]);
/* The same with a header of one's own; spii, spir and len are filled in. */
size_t	duel_seal_hdr(struct duel *, struct wire_hdr *, uint8_t first, const uint8_t *,
	    size_t, uint8_t out[MSG_MAX]);
/* Sends a whole datagram as bad: what duel_ask() gives. */
int	duel_send(struct duel *, const uint8_t *, size_t);
/* Sent so, it is dropped without a trace. */
int	duel_dropped(struct duel *, const uint8_t *, size_t);
/* good asks something (CREATE_CHILD_SA of a rekey, or with what good was told to do): its
 * request is swallowed, opened into m, and what bad answers is sealed. */
int	duel_provoke(struct duel *, enum task);
int	duel_reply(struct duel *, const struct parts *);
int	duel_reply_raw(struct duel *, uint8_t first, const uint8_t *, size_t);
/* The one answer has this error and nothing else, and the SA of good lives or not. */
int	duel_says(struct duel *, uint16_t notify, int alive);
/* A CREATE_CHILD_SA chain for the tunnel's nets, without KE. */
void	duel_child(struct duel *, struct parts *, uint32_t spi);
/* The same for the IKE SA itself, with a KE value of group 31. */
void	duel_rekey(struct duel *, struct parts *, uint64_t spi);

#endif
