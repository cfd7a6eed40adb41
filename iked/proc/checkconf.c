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
#include "proc/plog.h"

#define LINT_LINES	200	/* who has more does not read them */
#define NAT_TABLES	"/proc/net/ip_tables_names"

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

/* iptables' own table; nftables cannot be asked without their library. 1, or -1: not known. */
static int
has_nat(void)
{
	char line[64];
	FILE *f;
	int yes = 0;

	if ((f = fopen(NAT_TABLES, "r")) == NULL)
		return (-1);
	while (fgets(line, sizeof(line), f) != NULL)
		yes |= strcmp(line, "nat\n") == 0;
	(void)fclose(f);
	return (yes ? 1 : -1);	/* nft may have some all the same */
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
	struct lint_env env;
	struct addr *a;
	unsigned int n = 0;

	env.addrs = a = own_addrs(&env.naddrs);
	env.nat = has_nat();
	if (conf_lint(c, &env, say, &n) == -1)
		(void)fprintf(stderr, "out of memory: not everything was checked\n");
	if (n > LINT_LINES)
		(void)fprintf(stderr, "and %u more\n", n - LINT_LINES);
	if (c->ntunnels > 0 && env.nat == -1)
		(void)fprintf(stderr, "lint: NAT rules of this machine were not checked\n");
	free(a);
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
	lint(c);
	parent_conf_old(c, plog());
	conf_free(c);
	return (0);
}
