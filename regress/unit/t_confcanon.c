/* SPDX-License-Identifier: ISC */
/*
 * iked -nvv: the canonical text of a configuration loads to the same configuration, field
 * by field, and prints as itself.  Of all that is in regress/data/conf, the examples
 * and the manual page.  A field of conf.h that is not compared here is a mistake.
 */
#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "unit/slurp.h"

#define DATA	REGRESS_DATA "/conf"
#define TOP	REGRESS_DATA "/../.."

static struct conf_errors errs;

/* Files that are there, and keys, which examples name and nobody has. */
static int
read_file(void *arg, const char *path, uint8_t **data, size_t *len)
{
	char	 full[512];

	snprintf(full, sizeof(full), "%s/%s", (const char *)arg, path);
	if (wholefile_read(full, NULL, data, len) == 0)
		return (0);
	if (strstr(path, ".key") != NULL)
		*data = (uint8_t *)strdup("twenty characters at least\n");
	else if (strcmp(path, "part.inc") == 0)
		*data = (uint8_t *)strdup("set active\n");
	if (*data == NULL)
		return (-1);
	*len = strlen((char *)*data);
	return (0);
}
static char		 dir[] = DATA;
static const struct conf_io io = { read_file, dir };

#define SAME(f)	ATF_CHECK_EQ_MSG(a->f, b->f, "%s: " #f, of)

static void
same_props(const struct proposals *a, const struct proposals *b, const char *of)
{
	unsigned int	 i, k;

	SAME(n);
	for (i = 0; i < a->n && i < b->n; i++) {
		SAME(p[i].num);
		SAME(p[i].proto);
		SAME(p[i].spilen);
		SAME(p[i].nxforms);
		for (k = 0; k < a->p[i].nxforms; k++) {
			SAME(p[i].xf[k].type);
			SAME(p[i].xf[k].id);
			SAME(p[i].xf[k].keybits);
			SAME(p[i].xf[k].bad);
		}
	}
}

static void
same_text(const char *a, const char *b, const char *of)
{
	ATF_CHECK_MSG((a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0), "%s: text",
	    of);
}

static void
same_peer(const struct conf_peer *a, const struct conf_peer *b, const char *of)
{
	ATF_CHECK_MSG(addr_cmp(&a->local, &b->local) == 0, "%s: local", of);
	ATF_CHECK_MSG(addr_cmp(&a->remote, &b->remote) == 0, "%s: remote", of);
	ATF_CHECK_MSG(ident_equal(&a->srcid, &b->srcid), "%s: srcid", of);
	ATF_CHECK_MSG(ident_equal(&a->dstid, &b->dstid), "%s: dstid", of);
	same_props(a->ike, b->ike, of);
	SAME(ikelifetime);
	SAME(psklen);
	ATF_CHECK_MSG(a->psklen == b->psklen && a->psklen > 0 &&
	    memcmp(a->psk, b->psk, a->psklen) == 0, "%s: psk", of);
	SAME(has_psk);
	SAME(psk_serial);
	SAME(psk_mark);
	SAME(has_old);
	SAME(oldlen);
	ATF_CHECK_MSG(a->oldlen == 0 ||
	    (a->oldlen == b->oldlen && memcmp(a->old, b->old, a->oldlen) == 0), "%s: old", of);
	SAME(old_until);
	SAME(old_mark);
	SAME(natt);
	SAME(full);
	SAME(ntunnels);
	SAME(fam);
	same_text(a->localname, b->localname, of);
	same_text(a->remotename, b->remotename, of);
	same_text(a->absent, b->absent, of);
}

static void
same_cp(const struct cp_list *a, const struct cp_list *b, const char *of)
{
	uint8_t	 i;

	SAME(n);
	for (i = 0; i < a->n && i < b->n; i++) {
		SAME(a[i].type);
		SAME(a[i].empty);
		ATF_CHECK_MSG(prefix_cmp(&a->a[i].v, &b->a[i].v) == 0, "%s: cp", of);
	}
}

static void
same_nets(const struct tslist *a, const struct tslist *b, const struct prefix *an,
    const struct prefix *bn, const char *of)
{
	unsigned int	 i;

	SAME(n);
	ATF_CHECK_MSG(tslist_equal(a, b), "%s: selectors", of);
	for (i = 0; i < a->n && i < b->n; i++)
		ATF_CHECK_MSG(prefix_cmp(&an[i], &bn[i]) == 0, "%s: networks", of);
}

static void
same_tunnel(const struct conf_tunnel *a, const struct conf_tunnel *b)
{
	const char	*of = a->name;

	ATF_CHECK_STREQ(a->name, b->name);
	SAME(peer);
	SAME(mode);
	SAME(transport);
	SAME(single);
	same_nets(&a->from, &b->from, a->fromnet, b->fromnet, of);
	same_nets(&a->to, &b->to, a->tonet, b->tonet, of);
	same_props(a->esp, b->esp, of);
	SAME(lifetime);
	SAME(lifebytes);
	ATF_CHECK_MSG(conf_keepalive_equal(a->keepalive, b->keepalive), "%s: keepalive",
	    of);
	SAME(dyn);
	same_cp(&a->give, &b->give, of);
	same_cp(&a->ask, &b->ask, of);
	ATF_CHECK_STREQ(a->iface, b->iface);
}

static void
same_watch(const struct conf_watch *a, const struct conf_watch *b)
{
	ATF_CHECK_STREQ(a->name, b->name);
	ATF_CHECK_EQ(addr_cmp(&a->source, &b->source), 0);
	ATF_CHECK(conf_keepalive_equal(a->keepalive, b->keepalive));
}

static void
same(const struct conf *a, const struct conf *b, const char *of)
{
	uint32_t	 i;

	SAME(gen);
	ATF_REQUIRE_EQ_MSG(a->npeers, b->npeers, "%s", of);
	ATF_REQUIRE_EQ_MSG(a->ntunnels, b->ntunnels, "%s", of);
	ATF_REQUIRE_EQ_MSG(a->nwatches, b->nwatches, "%s", of);
	SAME(passive);
	SAME(dpd_interval);
	SAME(fragmentation);
	SAME(mobike);
	for (i = 0; i < a->npeers; i++)
		same_peer(&a->peers[i], &b->peers[i], of);
	for (i = 0; i < a->ntunnels; i++)
		same_tunnel(&a->tunnels[i], &b->tunnels[i]);
	for (i = 0; i < a->nwatches; i++)
		same_watch(&a->watches[i], &b->watches[i]);
}

static unsigned int	 texts, tunnels;

static void
round_trip(const char *name, const char *text, size_t len)
{
	struct conf	*c, *d;
	char		*s, *again;

	c = conf_parse(name, text, len, &io, 0, &errs);
	ATF_REQUIRE_MSG(c != NULL, "%s:%u: %s", name, errs.e[0].line, errs.e[0].text);
	ATF_REQUIRE((s = conf_print(c, 1)) != NULL);
	d = conf_parse("canonical", s, strlen(s), NULL, 0, &errs);
	ATF_REQUIRE_MSG(d != NULL, "%s:%u: %s\n%s", name, errs.e[0].line,
	    errs.e[0].text, s);
	same(c, d, name);
	ATF_REQUIRE((again = conf_print(d, 1)) != NULL);
	ATF_CHECK_STREQ_MSG(s, again, "%s", name);
	texts++;
	tunnels += c->ntunnels;
	free(again);
	free(s);
	conf_free(d);
	conf_free(c);
}

static void
each_of(const char *path, const char *end)
{
	char		 full[512], *s;
	struct dirent	*de;
	size_t		 n;
	DIR		*d;

	ATF_REQUIRE_MSG((d = opendir(path)) != NULL, "%s", path);
	while ((de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (n <= strlen(end) || strcmp(de->d_name + n - strlen(end), end) != 0 ||
		    strcmp(de->d_name, "eap.conf") == 0)	/* refused */
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, de->d_name);
		s = slurp(full);
		round_trip(de->d_name, s, strlen(s));
		free(s);
	}
	closedir(d);
}

ATF_TC_WITHOUT_HEAD(files);
ATF_TC_BODY(files, tc)
{
	each_of(DATA, ".ok");
	ATF_CHECK_MSG(texts >= 10, "%u", texts);
	each_of(DATA "/openiked", ".conf");
	ATF_CHECK_MSG(texts >= 16, "%u", texts);
	each_of(TOP "/share/examples", ".conf");
	each_of(TOP "/etc", "iked.conf");
	ATF_CHECK_MSG(texts >= 19, "%u", texts);
	printf("%u texts, %u tunnels\n", texts, tunnels);
}

/* Displays of the page that have a statement. */
ATF_TC_WITHOUT_HEAD(manual);
ATF_TC_BODY(manual, tc)
{
	static const char	 begin[] = ".Bd -literal -offset indent\n";
	char	*page = slurp(TOP "/share/man/iked.conf.5"), *p, *end, *e;

	ATF_REQUIRE(page != NULL);
	for (p = page; (p = strstr(p, begin)) != NULL; p = end + 1) {
		p += strlen(begin);
		ATF_REQUIRE((end = strstr(p, ".Ed\n")) != NULL);
		*end = '\0';
		while ((e = strstr(p, "\\e")) != NULL)
			memmove(e + 1, e + 2, strlen(e + 2) + 1);
		if (strstr(p, "ikev2") != NULL)
			round_trip("iked.conf.5", p, strlen(p));
	}
	ATF_CHECK_MSG(texts >= 6, "%u", texts);
	free(page);
}

/* Rows of the table of words that are taken. */
ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	static const char *const heads[] = { "ikev2 \"t\" from 10.1.0.0/24 to "
	    "10.2.0.0/24 peer 198.51.100.1 psk \"twenty characters at least\"",
	    "ikev2 \"t\" psk \"twenty characters at least\"" };
	char	*s, *p, *line, *verdict, *text, *nl, full[1024];

	s = p = slurp(DATA "/openiked/keywords");
	while ((line = strsep(&p, "\n")) != NULL) {
		if (line[0] == '#' || line[0] == '\0')
			continue;
		(void)strsep(&line, "\t");
		verdict = strsep(&line, "\t");
		text = strsep(&line, "\t");
		if (strcmp(verdict, "refused") == 0)
			continue;
		while ((nl = strstr(text, "\\n")) != NULL ||
		    (nl = strstr(text, "\\t")) != NULL) {
			nl[0] = nl[1] == 'n' ? '\n' : '\t';
			nl[1] = ' ';
		}
		snprintf(full, sizeof(full), "%s%s\n", *text == '@' ? heads[0] :
		    *text == '%' ? heads[1] : "", text + (strchr("@%", *text) != NULL));
		round_trip(full, full, strlen(full));
	}
	ATF_CHECK_MSG(texts > 120, "%u", texts);
	free(s);
}

/* Is the field named in this file: as SAME(f), or as ->f ? */
static int
compared(const char *self, const char *field)
{
	static const char	 name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	char			 want[2][64];
	const char		*p;
	size_t			 i, n;

	snprintf(want[0], sizeof(want[0]), "SAME(%s", field);
	snprintf(want[1], sizeof(want[1]), "a->%s", field);
	for (i = 0; i < 2; i++)
		for (p = self, n = strlen(want[i]); (p = strstr(p, want[i])) != NULL; p += n)
			if (p[n] == '\0' || strchr(name, p[n]) == NULL)
				return (1);
	return (0);
}

/* The last words before each , and ; of a struct's lines. */
static unsigned int
fields_of(char *h, const char *self, const char *begin, const char *but)
{
	char	*p, *end, *line, *item, field[64], find[80];
	unsigned int n = 0;
	size_t	 k;

	ATF_REQUIRE_MSG((p = strstr(h, begin)) != NULL, "%s", begin);
	p += strlen(begin);
	ATF_REQUIRE((end = strstr(p, "\n};")) != NULL);
	*end = '\0';
	while ((line = strsep(&p, "\n")) != NULL) {
		if (strstr(line, "/* private to conf */") != NULL)
			break;
		if (strchr(line, ';') == NULL)
			continue;
		*strchr(line, ';') = '\0';
		while ((item = strsep(&line, ",")) != NULL) {
			item[strcspn(item, "[")] = '\0';
			k = strlen(item);
			while (k > 0 && strchr(" \t*", item[k - 1]) == NULL)
				k--;
			snprintf(field, sizeof(field), "%s", item + k);
			snprintf(find, sizeof(find), " %s ", field);
			if (field[0] == '\0' || strstr(but, find) != NULL)
				continue;
			ATF_CHECK_MSG(compared(self, field), "t_confcanon.c does not "
			    "compare %s of %s", field, begin);
			n++;
		}
	}
	*end = '\n';
	return (n);
}

ATF_TC_WITHOUT_HEAD(fields);
ATF_TC_BODY(fields, tc)
{
	char	*self = slurp(TOP "/regress/unit/t_confcanon.c");
	char	*h = slurp(TOP "/iked/conf/conf.h");

	ATF_REQUIRE(self != NULL && h != NULL);
	ATF_CHECK(fields_of(h, self, "\nstruct conf_peer {", "") >= 14);
	free(h);
	h = slurp(TOP "/iked/conf/conf.h");
	/* where it stood, is not what it says */
	ATF_CHECK(fields_of(h, self, "\nstruct conf_tunnel {", " line file ") >= 16);
	free(h);
	h = slurp(TOP "/iked/conf/conf.h");
	ATF_CHECK(fields_of(h, self, "\nstruct conf_watch {", " line file ") == 3);
	free(h);
	h = slurp(TOP "/iked/conf/conf.h");
	ATF_CHECK(fields_of(h, self, "\nstruct conf {", "") >= 10);
	ATF_CHECK(!compared(self, "nothing_like_this"));
	free(h);
	free(self);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, files);
	ATF_TP_ADD_TC(tp, manual);
	ATF_TP_ADD_TC(tp, words);
	ATF_TP_ADD_TC(tp, fields);
	return (atf_no_error());
}
