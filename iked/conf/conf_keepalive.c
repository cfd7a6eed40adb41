/* SPDX-License-Identifier: ISC */
/* keepalive as a value: made, shared, compared, checked and sent. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

#define DNS_PORT	53
#define NAMES_MAX	253	/* octets of a name in text (RFC 1035 2.3.4) */
#define LABEL_MAX	63

const char *
ka_kind_name(uint8_t kind)
{
	static const char *const	 names[] = { "icmp", "tcp", "udp", "dns", "http" };

	return (kind <= KA_HTTP ? names[kind] : "?");
}

const char *
ka_pace_name(uint8_t pace)
{
	static const char *const	 names[] = { "optimized", "always", "off" };

	return (pace <= KA_OFF ? names[pace] : "?");
}

const char *
ka_qtype_name(uint16_t qtype)
{
	return (qtype == KA_DNS_A ? "a" : qtype == KA_DNS_NS ? "ns" :
	    qtype == KA_DNS_AAAA ? "aaaa" : "?");
}

struct conf_keepalive *
conf_keepalive_new(void)
{
	struct conf_keepalive	*ka;

	if ((ka = calloc(1, sizeof(*ka))) == NULL)
		return (NULL);
	ka->refs = 1;
	ka->interval_ms = CONF_INTERVAL;
	ka->timeout_ms = CONF_TIMEOUT;
	ka->size = CONF_SIZE;
	ka->quorum = 1;
	ka->fall = CONF_FALL;
	ka->dscp = CONF_DSCP;
	return (ka);
}

struct conf_keepalive *
conf_keepalive_ref(struct conf_keepalive *ka)
{
	if (ka != NULL)
		ka->refs++;
	return (ka);
}

void
conf_keepalive_unref(struct conf_keepalive *ka)
{
	unsigned int	 i;

	if (ka == NULL || --ka->refs > 0)
		return;
	for (i = 0; i < KA_NSTR; i++)
		free(ka->str[i]);
	free(ka->target);
	free(ka);
}

int
conf_keepalive_str(struct conf_keepalive *ka, enum ka_str which, const char *s)
{
	free(ka->str[which]);
	return ((ka->str[which] = strdup(s)) == NULL ? -1 : 0);
}

int
conf_keepalive_target(struct conf_keepalive *ka, const struct addr *a)
{
	struct addr	*p;

	if (ka->ntargets >= CONF_TARGETS || (p = reallocarray(ka->target,
	    ka->ntargets + 1U, sizeof(*p))) == NULL)
		return (-1);
	ka->target = p;
	p[ka->ntargets++] = *a;
	return (0);
}

int
conf_keepalive_equal(const struct conf_keepalive *a, const struct conf_keepalive *b)
{
	unsigned int	 i;

	if (a == b || a == NULL || b == NULL)
		return (a == b);
	if (a->interval_ms != b->interval_ms || a->timeout_ms != b->timeout_ms ||
	    a->preempt != b->preempt || a->number != b->number ||
	    a->port != b->port || a->size != b->size || a->qtype != b->qtype ||
	    a->statuslo != b->statuslo || a->statushi != b->statushi ||
	    a->kind != b->kind || a->pace != b->pace || a->route != b->route ||
	    a->quorum != b->quorum || a->fall != b->fall || a->rise != b->rise ||
	    a->ttl != b->ttl || a->dscp != b->dscp || a->nodf != b->nodf ||
	    a->norecover != b->norecover || a->pmtu != b->pmtu ||
	    a->gateway != b->gateway || a->ntargets != b->ntargets)
		return (0);
	for (i = 0; i < a->ntargets; i++)
		if (addr_cmp(&a->target[i], &b->target[i]) != 0)
			return (0);
	for (i = 0; i < KA_NSTR; i++)
		if ((a->str[i] == NULL) != (b->str[i] == NULL) ||
		    (a->str[i] != NULL && strcmp(a->str[i], b->str[i]) != 0))
			return (0);
	return (1);
}

struct conf_keepalive *
conf_keepalive_share(struct conf_kashare *s, struct conf_keepalive *ka)
{
	struct conf_keepalive	**last;
	unsigned int		 i;

	for (i = 0; i < CONF_KASHARE && ka != NULL; i++)
		if (s->ka[i] != NULL && conf_keepalive_equal(s->ka[i], ka)) {
			conf_keepalive_unref(ka);
			return (conf_keepalive_ref(s->ka[i]));
		}
	last = &s->ka[s->next++ % CONF_KASHARE];
	conf_keepalive_unref(*last);
	*last = conf_keepalive_ref(ka);
	return (ka);
}

void
conf_kashare_clear(struct conf_kashare *s)
{
	unsigned int	 i;

	for (i = 0; i < CONF_KASHARE; i++)
		conf_keepalive_unref(s->ka[i]);
	memset(s, 0, sizeof(*s));
}

/* Letters, digits, hyphens and the underscores of service names; "." is the root. */
int
conf_dnsname_ok(const char *s)
{
	size_t	 n, len = strlen(s);

	if (len == 0 || len > NAMES_MAX)
		return (0);
	if (strcmp(s, ".") == 0)
		return (1);
	while (*s != '\0') {
		n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "0123456789-_");
		if (n == 0 || n > LABEL_MAX || (s[n] != '\0' && s[n] != '.'))
			return (0);
		s += n + (s[n] == '.');
	}
	return (1);
}

int
conf_path_ok(const char *s)
{
	size_t	 i;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\'' ||
		    s[i] == '\\')
			return (0);
	return (s[0] == '/' && i < CONF_KASTRLEN);
}

/* What belongs to one kind of probe is said with that kind only. */
static int
kind_ok(const struct conf_keepalive *ka)
{
	const char	*arg = ka->str[KA_ARG];

	if ((ka->port == 0) != (ka->kind == KA_ICMP) ||
	    (arg == NULL) != (ka->kind < KA_DNS) ||
	    (ka->qtype == 0) != (ka->kind != KA_DNS) ||
	    (ka->statuslo == 0) != (ka->kind != KA_HTTP) ||
	    (ka->kind != KA_HTTP && ka->statushi != 0))
		return (0);
	switch (ka->kind) {
	case KA_ICMP:
		return (!ka->nodf || !ka->pmtu);
	case KA_DNS:
		if (ka->port != DNS_PORT || !conf_dnsname_ok(arg) ||
		    (ka->qtype != KA_DNS_A && ka->qtype != KA_DNS_NS &&
		    ka->qtype != KA_DNS_AAAA))
			return (0);
		break;
	case KA_HTTP:
		if (!conf_path_ok(arg) || ka->statuslo < 100 ||
		    ka->statushi > 599 || ka->statuslo > ka->statushi)
			return (0);
		break;
	default:
		break;
	}
	return (ka->size == CONF_SIZE && !ka->nodf && !ka->pmtu && !ka->gateway &&
	    ka->route == KA_NOROUTE && ka->interval_ms >= CONF_INTERVALCONN);
}

static int
strings_ok(const struct conf_keepalive *ka)
{
	unsigned int	 i;

	for (i = KA_ONUP; i <= KA_ONTEST; i++)
		if (ka->str[i] != NULL && !conf_path_ok(ka->str[i]))
			return (0);
	if ((ka->str[KA_VRFNAME] != NULL) != (ka->route == KA_VRF) ||
	    (ka->route == KA_VRF && (ka->str[KA_VRFNAME][0] == '\0' ||
	    !conf_iface_ok(ka->str[KA_VRFNAME]))))
		return (0);
	if (ka->str[KA_BACKUP] == NULL)
		return (ka->preempt == 0);
	return (conf_name_ok(ka->str[KA_BACKUP]) && ka->preempt <= CONF_PREEMPTMAX);
}

static int
targets_ok(const struct conf_keepalive *ka, enum ka_form form)
{
	unsigned int	 i, k;

	for (i = 0; i < ka->ntargets; i++) {
		if (!conf_addr_ok(&ka->target[i]))
			return (0);
		for (k = 0; k < i; k++)
			if (addr_cmp(&ka->target[i], &ka->target[k]) == 0)
				return (0);
	}
	if (form == KA_APART)
		return (ka->ntargets == 0 && ka->quorum >= 1 &&
		    ka->quorum <= CONF_TARGETS);
	return (ka->ntargets <= CONF_TARGETS && ka->quorum >= 1 &&
	    (ka->quorum == 1 || ka->quorum <= ka->ntargets));
}

int
conf_keepalive_ok(const struct conf_keepalive *ka, enum ka_form form)
{
	if (ka->interval_ms < CONF_INTERVALMIN || ka->interval_ms > CONF_INTERVALMAX ||
	    ka->timeout_ms < CONF_TIMEOUTMIN || ka->timeout_ms > CONF_TIMEOUTMAX ||
	    ka->timeout_ms / CONF_TIMEOUTS > ka->interval_ms ||
	    ka->timeout_ms > CONF_TIMEOUTS * (uint64_t)ka->interval_ms ||
	    ka->size < CONF_SIZE || ka->size > CONF_SIZEMAX ||
	    ka->kind > KA_HTTP || ka->pace > KA_OFF || ka->route > KA_VRF ||
	    ka->fall == 0 || ka->fall > CONF_ROWMAX || ka->rise > CONF_ROWMAX ||
	    ka->dscp > 63 || ka->nodf > 1 || ka->norecover > 1 || ka->pmtu > 1 ||
	    ka->gateway > 1 ||
	    (ka->route == KA_FIB ? ka->number > UINT16_MAX :
	    (ka->route == KA_MARK) != (ka->number != 0)))
		return (0);
	if (ka->gateway && (ka->ntargets != 0 || ka->ttl != 0))
		return (0);
	if (form == KA_WATCH && (ka->ntargets == 0 || ka->gateway || ka->norecover ||
	    ka->pace == KA_OPTIMIZED || ka->str[KA_BACKUP] != NULL))
		return (0);
	return (kind_ok(ka) && strings_ok(ka) && targets_ok(ka, form));
}

void
conf_keepalive_put(struct wbuf *w, const struct conf_keepalive *ka)
{
	unsigned int	 i;

	wbuf_u32(w, ka->interval_ms);
	wbuf_u32(w, ka->timeout_ms);
	wbuf_u32(w, ka->preempt);
	wbuf_u32(w, ka->number);
	wbuf_u16(w, ka->port);
	wbuf_u16(w, ka->size);
	wbuf_u16(w, ka->qtype);
	wbuf_u16(w, ka->statuslo);
	wbuf_u16(w, ka->statushi);
	wbuf_u8(w, ka->kind);
	wbuf_u8(w, ka->pace);
	wbuf_u8(w, ka->route);
	wbuf_u8(w, ka->quorum);
	wbuf_u8(w, ka->fall);
	wbuf_u8(w, ka->rise);
	wbuf_u8(w, ka->ttl);
	wbuf_u8(w, ka->dscp);
	wbuf_u8(w, ka->nodf);
	wbuf_u8(w, ka->norecover);
	wbuf_u8(w, ka->pmtu);
	wbuf_u8(w, ka->gateway);
	wbuf_u8(w, ka->ntargets);
	for (i = 0; i < ka->ntargets; i++) {
		wbuf_u8(w, ka->target[i].fam);
		wbuf_bytes(w, ka->target[i].b, addr_len(&ka->target[i]));
	}
	for (i = 0; i < KA_NSTR; i++) {
		wbuf_u8(w, ka->str[i] != NULL);
		if (ka->str[i] != NULL)
			wbuf_str(w, ka->str[i]);
	}
}

static int
get_targets(struct rbuf *r, struct conf_keepalive *ka)
{
	struct addr	 a;
	unsigned int	 i, n = rbuf_u8(r);

	if (n > CONF_TARGETS)
		return (-1);
	for (i = 0; i < n; i++) {
		memset(&a, 0, sizeof(a));
		a.fam = rbuf_u8(r);
		if (a.fam != ADDR_V4 && a.fam != ADDR_V6)
			return (-1);
		rbuf_copy(r, a.b, addr_len(&a));
		if (!rbuf_ok(r) || conf_keepalive_target(ka, &a) == -1)
			return (-1);
	}
	return (0);
}

static int
get_strings(struct rbuf *r, struct conf_keepalive *ka)
{
	char		 s[CONF_KASTRLEN];
	unsigned int	 i;
	uint8_t		 have;

	for (i = 0; i < KA_NSTR; i++) {
		if ((have = rbuf_u8(r)) > 1)
			return (-1);
		if (!have)
			continue;
		rbuf_str(r, s, sizeof(s));
		if (!rbuf_ok(r) || conf_keepalive_str(ka, (enum ka_str)i, s) == -1)
			return (-1);
	}
	return (0);
}

struct conf_keepalive *
conf_keepalive_get(struct rbuf *r, enum ka_form form)
{
	struct conf_keepalive	*ka;

	if ((ka = conf_keepalive_new()) == NULL)
		return (NULL);
	ka->interval_ms = rbuf_u32(r);
	ka->timeout_ms = rbuf_u32(r);
	ka->preempt = rbuf_u32(r);
	ka->number = rbuf_u32(r);
	ka->port = rbuf_u16(r);
	ka->size = rbuf_u16(r);
	ka->qtype = rbuf_u16(r);
	ka->statuslo = rbuf_u16(r);
	ka->statushi = rbuf_u16(r);
	ka->kind = rbuf_u8(r);
	ka->pace = rbuf_u8(r);
	ka->route = rbuf_u8(r);
	ka->quorum = rbuf_u8(r);
	ka->fall = rbuf_u8(r);
	ka->rise = rbuf_u8(r);
	ka->ttl = rbuf_u8(r);
	ka->dscp = rbuf_u8(r);
	ka->nodf = rbuf_u8(r);
	ka->norecover = rbuf_u8(r);
	ka->pmtu = rbuf_u8(r);
	ka->gateway = rbuf_u8(r);
	if (get_targets(r, ka) == -1 || get_strings(r, ka) == -1 || !rbuf_ok(r) ||
	    !conf_keepalive_ok(ka, form)) {
		conf_keepalive_unref(ka);
		return (NULL);
	}
	return (ka);
}

/* ICMP has no ports here: requests and replies are of different types. */
static int
passes(const struct ts *ts, const struct conf_keepalive *ka, uint16_t port)
{
	uint8_t	 want;

	if (ts->proto == 0)
		return (1);
	want = ka->kind == KA_ICMP ? (ts->start.fam == ADDR_V4 ? 1 : 58) :
	    ka->kind == KA_TCP || ka->kind == KA_HTTP ? 6 : 17;
	if (ts->proto != want)
		return (0);
	return ((ts->sport == 0 && ts->eport == UINT16_MAX) ||
	    (port != 0 && ts->sport <= port && port <= ts->eport));
}

int
conf_probe_from(const struct conf_tunnel *t, unsigned int i)
{
	return (passes(&t->from.t[i], t->keepalive, 0));
}

int
conf_probe_to(const struct conf_tunnel *t, unsigned int j)
{
	unsigned int	 i;

	if (!passes(&t->to.t[j], t->keepalive, t->keepalive->port))
		return (0);
	for (i = 0; i < t->from.n; i++)
		if (conf_is_pair(t, i, j) && conf_probe_from(t, i))
			return (1);
	return (0);
}

static int
derive(const struct conf_tunnel *t, struct addr *a)
{
	const struct prefix	*first = NULL, *p;
	unsigned int		 j;

	for (j = 0; j < t->to.n; j++) {
		p = &t->tonet[j];
		if (!conf_probe_to(t, j))
			continue;
		if (p->len == 8 * addr_len(&p->addr) && conf_addr_ok(&p->addr)) {
			*a = p->addr;
			return (1);
		}
		if (first == NULL && p->len > 0)
			first = p;
	}
	/* The first host is mostly the gateway; of a /31 it is the network itself. */
	return (first != NULL && prefix_host(first,
	    first->len >= 8 * addr_len(&first->addr) - 1 ? 0 : 1, a) == 0 &&
	    conf_addr_ok(a));
}

unsigned int
conf_tunnel_targets(const struct conf_tunnel *t, struct addr dst[CONF_TARGETS])
{
	unsigned int	 i;

	if (t->keepalive->ntargets == 0)
		return (derive(t, &dst[0]) ? 1 : 0);
	for (i = 0; i < t->keepalive->ntargets; i++)
		dst[i] = t->keepalive->target[i];
	return (i);
}
