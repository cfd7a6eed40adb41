/* SPDX-License-Identifier: ISC */
/*
 * OpenIKED's iked.conf: every word of its manual page is taken with its meaning, or
 * refused with what to write instead (regress/data/conf/openiked/keywords, which
 * the manual page's OPENIKED section repeats), and configurations in the shape of its
 * manual page and FAQ load.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "unit/slurp.h"

#define DIR	REGRESS_DATA "/conf/openiked"
#define MANPAGE	REGRESS_DATA "/../../share/man/iked.conf.5"
#define NETS	" from 10.1.0.0/24 to 10.2.0.0/24 peer 198.51.100.1"
#define PSK	" psk \"twenty characters at least\""
#define ROWS	512

static struct conf_errors errs;

struct row {
	char	*word, *verdict, *text, *message;
};
static struct row	 rows[ROWS];
static unsigned int	 nrows;

static char *
read_rows(void)
{
	char		*s = slurp(DIR "/keywords"), *p = s, *line;
	struct row	*r;

	for (nrows = 0; (line = strsep(&p, "\n")) != NULL; ) {
		if (line[0] == '#' || line[0] == '\0')
			continue;
		ATF_REQUIRE(nrows < ROWS);
		r = &rows[nrows++];
		r->word = strsep(&line, "\t");
		r->verdict = strsep(&line, "\t");
		r->text = strsep(&line, "\t");
		r->message = line;
		ATF_REQUIRE_MSG(line != NULL && strchr(line, '\t') == NULL,
		    "four columns: %s", r->word);
	}
	return (s);
}

/* @, % and & are what the head of the file says; \n and \t are what they are in C. */
static void
expand(char *dst, size_t cap, const char *s)
{
	size_t	 n;

	n = (size_t)snprintf(dst, cap, "%s", *s == '@' ? "ikev2 \"t\"" NETS PSK :
	    *s == '%' ? "ikev2 \"t\"" PSK : *s == '&' ? "ikev2 \"t\"" NETS : "");
	for (s += strchr("@%&", *s) != NULL; *s != '\0' && n + 2 < cap; s++)
		if (s[0] == '\\' && (s[1] == 'n' || s[1] == 't'))
			dst[n++] = *++s == 'n' ? '\n' : '\t';
		else
			dst[n++] = *s;
	dst[n++] = '\n';
	dst[n] = '\0';
}

static int
read_part(void *arg, const char *path, uint8_t **data, size_t *len)
{
	const char	*s = strcmp(path, "part.inc") == 0 ? "set active\n" :
			    strstr(path, ".key") != NULL ?
			    "twenty characters at least\n" : NULL;

	(void)arg;
	if (s == NULL || (*data = (uint8_t *)strdup(s)) == NULL)
		return (-1);
	*len = strlen(s);
	return (0);
}
static const struct conf_io io = { read_part, NULL };

static const char *
nth(int warning)
{
	uint32_t	 i;

	for (i = 0; i < errs.n && i < 64; i++)
		if (errs.warn[i] == warning)
			return (errs.e[i].text);
	return ("-");
}

static void
judge(const struct row *r)
{
	struct conf	*c;
	char		 text[1024];
	uint32_t	 i;

	expand(text, sizeof(text), r->text);
	c = conf_parse("t", text, strlen(text), &io, 0, &errs);
	if (strcmp(r->verdict, "refused") == 0) {
		ATF_CHECK_MSG(c == NULL && errs.n - errs.nwarn == 1, "%s: %s", r->word,
		    text);
		ATF_CHECK_STREQ_MSG(r->message, nth(0), "%s", r->word);
		/* what is wrong, and what to do */
		ATF_CHECK_MSG(strstr(r->message, ": ") != NULL, "%s", r->word);
		conf_free(c);
		return;
	}
	ATF_CHECK_MSG(c != NULL, "%s: %s: %s", r->word, text, nth(0));
	conf_free(c);
	if (strcmp(r->verdict, "warned") == 0) {
		ATF_CHECK_EQ_MSG(errs.nwarn, 1, "%s", r->word);
		ATF_CHECK_STREQ_MSG(r->message, nth(1), "%s", r->word);
		return;
	}
	ATF_CHECK_STREQ(r->message, "-");
	if (strcmp(r->verdict, "ours") == 0)
		return;
	ATF_CHECK_STREQ_MSG(r->verdict, "same", "%s", r->word);
	for (i = 0; i < errs.n; i++)
		ATF_CHECK_MSG(strstr(errs.e[i].text, " is weak") != NULL, "%s: %s",
		    r->word, errs.e[i].text);
}

ATF_TC_WITHOUT_HEAD(keywords);
ATF_TC_BODY(keywords, tc)
{
	char		*s = read_rows();
	unsigned int	 i, k;

	ATF_CHECK_MSG(nrows > 180, "%u", nrows);
	for (i = 0; i < nrows; i++) {
		judge(&rows[i]);
		for (k = 0; k < i; k++)
			ATF_CHECK_MSG(strcmp(rows[k].word, rows[i].word) != 0,
			    "twice: %s", rows[i].word);
	}
	free(s);
}

static const struct row *
row_of(const char *word)
{
	unsigned int	 i;

	for (i = 0; i < nrows; i++)
		if (strcmp(rows[i].word, word) == 0)
			return (&rows[i]);
	return (NULL);
}

/* No word of the parser without a row; those of `set' have it in front. */
ATF_TC_WITHOUT_HEAD(complete);
ATF_TC_BODY(complete, tc)
{
	static const char *const kinds[] = { "", "set ", "enc ", "auth ", "prf ",
	    "group " };
	const struct xform_info	*xi;
	const char		*w;
	char			*s = read_rows(), name[64];
	size_t			 i, k;

	for (i = 0; (w = conf_keyword(i)) != NULL; i++) {
		for (k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "%s%s", kinds[k], w);
			if (row_of(name) != NULL)
				break;
		}
		ATF_CHECK_MSG(k < 2, "no row for %s", w);
	}
	for (i = 0; (xi = xform_row(i)) != NULL; i++) {
		for (k = 0; k < 6; k++) {
			snprintf(name, sizeof(name), "%s%s", kinds[k], xi->name);
			if (row_of(name) != NULL)
				break;
		}
		ATF_CHECK_MSG(k < 6 || strcmp(xi->name, "none") == 0, "no row for %s",
		    xi->name);
	}
	ATF_CHECK(row_of("nothing") == NULL);
	free(s);
}

/* The items of a row of the page, `set a , b' being two; f is called for each. */
static unsigned int
each_item(char *line, void (*f)(const char *word, const char *verdict))
{
	char	 word[96], *items, *verdict, *item, *p, *first = NULL;
	size_t	 kind = 0;
	unsigned int n = 0;

	items = line;
	ATF_REQUIRE_MSG((verdict = strstr(line, " Ta ")) != NULL, "%s", line);
	*verdict = '\0';
	verdict += 4;
	verdict[strcspn(verdict, " \n")] = '\0';
	while ((item = strsep(&items, ",")) != NULL) {
		item += strspn(item, " ");
		for (p = item + strlen(item); p > item && p[-1] == ' '; )
			*--p = '\0';
		if (first == NULL) {
			first = item;
			if (strncmp(item, "set ", 4) == 0 ||
			    strncmp(item, "enc ", 4) == 0 ||
			    strncmp(item, "prf ", 4) == 0)
				kind = 4;
			else if (strncmp(item, "auth ", 5) == 0)
				kind = 5;
			else if (strncmp(item, "group ", 6) == 0)
				kind = 6;
			snprintf(word, sizeof(word), "%s", item);
		} else
			snprintf(word, sizeof(word), "%.*s%s", (int)kind, first, item);
		f(word, verdict);
		n++;
	}
	return (n);
}

static void
in_data(const char *word, const char *verdict)
{
	const struct row	*r = row_of(word);

	ATF_CHECK_MSG(r != NULL, "the page has %s, keywords has not", word);
	if (r != NULL)
		ATF_CHECK_STREQ_MSG(r->verdict, verdict, "%s", word);
}

/* OpenIKED's words stand in the page as they stand in the table. */
ATF_TC_WITHOUT_HEAD(manual);
ATF_TC_BODY(manual, tc)
{
	char		*s = read_rows(), *page = slurp(MANPAGE), *p, *line, *ic;
	unsigned int	 i, n = 0, want = 0;

	for (i = 0; i < nrows; i++)
		want += strcmp(rows[i].verdict, "ours") != 0;
	ATF_REQUIRE((p = strstr(page, "\n.Sh OPENIKED\n")) != NULL);
	*strstr(p + 1, "\n.Sh ") = '\0';
	while ((line = strsep(&p, "\n")) != NULL) {
		if (strncmp(line, ".It ", 4) != 0 || strncmp(line, ".It Sy", 6) == 0)
			continue;
		while ((ic = strstr(line, " Ic ")) != NULL ||
		    (ic = strstr(line, " Pq ")) != NULL)
			memmove(ic + 1, ic + 4, strlen(ic + 4) + 1);
		n += each_item(line + 4, in_data);
	}
	ATF_CHECK_EQ(n, want);
	free(page);
	free(s);
}

/* name, how many tunnels */
static void
loads(const char *name, unsigned int tunnels)
{
	char		 path[256], *s;
	struct conf	*c;

	snprintf(path, sizeof(path), DIR "/%s", name);
	s = slurp(path);
	c = conf_parse(name, s, strlen(s), &io, 0, &errs);
	ATF_CHECK_MSG(c != NULL, "%s:%u: %s", name, errs.e[0].line, errs.e[0].text);
	if (c != NULL)
		ATF_CHECK_EQ_MSG(c->ntunnels, tunnels, "%s", name);
	ATF_CHECK_EQ_MSG(errs.n, 0, "%s:%u: %s", name, errs.e[0].line, errs.e[0].text);
	conf_free(c);
	free(s);
}

ATF_TC_WITHOUT_HEAD(examples);
ATF_TC_BODY(examples, tc)
{
	loads("site.conf", 2);
	loads("responder.conf", 1);
	loads("roadwarrior.conf", 1);
	loads("hosts.conf", 3);
	loads("transforms.conf", 1);
	loads("branches.conf", 3);
}

/* What cannot be done is named line by line, all of it in one run. */
ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	char		*s = slurp(DIR "/eap.conf"), *want = slurp(DIR "/eap.err");
	char		 got[4096];
	size_t		 n = 0;
	uint32_t	 i;

	ATF_CHECK(conf_parse("eap.conf", s, strlen(s), &io, 0, &errs) == NULL);
	for (i = 0; i < errs.n && i < 64 && n < sizeof(got); i++)
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%u:%u: %s\n",
		    errs.e[i].line, errs.e[i].col, errs.e[i].text);
	ATF_CHECK_STREQ(want, got);
	free(want);
	free(s);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, keywords);
	ATF_TP_ADD_TC(tp, complete);
	ATF_TP_ADD_TC(tp, manual);
	ATF_TP_ADD_TC(tp, examples);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
