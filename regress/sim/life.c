/* SPDX-License-Identifier: ISC */
/* Gateways, tunnels, faults. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_local.h"
#include "invariant.h"
#include "life.h"
#include "sim_local.h"

#define NONE	2	/* neither side */

static const char *const modes[][2] = {
	{ "ondemand", "passive" }, { "active", "passive" }, { "ondemand", "ondemand" },
	{ "active", "ondemand" }, { "active", "active" }, { "ondemand", "active" },
};
/* the second side may prefer another group (INVALID_KE_PAYLOAD), or order */
static const char *const ikes[][2] = {
	{ "", "" }, { "", "" }, { "", "" },
	{ "ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group ecp256", "" },
	{ "ikesa enc aes-128-gcm prf hmac-sha2-256 group { curve25519, ecp256 }",
	    "ikesa enc aes-128-gcm prf hmac-sha2-256 group ecp256" },
};
static const char *const children[][2] = {
	{ "", "" }, { "", "" },
	{ "childsa enc aes-256-gcm group curve25519", "childsa enc aes-256-gcm group curve25519" },
	{ "childsa enc aes-256 auth hmac-sha2-256", "" },
	{ "childsa enc aes-128-gcm group { curve25519, ecp256 }",
	    "childsa enc aes-128-gcm group ecp256" },
};

uint64_t
life_roll(struct life *l, uint64_t n)
{
	return (sim_rand(&l->rng) % n);
}

struct node *
life_node(struct life *l, const struct pair *p, int side)
{
	return (l->s->n[l->link[p->link].node[side]]);
}

/* ---- configuration */

static void
addr_of(const struct life *l, int i, int outside, char *dst, size_t n)
{
	if (l->s->n[i]->nat && !outside)
		(void)snprintf(dst, n, "192.168.7.%d", i + 1);
	else
		(void)snprintf(dst, n, "198.51.100.%d", i + 1);
}

/* "10.1.5.0/24", or a list of two; side: whose net, of whom: who writes it */
static void
net_of(const struct life *l, const struct pair *p, int side, int of, char *dst, size_t n)
{
	int	i = l->link[p->link].node[side], k = (int)(p - l->pair);

	if (p->nets[side] == 2)
		(void)snprintf(dst, n, "{ 10.%d.%d.0/24, 10.%d.%d.0/24 }", i + 1, k, i + 1,
		    k + 100);
	else if (p->narrow == side + 1 && of != side)
		(void)snprintf(dst, n, "10.%d.%d.0/23", i + 1, k * 2 + 20);
	else
		(void)snprintf(dst, n, "10.%d.%d.0/24", i + 1, p->narrow ? k * 2 + 20 : k);
}

static size_t
conf_pair(const struct life *l, const struct pair *p, int side, char *dst, size_t n)
{
	const struct link	*k = &l->link[p->link];
	int			 me = k->node[side], you = k->node[!side];
	char			 from[64], to[64], local[32], peer[32], life[80] = "";

	net_of(l, p, side, side, from, sizeof(from));
	net_of(l, p, !side, side, to, sizeof(to));
	addr_of(l, me, 0, local, sizeof(local));
	if (k->any && side == 1)
		(void)strlcpy(peer, "any", sizeof(peer));
	else
		addr_of(l, you, 1, peer, sizeof(peer));
	if (k->lifetime > 0)
		(void)snprintf(life, sizeof(life), "ikelifetime %d lifetime %d bytes %d",
		    2 * k->lifetime + 7, k->lifetime, k->bytes);
	return ((size_t)snprintf(dst, n, "ikev2 \"%s\" %s esp from %s to %s local %s peer %s "
	    "srcid g%d.example dstid g%d.example %s %s %s%s "
	    "psk \"a secret that is long enough %d\"\n", p->name, k->mode[side], from, to,
	    local, peer, me, you, k->ike[side], k->child[side], life,
	    k->natt && side == 0 ? " natt" : "", k->psk[side]));
}

static void
conf_node(const struct life *l, int node, char *dst, size_t n)
{
	const struct pair	*p;
	size_t			 at = 0;
	int			 i, side;

	dst[0] = '\0';
	for (i = 0; i < l->npairs; i++) {
		p = &l->pair[i];
		for (side = 0; side < 2; side++)
			if (l->link[p->link].node[side] == node && !p->gone[side])
				at += conf_pair(l, p, side, dst + at, n - at);
	}
}

static void
start(struct life *l, int i)
{
	char	text[8192];

	conf_node(l, i, text, sizeof(text));
	sim_start(l->s->n[i], text);
}

static void
reload(struct life *l, int i)
{
	char	text[8192];

	conf_node(l, i, text, sizeof(text));
	sim_reload(l->s->n[i], text);
}

/* ---- birth */

static void
links(struct life *l)
{
	int	i, j, mesh = l->nnodes <= 4 && life_roll(l, 2) == 0;

	for (i = 0; i < l->nnodes; i++)
		for (j = i + 1; j < l->nnodes && l->nlinks < LIFE_LINKS; j++) {
			if (!mesh && i > 0)
				continue;
			/* the hub is called, so that spokes may be behind NATs */
			l->link[l->nlinks].node[0] = j;
			l->link[l->nlinks++].node[1] = i;
		}
}

static void
link_make(struct life *l, struct link *k)
{
	static const int	lifetimes[] = { 0, 0, 0, 25, 60 };
	struct node		*a = l->s->n[k->node[0]], *b = l->s->n[k->node[1]];
	size_t			 m = life_roll(l, a->nat || b->nat ? 2 : 6);
	size_t			 e = life_roll(l, 5), c = life_roll(l, 5);
	int			 i, turn = b->nat && !a->nat;

	/* only who is behind a NAT can call */
	k->any = a->nat && !b->nat && life_roll(l, 2) == 0;
	for (i = 0; i < 2; i++) {
		k->mode[i] = modes[m][i ^ turn];
		k->ike[i] = ikes[e][i];
		k->child[i] = children[c][i];
	}
	k->lifetime = lifetimes[life_roll(l, 5)];
	k->bytes = k->lifetime > 0 && life_roll(l, 4) == 0 ? 8000 : 0;
	k->natt = life_roll(l, 10) == 0;
}

static void
pair_make(struct life *l, int link)
{
	struct pair	*p = &l->pair[l->npairs];
	int		 i, k = l->npairs++;

	p->link = link;
	p->nets[0] = p->nets[1] = 1;
	if (life_roll(l, 4) == 0)
		p->nets[life_roll(l, 2)] = 2;
	else if (life_roll(l, 8) == 0)
		p->narrow = 1 + (int)life_roll(l, 2);
	(void)snprintf(p->name, sizeof(p->name), "t%d", k);
	for (i = 0; i < 2; i++)
		(void)snprintf(p->host[i], sizeof(p->host[i]), "10.%d.%d.%d",
		    l->link[link].node[i] + 1, p->narrow ? k * 2 + 20 : k, 5 + i);
}

static void
nodes_make(struct life *l)
{
	char	name[8], a[32];
	int	i, nats = 0;

	for (i = 0; i < l->nnodes; i++) {
		(void)snprintf(name, sizeof(name), "g%d", i);
		(void)snprintf(a, sizeof(a), "198.51.100.%d", i + 1);
		/* two behind NATs cannot meet: in a pair or at a hub, only spokes */
		if (i > 0 && nats == 0 && life_roll(l, 5) == 0) {
			nats++;
			(void)snprintf(a, sizeof(a), "192.168.7.%d", i + 1);
			sim_nat(sim_node(l->s, name, a, NULL), "198.51.100.1");
			(void)snprintf(a, sizeof(a), "198.51.100.%d", i + 1);
			(void)addr_parse(&l->s->n[i]->nat_addr, a);
		} else
			(void)sim_node(l->s, name, a, NULL);
		l->s->n[i]->mapping = (int)life_roll(l, 2);
	}
}

static void
network_make(struct life *l)
{
	struct sim	*s = l->s;

	s->delay_us = (int64_t)(200 + life_roll(l, life_roll(l, 6) == 0 ? 600000 : 40000));
	s->jitter_us = (int64_t)life_roll(l, (uint64_t)s->delay_us);
	s->loss = (uint32_t)(life_roll(l, 2) * life_roll(l, 350));
	s->dup = (uint32_t)(life_roll(l, 2) * life_roll(l, 300));
}

/* Most lives are short: what goes wrong goes wrong early, or never. */
static void
length_make(struct life *l)
{
	uint64_t	r = life_roll(l, 100);

	l->pause_ms = 1200;
	if (r < 70)
		l->weather_ms = (int64_t)(2000 + life_roll(l, 10000));
	else if (r < 95)
		l->weather_ms = (int64_t)(15000 + life_roll(l, 45000));
	else {
		l->weather_ms = (int64_t)(60000 + life_roll(l, 180000));
		l->pause_ms = 4000;
	}
}

void
life_birth(struct life *l, uint64_t seed)
{
	int	i, k, n;

	memset(l, 0, sizeof(*l));
	l->seed = l->rng = seed;
	l->s = sim_new(sim_rand(&l->rng));
	invariant_on(l->s);
	l->nnodes = life_roll(l, 4) > 0 ? 2 : 3 + (int)life_roll(l, 3);
	nodes_make(l);
	links(l);
	for (k = 0; k < l->nlinks; k++) {
		link_make(l, &l->link[k]);
		n = 1 + (int)(life_roll(l, 3) == 0 ? life_roll(l, 3) : 0);
		for (i = 0; i < n && l->npairs < LIFE_TUNNELS - (l->nlinks - 1 - k); i++)
			pair_make(l, k);
	}
	network_make(l);
	length_make(l);
	for (i = 0; i < l->nnodes; i++)
		start(l, i);
}

/* ---- what befalls them */

void
life_ping(struct life *l, const struct pair *p, int side)
{
	(void)sim_ping(life_node(l, p, side), p->host[side], p->host[!side]);
}

static void
traffic(struct life *l)
{
	const struct pair	*p = &l->pair[life_roll(l, (uint64_t)l->npairs)];
	int			 i, side = (int)life_roll(l, 2), n = (int)life_roll(l, 20);

	for (i = 0; i < n; i++) {
		life_ping(l, p, side);
		sim_run(l->s, 100);
	}
}

void
life_rekey(struct life *l, const struct pair *p, int side, int ike)
{
	struct node	*n = life_node(l, p, side);
	struct ike_sa	*sa;
	const char	*why;
	int32_t		 t;

	if (n->e == NULL || mono_before(l->s->now, n->asleep))
		return;
	if (!ike) {
		(void)engine_command(n->e, l->s->now, CMD_REKEY, p->name, WAKE_COMMAND, &why);
		return;
	}
	t = tunnel_byname(&n->e->w, p->name);
	if (t == -1 || (sa = ike_of_peer(&n->e->w, n->e->w.tunnels[t].peer)) == NULL)
		return;
	n->e->w.now = l->s->now;
	sa->want_rekey = 1;
	touch_ike(&n->e->w, sa);
	engine_settle(n->e);
}

static void
command(struct life *l)
{
	const struct pair	*p = &l->pair[life_roll(l, (uint64_t)l->npairs)];
	int			 side = (int)life_roll(l, 2);
	struct node		*n = life_node(l, p, side);
	uint64_t		 r = life_roll(l, 6);
	const char		*why;

	sim_fault(l->s, F_COMMAND);
	if (n->e == NULL || mono_before(l->s->now, n->asleep))
		return;
	if (r < 4) {
		life_rekey(l, p, side, r == 3);
		/* the other side, too, at about the same time */
		if (life_roll(l, 3) == 0) {
			sim_run(l->s, (int64_t)life_roll(l, 3) * l->s->delay_us / 2000);
			life_rekey(l, p, !side, r == 3);
		}
		return;
	}
	(void)engine_command(n->e, l->s->now, r == 4 ? CMD_UP : CMD_DOWN, p->name,
	    WAKE_COMMAND, &why);
}

static void
change(struct life *l, int i)
{
	struct pair	*p = &l->pair[life_roll(l, (uint64_t)l->npairs)];
	struct link	*k = &l->link[p->link];
	int		 side = k->node[0] == i ? 0 : k->node[1] == i ? 1 : NONE;

	switch (life_roll(l, 5)) {
	case 0:
		k->lifetime = 20 + (int)life_roll(l, 60);
		break;
	case 1:
		if (side != NONE)
			p->gone[side] = !p->gone[side];
		break;
	case 2:
		if (side != NONE)
			k->psk[side] = (int)life_roll(l, 2);
		break;
	default:
		break;
	}
	sim_fault(l->s, F_RELOAD);
	reload(l, i);
}

static void
nap(struct life *l, struct node *n)
{
	uint64_t	r = life_roll(l, 100);
	int64_t		ms = (int64_t)life_roll(l, r < 75 ? 5000 : r < 97 ? 60000 : 7200000);

	sim_say(n, "stopped for %jd ms", (intmax_t)ms);
	sim_fault(l->s, F_SLEEP);
	n->asleep = mono_add_ms(l->s->now, ms);
	n->machine_asleep = life_roll(l, 2) == 0;
	if (life_roll(l, 2) == 0)
		sim_run(l->s, ms + 100);
}

static void
trouble(struct life *l, int i)
{
	struct node	*n = l->s->n[i];

	l->voice[i] = mono_add_ms(l->s->now, (int64_t)life_roll(l, 6000));
	switch (life_roll(l, 9)) {
	case 0:
		n->kern_mute = 1;
		break;
	case 1:
		n->kern_fail_at = 1 + (int)life_roll(l, 3);
		break;
	case 2:
		n->kern_refuse = 200;
		break;
	case 3:
		n->kern_late = 100;
		break;
	case 4:
		n->kern_slow_us = (int64_t)life_roll(l, 500000);
		break;
	case 5:
		n->deaf = 1;
		break;
	case 6:
		n->keys_mute = 1;
		break;
	case 7:
		n->keys_refuse = 1;
		break;
	default:
		n->keys_slow_us = (int64_t)life_roll(l, 2000000);
		break;
	}
}

static void
end_of_process(struct life *l, int i)
{
	struct node	*n = l->s->n[i];
	int64_t		 ms = (int64_t)life_roll(l, 6000);

	switch (life_roll(l, 6)) {
	case 0:
		sim_fault(l->s, F_SHUTDOWN);
		engine_shutdown(n->e, l->s->now);
		sim_run(l->s, (int64_t)life_roll(l, 2000));
		/* it may have been killed while it said so */
		if (n->e != NULL)
			sim_kill(n);
		break;
	case 1:
		sim_fault(l->s, F_FLUSH);
		n->no_policy = 1;
		engine_flush(n->e, l->s->now);
		return;
	case 2: case 3:
		/* in the middle of whatever it is */
		n->die_in = 1 + (int)life_roll(l, 8);
		sim_fault(l->s, F_CRASH);
		break;
	default:
		sim_fault(l->s, F_CRASH);
		sim_kill(n);
		break;
	}
	l->back[i] = mono_add_ms(l->s->now, ms);
}

static void
cut(struct life *l, int i)
{
	int64_t	ms = (int64_t)life_roll(l, 15000);
	int	j;

	if (life_roll(l, 2) == 0) {
		l->s->n[i]->cut = 1;
		l->plug[i] = mono_add_ms(l->s->now, ms);
		return;
	}
	for (j = 0; j < l->nnodes; j++)
		l->s->blocked[i][j] = j != i && life_roll(l, 2) == 0;
	l->way = mono_add_ms(l->s->now, ms);
}

static void
nat_moves(struct life *l)
{
	int	i;

	for (i = 0; i < l->nnodes; i++)
		if (l->s->n[i]->nat) {
			sim_fault(l->s, F_NAT_MOVED);
			l->s->n[i]->nat_port[1] = (uint16_t)(30000 + life_roll(l, 10000));
			if (life_roll(l, 3) == 0)
				l->s->n[i]->nat_port[0] =
				    (uint16_t)(20000 + life_roll(l, 10000));
		}
}

static void
event(struct life *l)
{
	int		 i = (int)life_roll(l, (uint64_t)l->nnodes);
	struct node	*n = l->s->n[i];
	uint64_t	 r = life_roll(l, 20);

	if (n->e == NULL || mono_before(l->s->now, n->asleep))
		return;
	if (r < 2)
		end_of_process(l, i);
	else if (r < 4)
		cut(l, i);
	else if (r < 7)
		trouble(l, i);
	else if (r == 7)
		change(l, i);
	else if (r == 8)
		nap(l, n);
	else if (r == 9)
		nat_moves(l);
	else if (r == 10)
		sim_lose_sa(n, life_roll(l, 16), (enum sim_loss)life_roll(l, 3));
	else if (r == 11)
		sim_lost_events(n);
	else if (r < 15)
		command(l);
	else
		traffic(l);
}

static void
whole(struct node *n)
{
	n->kern_mute = n->keys_mute = n->keys_refuse = n->deaf = 0;
	n->kern_refuse = n->kern_late = 0;
	n->kern_slow_us = n->keys_slow_us = 0;
	n->kern_fail_at = 0;
}

/* What was broken for a while is whole again. */
static void
mend(struct life *l)
{
	struct node	*n;
	int		 i;

	for (i = 0; i < l->nnodes; i++) {
		n = l->s->n[i];
		if (n->e == NULL && mono_reached(l->back[i], l->s->now))
			start(l, i);
		if (mono_reached(l->plug[i], l->s->now))
			n->cut = 0;
		if (mono_reached(l->voice[i], l->s->now))
			whole(n);
	}
	if (mono_reached(l->way, l->s->now))
		memset(l->s->blocked, 0, sizeof(l->s->blocked));
}

void
life_mend(struct life *l)
{
	struct sim	*s = l->s;
	int		 i;

	for (i = 0; i < l->nnodes; i++) {
		s->n[i]->die_in = 0;
		sim_wake(s->n[i]);
		whole(s->n[i]);
	}
	for (i = 0; i < l->npairs; i++)
		l->pair[i].gone[0] = l->pair[i].gone[1] = 0;
	for (i = 0; i < l->nlinks; i++)
		l->link[i].psk[0] = l->link[i].psk[1] = 0;
	l->way = s->now;
	for (i = 0; i < l->nnodes; i++)
		l->back[i] = l->plug[i] = s->now;
	mend(l);
	for (i = 0; i < l->nnodes; i++)
		reload(l, i);
	/* without reordering too: what overtakes a DELETE is rightly lost */
	s->loss = s->dup = 0;
	s->jitter_us = 0;
}

void
life_weather(struct life *l)
{
	monotime	end = mono_add_ms(l->s->now, l->weather_ms);

	while (mono_before(l->s->now, end)) {
		mend(l);
		event(l);
		sim_run(l->s, (int64_t)life_roll(l, (uint64_t)l->pause_ms));
	}
}

void
life_tell(const struct life *l)
{
	const struct link	*k;
	int			 i;

	fprintf(stderr, "seed %ju: %d gateways, %d tunnels, %jd ms of faults, delay %jd us, "
	    "jitter %jd us;", (uintmax_t)l->seed, l->nnodes, l->npairs,
	    (intmax_t)l->weather_ms, (intmax_t)l->s->delay_us, (intmax_t)l->s->jitter_us);
	for (i = 0; i < l->nlinks; i++) {
		k = &l->link[i];
		fprintf(stderr, " g%d%s %s - g%d%s %s, lifetime %d%s%s;", k->node[0],
		    l->s->n[k->node[0]]->nat ? " (NAT)" : "", k->mode[0], k->node[1],
		    l->s->n[k->node[1]]->nat ? " (NAT)" : "", k->mode[1], k->lifetime,
		    k->any ? ", peer any" : "", k->natt ? ", natt" : "");
	}
	fputc('\n', stderr);
}
