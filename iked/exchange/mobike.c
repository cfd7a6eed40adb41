/* SPDX-License-Identifier: ISC */
/*
 * MOBIKE (RFC 4555): an IKE SA and its Children live on when addresses change.
 *
 * The original initiator decides.  It goes to the new addresses, says UPDATE_SA_ADDRESSES
 * from there, and the responder takes them from the packet, which is authentic, in the
 * order of the window and therefore fresh.  Nothing else moves anything: other
 * messages from elsewhere are answered there and forgotten, so that a way can be tried
 * (3.8, 3.10).
 *
 * The responder then asks whether the peer really receives there: COOKIE2 has to come
 * back (3.7).  Until it has, no ESP of ours goes there.  SAs in the kernel cannot be
 * moved together with their sequence numbers; so each Child gets a successor by
 * a rekey at the new addresses, which the initiator asks for at once, and the old one stays
 * until then (child_moved()).
 */

#include <string.h>

#include "exchange/exchange.h"

#define FOLLOW_MS	300	/* R: a peer that does not rekey its Children by then */
#define REFUSED_MAX	3
#define WIDEN_TRIES	3	/* sent so often without an answer: try every way */
#define COOKIE2_MIN	8
#define COOKIE2_MAX	64

/* ---- addresses */

/* 1: of a private network; they lead nowhere from outside of it. */
static int
is_private(const struct addr *a)
{
	if (a->fam == ADDR_V6)
		return ((a->b[0] & 0xfe) == 0xfc);
	return (a->b[0] == 10 || (a->b[0] == 172 && (a->b[1] & 0xf0) == 16) ||
	    (a->b[0] == 192 && a->b[1] == 168) ||
	    (a->b[0] == 100 && (a->b[1] & 0xc0) == 64));
}

/* Of one host, and good for more than one link. */
static int
is_usable(const struct addr *a)
{
	static const struct addr	loop6 = { ADDR_V6, { [15] = 1 } };

	if (addr_is_any(a))
		return (0);
	if (a->fam == ADDR_V6)
		return (a->b[0] != 0xff && addr_cmp(a, &loop6) != 0 &&
		    (a->b[0] != 0xfe || (a->b[1] & 0xc0) != 0x80));
	return (a->b[0] != 127 && a->b[0] != 0 && a->b[0] < 224 &&
	    (a->b[0] != 169 || a->b[1] != 254));
}

static int
is_ours(const struct world *w, const struct addr *a)
{
	uint32_t	i;

	for (i = 0; i < w->naddrs; i++)
		if (addr_cmp(&w->addrs[i], a) == 0)
			return (1);
	return (0);
}

/* A host of one of the nets behind us: not an address of the way. */
static int
is_inside(const struct world *w, uint32_t peer, const struct addr *a)
{
	const struct tslist	*from;
	uint32_t		 t, n = 0;
	uint8_t			 i;

	for (t = w->peers[peer].tunnels; t != 0 && n++ < 64;
	    t = w->tunnels[t - 1].next_of_peer) {
		from = &tunnel_conf(w, t - 1)->from;
		for (i = 0; i < from->n; i++)
			if (from->t[i].start.fam == a->fam &&
			    addr_cmp(&from->t[i].start, a) <= 0 &&
			    addr_cmp(a, &from->t[i].end) <= 0)
				return (1);
	}
	return (0);
}

/* Our addresses besides the one in use; none where `local' says which. */
static uint8_t
others(const struct world *w, const struct ike_core *c, struct addr out[MOBIKE_ADDRS])
{
	const struct addr	*a;
	uint32_t		 i;
	uint8_t			 n = 0;

	if (c->peer == NO_INDEX || !addr_is_any(&peer_conf(w, c->peer)->local))
		return (0);
	for (i = 0; i < w->naddrs && n < MOBIKE_ADDRS; i++) {
		a = &w->addrs[i];
		if (addr_cmp(a, &c->local.addr) != 0 && is_usable(a) &&
		    is_private(a) == is_private(&c->local.addr) &&
		    !is_inside(w, c->peer, a))
			out[n++] = *a;
	}
	return (n);
}

static uint32_t
digest(const struct addr *a, uint8_t n, const struct addr *used)
{
	uint32_t	h = 2166136261U;
	size_t		j;
	uint8_t		i;

	for (i = 0; i <= n; i++)
		for (j = 0; j < sizeof(a->b); j++)
			h = (h ^ (i < n ? a[i].b[j] : used->b[j])) * 16777619U;
	return (h);
}

static void
put_addrs(const struct addr *a, uint8_t n, struct wire_enc *e)
{
	uint8_t	i;

	for (i = 0; i < n; i++)
		wire_put_notify(e, PROTO_NONE, 0, 0, a[i].fam == ADDR_V4 ?
		    N_ADDITIONAL_IP4_ADDRESS : N_ADDITIONAL_IP6_ADDRESS, a[i].b,
		    addr_len(&a[i]));
}

/* ---- IKE_AUTH */

/* In transport mode the selectors are the very addresses: such a Child cannot move (1.2). */
static int
may_move(const struct world *w, uint32_t peer)
{
	uint32_t	t;

	if (!w->conf->mobike || peer == NO_INDEX)
		return (0);
	for (t = w->peers[peer].tunnels; t != 0; t = w->tunnels[t - 1].next_of_peer)
		if (tunnel_conf(w, t - 1)->transport)
			return (0);
	return (1);
}

void
mobike_offer(struct world *w, const struct ike_core *c, struct wire_enc *e)
{
	struct addr	a[MOBIKE_ADDRS];

	if (!may_move(w, c->peer))
		return;
	wire_put_notify(e, PROTO_NONE, 0, 0, N_MOBIKE_SUPPORTED, NULL, 0);
	put_addrs(a, others(w, c, a), e);
}

/* The peer's other addresses, all of them (3.6). 1: it told which. */
static int
take_addrs(struct mobike *mob, const struct wire_msg *m)
{
	const struct wire_notify	*n;
	struct addr			 a;
	uint8_t				 i, told = 0, k = 0;

	for (i = 0; i < m->nnotify; i++) {
		n = &m->notify[i];
		if (n->type == N_NO_ADDITIONAL_ADDRESSES)
			told = 1;
		if (n->type != N_ADDITIONAL_IP4_ADDRESS &&
		    n->type != N_ADDITIONAL_IP6_ADDRESS)
			continue;
		told = 1;
		if (k < MOBIKE_ADDRS &&
		    n->data.len == (n->type == N_ADDITIONAL_IP4_ADDRESS ? 4 : 16) &&
		    addr_from_bytes(&a, n->data.p, n->data.len) == 0 && is_usable(&a))
			mob->addr[k++] = a;
	}
	if (told)
		mob->naddrs = k;
	return (told);
}

void
mobike_agree(struct world *w, struct ike_sa *ike, const struct wire_msg *m)
{
	struct addr	a[MOBIKE_ADDRS];

	if (!may_move(w, ike->c.peer) || wire_notify(m, N_MOBIKE_SUPPORTED) == NULL)
		return;
	ike->mob.on = 1;
	ike->mob.leads = ike->c.initiator;
	(void)take_addrs(&ike->mob, m);
	ike->mob.told = digest(a, others(w, &ike->c, a), &ike->c.local.addr);
}

int
mobike_no_nat(const struct rx *rx)
{
	const struct wire_notify	*n = wire_notify(rx->m, N_NO_NATS_ALLOWED);
	size_t				 len = addr_len(&rx->remote.addr);
	struct rbuf			 r;
	const uint8_t			*src, *dst;

	if (n == NULL)
		return (1);
	rbuf_init(&r, n->data.p, n->data.len);
	src = rbuf_bytes(&r, len);
	dst = rbuf_bytes(&r, len);
	return (n->data.len == 2 * len + 4 && src != NULL && dst != NULL &&
	    rbuf_u16(&r) == rx->remote.port && rbuf_u16(&r) == rx->local.port &&
	    memcmp(src, rx->remote.addr.b, len) == 0 &&
	    memcmp(dst, rx->local.addr.b, len) == 0);
}

/* ---- both */

void
mobike_nudge(struct world *w, struct ike_sa *ike)
{
	struct outreq	*r = &ike->req;
	monotime	 t = mono_add_ms(w->now, GIVEUP_REQ / 2);

	if (r->msg == NULL)
		return;
	if (mono_before(r->giveup, t))
		r->giveup = t;
	if (ike->check_by.us != 0)
		ike->check_by = mono_add_ms(w->now, CHECK_MS);
	r->tries = 1;
	r->interval_ms = RETRY_FIRST;
	timer_set(&w->timers, &r->timer, mono_add_ms(w->now, 1));
}

void
mobike_widen(struct world *w, struct ike_sa *ike)
{
	const struct mobike	*mob = &ike->mob;
	const struct outreq	*r = &ike->req;
	struct endpoint		 from = ike->c.local, to = ike->c.remote;
	uint8_t			 i;

	if (!mob->on)
		return;
	if (!ike->mob.leads && mob->also.port != 0)
		message_send_to(w, &from, &mob->also, r->msg, r->len);
	if (!ike->mob.leads || r->tries < WIDEN_TRIES)
		return;
	if (addr_is_any(&peer_conf(w, ike->c.peer)->local))
		memset(&from.addr, 0, sizeof(from.addr));
	for (i = 0; i < mob->naddrs; i++) {
		to.addr = mob->addr[i];
		if (addr_cmp(&to.addr, &ike->c.remote.addr) != 0 &&
		    (addr_is_any(&from.addr) || from.addr.fam == to.addr.fam))
			message_send_to(w, &from, &to, r->msg, r->len);
	}
}

/* Who is behind a NAT has changed: so have encapsulation and keepalives. */
static void
encapsulate(struct world *w, struct ike_sa *ike, int natt)
{
	struct ike_core	*c = &ike->c;

	c->encap = (c->natt_local || c->natt_remote || c->natt_forced) && natt;
	if (!c->natt_local)
		timer_cancel(&w->timers, &ike->natt);
	else if (ike->natt.pos == 0)
		timer_set(&w->timers, &ike->natt, mono_add_ms(w->now, 1000));
}

static void
children_follow(struct world *w, struct ike_sa *ike, int64_t ms)
{
	struct child_sa	*c;
	said		 id;

	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		child_moved(w, c, ike, ms);
}

static void
put_cookie(struct world *w, struct ike_sa *ike, struct wire_enc *e)
{
	world_random(w, ike->mob.cookie, COOKIE2_LEN);
	wire_put_notify(e, PROTO_NONE, 0, 0, N_COOKIE2, ike->mob.cookie, COOKIE2_LEN);
}

/* "If the values do not match, the IKE_SA MUST be closed" (3.7). */
static int
cookie_wrong(struct world *w, struct ike_sa *ike, const struct wire_msg *m)
{
	const struct wire_notify	*n = wire_notify(m, N_COOKIE2);
	char				 a[ENDPOINT_STRLEN];

	if (n != NULL && n->data.len == COOKIE2_LEN &&
	    memcmp(n->data.p, ike->mob.cookie, COOKIE2_LEN) == 0)
		return (0);
	log_event(w->log, WHY_MOVE_UNPROVEN,
	    "tunnel \"%s\": the peer has not given COOKIE2 back from %s: the "
	    "IKE SA is deleted", peer_name(w, ike->c.peer),
	    endpoint_str(&ike->c.remote, a));
	ike->want_delete = 1;
	return (1);
}

static int
send_inform(struct world *w, struct ike_sa *ike, struct wire_enc *e, struct wbuf *b,
    enum task task)
{
	if (wire_end(e) == -1)
		return (-1);
	return (ike_request(w, ike, X_INFORMATIONAL, task, e->first, b->p, b->len));
}

/* ---- initiator */

void
mobike_move(struct world *w, struct ike_sa *ike, const struct endpoint *local,
    const struct endpoint *remote)
{
	struct mobike	*mob = &ike->mob;
	char		 a[4][ENDPOINT_STRLEN];

	if (endpoint_cmp(&ike->c.local, local) == 0 &&
	    endpoint_cmp(&ike->c.remote, remote) == 0)
		return;
	log_event(w->log, WHY_MOVED, "tunnel \"%s\": moving from %s <-> %s to %s <-> %s",
	    peer_name(w, ike->c.peer), endpoint_str(&ike->c.local, a[0]),
	    endpoint_str(&ike->c.remote, a[1]), endpoint_str(local, a[2]),
	    endpoint_str(remote, a[3]));
	if (!mob->want_update && ike->task != TASK_UPDATE) {
		mob->was_local = ike->c.local;
		mob->was_remote = ike->c.remote;
	}
	ike->c.local = *local;
	ike->c.remote = *remote;
	mob->astray = 0;
	mob->ntries = 0;
	mob->want_update = 1;
	if (ike->task == TASK_UPDATE)
		mob->again = 1;
	mobike_nudge(w, ike);
	touch_ike(w, ike);
}

/* Only to an address that the peer has named: anybody may have sent its answer on. */
void
mobike_path(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct endpoint	to = rx->remote;
	uint8_t		i;

	if (!ike->mob.leads || ike->state != IKE_UP ||
	    addr_cmp(&rx->remote.addr, &ike->c.remote.addr) == 0)
		return;
	for (i = 0; i < ike->mob.naddrs; i++)
		if (addr_cmp(&ike->mob.addr[i], &rx->remote.addr) == 0)
			break;
	if (i == ike->mob.naddrs)
		return;
	/* back again, it is to be known */
	ike->mob.addr[i] = ike->c.remote.addr;
	mobike_move(w, ike, &rx->local, &to);
}

int
mobike_update_start(struct world *w, struct ike_sa *ike)
{
	struct mobike	*mob = &ike->mob;
	struct addr	 a[MOBIKE_ADDRS];
	uint8_t		 inner[512], n = others(w, &ike->c, a);
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	wire_put_notify(&e, PROTO_NONE, 0, 0, N_UPDATE_SA_ADDRESSES, NULL, 0);
	natd_put(w, &e, &ike->c, &ike->c.local, &ike->c.remote, ike->c.natt_forced);
	put_cookie(w, ike, &e);
	if (n > 0)
		put_addrs(a, n, &e);
	else
		wire_put_notify(&e, PROTO_NONE, 0, 0, N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
	if (send_inform(w, ike, &e, &b, TASK_UPDATE) == -1)
		return (-1);
	mob->want_update = mob->want_tell = mob->again = 0;
	mob->told = digest(a, n, &ike->c.local.addr);
	return (0);
}

/* It does not want us there: back to where we were, if that can still be. */
static void
update_refused(struct world *w, struct ike_sa *ike, uint16_t type)
{
	struct mobike	*mob = &ike->mob;
	char		 a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];

	log_event(w->log, WHY_MOVE_REFUSED,
	    "tunnel \"%s\": the peer says %s: it does not let us move to %s <-> "
	    "%s; on its side allow MOBIKE and write \"peer any\"",
	    peer_name(w, ike->c.peer), wire_notify_name(type),
	    endpoint_str(&ike->c.local, a), endpoint_str(&ike->c.remote, b));
	/* somebody may have changed one packet on its way (3.9) */
	if (type == N_UNEXPECTED_NAT_DETECTED && ++mob->ntries < REFUSED_MAX)
		mob->want_update = 1;
	else if (is_ours(w, &mob->was_local.addr)) {
		mob->refused = ike->c.local.addr;
		ike->c.local = mob->was_local;
		ike->c.remote = mob->was_remote;
	} else
		ike->want_delete = 1;
}

static void
update_response(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_notify	*e = wire_error(rx->m);
	struct mobike			*mob = &ike->mob;
	const uint8_t			*seen = natd_dest(rx->m);

	if (mob->again) {
		mob->want_update = 1;
		return;
	}
	if (e != NULL) {
		update_refused(w, ike, e->type);
		return;
	}
	if (cookie_wrong(w, ike, rx->m))
		return;
	mob->ntries = 0;
	(void)natd_read(w, &ike->c, rx, ike->c.natt_forced);
	encapsulate(w, ike, rx->natt);
	if ((mob->has_seen = seen != NULL))
		memcpy(mob->seen, seen, sizeof(mob->seen));
	mob->seen_at = w->now;
	children_follow(w, ike, 0);
}

/* The peer sees us elsewhere than at the last update: our NAT has changed its mind (3.8). */
static void
check_seen(struct world *w, struct ike_sa *ike, const struct wire_msg *m)
{
	struct mobike	*mob = &ike->mob;
	const uint8_t	*seen = natd_dest(m);

	if (!ike->mob.leads || seen == NULL || ike->state != IKE_UP ||
	    mob->want_update || ike->task == TASK_UPDATE || !ike->c.natt_local)
		return;
	mob->seen_at = w->now;
	if (mob->has_seen && memcmp(seen, mob->seen, sizeof(mob->seen)) == 0)
		return;
	if (mob->has_seen)
		log_event(w->log, WHY_NAT_MOVED,
		    "tunnel \"%s\": our NAT has given us another address or "
		    "port", peer_name(w, ike->c.peer));
	mob->was_local = ike->c.local;
	mob->was_remote = ike->c.remote;
	mob->want_update = 1;
	touch_ike(w, ike);
}

/* ---- responder */

static int
acceptable(struct world *w, const struct ike_sa *ike, const struct rx *rx)
{
	const struct conf_peer	*p = peer_conf(w, ike->c.peer);

	return ((addr_is_any(&p->local) || addr_cmp(&p->local, &rx->local.addr) == 0) &&
	    is_usable(&rx->remote.addr) && !is_ours(w, &rx->remote.addr));
}

/* -1: not acceptable */
static int
update_request(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct mobike	*mob = &ike->mob;
	char		 a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	int		 moved = endpoint_cmp(&ike->c.remote, &rx->remote) != 0;

	if (!acceptable(w, ike, rx)) {
		log_event(w->log, WHY_MOVE_REFUSED,
		    "tunnel \"%s\": UNACCEPTABLE_ADDRESSES: the peer wants to "
		    "move to %s <-> %s; \"local\" of the tunnel is another address, or "
		    "the peer's new one cannot be a peer's", peer_name(w, ike->c.peer),
		    endpoint_str(&rx->local, a), endpoint_str(&rx->remote, b));
		return (-1);
	}
	if (moved)
		log_event(w->log, WHY_MOVED,
		    "tunnel \"%s\": the peer moved from %s to %s",
		    peer_name(w, ike->c.peer), endpoint_str(&ike->c.remote, a),
		    endpoint_str(&rx->remote, b));
	ike->c.local = rx->local;
	ike->c.remote = rx->remote;
	memset(&mob->also, 0, sizeof(mob->also));
	mob->astray = 0;
	(void)natd_read(w, &ike->c, rx, ike->c.natt_forced);
	encapsulate(w, ike, rx->natt);
	if (moved) {
		mob->want_verify = mob->unverified = 1;
		mob->again = ike->task == TASK_VERIFY;
		mobike_nudge(w, ike);
	} else if (!mob->unverified)
		children_follow(w, ike, FOLLOW_MS);
	return (0);
}

int
mobike_verify_start(struct world *w, struct ike_sa *ike)
{
	uint8_t		 inner[64];
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	put_cookie(w, ike, &e);
	if (send_inform(w, ike, &e, &b, TASK_VERIFY) == -1)
		return (-1);
	ike->mob.want_verify = ike->mob.again = 0;
	return (0);
}

static void
verify_response(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct child_sa	*c;
	said		 id;

	/* sent to two addresses it does not tell which of them it reached (3.7) */
	if (ike->mob.again) {
		ike->mob.want_verify = 1;
		return;
	}
	if (cookie_wrong(w, ike, rx->m))
		return;
	ike->mob.unverified = 0;
	for (id = ike->children; (c = child_get(w, id)) != NULL; id = c->next[L_IKE])
		if (c->state == CHILD_UP)
			child_out_now(w, c);
	children_follow(w, ike, FOLLOW_MS);
}

void
mobike_moved_us(struct world *w, struct ike_sa *ike, const struct addr *a)
{
	char	from[ADDR_STRLEN], to[ADDR_STRLEN];

	log_event(w->log, WHY_MOVED,
	    "tunnel \"%s\": our address is %s now, no longer %s: the peer is "
	    "asked to come there", peer_name(w, ike->c.peer), addr_str(a, to),
	    addr_str(&ike->c.local.addr, from));
	ike->c.local.addr = *a;
	ike->mob.astray = 0;
	ike->mob.want_tell = 1;
	mobike_nudge(w, ike);
	touch_ike(w, ike);
}

/* ---- either side's list of addresses (3.6) */

void
mobike_tell(struct world *w, struct ike_sa *ike)
{
	struct addr	a[MOBIKE_ADDRS];

	if (digest(a, others(w, &ike->c, a), &ike->c.local.addr) == ike->mob.told)
		return;
	ike->mob.want_tell = 1;
	touch_ike(w, ike);
}

int
mobike_tell_start(struct world *w, struct ike_sa *ike)
{
	struct addr	 a[MOBIKE_ADDRS];
	uint8_t		 inner[256], n = others(w, &ike->c, a);
	struct wire_enc	 e;
	struct wbuf	 b;

	wbuf_init(&b, inner, sizeof(inner));
	wire_inner_begin(&e, &b);
	if (n > 0)
		put_addrs(a, n, &e);
	else
		wire_put_notify(&e, PROTO_NONE, 0, 0, N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
	if (send_inform(w, ike, &e, &b, TASK_TELL) == -1)
		return (-1);
	ike->mob.want_tell = 0;
	ike->mob.told = digest(a, n, &ike->c.local.addr);
	return (0);
}

/* The responder's list: is the address that we use still one of its? */
static void
addrs_request(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	struct mobike	*mob = &ike->mob;
	uint8_t		 i;

	if (!take_addrs(mob, rx->m) || !ike->mob.leads || ike->state != IKE_UP ||
	    addr_cmp(&rx->remote.addr, &ike->c.remote.addr) == 0)
		return;
	for (i = 0; i < mob->naddrs; i++)
		if (addr_cmp(&mob->addr[i], &ike->c.remote.addr) == 0)
			return;
	mobike_move(w, ike, &rx->local, &rx->remote);
}

/* ---- INFORMATIONAL */

static int
told_addrs(const struct wire_msg *m)
{
	return (wire_notify(m, N_UPDATE_SA_ADDRESSES) != NULL ||
	    wire_notify(m, N_ADDITIONAL_IP4_ADDRESS) != NULL ||
	    wire_notify(m, N_ADDITIONAL_IP6_ADDRESS) != NULL ||
	    wire_notify(m, N_NO_ADDITIONAL_ADDRESSES) != NULL);
}

void
mobike_request(struct world *w, struct ike_sa *ike, const struct rx *rx)
{
	const struct wire_msg		*m = rx->m;
	const struct wire_notify	*n;
	struct wire_enc			*e = &ike->pend->enc;
	uint16_t			 err = 0;

	if (!ike->mob.on)
		return;
	if (told_addrs(m) && !mobike_no_nat(rx))
		err = N_UNEXPECTED_NAT_DETECTED;
	else if (wire_notify(m, N_UPDATE_SA_ADDRESSES) != NULL && !ike->mob.leads &&
	    ike->state == IKE_UP && update_request(w, ike, rx) == -1)
		err = N_UNACCEPTABLE_ADDRESSES;
	if (err != 0)
		wire_put_notify(e, PROTO_NONE, 0, 0, err, NULL, 0);
	else {
		addrs_request(w, ike, rx);
		check_seen(w, ike, m);
		if (natd_dest(m) != NULL)
			natd_put(w, e, &ike->c, &rx->local, &rx->remote,
			    ike->c.natt_forced);
	}
	n = wire_notify(m, N_COOKIE2);
	if (n != NULL && n->data.len >= COOKIE2_MIN && n->data.len <= COOKIE2_MAX)
		wire_put_notify(e, PROTO_NONE, 0, 0, N_COOKIE2, n->data.p, n->data.len);
}

void
mobike_response(struct world *w, struct ike_sa *ike, const struct rx *rx, enum task task)
{
	if (!ike->mob.on || ike->state != IKE_UP)
		return;
	if (task == TASK_UPDATE)
		update_response(w, ike, rx);
	else if (task == TASK_VERIFY)
		verify_response(w, ike, rx);
	else
		check_seen(w, ike, rx->m);
}
