/* SPDX-License-Identifier: ISC */
/* A tunnel that is up and passes nothing, and what this machine does to any tunnel. */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "print.h"

#define UNUSED_MS	5000	/* who brings a tunnel up has something for it, mostly */

/* Packets leave and none come. */
static void
one_way_out(const struct patient *p, struct findings *fs)
{
	struct finding *f = finding_new(fs, 80);
	int encap = field_true(p->sa, "encap");

	finding_set(f->cause, "packets go into the tunnel and none come out: %s to the peer, or "
	    "from it to us, is lost on the way (a firewall), as it seems", encap ?
	    "ESP in UDP 4500" : "ESP (IP protocol 50)");
	finding_set(f->evidence, "%llu packets have gone into the tunnel, %llu have come out of "
	    "it; while we looked %llu and %llu", (unsigned long long)field_num(p->sa,
	    "packets_out"), (unsigned long long)field_num(p->sa, "packets_in"),
	    (unsigned long long)p->moved_out, (unsigned long long)p->moved_in);
	finding_set(f->advice, "%s", encap ? "allow UDP 4500 in both directions" : "allow ESP "
	    "in both directions between the two gateways, or write natt on both sides, "
	    "which puts ESP into UDP 4500");
	f = finding_new(fs, 60);
	finding_set(f->cause, "or the peer gets our packets and nobody answers: the host there "
	    "is down, it does not forward, or its host's route or firewall is wrong");
	finding_set(f->advice, "ipsecctl doctor there: does its inbound counter move?");
}

static void
one_way_in(const struct patient *p, struct findings *fs)
{
	struct finding *f = finding_new(fs, 80);

	finding_set(f->cause, "packets come out of the tunnel and none go in: no answer of "
	    "this side's hosts reaches the policy");
	finding_set(f->evidence, "%llu packets have come out, %llu have gone in; while we looked "
	    "%llu and %llu", (unsigned long long)field_num(p->sa, "packets_in"),
	    (unsigned long long)field_num(p->sa, "packets_out"),
	    (unsigned long long)p->moved_in, (unsigned long long)p->moved_out);
	finding_set(f->advice, "is the host that is pinged up, has it a route back by this "
	    "gateway, does this gateway forward? NAT rules here must exempt the tunnel's nets");
}

/* 1: the kernel has no policy for the first pair of nets, whatever iked believes. */
static int
no_policy(const json_t *t)
{
	const char *from = json_string_value(json_array_get(json_object_get(t, "from"), 0));
	const char *to = json_string_value(json_array_get(json_object_get(t, "to"), 0));
	struct prefix a, b;

	return (from != NULL && to != NULL && prefix_parse(&a, from) == 0 &&
	    prefix_parse(&b, to) == 0 && host_policy(&a, &b) == 0);
}

/* What we send ourselves does not reach the SA; where the policy is gone, that is why. */
static void
eaten(const struct patient *p, struct findings *fs)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	struct finding *f;

	if (no_policy(p->tunnel))
		return;
	f = finding_new(fs, 89);
	finding_set(f->cause, "what this machine sends from net to net does not reach the tunnel: "
	    "NAT or firewall rules here, or no route at all");
	finding_set(f->evidence, "%d datagrams from %s to %s, and none has gone into the tunnel",
	    p->poked, addr_str(&p->inside, a), addr_str(&p->beyond, b));
	finding_set(f->advice, "NAT rules must exempt the tunnel's nets; a packet needs some route "
	    "before IPsec sees it, if only the default one");
}

/* Small packets pass, and those as large as the kernel believes that may pass do not. */
static void
large_lost(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	char a[ADDR_STRLEN];

	if (!p->answered || p->answered_large || p->large == 0)
		return;
	f = finding_new(fs, 85);
	finding_set(f->cause, "small packets pass the tunnel and large ones do not: the path MTU "
	    "is smaller than this kernel believes, and the router that knows is not heard");
	finding_set(f->evidence, "%s has answered a datagram of 28 octets and none of %u",
	    addr_str(&p->beyond, a), p->large);
	finding_set(f->advice, "let ICMP \"fragmentation needed\" pass; or limit the MSS of TCP "
	    "(README shows how), or the MTU of the interface; ipsecctl probe finds what passes");
}

/* New keys were refused, while the old ones still work. */
static void
not_renewed(const struct patient *p, struct findings *fs)
{
	const char *why = field_str(p->tunnel, "reason");
	struct finding *f;

	if (strcmp(why, "rekey-failed") != 0 && strcmp(why, "child-proposal") != 0) {
		/* of another peer, or of another try */
		if (field_str(p->tunnel, "error")[0] != '\0')
			doctor_reason(p, fs);
		return;
	}
	f = finding_new(fs, 90);
	finding_set(f->cause, "it cannot get new keys and ends with the old ones: the group after "
	    "childsa (PFS) differs, which is not noticed before the first rekey, or childsa was "
	    "changed [%s]", why);
	finding_set(f->evidence, "%s", field_str(p->tunnel, "error"));
	finding_set(f->advice, "write the same group after childsa on both sides, or none at all");
}

/* They come, and not out of the tunnel: the policy here drops them. */
static void
in_clear(const struct patient *p, struct findings *fs)
{
	struct finding *f = finding_new(fs, 94);

	finding_set(f->cause, "packets from the to net come in clear, not through the tunnel, and "
	    "are dropped here: the policy of the other side is gone, or NAT there rewrites them");
	finding_set(f->evidence, "%llu such packets while we looked, of this or another tunnel "
	    "(XfrmInTmplMismatch)", (unsigned long long)p->clear_in);
	finding_set(f->advice, "on the other side: ipsecctl doctor, ip xfrm policy");
}

/*
 * The peer has woken it and sent nothing, and what we send is answered: ESP passes.  So what
 * its side would send does not get as far as its policy, or there is nothing.
 */
static void
nothing_came(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	char ms[24];

	if (strcmp(field_str(p->tunnel, "wake"), "peer") != 0 || p->before_in > 0 ||
	    p->replaced > 0 || field_num(p->tunnel, "since_ms") < UNUSED_MS || !p->answered)
		return;
	f = finding_new(fs, 33);
	finding_set(f->cause, "the peer has brought it up and sent nothing by it: NAT rules "
	    "(masquerade) or the firewall of that machine take what should go in, or nobody "
	    "there wants anything");
	finding_set(f->evidence, "up for %s, and no packet had come out of it before we sent some, "
	    "which are answered", print_ms(ms, sizeof(ms), field_num(p->tunnel, "since_ms")));
	finding_set(f->advice, "ipsecctl doctor there: NAT rules must exempt the tunnel's nets. "
	    "Nothing to do if its hosts are silent");
}

/* Once is a rekey. */
static void
replaced(const struct patient *p, struct findings *fs)
{
	struct finding *f;

	if (p->replaced < 2)
		return;
	f = finding_new(fs, 65);
	finding_set(f->cause, "the SAs of the tunnel are replaced again and again: netwatchd, here "
	    "or there, gets no answers by it and makes it anew, or somebody takes them out");
	finding_set(f->evidence, "%d times while we looked", p->replaced);
	finding_set(f->advice, "the logs of both sides say who and why; what comes back to that "
	    "netwatchd is lost (a firewall, mostly its own)");
}

static uint64_t
less(uint64_t n, int own)
{
	return (n > (uint64_t)own ? n - (uint64_t)own : 0);
}

/* Hosts ask and are not answered; or they want no answer.  What we ask ourselves is none of
 * theirs. */
static void
lopsided(const struct patient *p, struct findings *fs)
{
	uint64_t theirs_in = less(p->moved_in, p->answered + p->answered_large);
	uint64_t theirs_out = less(p->moved_out, p->poked + p->poked_large);
	int in = theirs_in > 2 * theirs_out + 2, out = theirs_out > 2 * theirs_in + 2;
	struct finding *f;
	char a[ADDR_STRLEN];

	if (p->poked > 0 && !p->answered) {
		f = finding_new(fs, 34);
		finding_set(f->cause, "%s, which should be in the to net, does not answer us: that "
		    "address is nobody's, it never answers, or ESP to the peer is lost, or what "
		    "comes back", addr_str(&p->beyond, a));
		finding_set(f->evidence, "%d datagrams have gone to it through the tunnel", p->poked);
		finding_set(f->advice, "ipsecctl doctor there: do packets come out of the tunnel?");
	}
	if (!in && !out)
		return;
	f = finding_new(fs, 35);
	if (in)
		finding_set(f->cause, "more comes out of the tunnel than goes in: a host of the from "
		    "net does not answer, or not by this gateway (its route back), or it need not");
	else
		finding_set(f->cause, "more goes into the tunnel than comes out: a host of the to "
		    "net does not answer, or not by its gateway (its route back), or it need not");
	finding_set(f->evidence, "%llu in and %llu out while we looked", (unsigned long long)
	    p->moved_in, (unsigned long long)p->moved_out);
	finding_set(f->advice, "is that host up, is its route to the other net by its gateway, does "
	    "its own firewall let answers out?");
}

/* Nothing has been seen to pass while we looked. */
static void
still(const struct patient *p, struct findings *fs)
{
	uint64_t in = field_num(p->sa, "packets_in"), out = field_num(p->sa, "packets_out");
	struct finding *f;

	if (p->clear_in > 0)
		in_clear(p, fs);
	if (p->moved_out == 0 && p->poked > 0)
		eaten(p, fs);
	else if (p->clear_in > 0)
		return;
	else if (p->moved_in == 0 && (p->moved_out > 0 || out > in + 2))
		one_way_out(p, fs);
	else if (p->moved_out == 0 && (p->moved_in > 0 || in > out + 2))
		one_way_in(p, fs);
	else if (in == 0 && out == 0) {
		f = finding_new(fs, 50);
		finding_set(f->cause, "no packet has gone into the tunnel here, and none has come "
		    "out of it");
		finding_set(f->advice, "ping from an address in the from net to one in the to net; "
		    "look at routes and NAT rules before the policy, and whether ESP passes");
	} else {
		f = finding_new(fs, 20);
		finding_set(f->cause, "it has passed traffic, and no packet goes either way now");
		finding_set(f->evidence, "%llu packets out, %llu in", (unsigned long long)out,
		    (unsigned long long)in);
		finding_set(f->advice, "nothing to do if no host wants to talk");
	}
}

/* That may be long ago: it is asked once more.  1: it still does not answer ARP. */
static int
asked_in_vain(const struct patient *p, const struct addr *host)
{
	struct timespec part = { .tv_nsec = 100 * 1000000L };
	struct addr again;
	int fd, i, silent = 1;

	if (p->inside.fam != host->fam || (fd = host_poke_open(&p->inside, host)) == -1)
		return (1);
	for (i = 0; i < 10 && silent; i++) {
		if (i % 5 == 0)
			host_poke(fd, 0, host->fam == ADDR_V6);
		(void)nanosleep(&part, NULL);
		silent = host_silent(json_object_get(p->tunnel, "from"), &again) == 1 &&
		    addr_cmp(&again, host) == 0;
	}
	(void)close(fd);
	return (silent);
}

void
doctor_traffic(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	struct addr host;
	char a[ADDR_STRLEN];

	not_renewed(p, fs);
	if (p->sa == NULL)
		return;
	large_lost(p, fs);
	if (!p->passing)
		still(p, fs);
	else {
		lopsided(p, fs);
		nothing_came(p, fs);
	}
	replaced(p, fs);
	if (host_silent(json_object_get(p->tunnel, "from"), &host) != 1 || !asked_in_vain(p, &host))
		return;
	f = finding_new(fs, 72);
	finding_set(f->cause, "%s, in the from net, does not answer ARP: packets of the tunnel to "
	    "that host are lost here", addr_str(&host, a));
	finding_set(f->evidence, "its entry in the neighbour table is incomplete");
	finding_set(f->advice, "is that host up, and the address right? Others need not be "
	    "concerned");
}

static void
keepalive(const struct patient *p, struct findings *fs)
{
	const char *state = field_str(p->keepalive, "state");
	struct finding *f;

	if (p->keepalive == NULL || strcmp(state, "up") == 0 || state[0] == '\0')
		return;
	if (strcmp(state, "no-source") == 0) {
		f = finding_new(fs, 75);
		finding_set(f->cause, "no address of this machine is in the from net: nothing "
		    "that it sends itself, keepalive too, can use the tunnel; what hosts "
		    "behind it send can");
		doctor_watch_words(p->keepalive, f->evidence);
		finding_set(f->advice, "is the from net the right one? Else put an address of it "
		    "on an interface");
		return;
	}
	/* a tunnel that is not up answers nothing, and why is said elsewhere */
	if (strcmp(field_str(p->tunnel, "state"), "up") != 0)
		return;
	/* what eats them is found out otherwise; and it may not know yet */
	if ((strcmp(state, "local-miss") == 0 && p->poked > 0) ||
	    strcmp(field_str(p->keepalive, "verdict"), "ACQUIRING") == 0)
		return;
	f = finding_new(fs, p->passing ? 70 : 55);
	finding_set(f->cause, "keepalive's target %s does not answer: wrong target, or that host is "
	    "down%s", field_str(p->keepalive, "target"), p->passing ? "; the tunnel passes other "
	    "packets" : ", or the tunnel passes nothing");
	doctor_watch_words(p->keepalive, f->evidence);
	finding_set(f->advice, "ipsecctl ping %s; choose a target that answers pings",
	    field_str(p->tunnel, "tunnel"));
}

static void
policies(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	const json_t *o;
	size_t i;

	if (no_policy(p->tunnel)) {
		f = finding_new(fs, 98);
		finding_set(f->cause, "the policy of this tunnel is not in the kernel any more: its "
		    "packets leave in clear; another program takes it out again and again");
		finding_set(f->evidence, "the kernel's list has none from the from net to the to net");
		finding_set(f->advice, "look for scripts with ip xfrm policy flush or setkey -FP, and "
		    "another IPsec daemon; iked places it again at most once a second "
		    "(policy-taken in its log)");
		return;
	}
	for (i = 0; i < json_array_size(p->policies); i++) {
		o = json_array_get(p->policies, i);
		if (strcmp(field_str(o, "tunnel"), field_str(p->tunnel, "tunnel")) != 0 ||
		    field_true(o, "installed"))
			continue;
		f = finding_new(fs, 90);
		finding_set(f->cause, "a policy is not in the kernel: %s %s to %s", field_str(o,
		    "dir"), field_str(o, "src"), field_str(o, "dst"));
		finding_set(f->advice, "ipsecctl reload; the log says why the kernel refused it");
		return;
	}
}

/* Decrypted packets are not subject to it; what comes from the peer is. */
static void
strict(const struct patient *p, const struct addr *src, struct findings *fs)
{
	struct finding *f;
	char here[64], there[64], a[ADDR_STRLEN];

	if (addr_is_any(&p->local) || host_has(&p->local, here) != 1 ||
	    host_has(src, there) != 1 || strcmp(here, there) == 0 || host_strict(here) != 1)
		return;
	f = finding_new(fs, 91);
	finding_set(f->cause, "rp_filter is strict on %s, and the route to the peer goes out by %s: "
	    "what the peer sends to %s is dropped when it comes in by %s", here, there,
	    addr_str(&p->local, a), here);
	finding_set(f->evidence, "net.ipv4.conf.%s.rp_filter, or that of \"all\", is 1", here);
	finding_set(f->advice, "set it to 2 or 0, there and under \"all\"; or have the route to "
	    "the peer go out by %s", here);
}

/* Where our own packets to the peer would leave, and may. */
static void
way(const struct patient *p, struct findings *fs)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN], dev[64];
	struct addr src, hop;
	struct finding *f;
	int r;

	if (!addr_is_any(&p->local) && host_has(&p->local, dev) == 0) {
		f = finding_new(fs, 92);
		finding_set(f->cause, "local %s is not an address of this machine",
		    addr_str(&p->local, a));
		finding_set(f->advice, "write an address it has, or leave local out");
	}
	if (addr_is_any(&p->remote))
		return;
	if ((r = host_source(&p->remote, &src)) > 0) {
		f = finding_new(fs, 92);
		finding_set(f->cause, "there is no route to the peer %s", addr_str(&p->remote, a));
		finding_set(f->evidence, "%s", strerror(r));
		finding_set(f->advice, "look at the routes and the cable");
	} else if (r == 0 && !addr_is_any(&p->local) && addr_cmp(&src, &p->local) != 0) {
		f = finding_new(fs, 25);
		finding_set(f->cause, "packets to the peer would leave from %s, not from local %s",
		    addr_str(&src, a), addr_str(&p->local, b));
		finding_set(f->advice, "fine where both are meant; else local is the wrong one");
	}
	if (r == 0)
		strict(p, &src, fs);
	if (host_unreached(&p->remote, &hop) == 1) {
		f = finding_new(fs, 93);
		finding_set(f->cause, "%s does not answer ARP: it is down, or the cable is",
		    addr_str(&hop, a));
		finding_set(f->evidence, "its entry in the neighbour table is incomplete");
		finding_set(f->advice, "look at that host, switch and cable; is its address right?");
	}
}

void
doctor_machine(const struct patient *p, struct findings *fs)
{
	const json_t *from = json_object_get(p->tunnel, "from");
	struct addr inside;
	struct finding *f;
	char dev[64], text[FINDING_TEXT];
	int has = host_inside(from, &inside, dev);

	keepalive(p, fs);
	policies(p, fs);
	way(p, fs);
	if (host_forwards(&p->local) == 0) {
		f = finding_new(fs, p->passing ? 40 : 78);
		finding_set(f->cause, "this machine does not forward packets: hosts behind it "
		    "cannot use the tunnel");
		finding_set(f->evidence, "forwarding is off (sysctl)");
		finding_set(f->advice, "turn it on: net.ipv4.ip_forward=1 on Linux, "
		    "net.inet.ip.forwarding=1 on BSD; not needed for its own traffic");
	}
	if (has == 0 && !p->passing && (p->keepalive == NULL ||
	    strcmp(field_str(p->keepalive, "state"), "no-source") != 0)) {
		f = finding_new(fs, 40);
		finding_set(f->cause, "no address of this machine is in the from net: its own pings "
		    "do not use the tunnel, those of hosts behind it do");
		finding_set(f->advice, "test from a host in the from net");
	}
	doctor_rules(p, fs);
	if (p->passing)
		return;
	if (host_errors(text, sizeof(text)) == 1) {
		f = finding_new(fs, 10);
		finding_set(f->cause, "the kernel's IPsec has counted errors since it started");
		finding_set(f->evidence, "%s", text);
	}
}
