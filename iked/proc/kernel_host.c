/* SPDX-License-Identifier: ISC */
/*
 * Policies of Children that are narrower than their tunnel's trap.
 *
 * A tunnel to `any' may have many callers at once, each with a part of the remote
 * networks (a pool's address, as a rule).  The trap is one and discards; so a caller's
 * part has policies of its own, which lead to its endpoints and live as long as an
 * outbound SA of it does.  A rekey's two SAs share them.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/kernel.h"

#define HASH		1024
#define PAIRS_MAX	16	/* a Child's; more are left to the trap, which discards */

/* One pair of networks, as its outbound policy. */
struct khost {
	struct khost		*next;
	struct kern_policy	 p;
	uint32_t		 refs;
};

/* An outbound SA, and what was placed for it. */
struct kowner {
	struct kowner	*next;
	uint32_t	 spi;
	struct addr	 dst;
	unsigned int	 n;
	struct khost	*host[PAIRS_MAX];
};

static struct khost	*hosts[HASH];
static struct kowner	*owners[HASH];

static struct khost **
host_slot(const struct kern_policy *p)
{
	uint32_t h = 0;
	size_t i;

	for (i = 0; i < addr_len(&p->dst.addr); i++)
		h = h * 31 + p->dst.addr.b[i];
	for (i = 0; i < addr_len(&p->src.addr); i++)
		h = h * 31 + p->src.addr.b[i];
	return (&hosts[(h ^ h >> 16) % HASH]);
}

static struct kowner **
owner_find(uint32_t spi, const struct addr *dst)
{
	struct kowner **o;

	for (o = &owners[spi % HASH]; *o != NULL; o = &(*o)->next)
		if ((*o)->spi == spi && addr_cmp(&(*o)->dst, dst) == 0)
			break;
	return (o);
}

static void
host_done(void *arg, int err, const char *what)
{
	(void)arg;
	if (err == 0 || err == ESRCH || err == ENOENT)
		return;
	errno = err;
	log_error(&kn.ch->log, WHY_POLICY, "a policy for one caller of an \"any\" peer is "
	    "refused%s%s", what != NULL ? ": " : "", what != NULL ? what : "");
	kguard_look();
}

static int
last_dir(void)
{
	return (kn.caps.has_fwd ? KERN_FWD : KERN_OUT);
}

/* An outbound policy as that of a direction, and back. */
static struct kern_policy
towards(const struct kern_policy *out, enum kern_dir dir)
{
	struct kern_policy p = *out;

	p.dir = dir;
	if (dir != KERN_OUT) {
		p.src = out->dst;
		p.dst = out->src;
		kpol_turn(&p);
		p.tsrc = out->tdst;
		p.tdst = out->tsrc;
	}
	return (p);
}

/* All directions of it: as they are now, or away. */
static void
host_place(const struct kern_policy *out, int away)
{
	struct kern_policy p;
	int d;

	for (d = KERN_IN; d <= last_dir(); d++) {
		p = towards(out, (enum kern_dir)d);
		if ((away ? kern_policy_delete(kn.kern, mono_now(), &p, host_done,
		    NULL) : kern_policy_replace(kn.kern, mono_now(), &p, host_done,
		    NULL)) == -1)
			host_done(NULL, errno, NULL);
	}
}

static struct khost *
host_find(const struct kern_policy *out)
{
	struct khost *h;

	for (h = *host_slot(out); h != NULL; h = h->next)
		if (kpol_cmp(&h->p, out) == 0)
			break;
	return (h);
}

static struct khost *
host_take(const struct kern_policy *p)
{
	struct khost **slot = host_slot(p), *h = host_find(p);

	if (h == NULL) {
		if ((h = calloc(1, sizeof(*h))) == NULL)
			return (NULL);
		h->next = *slot;
		*slot = h;
	}
	if (h->refs++ == 0 || !kpol_same(&h->p, p)) {
		h->p = *p;
		host_place(&h->p, 0);
	}
	return (h);
}

static void
host_drop(struct khost *h)
{
	struct khost **slot;

	if (--h->refs > 0)
		return;
	for (slot = host_slot(&h->p); *slot != h; slot = &(*slot)->next)
		;
	*slot = h->next;
	host_place(&h->p, 1);
	free(h);
}

/* A pair of selectors as an outbound policy.  0, or -1: no policy can say it. */
static int
host_policy(const struct ktable *kt, const struct kernel_req *q, const struct ts *l,
    const struct ts *r, struct kern_policy *p)
{
	memset(p, 0, sizeof(*p));
	if (l->start.fam != r->start.fam || !ts_to_prefix(l, &p->src) ||
	    !ts_to_prefix(r, &p->dst))
		return (-1);
	p->dir = KERN_OUT;
	p->action = KERN_IPSEC;
	p->proto = l->proto != 0 ? l->proto : r->proto;
	kpol_ports(p, l, r);
	p->prio = kern_priority(&p->src, &p->dst, p->proto,
	    (p->sport != 0) + (p->dport != 0));
	p->reqid = kt->reqid[q->tunnel];
	p->transport = q->sa.transport;
	p->tsrc = q->sa.src;
	p->tdst = q->sa.dst;
	return (0);
}

int
khost_now(struct kern_policy *p)
{
	struct kern_policy out = *p;
	const struct khost *h;

	if (p->dir != KERN_OUT)
		out = towards(p, p->dir);
	out.dir = KERN_OUT;
	if ((h = host_find(&out)) == NULL)
		return (0);
	*p = towards(&h->p, p->dir);
	return (1);
}

void
khost_each(void (*f)(const struct kern_policy *))
{
	struct kern_policy p;
	const struct khost *h;
	size_t i;
	int d;

	for (i = 0; i < HASH; i++)
		for (h = hosts[i]; h != NULL; h = h->next)
			for (d = KERN_IN; d <= last_dir(); d++) {
				p = towards(&h->p, (enum kern_dir)d);
				f(&p);
			}
}

int
khost_wanted(const struct ktable *kt, const struct kernel_req *q)
{
	const struct conf_tunnel *t = &kt->conf->tunnels[q->tunnel];

	return (kt->conf->peers[t->peer].remote.fam == ADDR_NONE &&
	    !tslist_equal(&q->tsr, &t->to));
}

int
khost_add(const struct ktable *kt, const struct kernel_req *q)
{
	struct kowner **slot = owner_find(q->sa.spi, &q->sa.dst), *o;
	struct kern_policy p;
	unsigned int i, j;

	if (*slot != NULL)
		return (1);
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return (-1);
	o->spi = q->sa.spi;
	o->dst = q->sa.dst;
	o->next = *slot;
	*slot = o;
	for (i = 0; i < q->tsl.n; i++)
		for (j = 0; j < q->tsr.n && o->n < PAIRS_MAX; j++)
			if (host_policy(kt, q, &q->tsl.t[i], &q->tsr.t[j], &p) == 0 &&
			    (o->host[o->n] = host_take(&p)) != NULL)
				o->n++;
	return (0);
}

void
khost_delete(uint32_t spi, const struct addr *dst)
{
	struct kowner **slot = owner_find(spi, dst), *o = *slot;

	if (o == NULL)
		return;
	*slot = o->next;
	while (o->n > 0)
		host_drop(o->host[--o->n]);
	free(o);
}

void
khost_clear(void)
{
	size_t i;

	for (i = 0; i < HASH; i++)
		while (owners[i] != NULL)
			khost_delete(owners[i]->spi, &owners[i]->dst);
}
