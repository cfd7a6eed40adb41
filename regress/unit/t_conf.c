/* SPDX-License-Identifier: ISC */
/*
 * iked.conf: good and bad files (regress/data/conf), what is printed parses back
 * equal, no secret in a message, and thousands of mutants survive.
 */
#include <atf-c.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"

#define DATADIR		REGRESS_DATA "/conf"
#define TEXTMAX		65536

static struct conf_errors errs;

static int
read_file(void *arg, const char *path, uint8_t **data, size_t *len)
{
	char	 full[512];
	FILE	*f;

	snprintf(full, sizeof(full), "%s/%s", (const char *)arg, path);
	if ((f = fopen(full, "r")) == NULL)
		return (-1);
	if ((*data = malloc(TEXTMAX)) == NULL) {
		fclose(f);
		return (-1);
	}
	*len = fread(*data, 1, TEXTMAX, f);
	fclose(f);
	return (0);
}

static char		 datadir[] = DATADIR;
static const struct conf_io io = { read_file, datadir };

/* The errors as the .err files have them: line:col: [warning: ]text */
static void
errors_text(char *dst, size_t cap)
{
	uint32_t	 i;
	size_t		 len = 0;

	dst[0] = '\0';
	for (i = 0; i < errs.n && i < 64 && len < cap; i++)
		len += (size_t)snprintf(dst + len, cap - len,
		    "%u:%u: %s%s\n", errs.e[i].line, errs.e[i].col,
		    errs.warn[i] ? "warning: " : "", errs.e[i].text);
}

static void
expect_errors(const char *name)
{
	char	 path[256], got[32768], want[32768] = "";
	uint8_t	*data;
	size_t	 len;

	snprintf(path, sizeof(path), "%.*s.err",
	    (int)(strchr(name, '.') - name), name);
	if (read_file(datadir, path, &data, &len) == 0) {
		ATF_REQUIRE(len < sizeof(want));
		memcpy(want, data, len);
		want[len] = '\0';
		free(data);
	}
	errors_text(got, sizeof(got));
	ATF_CHECK_STREQ_MSG(want, got, "%s", name);
}

static void
expect_equal(const struct conf *a, const struct conf *b, const char *name)
{
	uint32_t	 i;

	ATF_REQUIRE_EQ_MSG(a->ntunnels, b->ntunnels, "%s", name);
	ATF_CHECK_EQ(a->npeers, b->npeers);
	ATF_CHECK_EQ(a->passive, b->passive);
	ATF_CHECK_EQ(a->dpd_interval, b->dpd_interval);
	ATF_CHECK_EQ(a->fragmentation, b->fragmentation);
	ATF_CHECK_EQ(a->mobike, b->mobike);
	ATF_REQUIRE_EQ_MSG(a->nwatches, b->nwatches, "%s", name);
	for (i = 0; i < a->nwatches; i++)
		ATF_CHECK_MSG(conf_watch_equal(&a->watches[i], &b->watches[i]),
		    "%s: %s", name, a->watches[i].name);
	for (i = 0; i < a->ntunnels; i++)
		ATF_CHECK_MSG(conf_tunnel_equal(a, &a->tunnels[i], b,
		    &b->tunnels[i]) &&
		    conf_keepalive_equal(a->tunnels[i].keepalive,
		    b->tunnels[i].keepalive), "%s: %s", name,
		    a->tunnels[i].name);
}

/* Print, parse, compare, and print again: the canonical text is a fixed point. */
static void
expect_round_trip(const struct conf *c, const char *name)
{
	static struct conf_errors again;
	struct conf	*d;
	char		*s, *s2;

	ATF_REQUIRE((s = conf_print(c, 1)) != NULL);
	d = conf_parse("printed", s, strlen(s), NULL, 0, &again);
	ATF_REQUIRE_MSG(d != NULL, "%s: %u:%u: %s\n%s", name, again.e[0].line,
	    again.e[0].col, again.e[0].text, s);
	expect_equal(c, d, name);
	ATF_REQUIRE((s2 = conf_print(d, 1)) != NULL);
	ATF_CHECK_STREQ(s, s2);
	free(s);
	free(s2);
	conf_free(d);
}

static int
ends(const char *s, const char *with)
{
	size_t	 n = strlen(s), m = strlen(with);

	return (n > m && strcmp(s + n - m, with) == 0);
}

/* Calls f for every file of the directory that ends so; gives their number. */
static unsigned int
each_file(const char *end, void (*f)(const char *name, const char *text,
    size_t len))
{
	struct dirent	*de;
	DIR		*d;
	uint8_t		*data;
	size_t		 len;
	unsigned int	 n = 0;

	ATF_REQUIRE((d = opendir(DATADIR)) != NULL);
	while ((de = readdir(d)) != NULL) {
		if (!ends(de->d_name, end))
			continue;
		ATF_REQUIRE(read_file(datadir, de->d_name, &data, &len) == 0);
		f(de->d_name, (char *)data, len);
		free(data);
		n++;
	}
	closedir(d);
	return (n);
}

static void
good_file(const char *name, const char *text, size_t len)
{
	struct conf	*c;

	c = conf_parse(name, text, len, &io, 0, &errs);
	expect_errors(name);
	ATF_REQUIRE_MSG(c != NULL, "%s", name);
	ATF_CHECK_EQ(errs.n, errs.nwarn);
	expect_round_trip(c, name);
	conf_free(c);
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	ATF_CHECK(each_file(".ok", good_file) >= 4);
}

static void
bad_file(const char *name, const char *text, size_t len)
{
	struct conf	*c;
	uint32_t	 i;

	c = conf_parse(name, text, len, &io, 0, &errs);
	ATF_CHECK_MSG(c == NULL, "%s", name);
	expect_errors(name);
	conf_free(c);
	/* The same places without the secrets. */
	c = conf_parse(name, text, len, &io, CONF_NOSECRETS, &errs);
	conf_free(c);
	for (i = 0; i < errs.n && i < 64; i++)
		ATF_CHECK_STREQ(errs.e[i].file, name);
}

ATF_TC_WITHOUT_HEAD(bad);
ATF_TC_BODY(bad, tc)
{
	ATF_CHECK(each_file(".bad", bad_file) >= 6);
}

ATF_TC_WITHOUT_HEAD(secrets_not_shown);
ATF_TC_BODY(secrets_not_shown, tc)
{
	struct conf	*c;
	uint8_t		*data;
	char		*s;
	size_t		 len;
	uint32_t	 i;

	ATF_REQUIRE(read_file(datadir, "secrets.bad", &data, &len) == 0);
	c = conf_parse("secrets.bad", (char *)data, len, &io, 0, &errs);
	ATF_CHECK(c == NULL);
	ATF_REQUIRE(errs.n > 15 && errs.n < 64);
	for (i = 0; i < errs.n; i++)
		ATF_CHECK_MSG(strstr(errs.e[i].text, "SECRET") == NULL, "%s",
		    errs.e[i].text);
	free(data);

	ATF_REQUIRE(read_file(datadir, "offices.ok", &data, &len) == 0);
	c = conf_parse("offices.ok", (char *)data, len, &io, 0, &errs);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_EQ(c->peers[0].psklen, 32);
	ATF_REQUIRE((s = conf_print(c, 0)) != NULL);
	ATF_CHECK(strstr(s, "a secret") == NULL);
	ATF_CHECK(strstr(s, "# psk \"...\" of \"boise\" is not shown") != NULL);
	free(s);
	conf_free(c);
	c = conf_parse("offices.ok", (char *)data, len, &io, CONF_NOSECRETS,
	    &errs);
	ATF_REQUIRE(c != NULL);
	ATF_CHECK_EQ(c->peers[0].psklen, 0);
	ATF_CHECK(c->peers[0].psk == NULL);
	ATF_CHECK_EQ(c->peers[0].has_psk, 1);
	conf_free(c);
	free(data);
}

/* splitmix64: the same mutants every run */
static uint64_t	 state = 2;

static size_t
below(size_t n)
{
	uint64_t	 z;

	z = (state += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return ((size_t)((z ^ (z >> 31)) % n));
}

static size_t
mutate(char *s, size_t len, size_t cap)
{
	static const char odd[] = "\"'\\\n{}(),=#$\r\t\0 \x80\xff/0";
	const char	*word;
	size_t		 at = below(len), n, words = 0;

	switch (below(6)) {
	case 0:		/* an octet */
		s[at] = odd[below(sizeof(odd))];
		return (len);
	case 1:		/* a cut */
		n = below(len - at < 40 ? len - at : 40);
		memmove(s + at, s + at + n, len - at - n);
		return (len - n);
	case 2:		/* a bit */
		s[at] = (char)(s[at] ^ (1 << below(7)));
		return (len);
	case 3:		/* a piece again */
		n = below(len - at < 80 ? len - at : 80);
		if (len + n > cap)
			return (len);
		memmove(s + at + n, s + at, len - at);
		return (len + n);
	case 4:		/* the end */
		return (at == 0 ? 1 : at);
	default:	/* a keyword where none was */
		while (conf_keyword(words) != NULL)
			words++;
		word = conf_keyword(below(words));
		n = strlen(word);
		if (at + n >= len)
			return (len);
		memcpy(s + at, word, n);
		return (len);
	}
}

static unsigned int	 mutants, accepted;

static void
mutants_of(const char *name, const char *text, size_t len)
{
	struct conf	*c;
	char		*s;
	unsigned int	 i, k;
	size_t		 n;

	ATF_REQUIRE(len > 0 && len < TEXTMAX / 2);
	ATF_REQUIRE((s = malloc(TEXTMAX)) != NULL);
	for (i = 0; i < 150; i++) {
		memcpy(s, text, len);
		n = len;
		for (k = (unsigned int)below(3) + 1; k > 0; k--)
			n = mutate(s, n, TEXTMAX);
		c = conf_parse(name, s, n, &io, 0, &errs);
		mutants++;
		ATF_CHECK((c == NULL) == (errs.n > errs.nwarn));
		if (c != NULL) {
			accepted++;
			expect_round_trip(c, name);
		}
		conf_free(c);
	}
	free(s);
}

ATF_TC_WITHOUT_HEAD(mutants);
ATF_TC_BODY(mutants, tc)
{
	each_file(".ok", mutants_of);
	each_file(".bad", mutants_of);
	ATF_CHECK_MSG(mutants >= 1000, "%u", mutants);
	ATF_CHECK_MSG(accepted > 50 && accepted < mutants / 2, "%u of %u",
	    accepted, mutants);
	printf("%u mutants, %u accepted\n", mutants, accepted);
}

static struct conf *
parse(const char *text, size_t len)
{
	return (conf_parse("t", text, len, NULL, 0, &errs));
}

/* A directory of one file that includes another name of itself each time. */
static int
deeper(void *arg, const char *path, uint8_t **data, size_t *len)
{
	unsigned int	*n = arg;
	char		*s;

	(void)path;
	if (asprintf(&s, "include \"f%u\"\ninclude \"f%u\"\n", *n + 1,
	    *n + 2) == -1)
		return (-1);
	*n += 2;
	*data = (uint8_t *)s;
	*len = strlen(s);
	return (0);
}

ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	struct conf_io	 deep;
	unsigned int	 n = 0;
	char		*s;
	size_t		 i;

	ATF_REQUIRE((s = malloc(2 * 65536)) != NULL);
	memset(s, ' ', 2 * 65536);
	ATF_CHECK(parse(s, 65536 + 1) == NULL);
	ATF_CHECK_MATCH("longer than 65536", errs.e[0].text);
	ATF_CHECK(parse("set active\n\0set passive\n", 24) == NULL);
	ATF_CHECK_MATCH("NUL", errs.e[0].text);
	ATF_CHECK_EQ(errs.e[0].line, 2);
	/* 5000 errors are counted, 64 kept. */
	for (i = 0; i < 5000; i++)
		memcpy(s + 4 * i, "bad\n", 4);
	ATF_CHECK(parse(s, 20000) == NULL);
	ATF_CHECK_EQ(errs.n, 5000);
	ATF_CHECK_EQ(errs.nwarn, 0);
	ATF_CHECK_EQ(errs.e[63].line, 64);
	/* Words and strings. */
	memset(s, 'x', 5000);
	ATF_CHECK(parse(s, 5000) == NULL);
	ATF_CHECK_MATCH("word is longer", errs.e[0].text);
	s[0] = '"';
	ATF_CHECK(parse(s, 5000) == NULL);
	ATF_CHECK_MATCH("string is longer", errs.e[0].text);
	free(s);

	deep.read = deeper;
	deep.arg = &n;
	ATF_CHECK(conf_parse("t", "include \"f\"\n", 12, &deep, 0,
	    &errs) == NULL);
	ATF_CHECK_MATCH("deeper than 8", errs.e[0].text);
	ATF_CHECK(n < 1000);
	/* Nothing at all is a configuration without tunnels. */
	conf_free(parse("", 0));
	ATF_CHECK_EQ(errs.n, 0);
}

/* Errors push warnings out when the list is full. */
ATF_TC_WITHOUT_HEAD(errors_before_warnings);
ATF_TC_BODY(errors_before_warnings, tc)
{
	char	*s = NULL, *p;
	int	 i;

	ATF_REQUIRE((s = malloc(65536)) != NULL);
	for (p = s, i = 0; i < 70; i++)
		p += sprintf(p, "ikev2 quick from 10.0.%d.0/24 to 10.1.0.0/24 "
		    "peer 192.0.2.1 psk \"twenty characters at least\"\n", i);
	p += sprintf(p, "set nothing\n");
	ATF_CHECK(parse(s, (size_t)(p - s)) == NULL);
	ATF_CHECK_EQ(errs.n, 71);
	ATF_CHECK_EQ(errs.nwarn, 70);
	ATF_CHECK_EQ(errs.warn[62], 1);
	ATF_CHECK_EQ(errs.warn[63], 0);
	ATF_CHECK_EQ(errs.e[63].line, 71);
	free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, bad);
	ATF_TP_ADD_TC(tp, secrets_not_shown);
	ATF_TP_ADD_TC(tp, mutants);
	ATF_TP_ADD_TC(tp, bounds);
	ATF_TP_ADD_TC(tp, errors_before_warnings);
	return (atf_no_error());
}
