/* SPDX-License-Identifier: ISC */
/*
 * SAs, policies and messages of the kernel in the form of OpenBSD's ipsecctl(8): a line
 * each in the words of ipsec.conf(5), and below it, with a tab, what else is known.
 */

#include <netinet/in.h>

#include <string.h>

#include "print.h"
#include "sadb.h"

static const char *
satype(uint8_t ipproto)
{
	switch (ipproto) {
	case IPPROTO_ESP:
		return ("esp");
	case IPPROTO_AH:
		return ("ah");
	case IPPROTO_COMP:
		return ("ipcomp");
	}
	return ("unspec");
}

static const char *
mode_name(int transport, int other)
{
	return (other ? "other" : transport ? "transport" : "tunnel");
}

static const char *
dir_name(enum kern_dir d)
{
	return (d == KERN_IN ? "in" : d == KERN_OUT ? "out" : "fwd");
}

/* Of a policy that holds nothing back it is the way OpenBSD says it. */
static const char *
flow_type(const struct kern_policy *p)
{
	switch (p->action) {
	case KERN_BYPASS:
		return ("bypass");
	case KERN_DISCARD:
		return ("deny");
	case KERN_IPSEC:
		break;
	}
	return (p->use ? "use" : "require");
}

static int
is_icmp(uint8_t proto)
{
	return (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6);
}

static void
net(FILE *f, const char *word, const struct prefix *p, uint16_t port)
{
	char s[PREFIX_STRLEN];

	(void)fprintf(f, " %s %s", word, prefix_str(p, s));
	if (port != 0)
		(void)fprintf(f, " port %u", port);
}

static void
flow_line(FILE *f, const struct kern_policy *p)
{
	const struct addr *peer = p->dir == KERN_OUT ? &p->tdst : &p->tsrc;
	const struct addr *local = p->dir == KERN_OUT ? &p->tsrc : &p->tdst;
	int ports = !is_icmp(p->proto);
	char s[ADDR_STRLEN];

	(void)fprintf(f, "flow %s%s%s", p->action == KERN_IPSEC ?
	    satype(p->ipproto) : "", p->action == KERN_IPSEC ? " " : "",
	    dir_name(p->dir));
	if (p->proto != 0)
		(void)fprintf(f, " proto %u", p->proto);
	net(f, "from", &p->src, ports ? p->sport : 0);
	net(f, "to", &p->dst, ports ? p->dport : 0);
	if (!ports && (p->sport | p->dport) != 0)
		(void)fprintf(f, " icmp-type %u code %u", p->sport, p->dport);
	if (!addr_is_any(local))
		(void)fprintf(f, " local %s", addr_str(local, s));
	if (!addr_is_any(peer))
		(void)fprintf(f, " peer %s", addr_str(peer, s));
	(void)fprintf(f, " type %s\n", flow_type(p));
}

static void
marks(FILE *f, uint32_t mark, uint32_t if_id)
{
	if (mark != 0 || if_id != 0)
		(void)fprintf(f, "\tmark: 0x%x if_id 0x%x\n", (unsigned)mark,
		    (unsigned)if_id);
}

static void
flow_more(FILE *f, const struct kern_policy *p)
{
	if (p->action == KERN_IPSEC)
		(void)fprintf(f, "\trequest: %s mode %s reqid %u\n",
		    satype(p->ipproto), mode_name(p->transport, p->othermode),
		    (unsigned)p->reqid);
	(void)fprintf(f, "\tpolicy: id %u priority %u\n", (unsigned)p->id,
	    (unsigned)p->prio);
	if (p->bytes != 0 || p->packets != 0 || p->usetime != 0)
		(void)fprintf(f, "\tlifetime_cur: alloc %llu bytes %llu first %llu\n",
		    (unsigned long long)p->packets, (unsigned long long)p->bytes,
		    (unsigned long long)p->usetime);
	marks(f, p->mark, p->if_id);
}

void
sadb_flow(FILE *f, const struct kern_policy *p, int verbose)
{
	flow_line(f, p);
	if (verbose)
		flow_more(f, p);
}

static const char *
encr_name(const struct kern_sa *sa)
{
	if (sa->encr_name[0] != '\0')
		return (sa->encr_name);
	if (sa->encr == 0)
		return ("none");
	if (xform_info(XF_ENCR, sa->encr, sa->encr_keybits) != NULL)
		return (xform_name(XF_ENCR, sa->encr, sa->encr_keybits));
	/* PF_KEY's messages without keys do not say how long they are */
	return (sa->encr == ENCR_AES_CBC ? "aes" : sa->encr == ENCR_AES_CTR ?
	    "aes-ctr" : sa->encr == ENCR_AES_GCM_16 ? "aes-gcm" : "unknown");
}

static const char *
integ_name(const struct kern_sa *sa)
{
	return (sa->integ_name[0] != '\0' ? sa->integ_name :
	    sa->integ == INTEG_NONE ? "none" : xform_name(XF_INTEG, sa->integ, 0));
}

static void
sa_line(FILE *f, const struct kern_sa *sa)
{
	char src[ADDR_STRLEN], dst[ADDR_STRLEN];

	(void)fprintf(f, "%s %s from %s to %s spi 0x%08x", satype(sa->ipproto),
	    mode_name(sa->transport, sa->othermode), addr_str(&sa->src, src),
	    addr_str(&sa->dst, dst), (unsigned)sa->spi);
	if (strcmp(integ_name(sa), "none") != 0)
		(void)fprintf(f, " auth %s", integ_name(sa));
	if (strcmp(encr_name(sa), "none") != 0)
		(void)fprintf(f, " %s %s", sa->ipproto == IPPROTO_COMP ? "comp" :
		    "enc", encr_name(sa));
	(void)fputc('\n', f);
}

static void
limits(FILE *f, const char *word, uint64_t packets, uint64_t bytes, uint64_t secs)
{
	if (packets != 0 || bytes != 0 || secs != 0)
		(void)fprintf(f, "\t%s: alloc %llu bytes %llu add %llu first 0\n", word,
		    (unsigned long long)packets, (unsigned long long)bytes,
		    (unsigned long long)secs);
}

static void
key(FILE *f, const char *word, const uint8_t *k, size_t len)
{
	size_t i;

	if (len == 0)
		return;
	(void)fprintf(f, "\t%s: bits %zu: ", word, len * 8);
	if (len > KERN_KEYMAX)
		(void)fputs("longer than what is shown here", f);
	else
		for (i = 0; i < len; i++)
			(void)fprintf(f, "%02x", k[i]);
	(void)fputc('\n', f);
}

static void
sa_state(FILE *f, const struct kern_sa *sa)
{
	static const char *const states[] = { "larval", "mature", "dying", "dead" };

	(void)fprintf(f, "\tsa: spi 0x%08x auth %s enc %s\n", (unsigned)sa->spi,
	    integ_name(sa), encr_name(sa));
	(void)fprintf(f, "\t\tstate %s replay %u flags <%s%s%s>\n",
	    sa->state < 4 ? states[sa->state] : "unknown", (unsigned)sa->replay,
	    mode_name(sa->transport, sa->othermode), sa->esn ? ",esn" : "",
	    sa->encap_sport != 0 ? ",udpencap" : "");
}

/* A selector as "10.1.0.0/24", "192.0.2.1 - 192.0.2.7". */
static void
selector(FILE *f, const char *word, const struct ts *ts)
{
	char s[TS_STRLEN];

	(void)fprintf(f, " %s %s", word, ts_str(ts, s));
}

static void
sa_more(FILE *f, const struct kern_sa *sa)
{
	char s[ADDR_STRLEN];

	sa_state(f, sa);
	(void)fprintf(f, "\tlifetime_cur: alloc %llu bytes %llu add %llu first %llu\n",
	    (unsigned long long)sa->packets, (unsigned long long)sa->bytes,
	    (unsigned long long)sa->addtime, (unsigned long long)sa->usetime);
	limits(f, "lifetime_hard", sa->life.hard_packets, sa->life.hard_bytes,
	    sa->life.hard_secs);
	limits(f, "lifetime_soft", sa->life.soft_packets, sa->life.soft_bytes,
	    sa->life.soft_secs);
	(void)fprintf(f, "\taddress_src: %s\n", addr_str(&sa->src, s));
	(void)fprintf(f, "\taddress_dst: %s\n", addr_str(&sa->dst, s));
	if (sa->encap_sport != 0 || sa->encap_dport != 0)
		(void)fprintf(f, "\tudpencap: sport %u dport %u\n",
		    sa->encap_sport, sa->encap_dport);
	(void)fprintf(f, "\treqid: %u\n", (unsigned)sa->reqid);
	if (sa->has_sel) {
		(void)fputs("\tselector:", f);
		selector(f, "from", &sa->sel_src);
		selector(f, "to", &sa->sel_dst);
		(void)fputc('\n', f);
	}
	marks(f, sa->mark, sa->if_id);
}

void
sadb_sa(FILE *f, const struct kern_sa *sa, int verbose, int keys)
{
	sa_line(f, sa);
	if (verbose)
		sa_more(f, sa);
	if (!keys)
		return;
	key(f, "key_auth", sa->integ_key, sa->integ_keylen);
	key(f, "key_enc", sa->encr_key, sa->encr_keylen);
}

static void
event(FILE *f, const struct kern_event *ev)
{
	char s[ADDR_STRLEN], e[ENDPOINT_STRLEN];

	(void)fprintf(f, "\taddress_src: %s\n", addr_str(&ev->src, s));
	if (!addr_is_any(&ev->dst))
		(void)fprintf(f, "\taddress_dst: %s\n", addr_str(&ev->dst, s));
	if (ev->has_sel) {
		(void)fputs("\tselector:", f);
		selector(f, "from", &ev->sel_src);
		selector(f, "to", &ev->sel_dst);
		(void)fputc('\n', f);
	}
	if (ev->type == KERN_EV_MAPPING)
		(void)fprintf(f, "\tsa: spi 0x%08x\n\tnew_src: %s\n",
		    (unsigned)ev->spi, endpoint_str(&ev->newsrc, e));
	if (ev->type == KERN_EV_ACQUIRE)
		(void)fprintf(f, "\tpolicy: id %u\n", (unsigned)ev->policy);
	if (ev->reqid != 0)
		(void)fprintf(f, "\treqid: %u\n", (unsigned)ev->reqid);
}

/* The message, and below it all that it says. */
void
sadb_note(FILE *f, const struct kern_note *n, int keys)
{
	int pfkey = strncmp(n->word, "sadb_", 5) == 0;

	(void)fprintf(f, "%s: satype %s%s len %u seq %u pid %u\n", n->word,
	    satype(n->ipproto), pfkey ? " vers 2" : "", (unsigned)n->len,
	    (unsigned)n->seq, (unsigned)n->pid);
	if (n->err != 0)
		(void)fprintf(f, "\terrno %u: %s\n", n->err, strerror(n->err));
	if (n->expired)
		(void)fprintf(f, "\texpired: %s lifetime\n", n->expired == 2 ?
		    "hard" : "soft");
	switch (n->type) {
	case KERN_NOTE_SA:
	case KERN_NOTE_SA_GONE:
		(void)fputc('\t', f);
		sadb_sa(f, &n->sa, 1, keys);
		break;
	case KERN_NOTE_POLICY:
	case KERN_NOTE_POLICY_GONE:
		(void)fputc('\t', f);
		sadb_flow(f, &n->policy, 1);
		break;
	case KERN_NOTE_EVENT:
		event(f, &n->ev);
		break;
	case KERN_NOTE_FLUSH:
	case KERN_NOTE_OTHER:
		break;
	}
}
