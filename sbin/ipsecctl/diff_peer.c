/* SPDX-License-Identifier: ISC */
/* Two peers: endpoints, identities, secret, and how they speak. */

#include <string.h>

#include "diff.h"
#include "side_secret.h"

int
diff_address(const struct addr *local, const struct side_peer *other)
{
	if (other->remotenet.addr.fam != ADDR_NONE && local->fam != ADDR_NONE &&
	    other->remote.fam == ADDR_NONE)
		return (prefix_contains(&other->remotenet, local) ? 1 : 0);
	if (local->fam == ADDR_NONE || other->remote.fam == ADDR_NONE)
		return (1);
	return (addr_cmp(local, &other->remote) == 0 ? 2 : 0);
}

static void
id_of_addr(struct ident *id, const struct addr *a)
{
	memset(id, 0, sizeof(*id));
	id->type = a->fam == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
	id->len = (uint8_t)addr_len(a);
	memcpy(id->data, a->b, id->len);
}

/* 0: unknown */
static int
said_id(const struct side_peer *p, struct ident *id)
{
	if (p->my.type != ID_NONE)
		*id = p->my;
	else if (!p->my_unknown && p->local.fam != ADDR_NONE)
		id_of_addr(id, &p->local);
	else
		return (0);
	return (1);
}

/* 0: anyone, or unknown */
static int
wanted_id(const struct side_peer *p, struct ident *id)
{
	if (p->his.type != ID_NONE)
		*id = p->his;
	else if (!p->his_any && p->remote.fam != ADDR_NONE)
		id_of_addr(id, &p->remote);
	else
		return (0);
	return (1);
}

int
diff_identity(const struct side_peer *says, const struct side_peer *expects)
{
	struct ident s, w;

	if (!wanted_id(expects, &w))
		return (1);
	if (!said_id(says, &s))
		/* whatever it is, it is an address */
		return (says->my_unknown || w.type == ID_IPV4_ADDR ||
		    w.type == ID_IPV6_ADDR ? 1 : 0);
	return (ident_equal(&s, &w) ? 2 : 0);
}

static void
endpoint(struct diff *d, const struct side_peer *l, const struct side_peer *r)
{
	char s[PREFIX_STRLEN], t[PREFIX_STRLEN], pl[PLACE_LEN], pr[PLACE_LEN];

	if (diff_address(&l->local, r) == 0)
		diff_say(d, "endpoints differ: %s is at %s, %s expects it at %s: make "
		    "them equal", diff_place(&l->at_local, pl), addr_str(&l->local, s),
		    diff_place(&r->at_remote, pr), r->remote.fam != ADDR_NONE ?
		    addr_str(&r->remote, t) : prefix_str(&r->remotenet, t));
	else if (r->remotename[0] != '\0' && r->remote.fam == ADDR_NONE)
		diff_note(d, "%s: \"%s\" is not looked up: endpoints are not "
		    "compared", diff_place(&r->at_remote, pr), r->remotename);
}

/* Two files of one gateway, say before and after a change. */
static int
same_side(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	char pa[PLACE_LEN], pb[PLACE_LEN];

	if (a->local.fam == ADDR_NONE || a->remote.fam == ADDR_NONE ||
	    addr_cmp(&a->local, &b->local) != 0 || addr_cmp(&a->remote, &b->remote) != 0)
		return (0);
	diff_say(d, "%s and %s are the same side of the tunnel: compare with the file of "
	    "the other gateway", diff_place(&a->at, pa), diff_place(&b->at, pb));
	return (1);
}

static void
identity(struct diff *d, const struct side_peer *says, const struct side_peer *expects)
{
	struct ident id;
	char s[ID_STRLEN], t[ID_STRLEN], ps[PLACE_LEN], pe[PLACE_LEN];

	if (says->my_unknown && says->my.type == ID_NONE && wanted_id(expects, &id))
		diff_note(d, "%s: who this side says it is, is not known here; %s "
		    "expects %.200s", diff_place(&says->at_my, ps),
		    diff_place(&expects->at_his, pe), ident_str(&id, t));
	if (diff_identity(says, expects) != 0)
		return;
	/* both are just the address, which is said to differ */
	if (says->my.type == ID_NONE && expects->his.type == ID_NONE)
		return;
	if (said_id(says, &id))
		(void)ident_str(&id, s);
	else
		(void)strlcpy(s, "its address", sizeof(s));
	(void)wanted_id(expects, &id);
	diff_say(d, "identities differ: %s says it is %.200s, %s expects %.200s: type and "
	    "value must be the same", diff_place(&says->at_my, ps), s,
	    diff_place(&expects->at_his, pe), ident_str(&id, t));
}

/* One of them is still a placeholder of mirror's. */
static void
placeholder(struct diff *d, const struct side_peer *p, const struct side_peer *q)
{
	char pp[PLACE_LEN], pq[PLACE_LEN];
	int fits;

	(void)diff_place(&p->at_secret, pp);
	(void)diff_place(&q->at_secret, pq);
	if (q->secret_state != SECRET_KNOWN) {
		diff_note(d, "%s: the secret is still to be put in: not compared", pp);
		return;
	}
	fits = secret_matches((const char *)p->secret, p->secretlen, q->secret,
	    q->secretlen);
	if (fits == 1)
		diff_note(d, "%s: the secret is still to be put in; the fingerprint is "
		    "that of %s", pp, pq);
	else if (fits == 0)
		diff_say(d, "secrets differ: the fingerprint at %s is not that of the "
		    "secret at %s: run mirror again, or take the same secret", pp, pq);
	else
		diff_say(d, "%s: the fingerprint is damaged: put the secret of %s "
		    "there", pp, pq);
}

static void
secrets(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	const struct side_peer *none;
	const struct side *s;
	char pa[PLACE_LEN], pb[PLACE_LEN];

	if (strcmp(a->auth, "psk") != 0 || strcmp(b->auth, "psk") != 0) {
		if (strcmp(a->auth, b->auth) != 0)
			diff_say(d, "authentication differs: %s has %s, %s has %s",
			    diff_place(&a->at_secret, pa), a->auth,
			    diff_place(&b->at_secret, pb), b->auth);
		return;
	}
	if (a->secret_state == SECRET_ABSENT || b->secret_state == SECRET_ABSENT) {
		none = a->secret_state == SECRET_ABSENT ? a : b;
		s = none == a ? d->a : d->b;
		diff_note(d, "%s has no secret%s: not compared",
		    diff_place(&none->at, pa), s->form == FORM_ROUTEROS ?
		    " (RouterOS 7 prints it with /export show-sensitive)" : "");
		return;
	}
	if (a->secret_state == SECRET_PLACE || b->secret_state == SECRET_PLACE) {
		if (a->secret_state == SECRET_PLACE)
			placeholder(d, a, b);
		else
			placeholder(d, b, a);
		return;
	}
	if (siphash24(d->key, a->secret, a->secretlen) != siphash24(d->key, b->secret,
	    b->secretlen))
		diff_say(d, "secrets differ: %s and %s: write the same one at both",
		    diff_place(&a->at_secret, pa), diff_place(&b->at_secret, pb));
}

/* IKEv1 and IKEv2 do not speak with each other. */
static void
version(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	const struct side_peer *one = a->version == 1 ? a : b;
	const struct side *s = one == a ? d->a : d->b;
	char pa[PLACE_LEN], pb[PLACE_LEN];

	if (a->version == 1 && b->version == 1) {
		diff_note(d, "%s and %s both speak IKEv1%s; iked speaks IKEv2 only",
		    diff_place(&a->at_version, pa), diff_place(&b->at_version, pb),
		    d->a->form == FORM_ROUTEROS ? " (exchange-mode=main, RouterOS's "
		    "default)" : "");
		return;
	}
	if (a->version != 1 && b->version != 1)
		return;
	if (a->version == 0 || b->version == 0) {
		diff_note(d, "%s speaks IKEv1%s; %s takes that, but calls with IKEv2",
		    diff_place(&one->at_version, pa), s->form == FORM_ROUTEROS ?
		    " (exchange-mode=main, RouterOS's default)" : "",
		    diff_place(one == a ? &b->at_version : &a->at_version, pb));
		return;
	}
	diff_say(d, "%s speaks IKEv1%s, %s IKEv2: write %s",
	    diff_place(&one->at_version, pa), s->form == FORM_ROUTEROS ?
	    " (exchange-mode=main, RouterOS's default)" : "",
	    diff_place(one == a ? &b->at_version : &a->at_version, pb),
	    s->form == FORM_ROUTEROS ? "exchange-mode=ike2" : "version = 2");
}

static void
natt(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	const struct side_peer *off = a->natt == NATT_OFF ? a : b;
	const struct side_peer *on = off == a ? b : a;
	char po[PLACE_LEN], pn[PLACE_LEN];

	if ((a->natt != NATT_OFF && b->natt != NATT_OFF) ||
	    (off->version == 1) != (on->version == 1))
		return;
	(void)diff_place(&off->at_natt, po);
	(void)diff_place(&on->at_natt, pn);
	if (off->version == 2)
		diff_note(d, "%s: nat-traversal=no counts in IKEv1 only: with "
		    "exchange-mode=ike2 NAT is always looked for", po);
	else if (on->natt == NATT_FORCED)
		diff_say(d, "NAT-T: %s has nat-traversal=no, %s forces UDP "
		    "encapsulation: write nat-traversal=yes", po, pn);
	else if (on->natt != NATT_OFF)
		diff_say(d, "NAT-T: %s has nat-traversal=no, %s not: behind a NAT it "
		    "does not work; write nat-traversal=yes", po, pn);
}

static void
ike_lifetimes(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	char pa[PLACE_LEN], pb[PLACE_LEN], ta[TIME_LEN], tb[TIME_LEN];
	uint32_t x = a->ikelife, y = b->ikelife;

	if (x == 0 || y == 0 || (x <= y + y / 4 && y <= x + x / 4))
		return;
	diff_note(d, "lifetimes of the IKE SA: %s at %s, %s at %s: not negotiated; "
	    "the shorter one renews it", diff_time(x, ta), diff_place(&a->at_life, pa),
	    diff_time(y, tb), diff_place(&b->at_life, pb));
}

static void
who_calls(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	char pa[PLACE_LEN], pb[PLACE_LEN];

	if (a->passive && b->passive)
		diff_say(d, "both wait for the other side to start: %s and %s: make one "
		    "of them active", diff_place(&a->at, pa), diff_place(&b->at, pb));
}

static void
transcript(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	const struct side_peer *p = a->full ? a : b;
	char at[PLACE_LEN];

	if ((a->full || b->full) && (d->a->form != FORM_IKED ||
	    d->b->form != FORM_IKED))
		diff_say(d, "%s: fulltranscript refuses every other IKE: remove it",
		    diff_place(&p->at, at));
}

void
diff_peers(struct diff *d, const struct side_peer *a, const struct side_peer *b)
{
	if (!same_side(d, a, b)) {
		endpoint(d, a, b);
		endpoint(d, b, a);
	}
	version(d, a, b);
	identity(d, a, b);
	identity(d, b, a);
	secrets(d, a, b);
	diff_ike(d, a, b);
	natt(d, a, b);
	transcript(d, a, b);
	who_calls(d, a, b);
	ike_lifetimes(d, a, b);
}
