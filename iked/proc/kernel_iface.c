/* SPDX-License-Identifier: ISC */
/*
 * The addresses that peers give us (`from dynamic'), on the interfaces that their tunnels
 * name.  What is there follows the SAs: another address replaces the one before.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "proc/iface.h"
#include "proc/kernel.h"

/* One that stands; nets are the remote ones, for the routes. */
struct kiface {
	struct kiface	*next;
	char		 tunnel[CONF_NAMELEN], iface[CONF_IFACELEN];
	struct addr	 a;
	unsigned int	 nnets;
	struct prefix	 nets[TS_MAX];
};

static struct kiface *standing;
static int fd = -1;

void
kiface_open(void)
{
	fd = iface_open();
}

static void
take_away(struct kiface **slot)
{
	struct kiface *k = *slot;

	(void)iface_set(fd, k->iface, &k->a, NULL, k->nets, k->nnets, 0);
	*slot = k->next;
	free(k);
}

static struct kiface *
kiface_new(const struct conf_tunnel *t, const struct addr *a)
{
	struct kiface *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	(void)strlcpy(k->tunnel, t->name, sizeof(k->tunnel));
	(void)strlcpy(k->iface, t->iface, sizeof(k->iface));
	k->a = *a;
	k->nnets = t->to.n;
	memcpy(k->nets, t->tonet, sizeof(k->nets));
	k->next = standing;
	standing = k;
	return (k);
}

/* Again with every new SA: the way to the peer may be another one by now. */
static void
put_there(const struct kiface *k, const struct addr *peer)
{
	char s[ADDR_STRLEN];

	if (iface_set(fd, k->iface, &k->a, peer, k->nets, k->nnets, 1) == -1)
		log_error(&kn.ch->log, WHY_INTERFACE, "tunnel \"%s\": cannot put our "
		    "address %s on %s, with routes to the peer's networks", k->tunnel,
		    addr_str(&k->a, s), k->iface);
}

void
kiface_follow(const struct ktable *kt, const struct kernel_req *q)
{
	const struct conf_tunnel *t = &kt->conf->tunnels[q->tunnel];
	const struct addr *a;
	struct kiface **k, **old, *new;
	unsigned int i;

	if (t->dyn != DYN_FROM || t->iface[0] == '\0')
		return;
	for (i = 0; i < q->tsl.n; i++) {
		a = &q->tsl.t[i].start;
		for (old = NULL, k = &standing; *k != NULL; k = &(*k)->next)
			if ((*k)->a.fam == a->fam && strcmp((*k)->tunnel, t->name) == 0)
				old = k;
		new = old != NULL && addr_cmp(&(*old)->a, a) == 0 ? *old : NULL;
		if (old != NULL && new == NULL)
			take_away(old);
		if (new != NULL || (new = kiface_new(t, a)) != NULL)
			put_there(new, &q->sa.src);
	}
}

/* Of tunnels that went, or all of them. */
void
kiface_clear(const struct ktable *kt)
{
	const struct conf_tunnel *t;
	struct kiface **k = &standing;
	int32_t i;

	while (*k != NULL) {
		i = kt == NULL ? -1 : conf_tunnel_byname(kt->conf, (*k)->tunnel);
		t = i == -1 ? NULL : &kt->conf->tunnels[i];
		if (t != NULL && t->dyn == DYN_FROM && strcmp(t->iface, (*k)->iface) == 0)
			k = &(*k)->next;
		else
			take_away(k);
	}
}
