/* SPDX-License-Identifier: ISC */
/*
 * The configuration between the processes: globals, then a peer or a tunnel an
 * item.  The receiver trusts nothing: whatever the parser would have refused is
 * refused here, too.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

#define MSG_VERSION	6

static void
put_addr(struct wbuf *w, const struct addr *a)
{
	wbuf_u8(w, a->fam);
	wbuf_bytes(w, a->b, addr_len(a));
}

static void
get_addr(struct rbuf *r, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->fam = rbuf_u8(r);
	if (a->fam != ADDR_NONE && a->fam != ADDR_V4 && a->fam != ADDR_V6) {
		a->fam = ADDR_NONE;
		rbuf_fail(r);
		return;
	}
	rbuf_copy(r, a->b, addr_len(a));
}

static void
put_ident(struct wbuf *w, const struct ident *id)
{
	wbuf_u8(w, id->type);
	wbuf_u8(w, id->len);
	wbuf_bytes(w, id->data, id->len);
}

static void
get_ident(struct rbuf *r, struct ident *id)
{
	memset(id, 0, sizeof(*id));
	id->type = rbuf_u8(r);
	id->len = rbuf_u8(r);
	rbuf_copy(r, id->data, id->len);
	if (!conf_ident_ok(id))
		rbuf_fail(r);
}

static void
put_proposals(struct wbuf *w, const struct proposals *ps)
{
	const struct proposal	*p;
	unsigned int		 i, k;

	wbuf_u8(w, ps->n);
	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		wbuf_u8(w, p->nxforms);
		for (k = 0; k < p->nxforms; k++) {
			wbuf_u8(w, p->xf[k].type);
			wbuf_u16(w, p->xf[k].id);
			wbuf_u16(w, p->xf[k].keybits);
		}
	}
}

static void
get_proposals(struct rbuf *r, struct proposals *ps, uint8_t proto)
{
	struct proposal	*p;
	unsigned int	 i, k;

	memset(ps, 0, sizeof(*ps));
	ps->n = rbuf_u8(r);
	if (ps->n > PROPS_MAX) {
		ps->n = 0;
		rbuf_fail(r);
	}
	for (i = 0; i < ps->n; i++) {
		p = &ps->p[i];
		p->num = (uint8_t)(i + 1);
		p->proto = proto;
		p->spilen = proto == PROTO_ESP ? 4 : 0;
		p->nxforms = rbuf_u8(r);
		if (p->nxforms > PROP_MAXXFORMS) {
			p->nxforms = 0;
			rbuf_fail(r);
		}
		for (k = 0; k < p->nxforms; k++) {
			p->xf[k].type = rbuf_u8(r);
			p->xf[k].id = rbuf_u16(r);
			p->xf[k].keybits = rbuf_u16(r);
		}
	}
	if (!rbuf_ok(r) || !conf_proposals_ok(ps, proto))
		rbuf_fail(r);
}

static void
put_nets(struct wbuf *w, const struct prefix *nets, const struct tslist *ts)
{
	unsigned int	 i;

	wbuf_u8(w, ts->n);
	for (i = 0; i < ts->n; i++) {
		put_addr(w, &nets[i].addr);
		wbuf_u8(w, nets[i].len);
		wbuf_u8(w, ts->t[i].proto);
		wbuf_u16(w, ts->t[i].sport == ts->t[i].eport ? ts->t[i].sport : 0);
	}
}

static void
get_nets(struct rbuf *r, struct prefix *nets, struct tslist *ts)
{
	struct prefix	 back;
	char		 s[PREFIX_STRLEN];
	unsigned int	 i, n;
	uint16_t	 port;
	uint8_t		 proto;

	n = rbuf_u8(r);
	if (n == 0 || n > TS_MAX) {
		rbuf_fail(r);
		return;
	}
	for (i = 0; i < n; i++) {
		get_addr(r, &nets[i].addr);
		nets[i].len = rbuf_u8(r);
		proto = rbuf_u8(r);
		port = rbuf_u16(r);
		/* Host bits must be zero: the text form clears them. */
		if (!rbuf_ok(r) || addr_len(&nets[i].addr) == 0 ||
		    prefix_parse(&back, prefix_str(&nets[i], s)) == -1 ||
		    prefix_cmp(&back, &nets[i]) != 0) {
			rbuf_fail(r);
			return;
		}
		ts_from_prefix(&ts->t[i], &nets[i], proto, port);
	}
	ts->n = (uint8_t)n;
}

static void
put_cp(struct wbuf *w, const struct cp_list *l)
{
	unsigned int	 i;

	wbuf_u8(w, l->n);
	for (i = 0; i < l->n; i++) {
		wbuf_u16(w, l->a[i].type);
		wbuf_u8(w, l->a[i].empty);
		put_addr(w, &l->a[i].v.addr);
		wbuf_u8(w, l->a[i].v.len);
	}
}

static void
get_cp(struct rbuf *r, struct cp_list *l)
{
	struct cp_item	*a;
	unsigned int	 i;

	memset(l, 0, sizeof(*l));
	if ((l->n = rbuf_u8(r)) > CP_MAX) {
		l->n = 0;
		rbuf_fail(r);
	}
	for (i = 0; i < l->n; i++) {
		a = &l->a[i];
		a->type = rbuf_u16(r);
		a->empty = rbuf_u8(r);
		get_addr(r, &a->v.addr);
		a->v.len = rbuf_u8(r);
		if (a->empty > 1 || a->v.len > 8 * addr_len(&a->v.addr) ||
		    (a->v.addr.fam == ADDR_NONE) != (a->empty != 0) ||
		    (!a->empty && (a->type < CP_IP6_ADDRESS || a->type ==
		    CP_IP4_SUBNET) != (a->v.addr.fam == ADDR_V4)))
			rbuf_fail(r);
	}
}

static uint8_t
get_bool(struct rbuf *r)
{
	uint8_t	 v = rbuf_u8(r);

	if (v > 1)
		rbuf_fail(r);
	return (v);
}

static uint32_t
get_life(struct rbuf *r)
{
	uint32_t	 v = rbuf_u32(r);

	if (v < CONF_LIFEMIN || v > CONF_LIFEMAX)
		rbuf_fail(r);
	return (v);
}

void
conf_put_globals(struct wbuf *w, const struct conf *c)
{
	wbuf_u8(w, MSG_VERSION);
	wbuf_u32(w, c->gen);
	wbuf_u32(w, c->npeers);
	wbuf_u32(w, c->ntunnels);
	wbuf_u8(w, c->passive);
	wbuf_u32(w, c->dpd_interval);
	wbuf_u8(w, c->fragmentation);
	wbuf_u8(w, c->mobike);
}

struct conf *
conf_get_globals(struct rbuf *r)
{
	struct conf	*c;

	if ((c = conf_new()) == NULL)
		return (NULL);
	if (rbuf_u8(r) != MSG_VERSION)
		rbuf_fail(r);
	c->gen = rbuf_u32(r);
	c->want_peers = rbuf_u32(r);
	c->want_tunnels = rbuf_u32(r);
	c->passive = get_bool(r);
	c->dpd_interval = rbuf_u32(r);
	c->fragmentation = get_bool(r);
	c->mobike = get_bool(r);
	if (!rbuf_ok(r) || c->want_tunnels > CONF_MAXTUNNELS ||
	    c->want_peers > c->want_tunnels || c->dpd_interval > CONF_DPDMAX) {
		conf_free(c);
		return (NULL);
	}
	return (c);
}

void
conf_put_peer(struct wbuf *w, const struct conf_peer *pe, int flags)
{
	uint16_t	 psklen, oldlen;

	psklen = (flags & CONF_WITH_SECRETS) != 0 ? pe->psklen : 0;
	put_addr(w, &pe->local);
	put_addr(w, &pe->remote);
	put_ident(w, &pe->srcid);
	put_ident(w, &pe->dstid);
	put_proposals(w, pe->ike);
	wbuf_u32(w, pe->ikelifetime);
	wbuf_u8(w, pe->natt);
	wbuf_u8(w, pe->full);
	wbuf_u32(w, pe->ntunnels);
	wbuf_u8(w, pe->has_psk);
	wbuf_u32(w, pe->psk_serial);
	wbuf_u16(w, psklen);
	wbuf_bytes(w, pe->psk, psklen);
	oldlen = (flags & CONF_WITH_SECRETS) != 0 ? pe->oldlen : 0;
	wbuf_u8(w, pe->has_old);
	wbuf_u64(w, (uint64_t)pe->old_until);
	wbuf_u16(w, oldlen);
	wbuf_bytes(w, pe->old, oldlen);
	wbuf_str(w, pe->localname != NULL ? pe->localname : "");
	wbuf_str(w, pe->remotename != NULL ? pe->remotename : "");
	wbuf_u8(w, pe->fam);
	wbuf_str(w, pe->absent != NULL ? pe->absent : "");
}

static int
take_secret(uint8_t **dst, const uint8_t *p, uint16_t len)
{
	if (len == 0)
		return (0);
	if ((*dst = malloc(len)) == NULL)
		return (-1);
	memcpy(*dst, p, len);
	return (0);
}

/* NULL where it is empty. */
static char *
get_text(struct rbuf *r, char *dst, size_t cap)
{
	dst[0] = '\0';
	rbuf_str(r, dst, cap);
	return (dst[0] != '\0' ? dst : NULL);
}

static void
drop_texts(struct conf_peer *pe)
{
	free(pe->localname);
	free(pe->remotename);
	free(pe->absent);
}

/* Copies of its own. */
static int
take_texts(struct conf_peer *pe)
{
	char		**s[] = { &pe->localname, &pe->remotename, &pe->absent };
	unsigned int	 i, bad = 0;

	for (i = 0; i < 3; i++)
		if (*s[i] != NULL && (*s[i] = strdup(*s[i])) == NULL)
			bad = 1;
	if (bad)
		drop_texts(pe);
	return (bad ? -1 : 0);
}

static void
drop_secret(uint8_t *p, uint16_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

int
conf_get_peer(struct rbuf *r, struct conf *c)
{
	struct conf_peer	 pe, *np;
	struct proposals	 ps;
	const uint8_t		*psk, *old;
	char			 local[CONF_HOSTLEN], remote[CONF_HOSTLEN];
	char			 absent[CONF_ABSENTLEN];

	memset(&pe, 0, sizeof(pe));
	memset(&ps, 0, sizeof(ps));
	get_addr(r, &pe.local);
	get_addr(r, &pe.remote);
	get_ident(r, &pe.srcid);
	get_ident(r, &pe.dstid);
	get_proposals(r, &ps, PROTO_IKE);
	pe.ikelifetime = get_life(r);
	pe.natt = get_bool(r);
	pe.full = get_bool(r);
	pe.ntunnels = rbuf_u32(r);
	pe.has_psk = get_bool(r);
	pe.psk_serial = rbuf_u32(r);
	pe.psklen = rbuf_u16(r);
	psk = rbuf_bytes(r, pe.psklen);
	pe.has_old = get_bool(r);
	pe.old_until = (int64_t)rbuf_u64(r);
	pe.oldlen = rbuf_u16(r);
	old = rbuf_bytes(r, pe.oldlen);
	pe.localname = get_text(r, local, sizeof(local));
	pe.remotename = get_text(r, remote, sizeof(remote));
	pe.fam = rbuf_u8(r);
	pe.absent = get_text(r, absent, sizeof(absent));
	if (!rbuf_ok(r) || c->npeers >= c->want_peers || !pe.has_psk ||
	    pe.psklen > CONF_PSKMAX || pe.oldlen > CONF_PSKMAX ||
	    pe.old_until < 0 ||
	    (!pe.has_old && (pe.oldlen != 0 || pe.old_until != 0)) ||
	    pe.ntunnels == 0 || pe.ntunnels > c->want_tunnels ||
	    !conf_place_ok(&pe))
		return (-1);
	if ((pe.ike = conf_proposals_share(c, &ps)) == NULL || take_texts(&pe) == -1)
		return (-1);
	if (take_secret(&pe.psk, psk, pe.psklen) == -1 ||
	    take_secret(&pe.old, old, pe.oldlen) == -1 ||
	    (np = conf_add_peer(c)) == NULL) {
		drop_secret(pe.psk, pe.psklen);
		drop_secret(pe.old, pe.oldlen);
		drop_texts(&pe);
		return (-1);
	}
	*np = pe;
	return (0);
}

void
conf_put_tunnel(struct wbuf *w, const struct conf_tunnel *t)
{
	wbuf_str(w, t->name);
	wbuf_u32(w, t->peer);
	wbuf_u8(w, (uint8_t)t->mode);
	wbuf_u8(w, t->transport);
	wbuf_u8(w, t->single);
	put_nets(w, t->fromnet, &t->from);
	put_nets(w, t->tonet, &t->to);
	put_proposals(w, t->esp);
	wbuf_u32(w, t->lifetime);
	wbuf_u64(w, t->lifebytes);
	wbuf_u8(w, t->keepalive != NULL);
	if (t->keepalive != NULL)
		conf_keepalive_put(w, t->keepalive);
	wbuf_u8(w, t->dyn);
	put_cp(w, &t->give);
	put_cp(w, &t->ask);
	wbuf_str(w, t->iface);
	wbuf_u32(w, t->line);
	wbuf_str(w, t->file);
}

static int
tunnel_ok(const struct conf_tunnel *t, const struct conf_peer *pe)
{
	const char	*s;

	for (s = t->file; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return (0);
	return (conf_selectors_ok(t) && (!t->transport || conf_transport_ok(t, pe)) &&
	    conf_name_ok(t->name) && conf_families_ok(t) &&
	    t->lifebytes <= UINT64_MAX >> 1 && conf_target_ok(t) && conf_cp_ok(t));
}

int
conf_get_tunnel(struct rbuf *r, struct conf *c)
{
	struct conf_tunnel	 t, *nt;
	struct proposals	 ps;
	uint8_t			 mode;

	memset(&t, 0, sizeof(t));
	memset(&ps, 0, sizeof(ps));
	rbuf_str(r, t.name, sizeof(t.name));
	t.peer = rbuf_u32(r);
	mode = rbuf_u8(r);
	t.transport = get_bool(r);
	t.single = get_bool(r);
	get_nets(r, t.fromnet, &t.from);
	get_nets(r, t.tonet, &t.to);
	get_proposals(r, &ps, PROTO_ESP);
	t.lifetime = get_life(r);
	t.lifebytes = rbuf_u64(r);
	if (get_bool(r) && rbuf_ok(r) &&
	    (t.keepalive = conf_keepalive_get(r, KA_TUNNEL)) == NULL)
		rbuf_fail(r);
	t.dyn = rbuf_u8(r);
	get_cp(r, &t.give);
	get_cp(r, &t.ask);
	rbuf_str(r, t.iface, sizeof(t.iface));
	t.line = rbuf_u32(r);
	rbuf_str(r, t.file, sizeof(t.file));
	if (!rbuf_ok(r) || c->ntunnels >= c->want_tunnels ||
	    t.peer >= c->npeers || c->npeers != c->want_peers ||
	    mode > MODE_ONDEMAND || !tunnel_ok(&t, &c->peers[t.peer]))
		goto fail;
	t.mode = (enum conf_mode)mode;
	/* Nobody can be called at `any`. */
	if (t.mode != MODE_PASSIVE && c->peers[t.peer].remotename == NULL &&
	    c->peers[t.peer].remote.fam == ADDR_NONE)
		goto fail;
	if ((t.esp = conf_proposals_share(c, &ps)) == NULL ||
	    (nt = conf_add_tunnel(c)) == NULL)
		goto fail;
	if (t.keepalive != NULL)
		t.keepalive = conf_keepalive_share(&c->kas, t.keepalive);
	*nt = t;
	return (0);
fail:
	conf_keepalive_unref(t.keepalive);
	return (-1);
}

static int
backups_ok(const struct conf *c)
{
	const struct conf_keepalive	*ka;
	uint32_t			 i;

	for (i = 0; i < c->ntunnels; i++) {
		ka = c->tunnels[i].keepalive;
		if (ka != NULL && ka->str[KA_BACKUP] != NULL &&
		    (strcmp(ka->str[KA_BACKUP], c->tunnels[i].name) == 0 ||
		    conf_tunnel_byname(c, ka->str[KA_BACKUP]) == -1))
			return (0);
	}
	return (1);
}

int
conf_complete(struct conf *c)
{
	uint32_t	*uses, i;
	int		 bad;

	if (c->npeers != c->want_peers || c->ntunnels != c->want_tunnels)
		return (-1);
	if ((uses = calloc((size_t)c->npeers + 1, sizeof(*uses))) == NULL)
		return (-1);
	for (i = 0; i < c->ntunnels; i++)
		uses[c->tunnels[i].peer]++;
	for (bad = 0, i = 0; i < c->npeers; i++)
		if (uses[i] != c->peers[i].ntunnels)
			bad = 1;
	free(uses);
	return (bad || conf_index(c) != 0 || !backups_ok(c) ? -1 : 0);
}
