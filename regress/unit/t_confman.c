/* SPDX-License-Identifier: ISC */
/*
 * What is written about iked.conf is true: the examples and the sample parse
 * without a warning, the offices mirror each other, the RouterOS script says what
 * its counterpart says, and the manual page has every keyword and its examples
 * parse.
 */
#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "unit/slurp.h"

#define TOP	REGRESS_DATA "/../.."
#define MANPAGE	TOP "/share/man/iked.conf.5"

static struct conf_errors errs;

static struct conf *
load(const char *path)
{
	struct conf	*c;
	char		*s = slurp(path);

	c = conf_parse(path, s, strlen(s), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s:%u:%u: %s", path, errs.e[0].line,
	    errs.e[0].col, errs.e[0].text);
	ATF_CHECK_EQ_MSG(errs.n, 0, "%s:%u: %s", path, errs.e[0].line,
	    errs.e[0].text);
	free(s);
	return (c);
}

static void
expect_mirror(const struct conf *a, const struct conf *b)
{
	const struct conf_tunnel *s = &a->tunnels[0], *t = &b->tunnels[0];
	struct conf_peer	 p, q;

	ATF_REQUIRE_EQ(a->ntunnels, 1);
	ATF_REQUIRE_EQ(b->ntunnels, 1);
	ATF_CHECK(tslist_equal(&s->from, &t->to));
	ATF_CHECK(tslist_equal(&s->to, &t->from));
	ATF_CHECK_EQ(s->lifetime, t->lifetime);
	ATF_CHECK(s->mode != MODE_PASSIVE || t->mode != MODE_PASSIVE);
	p = a->peers[0];
	q = b->peers[0];
	ATF_CHECK(p.local.fam != ADDR_NONE && p.remote.fam != ADDR_NONE);
	q.local = b->peers[0].remote;
	q.remote = b->peers[0].local;
	q.srcid = b->peers[0].dstid;
	q.dstid = b->peers[0].srcid;
	/* Endpoints, identities, secret, ikesa. */
	ATF_CHECK(conf_peer_equal(&p, &q));
}

ATF_TC_WITHOUT_HEAD(examples);
ATF_TC_BODY(examples, tc)
{
	struct conf	*a, *b;

	a = load(TOP "/share/examples/seattle.conf");
	b = load(TOP "/share/examples/boise.conf");
	expect_mirror(a, b);
	conf_free(a);
	conf_free(b);
	a = load(TOP "/etc/iked.conf");
	ATF_CHECK_EQ(a->ntunnels, 0);
	conf_free(a);
}

/* The sample is all comment: what stands there must parse, too. */
ATF_TC_WITHOUT_HEAD(sample);
ATF_TC_BODY(sample, tc)
{
	char		*s = slurp(TOP "/etc/iked.conf"), *out, *line, *p, *o;
	struct conf	*c;

	ATF_REQUIRE((out = o = malloc(strlen(s) + 1)) != NULL);
	for (p = s; (line = strsep(&p, "\n")) != NULL; )
		if (line[0] == '#' && line[1] != ' ' && line[1] != '\0' &&
		    (line[1] != '\t' || line[strlen(line) - 1] == '\\' ||
		    strstr(line, "psk") != NULL))
			o += sprintf(o, "%s\n", line + 1);
	*o = '\0';
	c = conf_parse("sample", out, strlen(out), NULL, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%u: %s\n%s", errs.e[0].line,
	    errs.e[0].text, out);
	ATF_CHECK_EQ(c->ntunnels, 1);
	ATF_CHECK_EQ(c->tunnels[0].mode, MODE_ACTIVE);
	ATF_CHECK_EQ(c->passive, 1);
	conf_free(c);
	free(out);
	free(s);
}

static void
says(const char *rsc, const char *what)
{
	ATF_CHECK_MSG(strstr(rsc, what) != NULL, "boise.rsc lacks: %s", what);
}

ATF_TC_WITHOUT_HEAD(routeros);
ATF_TC_BODY(routeros, tc)
{
	struct conf		*c;
	const struct conf_tunnel *t;
	const struct conf_peer	*p;
	char			*rsc = slurp(TOP "/share/examples/boise.rsc");
	char			 want[256], a[PREFIX_STRLEN], b[PREFIX_STRLEN];
	const char		*nat, *at;

	c = load(TOP "/share/examples/seattle-routeros.conf");
	t = &c->tunnels[0];
	p = &c->peers[0];
	snprintf(want, sizeof(want), "src-address=%s dst-address=%s",
	    prefix_str(&t->tonet[0], a), prefix_str(&t->fromnet[0], b));
	says(rsc, want);
	snprintf(want, sizeof(want), "address=%s/32 local-address=%s",
	    addr_str(&p->local, a), addr_str(&p->remote, b));
	says(rsc, want);
	snprintf(want, sizeof(want), "secret=\"%.*s\"", p->psklen,
	    (const char *)p->psk);
	says(rsc, want);
	says(rsc, "exchange-mode=ike2");
	says(rsc, "hash-algorithm=sha256");
	says(rsc, "dh-group=modp2048");
	says(rsc, "enc-algorithm=aes-256,aes-128");
	says(rsc, "enc-algorithms=aes-256-cbc,aes-128-cbc");
	says(rsc, "auth-algorithms=sha256 pfs-group=modp2048 lifetime=1h");
	says(rsc, "tunnel=yes");
	says(rsc, "level=unique");
	says(rsc, "fasttrack");
	/* The bypass stands above masquerade. */
	ATF_REQUIRE((nat = strstr(rsc, "/ip/firewall/nat\n")) != NULL);
	ATF_REQUIRE((at = strstr(nat, "chain=srcnat action=accept")) != NULL);
	ATF_CHECK(strstr(at, "place-before=") != NULL);
	/* One proposal each: CBC, SHA2-256, modp2048, and PFS. */
	ATF_CHECK_EQ(p->ike->n, 1);
	ATF_CHECK_EQ(t->esp->n, 1);
	ATF_CHECK_EQ(p->ike->p[0].nxforms, 5);
	ATF_CHECK_EQ(t->esp->p[0].nxforms, 5);
	ATF_CHECK_EQ(t->esp->p[0].xf[3].type, XF_KE);
	ATF_CHECK_EQ(t->esp->p[0].xf[3].id, KE_MODP2048);
	ATF_CHECK_EQ(t->lifetime, 3600);
	conf_free(c);
	free(rsc);
}

/* Does the word stand in the page, not as a part of another? */
static int
page_has(const char *page, const char *word)
{
	static const char	 in[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	const char		*p;
	size_t			 n = strlen(word);

	for (p = page; (p = strstr(p, word)) != NULL; p += n)
		if ((p == page || strchr(in, p[-1]) == NULL) &&
		    (p[n] == '\0' || strchr(in, p[n]) == NULL))
			return (1);
	return (0);
}

ATF_TC_WITHOUT_HEAD(keywords);
ATF_TC_BODY(keywords, tc)
{
	const struct xform_info	*xi;
	char			*page = slurp(MANPAGE);
	const char		*w;
	size_t			 i;

	for (i = 0; (w = conf_keyword(i)) != NULL; i++)
		ATF_CHECK_MSG(page_has(page, w), "iked.conf(5) lacks %s", w);
	ATF_CHECK(i > 70);
	for (i = 0; (xi = xform_row(i)) != NULL; i++)
		if (xi->id != ENCR_NULL || xi->type != XF_ENCR)
			ATF_CHECK_MSG(page_has(page, xi->name),
			    "iked.conf(5) lacks %s", xi->name);
	ATF_CHECK(!page_has(page, "not_there"));
	free(page);
}

static int
read_secret(void *arg, const char *path, uint8_t **data, size_t *len)
{
	(void)arg;
	if ((*data = (uint8_t *)strdup("twenty characters at least")) == NULL)
		return (-1);
	*len = 26;
	return (strstr(path, ".key") != NULL ? 0 : (free(*data), -1));
}

/* Each display of the page, as a reader would copy it. */
ATF_TC_WITHOUT_HEAD(manual_examples);
ATF_TC_BODY(manual_examples, tc)
{
	static const char	 begin[] = ".Bd -literal -offset indent\n";
	struct conf_io		 io = { read_secret, NULL };
	struct conf		*c;
	char			*page = slurp(MANPAGE), *p, *end, *e;
	unsigned int		 n = 0, tunnels = 0;

	for (p = page; (p = strstr(p, begin)) != NULL; p = end + 1, n++) {
		p += strlen(begin);
		ATF_REQUIRE((end = strstr(p, ".Ed\n")) != NULL);
		*end = '\0';
		/* \e is mdoc's backslash. */
		while ((e = strstr(p, "\\e")) != NULL)
			memmove(e + 1, e + 2, strlen(e + 2) + 1);
		c = conf_parse("iked.conf.5", p, strlen(p), &io, 0, &errs);
		ATF_CHECK_MSG(c != NULL, "%u: %s\n%s", errs.e[0].line,
		    errs.e[0].text, p);
		if (c != NULL)
			tunnels += c->ntunnels;
		conf_free(c);
	}
	ATF_CHECK_EQ(n, 8);
	ATF_CHECK_EQ(tunnels, 9);
	free(page);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, examples);
	ATF_TP_ADD_TC(tp, sample);
	ATF_TP_ADD_TC(tp, routeros);
	ATF_TP_ADD_TC(tp, keywords);
	ATF_TP_ADD_TC(tp, manual_examples);
	return (atf_no_error());
}
