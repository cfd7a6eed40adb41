/* SPDX-License-Identifier: ISC */
/* A tunnel that is up and passes nothing, and what this machine does to any tunnel. */

#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "print.h"

/* Packets leave and none come. */
static void
one_way_out(const struct patient *p, struct findings *fs)
{
	struct finding *f = finding_new(fs, 80);
	int encap = field_true(p->sa, "encap");

	finding_set(f->cause, "%s to us, or from us to the peer, is lost on the way: a "
	    "firewall blocks it", encap ? "ESP in UDP 4500" : "ESP (IP protocol 50)");
	finding_set(f->evidence, "%llu packets have gone into the tunnel, %llu have come out of "
	    "it", (unsigned long long)field_num(p->sa, "packets_out"),
	    (unsigned long long)field_num(p->sa, "packets_in"));
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
	finding_set(f->evidence, "%llu packets have come out, %llu have gone in",
	    (unsigned long long)field_num(p->sa, "packets_in"),
	    (unsigned long long)field_num(p->sa, "packets_out"));
	finding_set(f->advice, "is the host that is pinged up, has it a route back by this "
	    "gateway, does this gateway forward? NAT rules here must exempt the tunnel's nets");
}

void
doctor_traffic(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	uint64_t in, out;

	if (p->sa == NULL)
		return;
	in = field_num(p->sa, "packets_in");
	out = field_num(p->sa, "packets_out");
	if (out > in + 2)
		one_way_out(p, fs);
	else if (in > out + 2)
		one_way_in(p, fs);
	else if (in == 0 && out == 0) {
		f = finding_new(fs, 50);
		finding_set(f->cause, "no packet has gone into the tunnel from either side");
		finding_set(f->advice, "ping from an address in the from net to one in the to net; "
		    "look at routes and NAT rules before the policy");
	} else {
		f = finding_new(fs, 20);
		finding_set(f->cause, "it has passed traffic, and no packet goes either way now");
		finding_set(f->evidence, "%llu packets out, %llu in", (unsigned long long)out,
		    (unsigned long long)in);
		finding_set(f->advice, "nothing to do if no host wants to talk; large packets "
		    "alone lost are a question of MTU: ipsecctl probe, pmtu in iked.conf");
	}
}

static void
keepalive(const struct patient *p, struct findings *fs)
{
	const char *state = field_str(p->keepalive, "state");
	const char *note = field_str(p->keepalive, "note");
	struct finding *f;

	if (p->keepalive == NULL || strcmp(state, "up") == 0 || state[0] == '\0')
		return;
	f = finding_new(fs, p->passing ? 70 : 55);
	if (strcmp(state, "no-source") == 0)
		finding_set(f->cause, "no address of this machine is in the from net: nothing "
		    "that it sends itself, keepalive too, can use the tunnel");
	else if (strcmp(field_str(p->tunnel, "state"), "up") == 0)
		finding_set(f->cause, "keepalive's target %s does not answer: wrong target, that "
		    "host is down, or the tunnel passes nothing", field_str(p->keepalive,
		    "target"));
	else
		finding_set(f->cause, "keepalive gets no answer from %s", field_str(p->keepalive,
		    "target"));
	finding_set(f->evidence, "netwatchd: %s%s%s", state, note[0] != '\0' ? ": " : "", note);
	finding_set(f->advice, "ipsecctl ping %s; choose a target that answers pings",
	    field_str(p->tunnel, "tunnel"));
}

static void
policies(const struct patient *p, struct findings *fs)
{
	struct finding *f;
	const json_t *o;
	size_t i;

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
	char dev[64], text[FINDING_TEXT], a[ADDR_STRLEN];
	int has = host_inside(from, &inside, dev), r;

	keepalive(p, fs);
	policies(p, fs);
	way(p, fs);
	if (host_forwards(&p->local) == 0) {
		f = finding_new(fs, p->passing ? 15 : 78);
		finding_set(f->cause, "this machine does not forward packets: hosts behind it "
		    "cannot use the tunnel");
		finding_set(f->evidence, "forwarding is off (sysctl)");
		finding_set(f->advice, "turn it on: net.ipv4.ip_forward=1 on Linux, "
		    "net.inet.ip.forwarding=1 on BSD; not needed for its own traffic");
	}
	if (has == 0 && !p->passing) {
		f = finding_new(fs, 40);
		finding_set(f->cause, "no address of this machine is in the from net: its own pings "
		    "do not use the tunnel, those of hosts behind it do");
		finding_set(f->advice, "test from a host in the from net");
	} else if (has == 1 && host_strict(dev) == 1 && !p->passing) {
		f = finding_new(fs, 35);
		finding_set(f->cause, "rp_filter is strict on %s, which drops packets that come out "
		    "of the tunnel where their way back is another interface", dev);
		finding_set(f->evidence, "net.ipv4.conf.%s.rp_filter is 1, our address inside is %s",
		    dev, addr_str(&inside, a));
		finding_set(f->advice, "set it to 2 or 0, there and under \"all\"");
	}
	if (p->passing)
		return;
	if ((r = host_nat()) > 0) {
		f = finding_new(fs, 45);
		finding_set(f->cause, "NAT rules (masquerade, snat) %s on this machine: packets "
		    "that they rewrite miss the policy and the tunnel, and leave in clear", r == 1 ?
		    "are" : "may be");
		finding_set(f->evidence, "%s", r == 1 ? "the rules were read; which packets they "
		    "match was not" : "iptables has its table nat, which cannot be read here");
		finding_set(f->advice, "exempt what goes from the from net to the to net, before "
		    "the masquerade rule; README shows how");
	} else if (r == -1) {
		f = finding_new(fs, 2);
		finding_set(f->cause, "it cannot be known here whether NAT rules rewrite packets "
		    "before the policy");
	}
	if (host_filter(text, sizeof(text)) == 1) {
		f = finding_new(fs, 46);
		finding_set(f->cause, "this machine's own firewall has rules that drop or reject: %s",
		    text);
		finding_set(f->advice, "let UDP 500, UDP 4500 and ESP pass in both directions, and "
		    "the nets of the tunnel");
	}
	if (host_errors(text, sizeof(text)) == 1) {
		f = finding_new(fs, 30);
		finding_set(f->cause, "the kernel's IPsec has counted errors since it started");
		finding_set(f->evidence, "%s", text);
	}
}
