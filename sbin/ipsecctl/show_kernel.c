/* SPDX-License-Identifier: ISC */
/*
 * `show kernel': what the kernel has, beside what iked believes.
 *
 * The kernel process says of each SA and policy which tunnel's it looks like; which SAs
 * there should be only the ike process knows.  SAs come and go meanwhile, so that is
 * asked before and after: what the kernel has is known if either answer has it, and
 * what it lacks is missing only if both have it.
 */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"
#include "show.h"

#define KEYLEN	96

static const char *
sa_key(char key[KEYLEN], const char *spi, const char *dst)
{
	(void)snprintf(key, KEYLEN, "%s %s", spi, dst);
	return (key);
}

static void
put(json_t *o, const char *key, json_t *v)
{
	if (v == NULL || json_object_set_new(o, key, v) == -1)
		err(1, NULL);
}

/* iked's SAs by SPI and destination.  settled: only those that must be there. */
static json_t *
known(const json_t *sas, int settled)
{
	json_t *k = json_object(), *s;
	const char *state;
	char key[KEYLEN];
	size_t i;

	if (k == NULL)
		err(1, NULL);
	for (i = 0; i < json_array_size(sas); i++) {
		s = json_array_get(sas, i);
		state = field_str(s, "state");
		if (settled && strcmp(state, "installed") != 0 &&
		    strcmp(state, "rekeying") != 0)
			continue;
		if (json_object_set(k, sa_key(key, field_str(s, "spi_in"),
		    field_str(s, "local")), s) == -1 ||
		    json_object_set(k, sa_key(key, field_str(s, "spi_out"),
		    field_str(s, "remote")), s) == -1)
			err(1, NULL);
	}
	return (k);
}

/* An SA that the kernel has: iked's word on whose it is goes first. */
static void
judge(json_t *o, const json_t *before, const json_t *after, json_t *there)
{
	const json_t *s;
	char key[KEYLEN];

	if (strcmp(field_str(o, "what"), "sa") != 0)
		return;
	(void)sa_key(key, field_str(o, "spi"), field_str(o, "dst"));
	put(there, key, json_true());
	if ((s = json_object_get(after, key)) == NULL)
		s = json_object_get(before, key);
	if (s != NULL) {
		put(o, "whose", json_string("ours"));
		put(o, "tunnel", json_string(field_str(s, "tunnel")));
		put(o, "dir", json_string(strcmp(field_str(s, "spi_in"),
		    field_str(o, "spi")) == 0 && strcmp(field_str(s, "local"),
		    field_str(o, "dst")) == 0 ? "in" : "out"));
	} else if (strcmp(field_str(o, "whose"), "ours") == 0)
		put(o, "whose", json_string("unknown"));
}

/* The record of an SA that is not there, with the keys that the others have. */
static void
add_missing(json_t *array, const json_t *s, int in)
{
	const char *local = field_str(s, "local"), *remote = field_str(s, "remote");
	json_t *o;

	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
	    "s:s, s:b}", "kind", "kernel", "what", "sa", "whose", "missing",
	    "tunnel", field_str(s, "tunnel"), "ipsec", "esp", "mode", "tunnel",
	    "dir", in ? "in" : "out", "action", "", "src", in ? remote : local,
	    "dst", in ? local : remote, "spi", field_str(s, in ? "spi_in" :
	    "spi_out"), "suite", field_str(s, "suite"), "local", "any",
	    "encap", field_true(s, "encap"));
	if (o == NULL || json_array_append_new(array, o) == -1)
		err(1, NULL);
	put(o, "remote", json_string("any"));
	put(o, "age_ms", json_integer((json_int_t)field_num(s, "age_ms")));
	put(o, "expires_in_ms", json_integer((json_int_t)field_num(s,
	    "expires_in_ms")));
}

static void
zeros(json_t *o)
{
	static const char *const keys[] = { "reqid", "proto", "sport", "dport",
	    "prio", "mark", "if_id", "bytes", "packets" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put(o, keys[i], json_integer(0));
}

static void
find_missing(json_t *array, const json_t *before, const json_t *sas,
    const json_t *there)
{
	static const char *const spi[] = { "spi_out", "spi_in" };
	static const char *const dst[] = { "remote", "local" };
	char key[KEYLEN];
	const json_t *s;
	size_t i;
	int in;

	for (i = 0; i < json_array_size(sas); i++) {
		s = json_array_get(sas, i);
		for (in = 0; in < 2; in++) {
			(void)sa_key(key, field_str(s, spi[in]), field_str(s, dst[in]));
			if (json_object_get(before, key) == NULL ||
			    json_object_get(there, key) != NULL)
				continue;
			add_missing(array, s, in);
			zeros(json_array_get(array, json_array_size(array) - 1));
		}
	}
}

/* Only those that must be there, of the second answer. */
static json_t *
settled(const json_t *sas)
{
	json_t *list = json_array(), *s;
	const char *state;
	size_t i;

	if (list == NULL)
		err(1, NULL);
	for (i = 0; i < json_array_size(sas); i++) {
		s = json_array_get(sas, i);
		state = field_str(s, "state");
		if ((strcmp(state, "installed") == 0 || strcmp(state, "rekeying") == 0) &&
		    json_array_append(list, s) == -1)
			err(1, NULL);
	}
	return (list);
}

static void
compare(json_t *kernel, const json_t *before, const json_t *after)
{
	json_t *was = known(before, 0), *is = known(after, 0), *must = known(before, 1);
	json_t *list = settled(after), *there = json_object();
	size_t i;

	if (there == NULL)
		err(1, NULL);
	for (i = 0; i < json_array_size(kernel); i++)
		judge(json_array_get(kernel, i), was, is, there);
	find_missing(kernel, must, list, there);
	json_decref(was);
	json_decref(is);
	json_decref(must);
	json_decref(list);
	json_decref(there);
}

json_t *
kernel_query(struct client *c, int *refused, char errtext[CLIENT_ERRLEN])
{
	static const char *const lines[] = { "show sa", "show kernel", "show sa" };
	json_t *a[3] = { NULL, NULL, NULL };
	size_t i;

	for (i = 0; i < 3; i++)
		if ((a[i] = query(c, lines[i], refused, errtext, NULL)) == NULL)
			break;
	if (i == 3)
		compare(a[1], a[0], a[2]);
	json_decref(a[0]);
	json_decref(a[2]);
	if (i == 3)
		return (a[1]);
	json_decref(a[1]);
	return (NULL);
}

/* --- the table --- */

/* What to do about it. */
static const char *
remark(const char *whose, int sa)
{
	if (strcmp(whose, "unknown") == 0)
		return ("; iked does not know it");
	if (strcmp(whose, "differs") == 0)
		return ("; not as iked wants it: it replaces it, once a second at most");
	if (strcmp(whose, "missing") != 0)
		return ("");
	return (sa ? "; not there: \"ipsecctl recreate\" makes a new one" :
	    "; not there: iked places it again, once a second at most");
}

static void
sa_words(const json_t *o, char *dst, size_t cap)
{
	const char *suite = field_str(o, "suite"), *mode = field_str(o, "mode");
	int other = strcmp(mode, "tunnel") != 0;
	uint64_t age = field_num(o, "age_ms");
	char ms[24];

	(void)snprintf(dst, cap, "%s%s%s%s%s%s%s%s%s", field_str(o, "ipsec"),
	    suite[0] != '\0' ? " " : "", suite, other ? ", " : "",
	    other ? mode : "", field_true(o, "encap") ? ", in UDP" : "",
	    age > 0 ? ", " : "", age > 0 ? print_ms(ms, sizeof(ms), age) : "",
	    age > 0 ? " old" : "");
}

static void
policy_words(const json_t *o, char *dst, size_t cap)
{
	const char *remote = field_str(o, "remote");
	int to = remote[0] != '\0' && strcmp(remote, "any") != 0;

	(void)snprintf(dst, cap, "%s%s%s%s", field_str(o, "action"),
	    strcmp(field_str(o, "mode"), "transport") == 0 ? ", transport" : "",
	    to ? " with " : "", to ? remote : "");
}

static void
words(const json_t *o, char *dst, size_t cap)
{
	int sa = strcmp(field_str(o, "what"), "sa") == 0;

	(sa ? sa_words : policy_words)(o, dst, cap);
	if (field_num(o, "mark") != 0 || field_num(o, "if_id") != 0)
		(void)strlcat(dst, ", marked packets only", cap);
	(void)strlcat(dst, remark(field_str(o, "whose"), sa), cap);
}

static void
number(struct table *tab, const json_t *o, const char *key, int zero)
{
	if (field_num(o, key) == 0 && !zero)
		table_cell(tab, "-");
	else
		table_num(tab, field_num(o, key));
}

static void
row(struct table *tab, const json_t *o)
{
	int sa = strcmp(field_str(o, "what"), "sa") == 0;
	char buf[CELL_MAX];

	table_cell(tab, field_str(o, "whose"));
	table_cell(tab, field_str(o, "tunnel"));
	table_cell(tab, field_str(o, "what"));
	table_cell(tab, field_str(o, "dir"));
	table_cell(tab, field_str(o, "src"));
	table_cell(tab, field_str(o, "dst"));
	table_cell(tab, sa ? field_str(o, "spi") : "");
	number(tab, o, "reqid", 0);
	/* of policies few kernels count */
	number(tab, o, "packets", sa && strcmp(field_str(o, "whose"), "missing") != 0);
	words(o, buf, sizeof(buf));
	table_cell(tab, buf);
}

static size_t
count(const json_t *array, const char *what, const char *whose)
{
	const json_t *o;
	size_t i, n = 0;

	for (i = 0; i < json_array_size(array); i++) {
		o = json_array_get(array, i);
		n += strcmp(field_str(o, "what"), what) == 0 &&
		    strcmp(field_str(o, "whose"), whose) == 0;
	}
	return (n);
}

static void
total(FILE *f, const json_t *array, const char *what, const char *title)
{
	static const char *const whose[] = { "foreign", "unknown", "differs",
	    "missing" };
	size_t i, n;

	(void)fprintf(f, "%s: %zu ours", title, count(array, what, "ours"));
	for (i = 0; i < sizeof(whose) / sizeof(whose[0]); i++)
		if ((n = count(array, what, whose[i])) > 0)
			(void)fprintf(f, ", %zu %s", n, whose[i]);
}

/* Ours as they are come first; what needs a look stands above the totals. */
void
show_kernel(FILE *f, const json_t *array)
{
	static const char *const head[] = { "WHOSE", "TUNNEL", "WHAT", "DIR", "SRC",
	    "DST", "SPI", "REQID", "PKTS", "DETAIL" };
	static const char *const spare[] = { "PKTS", "REQID", "SPI", NULL };
	struct table *tab = table_new(head, sizeof(head) / sizeof(head[0]));
	const json_t *o;
	size_t i;
	int odd;

	for (odd = 0; odd < 2; odd++)
		for (i = 0; i < json_array_size(array); i++) {
			o = json_array_get(array, i);
			if ((strcmp(field_str(o, "whose"), "ours") != 0) == odd)
				row(tab, o);
		}
	table_spare(tab, spare);
	table_print(tab, f);
	total(f, array, "sa", "SAs");
	total(f, array, "policy", "; policies");
	(void)fputc('\n', f);
}
