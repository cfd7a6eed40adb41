/* SPDX-License-Identifier: ISC */
/*
 * Random lives of two gateways: a network that loses, doubles, delays and is cut, a kernel
 * and a keys process that refuse or stay mute, crashes, reloads, commands, a NAT that
 * moves.  Then the faults stop, and within CALM_MS everything has to be in order: one
 * Child on either side, the same one, in both kernels and nowhere else, and every
 * packet answered.  A life is a function of its seed.
 *
 *	IKEEP_SEEDS	how many lives (default 200)
 *	IKEEP_SEED	the first seed (default 1); with IKEEP_SEEDS=1 and SIM_VERBOSE=1
 *			one life is told line by line
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define WEATHER_MS	90000	/* of faults */
#define CALM_MS		100000	/* then all wanted tunnels are up again, at the latest */
#define SURE_MS		5000	/* and in this time no packet is lost */

struct life {
	struct sim	*s;
	uint64_t	 rng;
	const char	*mode[2], *extra;
	int		 nat;
	monotime	 back[2];	/* killed: started again then; MONO_NONE: lives */
	monotime	 plug[2];	/* cut until */
	monotime	 voice[2];	/* kernel or keys mute until */
	int		 lifetime;
};

static const char *const inner[2] = { "10.1.0.5", "10.2.0.7" };
static const char *const name[2] = { "b", "a" };	/* of the tunnel at a, at b */

static uint64_t
roll(struct life *l, uint64_t n)
{
	return (sim_rand(&l->rng) % n);
}

static void
conf(const struct life *l, int i, char *text, size_t cap)
{
	const char *const	addr[2] = { l->nat ? "192.168.7.2" : "192.0.2.1",
				    "198.51.100.1" };
	const char *const	peer[2] = { "198.51.100.1", "192.0.2.1" };
	const char *const	net[2] = { "10.1.0.0/24", "10.2.0.0/24" };
	const char *const	id[2] = { "a.example", "b.example" };
	char			life[64] = "";

	if (l->lifetime > 0)
		(void)snprintf(life, sizeof(life), "lifetime %d ikelifetime %d",
		    l->lifetime, 2 * l->lifetime + 7);
	(void)snprintf(text, cap, "ikev2 \"%s\" %s esp from %s to %s local %s peer %s "
	    "srcid %s dstid %s %s %s psk \"a secret that is long enough\"\n", name[i],
	    l->mode[i], net[i], net[1 - i], addr[i], peer[i], id[i], id[1 - i], l->extra,
	    life);
}

static void
start(struct life *l, int i)
{
	char	text[1024];

	conf(l, i, text, sizeof(text));
	sim_start(l->s->n[i], text);
}

static void
birth(struct life *l, uint64_t seed)
{
	static const char *const modes[][2] = {
		{ "ondemand", "passive" }, { "ondemand", "ondemand" },
		{ "active", "passive" }, { "active", "ondemand" }, { "active", "active" },
		{ "ondemand", "active" },
	};
	static const char *const extras[] = {
		"", "childsa enc aes-256-gcm group curve25519",
		"ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group ecp256",
		"childsa enc aes-256 auth hmac-sha2-256",
	};
	static const int lifetimes[] = { 0, 0, 25, 60 };
	size_t	m;

	memset(l, 0, sizeof(*l));
	l->rng = seed;
	l->s = sim_new(sim_rand(&l->rng));
	m = roll(l, sizeof(modes) / sizeof(modes[0]));
	l->nat = roll(l, 5) == 0;
	if (l->nat)
		m = roll(l, 2) * 2;	/* only a can call */
	l->mode[0] = modes[m][0];
	l->mode[1] = modes[m][1];
	l->extra = extras[roll(l, 4)];
	l->lifetime = lifetimes[roll(l, 4)];
	l->s->delay_us = (int64_t)(200 + roll(l, roll(l, 4) == 0 ? 600000 : 40000));
	l->s->jitter_us = (int64_t)roll(l, (uint64_t)l->s->delay_us);
	l->s->loss = (uint32_t)(roll(l, 2) * roll(l, 350));
	l->s->dup = (uint32_t)(roll(l, 2) * roll(l, 300));
	(void)sim_node(l->s, "a", l->nat ? "192.168.7.2" : "192.0.2.1", NULL);
	(void)sim_node(l->s, "b", "198.51.100.1", NULL);
	if (l->nat)
		sim_nat(l->s->n[0], "192.0.2.1");
	start(l, 0);
	start(l, 1);
}

/* What was broken for a while is whole again; all of it, when now is the end. */
static void
mend(struct life *l, int all)
{
	struct node	*n;
	int		 i;

	for (i = 0; i < 2; i++) {
		n = l->s->n[i];
		if (n->e == NULL && (all || mono_reached(l->back[i], l->s->now)))
			start(l, i);
		if (all || mono_reached(l->plug[i], l->s->now))
			n->cut = 0;
		if (all || mono_reached(l->voice[i], l->s->now))
			n->kern_mute = n->keys_mute = 0;
		if (all)
			n->kern_fail_at = 0;
	}
}

static void
command(struct life *l, struct node *n, int i)
{
	static const enum engine_cmd	cmds[] = { CMD_UP, CMD_DOWN, CMD_REKEY, CMD_REKEY };
	const char			*why;

	(void)engine_command(n->e, l->s->now, cmds[roll(l, 4)], name[i], WAKE_COMMAND, &why);
}

static void
event(struct life *l)
{
	int		 i = (int)roll(l, 2);
	struct node	*n = l->s->n[i];
	char		 text[1024];

	if (n->e == NULL)
		return;
	switch (roll(l, 16)) {
	case 0:
		sim_kill(n);
		l->back[i] = mono_add_ms(l->s->now, (int64_t)roll(l, 6000));
		break;
	case 1:
		n->cut = 1;
		l->plug[i] = mono_add_ms(l->s->now, (int64_t)roll(l, 15000));
		break;
	case 2:
		n->kern_mute = 1;
		l->voice[i] = mono_add_ms(l->s->now, (int64_t)roll(l, 3000));
		break;
	case 3:
		n->keys_mute = 1;
		l->voice[i] = mono_add_ms(l->s->now, (int64_t)roll(l, 3000));
		break;
	case 4:
		n->kern_fail_at = 1 + (int)roll(l, 3);
		break;
	case 5:
		if (roll(l, 2) == 0)
			l->lifetime = 20 + (int)roll(l, 60);
		conf(l, i, text, sizeof(text));
		sim_reload(n, text);
		break;
	case 6:
		if (l->nat)
			l->s->n[0]->nat_port[1] = (uint16_t)(30000 + roll(l, 10000));
		break;
	case 7: case 8: case 9: case 10:
		command(l, n, i);
		break;
	default:
		sim_traffic(n, inner[i], inner[1 - i], (int64_t)roll(l, 3000), 70);
		break;
	}
}

static void
weather(struct life *l)
{
	monotime	end = mono_add_ms(l->s->now, WEATHER_MS);

	while (mono_before(l->s->now, end)) {
		mend(l, 0);
		event(l);
		sim_run(l->s, (int64_t)roll(l, 2500));
	}
}

static void
calm(struct life *l)
{
	struct sim	*s = l->s;
	const char	*why;
	int		 i;

	mend(l, 1);
	/* without reordering too: what overtakes a DELETE is rightly lost */
	s->loss = s->dup = 0;
	s->jitter_us = 0;
	for (i = 0; i < 2; i++)
		(void)engine_command(s->n[i]->e, s->now, CMD_UP, name[i], WAKE_COMMAND, &why);
	sim_traffic(s->n[0], inner[0], inner[1], CALM_MS, 200);
}

#define WRONG(...) do { fprintf(stderr, __VA_ARGS__); fputc('\n', stderr); bad = 1; } while (0)

static int
in_order(struct life *l)
{
	struct sim	*s = l->s;
	uint64_t	 got = s->n[0]->got;
	int		 i, bad = 0;

	sim_traffic(s->n[0], inner[0], inner[1], SURE_MS, 100);
	sim_run(s, 2 * (s->delay_us + s->jitter_us) / 1000 + 100);
	if (s->n[0]->got - got < SURE_MS / 100)
		WRONG("%d of %d packets were answered", (int)(s->n[0]->got - got),
		    SURE_MS / 100);
	for (i = 0; i < 2; i++)
		if (!sim_is_up(s->n[i], name[i]))
			WRONG("%s: not up", s->n[i]->name);
	return (!bad);
}

/* One Child, one IKE SA, the same on either side, and the kernels agree. */
static int
mirrored(struct sim *s)
{
	return (sim_count(s->n[0], SHOWK_SA) == 1 && sim_count(s->n[1], SHOWK_SA) == 1 &&
	    sim_established(s->n[0]) == 1 && sim_established(s->n[1]) == 1 &&
	    sim_agree(s->n[0]) && sim_agree(s->n[1]) &&
	    sim_mirror(s->n[0], s->n[1], "b", "a"));
}

/* A rekey may be under way at any moment, but not at every one. */
static int
single(struct life *l)
{
	struct sim	*s = l->s;
	int		 t;

	for (t = 0; t < 40; t++) {
		if (mirrored(s))
			return (1);
		sim_run(s, 500);
	}
	fprintf(stderr, "Children: %d and %d, IKE SAs: %d and %d\n",
	    sim_count(s->n[0], SHOWK_SA), sim_count(s->n[1], SHOWK_SA),
	    sim_established(s->n[0]), sim_established(s->n[1]));
	return (0);
}

static int
death(struct life *l)
{
	struct sim	*s = l->s;
	int		 i, left = 0;

	for (i = 0; i < 2; i++)
		engine_shutdown(s->n[i]->e, s->now);
	sim_run(s, 40000);
	for (i = 0; i < 2; i++)
		left += sim_kernel_count(s->n[i]);
	if (left > 0)
		fprintf(stderr, "%d SAs are left in the kernels\n", left);
	return (left == 0);
}

static int
live(uint64_t seed)
{
	struct life	l;
	int		ok;

	birth(&l, seed);
	weather(&l);
	calm(&l);
	ok = in_order(&l);
	ok = single(&l) && ok;
	ok = death(&l) && ok;
	if (!ok)
		fprintf(stderr, "seed %ju: %s and %s%s, \"%s\", lifetime %d, delay %jd us, "
		    "jitter %jd us\n", (uintmax_t)seed, l.mode[0], l.mode[1],
		    l.nat ? " behind a NAT" : "", l.extra, l.lifetime,
		    (intmax_t)l.s->delay_us, (intmax_t)l.s->jitter_us);
	sim_free(l.s);
	return (ok);
}

static uint64_t
wish(const char *var, uint64_t otherwise)
{
	const char	*s = getenv(var);

	return (s != NULL && *s != '\0' ? strtoull(s, NULL, 10) : otherwise);
}

ATF_TC(seeds);
ATF_TC_HEAD(seeds, tc)
{
	atf_tc_set_md_var(tc, "timeout", "86400");
}
ATF_TC_BODY(seeds, tc)
{
	uint64_t	first = wish("IKEEP_SEED", 1), n = wish("IKEEP_SEEDS", 200), i, bad = 0;

	for (i = 0; i < n; i++)
		bad += !live(first + i);
	printf("%ju lives, %ju not in order\n", (uintmax_t)n, (uintmax_t)bad);
	ATF_CHECK_EQ(bad, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, seeds);
	return (atf_no_error());
}
