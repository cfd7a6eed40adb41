/* SPDX-License-Identifier: ISC */
/* A tunnel that is not up: what its reason means, and whether the peer can be reached. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "print.h"
#include "show.h"

#define ICMP_FRESH	10000	/* ms */

/* By the word of iked.reasons(7): what it most likely is, and what to do. */
static const struct meaning {
	const char	*reason, *cause, *advice;
	const char	*ours;		/* the cause, where we called; NULL: the same */
} meanings[] = {
	{ "secret", "the secrets of the two sides differ", "make psk equal on both sides", NULL },
	{ "auth-refused", "the peer does not accept us: the secrets differ, or the identities "
	    "differ (our srcid is not its dstid, or our dstid not its srcid)",
	    "make psk equal on both sides; compare the identities, type and value; its log "
	    "says which it is, it may not tell us", NULL },
	{ "identity", "the identities of the two sides do not fit",
	    "make srcid of one side dstid of the other", NULL },
	{ "auth-method", "the peer proves itself otherwise than with a pre-shared key",
	    "set it to a pre-shared key", NULL },
	{ "ike-proposal", "no transforms of ikesa in common (enc, auth, prf, group)",
	    "make ikesa equal on both sides; see that peer there is our address; the log of the "
	    "side that was called names the difference",
	    "the peer takes nothing of our ikesa (enc, auth, prf, group), or has no tunnel for "
	    "our address, or has one for IKEv1 only" },
	{ "child-proposal", "no transforms of childsa in common (enc, auth, group, esn)",
	    "make childsa equal on both sides, and transport or tunnel; the log of the side that "
	    "was called names the difference",
	    "the peer takes nothing of our childsa (enc, auth, group, esn), or one side says "
	    "transport and the other tunnel" },
	{ "group", "the key exchange groups differ (PFS)",
	    "write the same group after ikesa and childsa on both sides", NULL },
	{ "selectors", "from and to are not the peer's, mirrored",
	    "compare: ipsecctl mirror prints what the other side should have; ipsecctl diff "
	    "compares two files", NULL },
	{ "single-pair", "the peer wants an SA for each pair of networks",
	    "write \"single\" on both sides, or fewer networks", NULL },
	{ "mode", "one side says transport, the other tunnel (or transport meets NAT)",
	    "write the same word on both sides", NULL },
	{ "unknown-peer", "the peer calls from an address that no tunnel names",
	    "write that address after peer", NULL },
	{ "ikev1", "the peer speaks IKEv1 only", "set it to IKEv2; on RouterOS "
	    "exchange-mode=ike2", NULL },
	{ "no-way", "nothing can be sent to the peer: there is no route, our address is gone or was "
	    "never here, or rules here drop it",
	    "look at the addresses and routes of this machine", NULL },
	{ "no-address", "no address inside the tunnel is to be had",
	    "give \"config address\" of the side that gives a larger network; have the other "
	    "ask with \"request address any\"", NULL },
	{ "kernel-lacks", "this kernel can do nothing of childsa",
	    "load its modules or choose other transforms", NULL },
	{ "kernel-refuses", "this kernel does not take the SA",
	    "see the error; another IPsec daemon, or what it left, may be in the way", NULL },
	{ "unresolved", "the peer's host name leads to no address that can be used",
	    "does the name server have it (getent ahosts NAME), and can this machine ask it? It "
	    "is looked up again and again", NULL },
	{ "no-peer-address", "the tunnel has \"peer any\": only the other side can start",
	    "start it there", NULL },
	{ "command", "it was taken down by command", "ipsecctl up, or reload", NULL },
	{ "transcript", "the peer lacks what fulltranscript demands",
	    "remove the word, or update the peer", NULL },
	{ "nat", "there is NAT on the way, which one side does not allow or cannot pass",
	    "allow NAT traversal on both sides", NULL },
	{ "peer-silent", "the peer has fallen silent: it is down or reboots, or the way to it "
	    "is cut", "look at the peer; it is tried again by itself", NULL },
	{ "peer-deleted", "the peer has taken the tunnel down",
	    "its log says why; was it told to, did it end, was its configuration changed?", NULL },
};

static const struct meaning *
meaning_of(const char *reason)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].reason, reason) == 0)
			return (&meanings[i]);
	return (NULL);
}

/* We were called, and know more than who called. */
static int
called(const struct patient *p)
{
	return (strncmp(field_str(p->tunnel, "error"), "refused to ", 11) == 0);
}

/* It was the peer that began, and did not go on. */
static int
was_begun(const struct patient *p)
{
	return (strcmp(field_str(p->tunnel, "reason"), "no-answer-auth") == 0 &&
	    strcmp(field_str(p->tunnel, "state"), "passive") == 0);
}

void
doctor_reason(const struct patient *p, struct findings *fs)
{
	const struct meaning *m = meaning_of(field_str(p->tunnel, "reason"));
	struct finding *f;

	if (m == NULL)
		return;
	f = finding_new(fs, 80);
	finding_set(f->cause, "%s [%s]", m->ours != NULL && !called(p) ? m->ours : m->cause,
	    m->reason);
	finding_set(f->evidence, "%s", field_str(p->tunnel, "error"));
	finding_set(f->advice, "%s", m->advice);
}

/* iked has heard something by ICMP just now; before that things may have been otherwise. */
static int
icmp_fresh(const struct patient *p)
{
	return (field_str(p->tunnel, "icmp")[0] != '\0' &&
	    field_num(p->tunnel, "icmp_ms") <= ICMP_FRESH);
}

/* It says itself, by ICMP, that nobody listens there. */
static int
icmp_closed(const struct patient *p)
{
	char a[ADDR_STRLEN];

	return (icmp_fresh(p) && strcmp(field_str(p->tunnel, "icmp"), "port unreachable") == 0 &&
	    strcmp(field_str(p->tunnel, "icmp_by"), addr_str(&p->remote, a)) == 0);
}

/* What a knock at the peer's port says, where nothing has come from it so far. */
static int
knock(const struct patient *p, struct findings *fs, uint16_t port)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	struct addr by;
	struct finding *f;
	int r = host_knock(&p->remote, port, &by), other = by.fam != ADDR_NONE &&
	    addr_cmp(&by, &p->remote) != 0;

	addr_str(&p->remote, a);
	/* who is asked often by iked says so only now and then: it has been said */
	if (r == 0 || (r == ETIMEDOUT && icmp_fresh(p)) ||
	    (r == ECONNREFUSED && !other && icmp_closed(p)))
		return (r);
	f = finding_new(fs, 75);
	switch (r) {
	case ECONNREFUSED:
		f->likely = 95;
		if (other) {
			finding_set(f->cause, "a firewall on the way refuses UDP port %u of %s: that of "
			    "%s", port, a, addr_str(&by, b));
			finding_set(f->evidence, "%s has sent ICMP port unreachable for a datagram to "
			    "it", b);
			finding_set(f->advice, "allow UDP 500 and 4500 there in both directions");
			break;
		}
		finding_set(f->cause, "nobody listens on UDP port %u of %s: no IKE daemon runs "
		    "there%s", port, a, by.fam != ADDR_NONE ? ", or its own firewall says so" :
		    ", or a firewall says so");
		finding_set(f->evidence, "a datagram to it came back as ICMP port unreachable");
		finding_set(f->advice, "start iked there; or peer is not the address meant");
		break;
	case ENETUNREACH:
	case EHOSTUNREACH:
		f->likely = 95;
		finding_set(f->cause, "%s cannot be reached: there is no such host, or no way to "
		    "it", a);
		finding_set(f->evidence, "a datagram to it fails: %s", strerror(r));
		finding_set(f->advice, "is peer the right address? Look at the route, and at "
		    "the cable");
		break;
	case EPERM:
	case EACCES:
		f->likely = 95;
		finding_set(f->cause, "a firewall blocks UDP %u to %s: rules here, or what refuses "
		    "on the way", port, a);
		finding_set(f->evidence, "a datagram to it fails: %s", strerror(r));
		finding_set(f->advice, "allow UDP 500 and 4500 in both directions");
		break;
	case ETIMEDOUT:
		if (p->begun > 0 || was_begun(p))
			finding_set(f->cause, "the peer calls us, and what we send to UDP port %u of "
			    "%s is lost: a firewall on the way, or rules or rp_filter there", port, a);
		else
			finding_set(f->cause, "UDP port %u of %s gives no answer: what goes there or "
			    "comes back is lost (a firewall, rp_filter, no route there), peer is not "
			    "the right address, that machine is down, or what has the port is no "
			    "IKEv2 daemon", port, a);
		finding_set(f->evidence, "a datagram that every IKEv2 daemon answers was not "
		    "answered within 2.5 s");
		finding_set(f->advice, "allow UDP 500 and 4500 on both sides and between; is peer "
		    "the right address, does its iked run?");
		break;
	default:
		finding_set(f->cause, "UDP port %u of %s cannot be asked from here", port, a);
		finding_set(f->evidence, "a datagram to it fails: %s", strerror(r));
	}
	return (r);
}

/* The peer is not heard.  Where its port 500 answers, IKE_AUTH goes to 4500 next.  1: both
 * answer. */
static int
knocks(const struct patient *p, struct findings *fs)
{
	struct findings second = { .n = 0 };
	struct finding *f;
	struct addr own;
	char a[ADDR_STRLEN];

	/* there is no route, which is said elsewhere */
	if (host_source(&p->remote, &own) != 0 || knock(p, fs, 500) != 0)
		return (0);
	if (knock(p, &second, 4500) == 0)
		return (1);
	f = finding_new(fs, 86);
	finding_set(f->cause, "UDP port 4500 is blocked: port 500 of %s answers, and 4500 does "
	    "not", addr_str(&p->remote, a));
	finding_set(f->evidence, "of two datagrams that every IKEv2 daemon answers one was "
	    "answered");
	finding_set(f->advice, "allow UDP 4500 in both directions, on both sides and between");
	return (0);
}

/* Nothing has come from the peer, as far as iked knows. */
static int
unheard(const struct patient *p)
{
	const char *why = field_str(p->tunnel, "reason");

	return (why[0] == '\0' || strcmp(why, "peer-silent") == 0 ||
	    strncmp(why, "no-answer", 9) == 0 || strcmp(why, "no-way") == 0 ||
	    strcmp(why, "peer-deleted") == 0);
}

/* We have answered its IKE_SA_INIT, and nothing else came. */
static void
stuck(const struct patient *p, struct findings *fs)
{
	struct finding *f;

	if (p->begun == 0 && !was_begun(p))
		return;
	f = finding_new(fs, 74);
	finding_set(f->cause, "the peer calls us and does not go on: our answer does not reach it, "
	    "or its IKE_AUTH (UDP port 4500) does not reach us");
	if (p->begun > 0)
		finding_set(f->evidence, "%u of its IKE SAs wait for IKE_AUTH", p->begun);
	else
		finding_set(f->evidence, "%s", field_str(p->tunnel, "error"));
	finding_set(f->advice, "allow UDP 500 and 4500 in both directions, on both sides and "
	    "between; ipsecctl doctor there");
}

void
doctor_wait(const struct patient *p, int answers, struct findings *fs)
{
	struct finding *f;
	const char *state = field_str(p->tunnel, "state");

	if (strcmp(state, "passive") == 0) {
		/* it came, and why it was refused is known */
		if (called(p) || p->begun > 0 || was_begun(p))
			return;
		f = finding_new(fs, field_str(p->tunnel, "reason")[0] != '\0' ? 20 : 50);
		finding_set(f->cause, "it is passive: it waits for the peer, which has not come "
		    "through (passive on both sides never starts)%s", answers ? "; the peer's IKE "
		    "daemon is there, so it is its own side that keeps it from calling: nothing "
		    "asks for the tunnel there, it calls another address, or rules, the local "
		    "address or the kernel of that machine stop it" : "");
		finding_set(f->evidence, "no IKE_AUTH of the peer has been accepted%s", answers ?
		    "; it has answered us on UDP ports 500 and 4500" : "");
		finding_set(f->advice, "have the other side start: active or ondemand there; or "
		    "here. Does it call this address, %s?", field_str(p->tunnel, "local"));
	} else if (strcmp(state, "ondemand") == 0) {
		f = finding_new(fs, field_str(p->tunnel, "reason")[0] != '\0' ? 30 : 70);
		finding_set(f->cause, "no packet asks for it: nothing comes from its from net for "
		    "its to net, as this kernel sees it");
		finding_set(f->evidence, "it is on demand and waits for traffic");
		finding_set(f->advice, "ping from an address in the from net (ping -I); ipsecctl "
		    "up brings it up without one");
	}
}

static void
icmp(const struct patient *p, struct findings *fs)
{
	const char *said = field_str(p->tunnel, "icmp"), *by = field_str(p->tunnel, "icmp_by");
	char a[ADDR_STRLEN], words[ICMP_WORDS];
	struct finding *f;

	if (!icmp_fresh(p))
		return;
	addr_str(&p->remote, a);
	f = finding_new(fs, 93);
	finding_set(f->evidence, "%s", show_icmp_words(p->tunnel, words));
	if (strcmp(said, "port unreachable") != 0) {
		finding_set(f->cause, "%s says that what iked sends to %s does not arrive: its "
		    "rules, the way behind it, or peer is not the right address [icmp]", by, a);
		finding_set(f->advice, "prohibited: look at its rules; unreachable: at the way "
		    "behind it, and is peer the right address? Such a message can be forged");
	} else if (strcmp(by, a) == 0) {
		finding_set(f->cause, "%s says that nobody listens there: no IKE daemon runs there, or "
		    "its own firewall refuses [icmp]", a);
		finding_set(f->advice, "start iked there; or peer is not the address meant. Such a "
		    "message can be forged");
	} else {
		finding_set(f->cause, "a firewall on the way, that of %s, refuses what iked sends "
		    "to %s [icmp]", by, a);
		finding_set(f->advice, "allow UDP 500 and 4500 there, in both directions. Such a "
		    "message can be forged");
	}
}

/* 1: the peer's daemon answers us. */
static int
reach(const struct patient *p, struct findings *fs)
{
	if (addr_is_any(&p->remote) || !unheard(p))
		return (0);
	if (strcmp(field_str(p->tunnel, "reason"), "no-answer-auth") == 0 && !was_begun(p)) {
		struct finding *f = finding_new(fs, 85);

		finding_set(f->cause, "IKE_SA_INIT passes and IKE_AUTH does not: UDP port 4500 is "
		    "blocked, or its fragments are dropped");
		finding_set(f->evidence, "%s", field_str(p->tunnel, "error"));
		finding_set(f->advice, "allow UDP 4500 in both directions; let fragments pass, "
		    "or have both sides fragment IKE messages themselves");
		(void)knock(p, fs, 4500);
		return (0);
	}
	return (knocks(p, fs));
}

void
doctor_down(const struct patient *p, struct findings *fs)
{
	doctor_reason(p, fs);
	stuck(p, fs);
	icmp(p, fs);
	doctor_wait(p, reach(p, fs), fs);
}
