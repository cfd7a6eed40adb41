/* SPDX-License-Identifier: ISC */
/*
 * The configuration's messages.  An even first octet: items, each with its length
 * in two octets.  An odd one: a good configuration whose octets are changed, four
 * octets of input a change (item, offset, value), so that what lies behind the first
 * checks is reached.  What is taken must be whole: it packs, prints and parses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MSGMAX	16384
#define NITEMS	7

static const char text[] =
    "ikev2 \"boise\" active from { 10.1.0.0/24, 2001:db8:1::/64 } to "
    "{ 10.2.0.0/24, 2001:db8:2::/64 } local 192.0.2.1 peer 198.51.100.1 "
    "natt fulltranscript srcid a@example.com dstid keyid:0x0001 keepalive target 10.2.0.7, "
    "2001:db8:2::7 quorum 2 fib 7 ttl 3 pace always norecover backup \"road\" preempt 5 "
    "onup /bin/up ondown /bin/down ontest /bin/test "
    "psk \"twenty characters at least\" childsa enc aes-256-gcm group "
    "curve25519 group none\n"
    "ikev2 \"road\" single proto { tcp, icmp } from 10.1.0.0/24 port 80 to { 10.4.0.0/16, "
    "10.5.0.0/16 port 2048 } peer any "
    "psk \"twenty characters at least\"\n"
    "ikev2 \"named\" active inet from 10.1.0.0/24 to 10.6.0.0/24 local gw "
    "peer vpn.boise.example psk \"twenty characters at least\"\n";

struct item {
	uint8_t	 b[MSGMAX];
	size_t	 len;
};

static struct item	 items[NITEMS];

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
pack(const struct conf *c)
{
	struct wbuf	 w;
	unsigned int	 i;

	for (i = 0; i < NITEMS; i++) {
		wbuf_init(&w, items[i].b, MSGMAX);
		if (i == 0)
			conf_put_globals(&w, c);
		else if (i <= c->npeers)
			conf_put_peer(&w, &c->peers[i - 1], CONF_WITH_SECRETS);
		else
			conf_put_tunnel(&w, &c->tunnels[i - 1 - c->npeers]);
		must(wbuf_ok(&w));
		items[i].len = w.len;
	}
}

static void
prepare(void)
{
	static struct conf_errors errs;
	struct conf	*c;

	c = conf_parse("t", text, strlen(text), NULL, 0, &errs);
	must(c != NULL && c->npeers == 3 && c->ntunnels == 3);
	pack(c);
	conf_free(c);
}

/* Whatever was taken can be used. */
static void
use(struct conf *c)
{
	static uint8_t	 buf[MSGMAX];
	struct wbuf	 w;
	uint32_t	 i;
	char		*s;

	for (i = 0; i < c->npeers; i++) {
		wbuf_init(&w, buf, sizeof(buf));
		conf_put_peer(&w, &c->peers[i], CONF_WITH_SECRETS);
		must(wbuf_ok(&w));
	}
	for (i = 0; i < c->ntunnels; i++) {
		must(c->tunnels[i].peer < c->npeers);
		must(conf_tunnel_equal(c, &c->tunnels[i], c, &c->tunnels[i]));
		wbuf_init(&w, buf, sizeof(buf));
		conf_put_tunnel(&w, &c->tunnels[i]);
		must(wbuf_ok(&w));
	}
	if (conf_complete(c) == 0)
		for (i = 0; i < c->ntunnels; i++)
			must(conf_tunnel_byname(c, c->tunnels[i].name) ==
			    (int32_t)i);
	must((s = conf_print(c, 1)) != NULL);
	free(s);
}

static void
changed(const uint8_t *p, size_t len)
{
	struct conf	*c;
	struct rbuf	 r;
	unsigned int	 i, npeers;
	size_t		 off;

	prepare();
	for (; len >= 4; p += 4, len -= 4) {
		off = (size_t)p[1] << 8 | p[2];
		i = p[0] % NITEMS;
		items[i].b[off % items[i].len] = p[3];
	}
	rbuf_init(&r, items[0].b, items[0].len);
	if ((c = conf_get_globals(&r)) == NULL)
		return;
	npeers = c->want_peers;
	for (i = 1; i < NITEMS; i++) {
		rbuf_init(&r, items[i].b, items[i].len);
		if (i <= npeers)
			(void)conf_get_peer(&r, c);
		else
			(void)conf_get_tunnel(&r, c);
	}
	use(c);
	conf_free(c);
}

static void
raw(const uint8_t *p, size_t len)
{
	struct conf	*c = NULL;
	struct rbuf	 all, r;

	rbuf_init(&all, p, len);
	while (rbuf_left(&all) >= 2) {
		r = rbuf_sub(&all, rbuf_u16(&all));
		if (!rbuf_ok(&all))
			break;
		if (c == NULL && (c = conf_get_globals(&r)) == NULL)
			return;
		if (c->npeers < c->want_peers)
			(void)conf_get_peer(&r, c);
		else
			(void)conf_get_tunnel(&r, c);
	}
	if (c != NULL)
		use(c);
	conf_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return (0);
	if (data[0] & 1)
		changed(data + 1, len - 1);
	else
		raw(data + 1, len - 1);
	return (0);
}
