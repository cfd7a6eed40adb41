/* SPDX-License-Identifier: ISC */
/* `iked -n': the file is checked, and what this machine knows is held beside it. */

#include <sys/types.h>
#include <sys/socket.h>

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/lint.h"
#include "proc/checkconf.h"
#include "proc/known.h"
#include "proc/plog.h"
#include "proc/resolve.h"
#include "proc/rules.h"

#define LINT_LINES	200	/* who has more does not read them */
#define ASKED		1000	/* tunnels whose packets are led through the filter */

/* NULL: not known.  The caller frees it. */
static struct addr *
own_addrs(size_t *n)
{
	struct ifaddrs *all, *i;
	struct endpoint ep;
	struct addr *a;

	*n = 0;
	if (getifaddrs(&all) == -1)
		return (NULL);
	for (i = all; i != NULL; i = i->ifa_next)
		(*n)++;
	a = calloc(*n + 1, sizeof(*a));
	*n = 0;
	for (i = all; a != NULL && i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && addr_from_sockaddr(&ep, i->ifa_addr,
		    sizeof(struct sockaddr_storage)) == 0)
			a[(*n)++] = ep.addr;
	freeifaddrs(all);
	return (a);
}

struct machine {
	struct rules	*rules;
	unsigned int	 asked;
};

static int
fate(enum rules_fate f)
{
	return (f == RULES_TAKE ? 1 : f == RULES_MAY ? 2 : 0);
}

static int
nat(void *arg, const struct prefix *from, const struct prefix *to, const struct addr *peer,
    char *text)
{
	struct machine *m = arg;

	return (m->asked < ASKED ? fate(rules_nat(m->rules, from, to, peer, text)) : 0);
}

/* IKE and ESP, out and in; the first that is dropped is told. */
static int
drops(void *arg, const struct addr *local, const struct addr *peer, char *text)
{
	static const struct { uint16_t port; const char *name; } all[] = {
		{ 500, "UDP 500" }, { 4500, "UDP 4500" }, { 0, "ESP" },
	};
	struct machine *m = arg;
	char rule[RULES_TEXT];
	int i, in;

	if (m->asked++ >= ASKED)
		return (0);
	for (i = 0; i < 6; i++) {
		in = i & 1;
		if (rules_gateways(m->rules, local, peer, all[i / 2].port, in, rule) !=
		    RULES_TAKE)
			continue;
		(void)snprintf(text, LINT_RULE, "%s %s the peer (%.200s)", all[i / 2].name,
		    in ? "from" : "to", rule);
		return (1);
	}
	return (0);
}

static void
say(void *arg, const struct conf_tunnel *t, const char *text)
{
	unsigned int *n = arg;

	if (++*n <= LINT_LINES)
		(void)fprintf(stderr, "%s:%u: lint: tunnel \"%s\": %s\n", t->file,
		    t->line, t->name, text);
}

static void
lint(const struct conf *c)
{
	struct machine m = { rules_read(), 0 };
	struct lint_env env = { .nat = nat, .drops = drops, .arg = &m };
	struct addr *a;
	unsigned int n = 0;

	env.addrs = a = own_addrs(&env.naddrs);
	if (m.rules == NULL) {
		env.nat = NULL;
		env.drops = NULL;
	}
	if (conf_lint(c, &env, say, &n) == -1)
		(void)fprintf(stderr, "out of memory: not everything was checked\n");
	if (n > LINT_LINES)
		(void)fprintf(stderr, "and %u more\n", n - LINT_LINES);
	if (m.rules != NULL && rules_unseen(m.rules) != NULL && c->ntunnels > 0)
		(void)fprintf(stderr, "lint: %s\n", rules_unseen(m.rules));
	if (m.asked > ASKED)
		(void)fprintf(stderr, "lint: this machine's rules were held beside %d tunnels "
		    "only\n", ASKED);
	rules_free(m.rules);
	free(a);
}

/* Asked for, as it takes a resolver and its time. */
static void
look_up(const struct conf *c)
{
	struct known k;
	struct name_ans a;
	char s[ADDR_STRLEN];
	uint32_t i;
	uint8_t n;

	memset(&k, 0, sizeof(k));
	if (known_list(&k, c) == -1)
		fatal("names");
	for (i = 0; i < k.n; i++) {
		resolve_now(k.v[i].name, &a);
		if (a.n == 0)
			(void)fprintf(stderr, "warning: %s does not resolve just now: %s\n",
			    k.v[i].name, a.why);
		else
			(void)fprintf(stderr, "%s is", k.v[i].name);
		for (n = 0; n < a.n; n++)
			(void)fprintf(stderr, " %s%s", addr_str(&a.a[n], s),
			    n + 1 < a.n ? "," : "\n");
	}
	known_free(&k);
}

int
checkconf(const struct parent_opts *o, int secrets)
{
	static struct conf_errors errs;
	const struct conf_error *e;
	struct conf *c;
	char *text;
	size_t i;

	c = parent_conf_read(o, 0, &errs);
	for (i = 0; i < errs.n && i < sizeof(errs.e) / sizeof(errs.e[0]); i++) {
		e = &errs.e[i];
		if (e->line == 0)
			(void)fprintf(stderr, "%s: %s\n", e->file, e->text);
		else
			(void)fprintf(stderr, "%s:%u:%u: %s%s\n", e->file,
			    e->line, e->col, errs.warn[i] ? "warning: " : "",
			    e->text);
	}
	if (errs.n > i)
		(void)fprintf(stderr, "and %u more\n", errs.n - (unsigned)i);
	if (c == NULL)
		return (1);
	if (o->verbose) {
		if ((text = conf_print(c, secrets)) == NULL)
			fatal("printing");
		(void)fputs(text, stdout);
		explicit_bzero(text, strlen(text));
		free(text);
	}
	(void)fprintf(o->verbose ? stderr : stdout, "configuration OK%s\n",
	    c->ntunnels == 0 ? ", without a tunnel" : "");
	if (o->resolve)
		look_up(c);
	lint(c);
	parent_conf_old(c, plog());
	conf_free(c);
	return (0);
}
