/* SPDX-License-Identifier: ISC */
/*
 * The options of `keepalive', which stand inside an ikev2 statement, and the `watch'
 * statement, which has the same ones and no tunnel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

#define NOPTS	(K_ONTEST - K_TARGET + 1)

/* While one of them is read. */
struct opts {
	struct conf_keepalive	*ka;
	int			 watch;
	struct pos		 begin;
	struct pos		 at[NOPTS];	/* line 0: not said */
	struct pos		*tpos;		/* of the targets */
	struct addr		 source;
};

static const struct pos *
said(const struct opts *o, enum conf_kw id)
{
	return (o->at[id - K_TARGET].line != 0 ? &o->at[id - K_TARGET] : NULL);
}

/* A number, 0x for hexadecimal.  0 or -1 when reported. */
static int
number(struct parser *p, const char *kw, uint32_t lo, uint32_t hi, uint32_t *v)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	uint64_t	 n = 0;
	unsigned int	 base = 10, d;
	const char	*s;

	if ((t = conf_value(p, kw)) == NULL)
		return (-1);
	s = t->s;
	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	do {
		d = *s >= '0' && *s <= '9' ? (unsigned int)(*s - '0') :
		    *s >= 'a' && *s <= 'f' ? (unsigned int)(*s - 'a') + 10 : 16;
		n = n * base + d;
	} while (d < base && n <= hi && *++s != '\0');
	if (d >= base || n < lo || n > hi) {
		conf_stmt_error(p, &t->pos, "%s after \"%s\": a number from %u to "
		    "%u is wanted", conf_show(p, t, show), kw, lo, hi);
		return (-1);
	}
	*v = (uint32_t)n;
	return (0);
}

static void
small(struct parser *p, const char *kw, uint32_t lo, uint32_t hi, uint8_t *v)
{
	uint32_t	 n;

	if (number(p, kw, lo, hi, &n) == 0)
		*v = (uint8_t)n;
}

static void
port(struct parser *p, const char *kw, uint16_t *v)
{
	uint32_t	 n;

	if (number(p, kw, 1, UINT16_MAX, &n) == 0)
		*v = (uint16_t)n;
}

/* The text of lo and hi is the one that people write. */
static void
span(struct parser *p, const char *kw, const char *units, uint32_t lo, uint32_t hi,
    const char *between, uint32_t *v)
{
	char		 show[SHOWLEN];
	struct pos	 pos;
	uint64_t	 ms;

	if (conf_take_time(p, kw, units, &ms, &pos, show) == -1)
		return;
	if (ms < lo || ms > hi)
		conf_stmt_error(p, &pos, "%s after \"%s\": between %s are possible",
		    show, kw, between);
	else
		*v = (uint32_t)ms;
}

static void
one_target(struct parser *p, struct opts *o, const char *after)
{
	struct conf_keepalive	*ka = o->ka;
	struct addr		 a;
	struct tok		*t;
	char			 show[SHOWLEN];
	unsigned int		 i;

	if ((t = conf_value(p, after)) == NULL)
		return;
	if (strcmp(t->s, "gateway") == 0 && !o->watch) {
		ka->gateway = 1;
		return;
	}
	if (addr_parse(&a, t->s) == -1 || !conf_addr_ok(&a)) {
		conf_stmt_error(p, &t->pos, "%s after \"%s\" is not the address of a "
		    "host", conf_show(p, t, show), after);
		return;
	}
	for (i = 0; i < ka->ntargets; i++)
		if (addr_cmp(&ka->target[i], &a) == 0) {
			conf_stmt_error(p, &t->pos, "%s is there twice",
			    conf_show(p, t, show));
			return;
		}
	if (ka->ntargets == CONF_TARGETS) {
		conf_stmt_error(p, &t->pos, "more than %u addresses after \"%s\"",
		    CONF_TARGETS, after);
		return;
	}
	o->tpos[ka->ntargets] = t->pos;
	if (conf_keepalive_target(ka, &a) == -1)
		p->lx.nomem = 1;
}

static void
targets(struct parser *p, struct opts *o, const char *after)
{
	for (;;) {
		one_target(p, o, after);
		if (p->st.bad || p->lx.nomem || !conf_peek_punct(p, ','))
			break;
		conf_take(p);
	}
	if (o->ka->gateway && o->ka->ntargets > 0)
		conf_stmt_error(p, said(o, K_TARGET), "\"target gateway\" stands "
		    "alone: remove the addresses, or gateway");
}

static void
text(struct parser *p, struct opts *o, const char *kw, enum ka_str which,
    int (*ok)(const char *), const char *wanted)
{
	struct tok	*t;
	char		 show[SHOWLEN];

	if ((t = conf_text(p, kw)) == NULL)
		return;
	if (!ok(t->s))
		conf_stmt_error(p, &t->pos, "%s after \"%s\": %s is wanted",
		    conf_show(p, t, show), kw, wanted);
	else if (conf_keepalive_str(o->ka, which, t->s) == -1)
		p->lx.nomem = 1;
}

static int
vrf_ok(const char *s)
{
	return (s[0] != '\0' && conf_iface_ok(s));
}

/* A word of a list; -1 when reported. */
static int
choice(struct parser *p, const char *kw, const char *(*name)(uint8_t), uint8_t n,
    const char *all)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	uint8_t		 i;

	if ((t = conf_value(p, kw)) == NULL)
		return (-1);
	for (i = 0; i < n; i++)
		if (strcmp(t->s, name(i)) == 0)
			return (i);
	conf_stmt_error(p, &t->pos, "%s is no value of \"%s\": write %s",
	    conf_show(p, t, show), kw, all);
	return (-1);
}

static void
opt_probe(struct parser *p, struct opts *o)
{
	struct conf_keepalive	*ka = o->ka;
	int			 kind;

	if ((kind = choice(p, "probe", ka_kind_name, KA_HTTP + 1, "icmp, tcp PORT, "
	    "udp PORT, dns NAME or http PORT PATH")) == -1)
		return;
	ka->kind = (uint8_t)kind;
	switch (kind) {
	case KA_TCP:
	case KA_UDP:
	case KA_HTTP:
		port(p, ka_kind_name(ka->kind), &ka->port);
		break;
	case KA_DNS:
		ka->port = 53;
		ka->qtype = KA_DNS_A;
		text(p, o, "dns", KA_ARG, conf_dnsname_ok, "a domain name");
		break;
	default:
		break;
	}
	if (kind == KA_HTTP) {
		ka->statuslo = CONF_STATUSLO;
		ka->statushi = CONF_STATUSHI;
		text(p, o, "http", KA_ARG, conf_path_ok, "a path (/health) of at most "
		    "255 printable characters");
	}
}

static const char *
qtype_byindex(uint8_t i)
{
	return (ka_qtype_name(i == 0 ? KA_DNS_A : i == 1 ? KA_DNS_AAAA : KA_DNS_NS));
}

static void
opt_type(struct parser *p, struct opts *o)
{
	static const uint16_t	 types[] = { KA_DNS_A, KA_DNS_AAAA, KA_DNS_NS };
	int			 i;

	if ((i = choice(p, "type", qtype_byindex, 3, "a, aaaa or ns")) == -1)
		return;
	if (o->ka->kind != KA_DNS)
		conf_stmt_error(p, said(o, K_TYPE), "\"type\" is for probe dns: "
		    "write it behind that");
	else
		o->ka->qtype = types[i];
}

/* 200 or 200-399 */
static void
opt_status(struct parser *p, struct opts *o)
{
	struct tok	*t;
	char		 show[SHOWLEN];
	unsigned int	 lo, hi;
	int		 n = 0, m = 0;

	if ((t = conf_value(p, "status")) == NULL)
		return;
	if (o->ka->kind != KA_HTTP) {
		conf_stmt_error(p, said(o, K_STATUS), "\"status\" is for probe http: "
		    "write it behind that");
		return;
	}
	if (sscanf(t->s, "%3u%n-%3u%n", &lo, &n, &hi, &m) == 1) {
		hi = lo;
		m = n;
	}
	if (n != 3 || strspn(t->s, "0123456789-") != t->len || (size_t)m != t->len ||
	    lo < 100 || hi > 599 || lo > hi)
		conf_stmt_error(p, &t->pos, "%s after \"status\": one status of HTTP or "
		    "two with a hyphen (200-399) are wanted", conf_show(p, t, show));
	else {
		o->ka->statuslo = (uint16_t)lo;
		o->ka->statushi = (uint16_t)hi;
	}
}

static void
opt_route(struct parser *p, struct opts *o, enum conf_kw id, const struct pos *pos)
{
	struct conf_keepalive	*ka = o->ka;

	if (ka->route != KA_NOROUTE)
		conf_stmt_error(p, pos, "only one of fib, mark and vrf is possible");
	switch (id) {
	case K_FIB:
		ka->route = KA_FIB;
		(void)number(p, "fib", 0, UINT16_MAX, &ka->number);
		break;
	case K_MARK:
		ka->route = KA_MARK;
		(void)number(p, "mark", 1, UINT32_MAX, &ka->number);
		break;
	default:
		ka->route = KA_VRF;
		text(p, o, "vrf", KA_VRFNAME, vrf_ok, "the name of an interface");
		break;
	}
}

static void
opt_backup(struct parser *p, struct opts *o)
{
	struct tok	*t;

	if ((t = conf_text(p, "backup")) == NULL)
		return;
	p->st.backuppos = t->pos;
	if (!conf_name_ok(t->s))
		conf_stmt_error(p, &t->pos, "the name of another tunnel is wanted after "
		    "\"backup\"");
	else if (conf_keepalive_str(o->ka, KA_BACKUP, t->s) == -1)
		p->lx.nomem = 1;
	if (said(o, K_PREEMPT) == NULL)
		o->ka->preempt = CONF_PREEMPT;
}

static void
opt_preempt(struct parser *p, struct opts *o)
{
	uint32_t	 ms = CONF_PREEMPT * 1000;

	span(p, "preempt", "s, m or h", 0, CONF_PREEMPTMAX * 1000U, "0 and 24h", &ms);
	o->ka->preempt = ms / 1000;
	if (ms % 1000 != 0)
		conf_stmt_error(p, said(o, K_PREEMPT), "\"preempt\" is whole seconds");
}

static void
opt_source(struct parser *p, struct opts *o)
{
	struct tok	*t;
	char		 show[SHOWLEN];

	if ((t = conf_value(p, "source")) == NULL)
		return;
	if (!o->watch)
		conf_stmt_error(p, said(o, K_SOURCE), "\"source\" is for watch: in a "
		    "tunnel it is an address of this machine inside \"from\"");
	else if (addr_parse(&o->source, t->s) == -1 || !conf_addr_ok(&o->source))
		conf_stmt_error(p, &t->pos, "%s after \"source\" is not the address of "
		    "a host", conf_show(p, t, show));
}

static void
opt_pace(struct parser *p, struct opts *o)
{
	int	 pace;

	if ((pace = choice(p, "pace", ka_pace_name, KA_OFF + 1,
	    "optimized, always or off")) == -1)
		return;
	o->ka->pace = (uint8_t)pace;
	if (o->watch && pace == KA_OPTIMIZED)
		conf_stmt_error(p, said(o, K_PACE), "\"pace optimized\" goes by a "
		    "tunnel's counters, and watch has no tunnel: write always or off");
}

static void
opt_size(struct parser *p, struct opts *o)
{
	uint32_t	 n;

	if (number(p, "size", CONF_SIZE, CONF_SIZEMAX, &n) == 0)
		o->ka->size = (uint16_t)n;
}

static void
option(struct parser *p, struct opts *o, const struct conf_word *w, const struct pos *pos)
{
	struct conf_keepalive	*ka = o->ka;

	switch (w->id) {
	case K_TARGET:
		if (o->watch)
			conf_stmt_error(p, pos, "\"target\" is not written in watch: "
			    "the addresses come right after the name");
		targets(p, o, "target");
		break;
	case K_QUORUM:
		small(p, "quorum", 1, CONF_TARGETS, &ka->quorum);
		break;
	case K_INTERVAL:
		span(p, "interval", "ms, s or m", CONF_INTERVALMIN, CONF_INTERVALMAX,
		    "100ms and 24h", &ka->interval_ms);
		break;
	case K_TIMEOUT:
		span(p, "timeout", "ms or s", CONF_TIMEOUTMIN, CONF_TIMEOUTMAX,
		    "100ms and 60s", &ka->timeout_ms);
		break;
	case K_FALL:
		small(p, "fall", 1, CONF_ROWMAX, &ka->fall);
		break;
	case K_RISE:
		small(p, "rise", 1, CONF_ROWMAX, &ka->rise);
		break;
	case K_PROBE:
		opt_probe(p, o);
		break;
	case K_TYPE:
		opt_type(p, o);
		break;
	case K_STATUS:
		opt_status(p, o);
		break;
	case K_PACE:
		opt_pace(p, o);
		break;
	case K_SIZE:
		opt_size(p, o);
		break;
	case K_TTL:
		small(p, "ttl", 1, 255, &ka->ttl);
		break;
	case K_DSCP:
		small(p, "dscp", 0, 63, &ka->dscp);
		break;
	case K_NODF:
		ka->nodf = 1;
		break;
	case K_FIB:
	case K_MARK:
	case K_VRF:
		opt_route(p, o, w->id, pos);
		break;
	case K_NORECOVER:
		ka->norecover = 1;
		break;
	case K_BACKUP:
		opt_backup(p, o);
		break;
	case K_PREEMPT:
		opt_preempt(p, o);
		break;
	case K_PMTU:
		ka->pmtu = 1;
		break;
	case K_SOURCE:
		opt_source(p, o);
		break;
	case K_ONUP:
		text(p, o, w->word, KA_ONUP, conf_path_ok, "the path of a program");
		break;
	case K_ONDOWN:
		text(p, o, w->word, KA_ONDOWN, conf_path_ok, "the path of a program");
		break;
	default:
		text(p, o, w->word, KA_ONTEST, conf_path_ok, "the path of a program");
		break;
	}
}

/* The kernel gives these to a raw socket of root's only, before the probes begin. */
static void
check_kind(struct parser *p, const struct opts *o)
{
	static const enum conf_kw icmp[] = { K_SIZE, K_NODF, K_PMTU, K_FIB, K_MARK, K_VRF };
	static const char *const words[] = { "size", "nodf", "pmtu", "fib", "mark", "vrf" };
	const struct conf_keepalive *ka = o->ka;
	const char		*kind = ka_kind_name(ka->kind);
	unsigned int		 i;

	for (i = 0; i < sizeof(icmp) / sizeof(icmp[0]); i++)
		if (said(o, icmp[i]) != NULL)
			conf_stmt_error(p, said(o, icmp[i]), "\"%s\" is for probe icmp, "
			    "not for %s: remove one of them", words[i], kind);
	if (ka->gateway)
		conf_stmt_error(p, said(o, K_TARGET), "\"target gateway\" is for probe "
		    "icmp, not for %s: write an address", kind);
	if (ka->interval_ms < CONF_INTERVALCONN)
		conf_stmt_error(p, said(o, K_INTERVAL), "\"interval\" is 1s or more with "
		    "probe %s", kind);
}

static void
check(struct parser *p, struct opts *o)
{
	struct conf_keepalive	*ka = o->ka;

	if (ka->quorum > 1 && ka->quorum > ka->ntargets)
		conf_stmt_error(p, said(o, K_QUORUM), "\"quorum %u\" of %u address%s "
		    "cannot be reached", ka->quorum, ka->ntargets == 0 ? 1 :
		    ka->ntargets, ka->ntargets > 1 ? "es" : "");
	if (ka->timeout_ms > CONF_TIMEOUTS * (uint64_t)ka->interval_ms)
		conf_stmt_error(p, said(o, K_TIMEOUT) != NULL ? said(o, K_TIMEOUT) :
		    &o->begin, "\"timeout\" is longer than %u intervals",
		    CONF_TIMEOUTS);
	if (ka->kind != KA_ICMP)
		check_kind(p, o);
	else if (ka->pmtu && ka->nodf)
		conf_stmt_error(p, said(o, K_NODF), "\"pmtu\" is found with packets that "
		    "may not be fragmented: remove nodf, or pmtu");
	if (ka->gateway && ka->ttl != 0)
		conf_stmt_error(p, said(o, K_TTL), "\"target gateway\" is probed with "
		    "TTL 1: remove ttl");
	if (said(o, K_PREEMPT) != NULL && ka->str[KA_BACKUP] == NULL)
		conf_stmt_error(p, said(o, K_PREEMPT), "\"preempt\" without backup: what "
		    "is to end?");
}

static void
check_watch(struct parser *p, struct opts *o)
{
	struct conf_keepalive	*ka = o->ka;
	unsigned int		 i;

	if (said(o, K_BACKUP) != NULL || said(o, K_NORECOVER) != NULL)
		conf_stmt_error(p, said(o, K_BACKUP) != NULL ? said(o, K_BACKUP) :
		    said(o, K_NORECOVER), "\"%s\" is for the keepalive of a tunnel: "
		    "watch has none", said(o, K_BACKUP) != NULL ? "backup" :
		    "norecover");
	for (i = 0; o->source.fam != ADDR_NONE && i < ka->ntargets; i++)
		if (ka->target[i].fam != o->source.fam) {
			conf_stmt_error(p, said(o, K_SOURCE), "source and addresses "
			    "must all be IPv4, or all IPv6");
			break;
		}
}

/* Reported, with what may stand here? */
static int
misspelt(struct parser *p, const struct opts *o)
{
	struct tok	*t = conf_peek(p);

	/* what stands in braces is their business */
	if (conf_peek_end(p) || t->kind == T_BAD || p->nlblank)
		return (0);
	if (!o->watch && (t->kind != T_WORD || t->macro != NULL || p->lx.hide ||
	    conf_word_find(t->s, ~0U) != NULL ||
	    conf_word_nearest(t->s, C_OPT) != NULL ||
	    conf_word_nearest(t->s, C_KA) == NULL))
		return (0);
	conf_unknown(p, t, C_KA, o->watch ? "after watch" : "after keepalive");
	do {
		conf_take(p);
	} while (!conf_peek_end(p) && conf_peek_word(p, C_KA | C_OPT) == NULL);
	return (1);
}

static void
options(struct parser *p, void *arg)
{
	struct opts		*o = arg;
	const struct conf_word	*w;
	struct pos		 pos;

	for (;;) {
		if ((w = conf_peek_word(p, C_KA)) == NULL) {
			if (misspelt(p, o))
				continue;
			break;
		}
		pos = conf_peek(p)->pos;
		if (said(o, w->id) != NULL)
			conf_stmt_error(p, &pos, "\"%s\" is given twice", w->word);
		o->at[w->id - K_TARGET] = pos;
		conf_take(p);
		option(p, o, w, &pos);
	}
	if (p->st.bad || p->lx.nomem)
		return;
	check(p, o);
	if (o->watch)
		check_watch(p, o);
}

void
conf_keepalive(struct parser *p, const struct pos *pos)
{
	struct opts	 o;

	memset(&o, 0, sizeof(o));
	o.begin = *pos;
	o.tpos = p->st.targetpos;
	conf_keepalive_unref(p->st.keepalive);
	if ((o.ka = p->st.keepalive = conf_keepalive_new()) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	options(p, &o);
}

/* The name, right after the keyword, in quotes. */
static void
watch_name(struct parser *p)
{
	struct tok	*t;

	if ((t = conf_text(p, "watch")) == NULL)
		return;
	if (t->kind != T_STR || !conf_name_ok(t->s))
		conf_stmt_error(p, &t->pos, "a name in quotes is wanted after \"watch\": "
		    "1 to %u octets of UTF-8, no quotes, backslashes or control "
		    "characters, and no blanks at its ends", CONF_NAMELEN - 1);
	else
		strlcpy(p->st.name, t->s, sizeof(p->st.name));
}

static void
keep_watch(struct parser *p, struct opts *o)
{
	struct conf_watch	*cw;
	void			*v = p->conf->watches;

	if (p->conf->nwatches >= CONF_MAXTUNNELS) {
		conf_stmt_error(p, &o->begin, "more than %u entries of watch",
		    CONF_MAXTUNNELS);
		return;
	}
	if (conf_grow(&v, &p->conf->cap_watches, p->conf->nwatches,
	    sizeof(*cw)) == -1) {
		p->lx.nomem = 1;
		return;
	}
	p->conf->watches = v;
	cw = &p->conf->watches[p->conf->nwatches++];
	strlcpy(cw->name, p->st.name, sizeof(cw->name));
	cw->source = o->source;
	cw->keepalive = conf_keepalive_ref(o->ka);
	cw->line = o->begin.line;
	conf_file_name(cw->file, o->begin.file);
}

void
conf_watch(struct parser *p, const struct pos *pos)
{
	struct opts	 o;

	memset(&o, 0, sizeof(o));
	o.begin = *pos;
	o.watch = 1;
	o.tpos = p->st.targetpos;
	if ((o.ka = conf_keepalive_new()) == NULL) {
		p->lx.nomem = 1;
		return;
	}
	o.ka->pace = KA_ALWAYS;
	watch_name(p);
	if (!p->st.bad)
		targets(p, &o, "watch");
	if (!p->st.bad)
		conf_braces(p, "watch", C_KA, "after watch", options, &o);
	conf_name_seen(p);
	if (!p->st.bad && !p->lx.nomem)
		keep_watch(p, &o);
	conf_keepalive_unref(o.ka);
	explicit_bzero(&p->st, sizeof(p->st));
}
