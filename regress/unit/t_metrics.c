/* SPDX-License-Identifier: ISC */
/*
 * netwatchd's metrics, held against the rules of OpenMetrics 1.0 line by line: its grammar,
 * what a family may hold by its type, and that nothing is mixed or said twice.
 */

#include <atf-c.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keepalive/ctl_local.h"
#include "keepalive/verdict.h"

#define MAXLABELS	4
#define MAXLINES	4096

struct label {
	char	name[64], value[512];
};
struct sample {
	char		name[128];
	struct label	label[MAXLABELS];
	size_t		n;
	double		value;
};
struct family {
	char	name[128], type[32], unit[32];
	int	help, samples;
};

/* A name; its end, or NULL. */
static const char *
take_name(const char *s, char *dst, size_t cap, int colon)
{
	size_t n = 0;

	if (isdigit((unsigned char)*s))
		return (NULL);
	for (; isalnum((unsigned char)*s) || *s == '_' || (colon && *s == ':'); s++)
		if (n + 1 < cap)
			dst[n++] = *s;
	dst[n] = '\0';
	return (n > 0 ? s : NULL);
}

/* A label's value behind its quote; escapes are \\ \" \n only. */
static const char *
take_value(const char *s, char *dst, size_t cap)
{
	size_t n = 0, len;

	for (; *s != '"'; s += len) {
		if (*s == '\0' || *s == '\n' ||
		    (len = json_utf8((const unsigned char *)s)) == 0)
			return (NULL);
		if (*s == '\\') {
			if (strchr("\\\"n", s[1]) == NULL || s[1] == '\0')
				return (NULL);
			s++;
		}
		if (n + len >= cap)
			return (NULL);
		memcpy(dst + n, s, len);
		n += len;
	}
	dst[n] = '\0';
	return (s + 1);
}

/* number of the ABNF, of those we use: digits, and a fraction */
static const char *
take_number(const char *s)
{
	const char *p = s;

	while (isdigit((unsigned char)*p))
		p++;
	if (p == s)
		return (NULL);
	if (*p == '.') {
		s = ++p;
		while (isdigit((unsigned char)*p))
			p++;
		if (p == s)
			return (NULL);
	}
	return (p);
}

static const char *
parse_sample(const char *s, struct sample *m)
{
	const char *start;
	struct label *l;

	memset(m, 0, sizeof(*m));
	if ((s = take_name(s, m->name, sizeof(m->name), 1)) == NULL)
		return ("no name");
	if (*s++ != '{')
		return ("no labels");
	do {
		if (m->n == MAXLABELS)
			return ("many labels");
		l = &m->label[m->n++];
		if ((s = take_name(s, l->name, sizeof(l->name), 0)) == NULL ||
		    *s++ != '=' || *s++ != '"' ||
		    (s = take_value(s, l->value, sizeof(l->value))) == NULL)
			return ("a label");
	} while (*s == ',' && *++s != '\0');
	if (*s++ != '}' || *s++ != ' ')
		return ("the labels' end");
	start = s;
	if ((s = take_number(s)) == NULL || *s != '\0')
		return ("the value");
	m->value = strtod(start, NULL);
	return (NULL);
}

static const char *
label_of(const struct sample *m, const char *name)
{
	const char *found = NULL;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (strcmp(m->label[i].name, name) == 0) {
			if (found != NULL)
				return ("twice");
			found = m->label[i].value;
		}
	return (found);
}

static int
ends(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return (n > t && strcmp(s + n - t, tail) == 0);
}

static const char *
check_summary(const struct sample *m, const char *suffix)
{
	const char *q = label_of(m, "quantile");
	double d;

	if (strcmp(suffix, "_count") == 0)
		return (q != NULL || m->value != floor(m->value) ? "a _count" : NULL);
	if (strcmp(suffix, "_sum") == 0)
		return (q != NULL ? "a _sum" : NULL);
	if (*suffix != '\0' || q == NULL)
		return ("no quantile");
	d = strtod(q, NULL);
	return (d < 0 || d > 1 ? "a quantile" : NULL);
}

static const char *
check_sample(const struct family *f, const struct sample *m)
{
	size_t n = strlen(f->name), i, j;
	const char *suffix = m->name + n;

	if (n == 0 || strncmp(m->name, f->name, n) != 0)
		return ("a sample of no family, or of another");
	for (i = 0; i < m->n; i++)
		for (j = 0; j < i; j++)
			if (strcmp(m->label[i].name, m->label[j].name) == 0)
				return ("a label twice");
	if (label_of(m, "tunnel") == NULL)
		return ("whose?");
	if (strcmp(f->type, "counter") == 0)
		return (strcmp(suffix, "_total") != 0 || m->value < 0 ?
		    "a counter" : NULL);
	if (strcmp(f->type, "summary") == 0)
		return (check_summary(m, suffix));
	if (*suffix != '\0')
		return ("a suffix");
	if (strcmp(f->type, "stateset") == 0)
		return (label_of(m, f->name) == NULL || (m->value != 0 &&
		    m->value != 1) ? "a stateset" : NULL);
	if (ends(f->name, "_ratio") && (m->value < 0 || m->value > 1))
		return ("a ratio");
	return (label_of(m, "quantile") != NULL ? "a quantile" : NULL);
}

/* # TYPE, # UNIT, # HELP; in that order here, and before all samples. */
static const char *
check_comment(char *line, struct family *f, char (*names)[128], size_t *n)
{
	char *word = line + 2, *name, *rest;
	size_t i;

	if ((name = strchr(word, ' ')) == NULL ||
	    (rest = strchr(name + 1, ' ')) == NULL)
		return ("a comment");
	*name++ = *rest++ = '\0';
	if (strcmp(word, "TYPE") == 0) {
		for (i = 0; i < *n; i++)
			if (strcmp(names[i], name) == 0)
				return ("a family twice");
		(void)strlcpy(names[(*n)++], name, 128);
		memset(f, 0, sizeof(*f));
		(void)strlcpy(f->name, name, sizeof(f->name));
		(void)strlcpy(f->type, rest, sizeof(f->type));
		return (strcmp(rest, "gauge") == 0 || strcmp(rest, "counter") == 0 ||
		    strcmp(rest, "stateset") == 0 || strcmp(rest, "summary") == 0 ?
		    NULL : "a type");
	}
	if (strcmp(name, f->name) != 0 || f->samples > 0)
		return ("out of its place");
	if (strcmp(word, "UNIT") == 0) {
		if (f->unit[0] != '\0' || f->help ||
		    strcmp(f->type, "stateset") == 0)
			return ("a unit that may not be");
		(void)strlcpy(f->unit, rest, sizeof(f->unit));
		return (ends(name, rest) && name[strlen(name) - strlen(rest) - 1] ==
		    '_' ? NULL : "a unit that is not the name's end");
	}
	if (strcmp(word, "HELP") != 0 || f->help++)
		return ("a comment of no kind, or twice");
	return (strchr(rest, '\\') != NULL ? "an escape" : NULL);
}

/* What identifies a sample: all before its value. */
static int
same_sample(const char *a, const char *b)
{
	const char *x = strrchr(a, ' '), *y = strrchr(b, ' ');

	return (x != NULL && y != NULL && x - a == y - b &&
	    strncmp(a, b, (size_t)(x - a)) == 0);
}

/* NULL, or what is wrong with the text, which is written into; *bad: that line. */
static const char *
check_text(char *text, const char **bad)
{
	static char names[64][128], *seen[MAXLINES];
	char *line, last[512] = "", gone[64][512];
	size_t nnames = 0, nseen = 0, ngone = 0, i;
	struct family f = { .name = "" };
	const char *error, *who;
	struct sample m;

	if (!ends(text, "\n"))
		return ("no end of line");
	while ((line = strsep(&text, "\n")) != NULL) {
		if (text == NULL)
			break;		/* behind the last line feed */
		*bad = line;
		if (strcmp(line, "# EOF") == 0)
			return (*text == '\0' ? NULL :
			    "something behind the end");
		if (strncmp(line, "# ", 2) == 0) {
			if ((error = check_comment(line, &f, names,
			    &nnames)) != NULL)
				return (error);
			last[0] = '\0';
			ngone = 0;
			continue;
		}
		if ((error = parse_sample(line, &m)) != NULL ||
		    (error = check_sample(&f, &m)) != NULL)
			return (error);
		f.samples++;
		/* All of a tunnel is together in its family. */
		who = label_of(&m, "tunnel");
		if (strcmp(who, last) != 0) {
			for (i = 0; i < ngone; i++)
				if (strcmp(gone[i], who) == 0)
					return ("mixed");
			(void)strlcpy(gone[ngone++ % 64], who, 512);
			(void)strlcpy(last, who, sizeof(last));
		}
		for (i = 0; i < nseen; i++)
			if (same_sample(seen[i], line))
				return ("said twice");
		ATF_REQUIRE(nseen < MAXLINES);
		seen[nseen++] = line;
	}
	return ("no # EOF");
}

static void
status(struct watch_status *st, const char *name, int known)
{
	memset(st, 0, sizeof(*st));
	(void)strlcpy(st->name, name, sizeof(st->name));
	st->state = known ? WATCH_UP : WATCH_DOWN;
	st->verdict = known ? "UP" : "DATA_DEAD";
	st->last_reply = MONO_NONE;
	if (!known)
		return;
	st->last_reply.us = 4000000;
	st->sent = 100;
	st->received = 95;
	st->lost = 5;
	st->late = 2;
	st->rtt_us = 1000001;
	st->rtt_sum_us = 95000095;
	st->fig = (struct watch_figures){ 900000, 1100000, 1500000, 77, 1000,
	    50, 1 };
	st->pmtu = 1438;
}

static char *
exposition(void)
{
	static const char *const names[] = { "boise", "q\"b\\n\nx\xff z",
	    "\xc3\xa9" };
	static char text[64 * METRICS_MAX];
	const monotime now = { 5500000 };
	struct watch_status st;
	unsigned int i, fam;
	size_t n = 0;

	for (fam = 0; fam < METRICS_FAMILIES; fam++) {
		n += metrics_head(fam, text + n, METRICS_MAX);
		for (i = 0; i < 3; i++) {
			status(&st, names[i], i != 1);
			n += metrics_sample(fam, &st, now, text + n, METRICS_MAX);
		}
	}
	(void)strlcpy(text + n, "# EOF\n", sizeof(text) - n);
	return (text);
}

ATF_TC_WITHOUT_HEAD(strict);
ATF_TC_BODY(strict, tc)
{
	const char *bad = "", *error;
	char *text = exposition();

	(void)tc;
	error = check_text(text, &bad);
	ATF_CHECK_MSG(error == NULL, "%s: %s", error, bad);
}

/* The checker sees what is planted. */
ATF_TC_WITHOUT_HEAD(sees);
ATF_TC_BODY(sees, tc)
{
#define T	"# TYPE a_seconds gauge\n"
#define S	"a_seconds{tunnel=\"x\"} 1\n"
#define E	"# EOF\n"
	static const struct {
		const char *text, *error;
	} t[] = {
		{ T S E, NULL },
		{ T S, "no # EOF" },
		{ T S "# EOF", "no end of line" },
		{ T S E "\n", "something behind the end" },
		{ T "\n" S E, "no name" },
		{ S E, "a sample of no family, or of another" },
		{ T "b{tunnel=\"x\"} 1\n" E, "a sample of no family, or of another" },
		{ T "a_seconds 1\n" E, "no labels" },
		{ T "a_seconds{tunnel=\"x} 1\n" E, "a label" },
		{ T "a_seconds{tunnel=\"\\x\"} 1\n" E, "a label" },
		{ T "a_seconds{tunnel=\"\xff\"} 1\n" E, "a label" },
		{ T "a_seconds{tunnel=\"x\",} 1\n" E, "a label" },
		{ T "a_seconds{tunnel=\"x\"}  1\n" E, "the value" },
		{ T "a_seconds{tunnel=\"x\"} 1.\n" E, "the value" },
		{ T "a_seconds{tunnel=\"x\"} 1 \n" E, "the value" },
		{ T "a_seconds_total{tunnel=\"x\"} 1\n" E, "a suffix" },
		{ T "a_seconds{tunnel=\"x\",tunnel=\"x\"} 1\n" E, "a label twice" },
		{ T S S E, "said twice" },
		{ T S "a_seconds{tunnel=\"y\"} 1\n"
		    "a_seconds{tunnel=\"x\",window=\"1\"} 1\n" E, "mixed" },
		{ T S T E, "a family twice" },
		{ T S "# HELP a_seconds h\n" E, "out of its place" },
		{ T "# HELP a_seconds h\n# HELP a_seconds h\n" E,
		    "a comment of no kind, or twice" },
		{ T "# UNIT a_seconds bytes\n" E, "a unit that is not the name's end" },
		{ "# TYPE c counter\nc{tunnel=\"x\"} 1\n" E, "a counter" },
		{ "# TYPE c thing\n" E, "a type" },
		{ "# TYPE s stateset\ns{tunnel=\"x\",s=\"up\"} 2\n" E, "a stateset" },
		{ "# TYPE s stateset\ns{tunnel=\"x\"} 1\n" E, "a stateset" },
		{ "# TYPE s summary\ns{tunnel=\"x\"} 1\n" E, "no quantile" },
		{ "# TYPE s summary\ns{tunnel=\"x\",quantile=\"5\"} 1\n" E,
		    "a quantile" },
		{ "# TYPE s summary\ns_count{tunnel=\"x\"} 1.5\n" E, "a _count" },
		{ "# TYPE l_ratio gauge\nl_ratio{tunnel=\"x\"} 1.5\n" E, "a ratio" },
	};
	const char *bad, *error;
	char text[512];
	size_t i;

	(void)tc;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		(void)strlcpy(text, t[i].text, sizeof(text));
		error = check_text(text, &bad);
		if (t[i].error == NULL)
			ATF_CHECK_MSG(error == NULL, "%s: %s", t[i].text, error);
		else
			ATF_CHECK_MSG(error != NULL && strcmp(error,
			    t[i].error) == 0, "%s: %s", t[i].text, error);
	}
}

/* To the octet, and nothing of what is not known. */
ATF_TC_WITHOUT_HEAD(octets);
ATF_TC_BODY(octets, tc)
{
	char *text = exposition();

	(void)tc;
#define P	"ikeep_keepalive_"
	ATF_CHECK(strstr(text, "# TYPE " P "round_trip_seconds summary\n"
	    "# UNIT " P "round_trip_seconds seconds\n"
	    "# HELP " P "round_trip_seconds Times to a reply; quantiles of the "
	    "recent ones.\n"
	    P "round_trip_seconds{tunnel=\"boise\",quantile=\"0.5\"} 0.900000\n"
	    P "round_trip_seconds{tunnel=\"boise\",quantile=\"0.9\"} 1.100000\n"
	    P "round_trip_seconds{tunnel=\"boise\",quantile=\"0.99\"} 1.500000\n"
	    P "round_trip_seconds_count{tunnel=\"boise\"} 95\n"
	    P "round_trip_seconds_sum{tunnel=\"boise\"} 95.000095\n"
	    P "round_trip_seconds_count{tunnel=\"q\\\"b\\\\n\\nx? z\"} 0\n"
	    P "round_trip_seconds_sum{tunnel=\"q\\\"b\\\\n\\nx? z\"} 0.000000\n"
	    ) != NULL);
	ATF_CHECK(strstr(text, "# UNIT " P "loss_ratio ratio\n") != NULL);
	ATF_CHECK(strstr(text, "\n" P "loss_ratio{tunnel=\"boise\",window=\"1m\"} "
	    "1.000\n" P "loss_ratio{tunnel=\"boise\",window=\"15m\"} 0.050\n"
	    P "loss_ratio{tunnel=\"boise\",window=\"1h\"} 0.001\n") != NULL);
	ATF_CHECK(strstr(text, P "last_reply_age_seconds{tunnel=\"boise\"} "
	    "1.500000\n" P "last_reply_age_seconds{tunnel=\"\xc3\xa9\"}") != NULL);
	ATF_CHECK(strstr(text, P "pmtu_bytes{tunnel=\"boise\"} 1438\n"
	    P "pmtu_bytes{tunnel=\"\xc3\xa9\"} 1438\n# EOF\n") != NULL);
	ATF_CHECK(strstr(text, P "verdict=\"DATA_DEAD\"} 1\n") != NULL);
	ATF_CHECK(strstr(text, "# UNIT " P "verdict") == NULL);
}

/* Every verdict there is has its state: exactly one of them is 1. */
ATF_TC_WITHOUT_HEAD(verdicts);
ATF_TC_BODY(verdicts, tc)
{
	const monotime now = { 5500000 };
	struct watch_status st;
	char text[METRICS_MAX], *one;
	unsigned int v, fam, n = 0;

	(void)tc;
	for (fam = 0; fam < METRICS_FAMILIES; fam++)
		if (metrics_head(fam, text, sizeof(text)) > 0 &&
		    strstr(text, "keepalive_verdict stateset") != NULL)
			break;
	ATF_REQUIRE(fam < METRICS_FAMILIES);
	for (v = VERDICT_NONE; v <= VERDICT_PEERDEAD; v++, n++) {
		status(&st, "x", 1);
		st.verdict = verdict_word((enum verdict)v);
		ATF_REQUIRE(metrics_sample(fam, &st, st.since, text,
		    sizeof(text)) > 0);
		ATF_CHECK_MSG((one = strstr(text, "\"} 1\n")) != NULL &&
		    strstr(one + 1, "\"} 1\n") == NULL, "%s", st.verdict);
	}
	ATF_CHECK(n > 5);
	/* The longest of all fits. */
	status(&st, "", 1);
	memset(st.name, '"', sizeof(st.name) - 1);
	for (fam = 0; fam < METRICS_FAMILIES; fam++)
		ATF_CHECK(metrics_sample(fam, &st, now, text,
		    sizeof(text)) > 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, strict);
	ATF_TP_ADD_TC(tp, sees);
	ATF_TP_ADD_TC(tp, octets);
	ATF_TP_ADD_TC(tp, verdicts);
	return (atf_no_error());
}
