/* SPDX-License-Identifier: ISC */
/* The configuration as messages: whole, cut, bent, and refused. */
#include <atf-c.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define MSGMAX	16384

static const char text[] =
    "set passive\n"
    "set dpd_check_interval 17\nset nofragmentation\nset nomobike\n"
    "ikev2 \"boise\" active from { 10.1.0.0/24, 2001:db8:1::/64 } to "
    "{ 10.2.0.0/24, 2001:db8:2::/64 } local 192.0.2.1 peer 198.51.100.1 "
    "natt fulltranscript srcid a@example.com dstid keyid:0x0001 keepalive target 10.2.0.7, "
    "2001:db8:2::7 quorum 2 fib 7 ttl 3 pace always norecover backup \"two\" preempt 5 "
    "onup /bin/up ondown /bin/down ontest /bin/test "
    "interval 250ms psk \"twenty characters at least\" lifetime 1h bytes 0 "
    "ikelifetime 2h childsa enc aes-256-gcm group curve25519 group none\n"
    "ikev2 \"two\" ondemand from 10.1.0.0/24 to 10.3.0.0/24 "
    "local 192.0.2.1 peer 203.0.113.1 psk 0x00ff00ff00ff00ff00ff00ff00ff00ff "
    "keepalive probe http 80 /\n"
    "ikev2 \"road\" from 10.1.0.0/24 to 10.4.0.0/16 peer any "
    "psk \"twenty characters at least\" keepalive probe dns www.example.net\n";

struct item {
	uint8_t	 b[MSGMAX];
	size_t	 len;
};

static const uint8_t	 key[CONF_MARKLEN] = { 7, 1, 2 };

static struct conf *
source(void)
{
	static struct conf_errors errs;
	struct conf	*c;

	c = conf_parse("t", text, strlen(text), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s", errs.e[0].text);
	return (c);
}

/* Items: globals, 3 peers, 3 tunnels. */
static void
pack(const struct conf *c, int flags, struct item it[7])
{
	struct wbuf	 w;
	unsigned int	 i;

	for (i = 0; i < 7; i++) {
		wbuf_init(&w, it[i].b, MSGMAX);
		if (i == 0)
			conf_put_globals(&w, c);
		else if (i < 4)
			conf_put_peer(&w, &c->peers[i - 1], flags);
		else
			conf_put_tunnel(&w, &c->tunnels[i - 4]);
		ATF_REQUIRE(wbuf_ok(&w));
		it[i].len = w.len;
	}
}

/* NULL at the first item that is refused. */
static struct conf *
unpack(const struct item it[7], int *done)
{
	struct conf	*c;
	struct rbuf	 r;
	unsigned int	 i;
	int		 e = 0;

	*done = 0;
	rbuf_init(&r, it[0].b, it[0].len);
	if ((c = conf_get_globals(&r)) == NULL)
		return (NULL);
	for (i = 1; i < 7 && e == 0; i++) {
		*done = (int)i;
		rbuf_init(&r, it[i].b, it[i].len);
		e = i < 4 ? conf_get_peer(&r, c) : conf_get_tunnel(&r, c);
	}
	if (e == 0) {
		*done = 7;
		e = conf_complete(c);
	}
	if (e != 0) {
		conf_free(c);
		return (NULL);
	}
	return (c);
}

static struct item	 items[7], again[7];

ATF_TC_WITHOUT_HEAD(round_trip);
ATF_TC_BODY(round_trip, tc)
{
	struct conf	*c = source(), *d;
	char		*a, *b;
	unsigned int	 i;
	int		 done;

	c->gen = 7;
	ATF_REQUIRE_EQ(conf_psk_serials(c, NULL, key), 0);
	pack(c, CONF_WITH_SECRETS, items);
	ATF_REQUIRE((d = unpack(items, &done)) != NULL);
	ATF_CHECK_EQ(d->gen, 7);
	ATF_CHECK_EQ(d->passive, 1);
	ATF_CHECK_EQ(d->dpd_interval, 17);
	ATF_CHECK_EQ(d->fragmentation, 0);
	ATF_CHECK_EQ(d->mobike, 0);
	for (i = 0; i < 3; i++) {
		ATF_CHECK(conf_peer_equal(&c->peers[i], &d->peers[i]));
		ATF_CHECK(conf_tunnel_equal(c, &c->tunnels[i], d,
		    &d->tunnels[i]));
		ATF_CHECK(conf_keepalive_equal(c->tunnels[i].keepalive,
		    d->tunnels[i].keepalive));
		ATF_CHECK_EQ(c->tunnels[i].line, d->tunnels[i].line);
		ATF_CHECK_STREQ(d->tunnels[i].file, "t");
	}
	ATF_CHECK_EQ(conf_tunnel_byname(d, "two"), 1);
	a = conf_print(c, 1);
	b = conf_print(d, 1);
	ATF_REQUIRE(a != NULL && b != NULL);
	ATF_CHECK_STREQ(a, b);
	free(a);
	free(b);
	conf_free(d);

	/* Without secrets none goes over, and it is known that there is one. */
	pack(c, 0, items);
	for (i = 0; i < 7; i++)
		ATF_CHECK(memmem(items[i].b, items[i].len, "twenty char",
		    11) == NULL);
	ATF_REQUIRE((d = unpack(items, &done)) != NULL);
	for (i = 0; i < 3; i++) {
		ATF_CHECK_EQ(d->peers[i].psklen, 0);
		ATF_CHECK_EQ(d->peers[i].psk_serial, 7);
		ATF_CHECK_EQ(d->peers[i].has_psk, 1);
	}
	conf_free(d);
	conf_free(c);
}

/* A secret's serial tells that it changed to whom must not have it. */
ATF_TC_WITHOUT_HEAD(serials);
ATF_TC_BODY(serials, tc)
{
	struct conf	*old = source(), *c = source();
	int		 i;

	old->gen = 3;
	ATF_REQUIRE_EQ(conf_psk_serials(old, NULL, key), 0);
	for (i = 0; i < 3; i++)
		ATF_CHECK_EQ(old->peers[i].psk_serial, 3);
	conf_keep_marks(old);
	for (i = 0; i < 3; i++)
		ATF_CHECK(old->peers[i].psk == NULL && old->peers[i].psklen == 0);
	c->gen = 4;
	c->peers[1].psk[0] ^= 1;
	c->peers[2].dstid = c->peers[0].dstid;	/* another peer */
	ATF_REQUIRE_EQ(conf_psk_serials(c, old, key), 0);
	ATF_CHECK_EQ(c->peers[0].psk_serial, 3);
	ATF_CHECK_EQ(c->peers[1].psk_serial, 4);
	ATF_CHECK_EQ(c->peers[2].psk_serial, 4);
	conf_free(old);
	old = source();
	old->gen = 5;
	ATF_REQUIRE_EQ(conf_psk_serials(old, c, key), 0);
	ATF_CHECK_EQ(old->peers[0].psk_serial, 3);
	ATF_CHECK_EQ(old->peers[1].psk_serial, 5);
	ATF_CHECK(conf_peer_equal(&old->peers[0], &c->peers[0]));
	old->peers[0].psk_serial = 9;
	ATF_CHECK(!conf_peer_equal(&old->peers[0], &c->peers[0]));
	conf_free(old);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(cut);
ATF_TC_BODY(cut, tc)
{
	struct conf	*c = source();
	unsigned int	 i;
	size_t		 len, n;
	int		 done;

	pack(c, CONF_WITH_SECRETS, items);
	for (i = 0; i < 7; i++) {
		len = items[i].len;
		for (n = 0; n < len; n++) {
			items[i].len = n;
			ATF_CHECK(unpack(items, &done) == NULL);
			ATF_CHECK_EQ(done, (int)i);
		}
		items[i].len = len;
	}
	/* Items that are too few or too many. */
	ATF_CHECK_EQ(conf_complete(c), -1);
	conf_free(c);
}

/* Every octet in turn takes several values; what is taken packs to the same. */
ATF_TC_WITHOUT_HEAD(bent);
ATF_TC_BODY(bent, tc)
{
	static const uint8_t	 flips[] = { 0x01, 0x02, 0x04, 0x80, 0xff };
	struct conf		*c = source(), *d;
	unsigned int		 i, k, taken = 0, refused = 0;
	size_t			 n;
	int			 done;

	pack(c, CONF_WITH_SECRETS, items);
	for (i = 0; i < 7; i++)
		for (n = 0; n < items[i].len; n++)
			for (k = 0; k < sizeof(flips); k++) {
				items[i].b[n] ^= flips[k];
				d = unpack(items, &done);
				if (d == NULL)
					refused++;
				else {
					taken++;
					pack(d, CONF_WITH_SECRETS, again);
					/* A shorter text may leave octets
					 * over: those are the caller's. */
					ATF_CHECK(again[i].len <= items[i].len);
					ATF_CHECK_EQ(memcmp(again[i].b,
					    items[i].b, again[i].len), 0);
				}
				conf_free(d);
				items[i].b[n] ^= flips[k];
			}
	ATF_CHECK_MSG(taken > 100 && refused > 1000, "%u taken, %u refused",
	    taken, refused);
	conf_free(c);
}

/* What no parser makes is refused: each change to the value, at its item. */
static void
refuse(const char *what, int item, void (*change)(struct conf *))
{
	struct conf	*c = source(), *d;
	int		 done;

	change(c);
	pack(c, CONF_WITH_SECRETS, items);
	d = unpack(items, &done);
	ATF_CHECK_MSG(d == NULL, "%s", what);
	ATF_CHECK_EQ_MSG(done, item, "%s: at %d", what, done);
	conf_free(d);
	conf_free(c);
}

static void ch_passive(struct conf *c) { c->passive = 2; }
static void ch_frag(struct conf *c) { c->fragmentation = 2; }
static void ch_dpd(struct conf *c) { c->dpd_interval = 86401; }
static void ch_mobike(struct conf *c) { c->mobike = 2; }
static void ch_full(struct conf *c) { c->peers[0].full = 2; }
static void ch_natt(struct conf *c) { c->peers[0].natt = 2; }
static void ch_life(struct conf *c) { c->peers[0].ikelifetime = 9; }
static void ch_nopsk(struct conf *c) { c->peers[0].has_psk = 0; }
static void ch_uses(struct conf *c) { c->peers[0].ntunnels = 2; }
static void ch_self(struct conf *c) { c->peers[0].remote = c->peers[0].local; }
static void ch_mcast(struct conf *c) { c->peers[0].remote.b[0] = 224; }
static void ch_dn(struct conf *c) { c->peers[0].srcid.type = ID_DER_ASN1_DN; }
static struct proposals *
mine(struct conf *c, const struct proposals **ps)
{
	struct proposals	*copy;

	/* in the configuration's care, and shared with nobody */
	ATF_REQUIRE(c->nprops < c->cap_props);
	ATF_REQUIRE((copy = malloc(sizeof(*copy))) != NULL);
	*copy = **ps;
	c->props[c->nprops++] = copy;
	*ps = copy;
	return (copy);
}

static void ch_noprop(struct conf *c) { mine(c, &c->peers[0].ike)->n = 0; }
static void
ch_null(struct conf *c)
{
	struct xform	*x = &mine(c, &c->peers[0].ike)->p[0].xf[0];

	x->id = ENCR_NULL;
	x->keybits = 0;
}
static void
ch_noke(struct conf *c)
{
	struct proposal	*p = &mine(c, &c->peers[0].ike)->p[0];

	while (p->xf[p->nxforms - 1].type == XF_KE)
		p->nxforms--;
}
static void
ch_mixed(struct conf *c)
{
	struct proposal	*p = &mine(c, &c->tunnels[0].esp)->p[0];

	p->xf[p->nxforms].type = XF_ENCR;
	p->xf[p->nxforms].id = ENCR_AES_CBC;
	p->xf[p->nxforms++].keybits = 128;
}
static void
ch_twice(struct conf *c)
{
	struct proposal	*p = &mine(c, &c->tunnels[0].esp)->p[0];

	p->xf[p->nxforms] = p->xf[0];
	p->nxforms++;
}
static void ch_name(struct conf *c) { c->tunnels[0].name[1] = '"'; }
static void ch_dup(struct conf *c) { strcpy(c->tunnels[0].name, "two"); }
static void ch_peer(struct conf *c) { c->tunnels[0].peer = 3; }
static void ch_transport(struct conf *c) { c->tunnels[0].transport = 1; }
static void ch_single(struct conf *c) { c->tunnels[0].single = 2; }
static void
ch_port(struct conf *c)
{
	c->tunnels[0].from.t[0].sport = c->tunnels[0].from.t[0].eport = 80;
}
static void
ch_gre(struct conf *c)
{
	ch_port(c);
	c->tunnels[0].from.t[0].proto = 47;
}
/* one side only, or one network only */
static void ch_proto(struct conf *c) { c->tunnels[0].from.t[0].proto = 6; }
static void ch_mode(struct conf *c) { c->tunnels[2].mode = MODE_ACTIVE; }
static void ch_host(struct conf *c) { c->tunnels[0].fromnet[0].addr.b[3] = 1; }
static void ch_len(struct conf *c) { c->tunnels[0].fromnet[0].len = 33; }
static void ch_fam(struct conf *c) { c->tunnels[0].to.n = 1; }
static void
ch_target(struct conf *c)
{
	c->tunnels[0].keepalive->target[0].b[1] = 9;
}
static void
ch_interval(struct conf *c)
{
	c->tunnels[0].keepalive->interval_ms = 0;
}
static void
ch_timeout(struct conf *c)
{
	c->tunnels[0].keepalive->timeout_ms = 20 * 250 + 1;
}
static void ch_quorum(struct conf *c) { c->tunnels[0].keepalive->quorum = 3; }
static void
ch_same(struct conf *c)
{
	struct conf_keepalive	*ka = c->tunnels[0].keepalive;

	ka->target[1] = ka->target[0];
}
static void ch_fall(struct conf *c) { c->tunnels[0].keepalive->fall = 0; }
static void ch_pace(struct conf *c) { c->tunnels[0].keepalive->pace = 3; }
static void ch_route(struct conf *c) { c->tunnels[0].keepalive->route = KA_VRF; }
static void ch_fib(struct conf *c) { c->tunnels[0].keepalive->number = 65536; }
static void ch_nodf(struct conf *c) { c->tunnels[0].keepalive->nodf = 2; }
static void ch_gateway(struct conf *c) { c->tunnels[0].keepalive->gateway = 1; }
static void ch_size(struct conf *c) { c->tunnels[0].keepalive->size = 63; }
static void
ch_onup(struct conf *c)
{
	c->tunnels[0].keepalive->str[KA_ONUP][4] = '\n';
}
static void
ch_backup(struct conf *c)
{
	c->tunnels[0].keepalive->str[KA_BACKUP][0] = 'x';
}
static void
ch_self_backup(struct conf *c)
{
	ATF_REQUIRE_EQ(conf_keepalive_str(c->tunnels[0].keepalive, KA_BACKUP, "boise"),
	    0);
}
static void ch_kind(struct conf *c) { c->tunnels[1].keepalive->kind = KA_DNS; }
static void
ch_path(struct conf *c)
{
	c->tunnels[1].keepalive->str[KA_ARG][0] = 'x';
}
static void ch_status(struct conf *c) { c->tunnels[1].keepalive->statushi = 600; }
static void ch_conn(struct conf *c) { c->tunnels[1].keepalive->interval_ms = 999; }
static void ch_connpmtu(struct conf *c) { c->tunnels[1].keepalive->pmtu = 1; }
static void ch_noport(struct conf *c) { c->tunnels[1].keepalive->port = 0; }
static void ch_qtype(struct conf *c) { c->tunnels[2].keepalive->qtype = 5; }
static void
ch_dnsname(struct conf *c)
{
	c->tunnels[2].keepalive->str[KA_ARG][0] = '.';
}
static void ch_file(struct conf *c) { c->tunnels[0].file[0] = '\n'; }

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	static const struct {
		const char	*what;
		int		 item;
		void		(*change)(struct conf *);
	} rows[] = {
		{ "passive 2", 0, ch_passive }, { "dpd", 0, ch_dpd },
		{ "fragmentation 2", 0, ch_frag },
		{ "mobike 2", 0, ch_mobike },
		{ "natt 2", 1, ch_natt }, { "full 2", 1, ch_full },
		{ "ikelifetime 9", 1, ch_life },
		{ "no psk", 1, ch_nopsk }, { "local is remote", 1, ch_self },
		{ "multicast", 1, ch_mcast }, { "DN", 1, ch_dn },
		{ "no proposal", 1, ch_noprop }, { "IKE null", 1, ch_null },
		{ "no group", 1, ch_noke }, { "AEAD mixed", 4, ch_mixed },
		{ "transform twice", 4, ch_twice }, { "name", 4, ch_name },
		{ "peer index", 4, ch_peer }, { "transport", 4, ch_transport },
		{ "single 2", 4, ch_single }, { "port of all", 4, ch_port },
		{ "port of gre", 4, ch_gre }, { "one protocol", 4, ch_proto },
		{ "active any", 6, ch_mode }, { "host bits", 4, ch_host },
		{ "prefix length", 4, ch_len }, { "families", 4, ch_fam },
		{ "target", 4, ch_target }, { "interval", 4, ch_interval },
		{ "file name", 4, ch_file },
		{ "timeout", 4, ch_timeout }, { "quorum", 4, ch_quorum },
		{ "target twice", 4, ch_same }, { "fall", 4, ch_fall },
		{ "pace", 4, ch_pace }, { "vrf", 4, ch_route }, { "fib", 4, ch_fib },
		{ "nodf 2", 4, ch_nodf }, { "gateway", 4, ch_gateway },
		{ "size", 4, ch_size }, { "onup", 4, ch_onup },
		{ "no backup", 7, ch_backup }, { "own backup", 7, ch_self_backup },
		{ "dns of http", 5, ch_kind }, { "path", 5, ch_path },
		{ "status", 5, ch_status }, { "fast tcp", 5, ch_conn },
		{ "pmtu by http", 5, ch_connpmtu }, { "no port", 5, ch_noport },
		{ "query type", 6, ch_qtype }, { "query name", 6, ch_dnsname },
		{ "uses of a peer", 7, ch_uses }, { "same name", 7, ch_dup },
	};
	size_t	 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuse(rows[i].what, rows[i].item, rows[i].change);
}

/* The largest peer and tunnel fit into a message. */
ATF_TC_WITHOUT_HEAD(largest);
ATF_TC_BODY(largest, tc)
{
	struct conf		*c = source();
	struct proposals	*ps;
	struct wbuf		 w;
	uint8_t			*secret;
	unsigned int		 i, k, which;

	for (which = 0; which < 2; which++) {
		ps = mine(c, which == 0 ? &c->peers[0].ike : &c->tunnels[0].esp);
		ps->n = PROPS_MAX;
		for (i = 0; i < PROPS_MAX; i++)
			for (k = 0; k < PROP_MAXXFORMS; k++)
				ps->p[i].nxforms = PROP_MAXXFORMS;
	}
	ATF_REQUIRE((secret = calloc(1, CONF_PSKMAX)) != NULL);
	free(c->peers[0].psk);
	c->peers[0].psk = secret;
	c->peers[0].psklen = CONF_PSKMAX;
	c->peers[0].srcid.len = c->peers[0].dstid.len = ID_MAXLEN;
	wbuf_init(&w, items[0].b, MSGMAX);
	conf_put_peer(&w, &c->peers[0], CONF_WITH_SECRETS);
	ATF_CHECK(wbuf_ok(&w));
	c->tunnels[0].from.n = c->tunnels[0].to.n = TS_MAX;
	for (i = 0; i < TS_MAX; i++)
		c->tunnels[0].fromnet[i].addr.fam =
		    c->tunnels[0].tonet[i].addr.fam = ADDR_V6;
	wbuf_init(&w, items[0].b, MSGMAX);
	conf_put_tunnel(&w, &c->tunnels[0]);
	ATF_CHECK(wbuf_ok(&w));
	conf_free(c);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, round_trip);
	ATF_TP_ADD_TC(tp, serials);
	ATF_TP_ADD_TC(tp, cut);
	ATF_TP_ADD_TC(tp, bent);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, largest);
	return (atf_no_error());
}
