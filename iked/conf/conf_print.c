/* SPDX-License-Identifier: ISC */
/* The canonical text of a configuration: what it parses back to is equal. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

struct out {
	char	*s;
	size_t	 len, cap;
	int	 err;
};

/* Grows by hand: realloc would leave copies of secrets behind. */
static void
put(struct out *o, const char *fmt, ...)
{
	va_list	 ap;
	char	*s;
	size_t	 ncap;
	int	 n;

	if (o->err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->s + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	if (n < 0) {
		o->err = 1;
		return;
	}
	if ((size_t)n < o->cap - o->len) {
		o->len += (size_t)n;
		return;
	}
	ncap = 2 * o->cap + (size_t)n + 256;
	if ((s = recallocarray(o->s, o->cap, ncap, 1)) == NULL) {
		o->err = 1;
		return;
	}
	o->s = s;
	o->cap = ncap;
	va_start(ap, fmt);
	vsnprintf(o->s + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	o->len += (size_t)n;
}

static void
put_nets(struct out *o, const char *kw, const struct prefix *nets,
    const struct tslist *ts)
{
	char		 s[PREFIX_STRLEN];
	unsigned int	 i, k = conf_protos(nets, ts);

	put(o, "%s%s", kw, ts->n > k ? " {" : "");
	for (i = 0; i < ts->n; i += k) {
		put(o, "%s %s", i == 0 ? "" : ",", prefix_str(&nets[i], s));
		if (ts->t[i].sport == ts->t[i].eport)
			put(o, " port %u", ts->t[i].sport);
	}
	put(o, "%s", ts->n > k ? " }" : "");
}

static void
put_protos(struct out *o, const struct conf_tunnel *t)
{
	char		 s[CONF_PROTOLEN];
	unsigned int	 i, k = conf_protos(t->fromnet, &t->from);

	if (t->from.t[0].proto == 0)
		return;
	put(o, " proto%s", k > 1 ? " {" : "");
	for (i = 0; i < k; i++)
		put(o, "%s %s", i == 0 ? "" : ",",
		    conf_proto_name(t->from.t[i].proto, s));
	put(o, "%s", k > 1 ? " }" : "");
}

static char *
mask_str(uint8_t len, char *dst)
{
	uint32_t	 m = len == 0 ? 0 : 0xffffffffU << (32 - len);

	snprintf(dst, ADDR_STRLEN, "%u.%u.%u.%u", m >> 24, m >> 16 & 0xff,
	    m >> 8 & 0xff, m & 0xff);
	return (dst);
}

static void
put_proposals(struct out *o, const char *kw, const struct proposals *ps)
{
	const struct xform	*x;
	const char		*word;
	unsigned int		 i, k;

	for (i = 0; i < ps->n; i++) {
		put(o, " \\\n\t%s", kw);
		for (k = 0; k < ps->p[i].nxforms; k++) {
			x = &ps->p[i].xf[k];
			word = x->type == XF_ENCR ? "enc " :
			    x->type == XF_INTEG ? "auth " :
			    x->type == XF_PRF ? "prf " :
			    x->type == XF_KE ? "group " : "";
			put(o, " %s%s", word,
			    xform_name(x->type, x->id, x->keybits));
		}
	}
}

static void
put_cp(struct out *o, const char *kw, const struct cp_list *l)
{
	const struct cp_item	*a;
	char			 s[PREFIX_STRLEN];
	unsigned int		 i;

	for (i = 0; i < l->n; i++) {
		a = &l->a[i];
		/* one `any' is of both families */
		if (i > 0 && a->empty && a[-1].empty &&
		    conf_cp_word(a[-1].type) == conf_cp_word(a->type))
			continue;
		put(o, " \\\n\t%s %s %s", kw, conf_cp_word(a->type), a->empty ?
		    "any" : a->type == CP_IP4_NETMASK ? mask_str(a->v.len, s) :
		    a->v.len == 8 * addr_len(&a->v.addr) ? addr_str(&a->v.addr, s) :
		    prefix_str(&a->v, s));
	}
}

/* A plain text stands in quotes, everything else is hexadecimal. */
static void
put_secret(struct out *o, const uint8_t *s, unsigned int len)
{
	unsigned int	 i;
	int		 plain;

	plain = len < 2 || s[0] != '0' || s[1] != 'x';
	for (i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~' ||
		    s[i] == '"' || s[i] == '\\')
			plain = 0;
	if (plain) {
		put(o, " \\\n\tpsk \"%.*s\"", (int)len,
		    (const char *)s);
		return;
	}
	put(o, " \\\n\tpsk 0x");
	for (i = 0; i < len; i++)
		put(o, "%02x", s[i]);
}

static void
put_psk(struct out *o, const struct conf_peer *pe)
{
	char	 day[CONF_DAYLEN];

	put_secret(o, pe->psk, pe->psklen);
	if (pe->oldlen == 0)
		return;
	put_secret(o, pe->old, pe->oldlen);
	put(o, " until %s", conf_day_str(pe->old_until, day));
}

static void
put_peer(struct out *o, const struct conf_peer *pe)
{
	char	 s[ADDR_STRLEN], id[ID_STRLEN];

	put(o, " \\\n\t");
	if (pe->localname != NULL)
		put(o, "local %s ", pe->localname);
	else if (pe->local.fam != ADDR_NONE)
		put(o, "local %s ", addr_str(&pe->local, s));
	put(o, "peer %s", pe->remotename != NULL ? pe->remotename :
	    addr_str(&pe->remote, s));
	if (pe->srcid.type != ID_NONE)
		put(o, " \\\n\tsrcid \"%s\"", ident_conf(&pe->srcid, id));
	if (pe->dstid.type != ID_NONE)
		put(o, " \\\n\tdstid \"%s\"", ident_conf(&pe->dstid, id));
	put_proposals(o, "ikesa", pe->ike);
}

static void
put_targets(struct out *o, const char *kw, const struct conf_keepalive *ka)
{
	char		 s[ADDR_STRLEN];
	unsigned int	 i;

	for (i = 0; i < ka->ntargets; i++)
		put(o, "%s %s", i == 0 ? kw : ",", addr_str(&ka->target[i], s));
}

static void
put_probe(struct out *o, const struct conf_keepalive *ka)
{
	put(o, " probe %s", ka_kind_name(ka->kind));
	switch (ka->kind) {
	case KA_DNS:
		put(o, " \"%s\" type %s", ka->str[KA_ARG], ka_qtype_name(ka->qtype));
		break;
	case KA_HTTP:
		put(o, " %u \"%s\" status %u-%u", ka->port, ka->str[KA_ARG],
		    ka->statuslo, ka->statushi);
		break;
	case KA_ICMP:
		put(o, " size %u%s", ka->size, ka->nodf ? " nodf" : "");
		break;
	default:
		put(o, " %u", ka->port);
		break;
	}
}

/* What has a default is said, too: people read this. */
static void
put_keepalive(struct out *o, const struct conf_keepalive *ka)
{
	static const struct { enum ka_str str; const char *kw; } progs[] = {
		{ KA_ONUP, "onup" }, { KA_ONDOWN, "ondown" }, { KA_ONTEST, "ontest" }
	};
	size_t	 i;

	if (ka->quorum > 1)
		put(o, " quorum %u", ka->quorum);
	put(o, " interval %ums timeout %ums fall %u", ka->interval_ms, ka->timeout_ms,
	    ka->fall);
	if (ka->rise != 0)
		put(o, " rise %u", ka->rise);
	put_probe(o, ka);
	put(o, " pace %s", ka_pace_name(ka->pace));
	if (ka->ttl != 0)
		put(o, " ttl %u", ka->ttl);
	put(o, " dscp %u", ka->dscp);
	if (ka->route == KA_VRF)
		put(o, " vrf \"%s\"", ka->str[KA_VRFNAME]);
	else if (ka->route != KA_NOROUTE)
		put(o, " %s %u", ka->route == KA_FIB ? "fib" : "mark", ka->number);
	put(o, "%s%s", ka->norecover ? " norecover" : "", ka->pmtu ? " pmtu" : "");
	if (ka->str[KA_BACKUP] != NULL)
		put(o, " backup \"%s\" preempt %u", ka->str[KA_BACKUP], ka->preempt);
	for (i = 0; i < sizeof(progs) / sizeof(progs[0]); i++)
		if (ka->str[progs[i].str] != NULL)
			put(o, " \\\n\t%s \"%s\"", progs[i].kw, ka->str[progs[i].str]);
}

static void
put_watch(struct out *o, const struct conf_watch *cw)
{
	char	 s[ADDR_STRLEN];

	put(o, "\nwatch \"%s\"", cw->name);
	put_targets(o, "", cw->keepalive);
	if (cw->source.fam != ADDR_NONE)
		put(o, " source %s", addr_str(&cw->source, s));
	put_keepalive(o, cw->keepalive);
	put(o, "\n");
}

static void
put_tunnel(struct out *o, const struct conf *c, const struct conf_tunnel *t,
    int with_secrets)
{
	const struct conf_peer	*pe = &c->peers[t->peer];

	put(o, "\n");
	if (!with_secrets || pe->psklen == 0)
		put(o, "# psk \"...\" of \"%s\" is not shown\n", t->name);
	put(o, "ikev2 \"%s\" %s %s%s%s esp%s", t->name, conf_mode_name(t->mode),
	    t->transport ? "transport" : "tunnel", pe->natt ? " natt" : "",
	    pe->full ? " fulltranscript" : "", t->single ? " single" : "");
	if (pe->fam != ADDR_NONE)
		put(o, " %s", pe->fam == ADDR_V4 ? "inet" : "inet6");
	put_protos(o, t);
	put(o, " \\\n\t");
	if (t->dyn == DYN_FROM)
		put(o, "from dynamic");
	else
		put_nets(o, "from", t->fromnet, &t->from);
	if (t->dyn == DYN_TO)
		put(o, " to dynamic");
	else
		put_nets(o, " to", t->tonet, &t->to);
	put_peer(o, pe);
	put_proposals(o, "childsa", t->esp);
	put(o, " \\\n\tikelifetime %u lifetime %u bytes %" PRIu64,
	    pe->ikelifetime != 0 ? pe->ikelifetime : CONF_IKELIFE, t->lifetime,
	    t->lifebytes);
	put_cp(o, "config", &t->give);
	put_cp(o, "request", &t->ask);
	if (t->iface[0] != '\0')
		put(o, " \\\n\tiface \"%s\"", t->iface);
	if (t->keepalive != NULL) {
		put(o, " \\\n\tkeepalive");
		if (t->keepalive->gateway)
			put(o, " target gateway");
		put_targets(o, " target", t->keepalive);
		put_keepalive(o, t->keepalive);
	}
	if (with_secrets && pe->psklen != 0)
		put_psk(o, pe);
	put(o, "\n");
}

char *
conf_print(const struct conf *c, int with_secrets)
{
	struct out	 o;
	uint32_t	 i;

	memset(&o, 0, sizeof(o));
	o.cap = 1024;
	if ((o.s = calloc(1, o.cap)) == NULL)
		return (NULL);
	put(&o, "set %s\nset dpd_check_interval %u\nset %sfragmentation\nset %smobike\n",
	    c->passive ? "passive" : "active", c->dpd_interval,
	    c->fragmentation ? "" : "no", c->mobike ? "" : "no");
	for (i = 0; i < c->ntunnels; i++)
		put_tunnel(&o, c, &c->tunnels[i], with_secrets);
	for (i = 0; i < c->nwatches; i++)
		put_watch(&o, &c->watches[i]);
	if (o.err) {
		explicit_bzero(o.s, o.cap);
		free(o.s);
		return (NULL);
	}
	return (o.s);
}
