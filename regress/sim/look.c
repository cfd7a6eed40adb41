/* SPDX-License-Identifier: ISC */
/* What tests ask of a simulation. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

void
sim_cmd(struct node *n, enum engine_cmd cmd, const char *tunnel)
{
	const char	*why;

	if (engine_command(n->e, n->sim->now, cmd, tunnel, WAKE_COMMAND, &why) == -1)
		fprintf(stderr, "%s: %s: %s\n", n->name, tunnel, why);
}

int
sim_tunnel(struct node *n, const char *name, struct show_tunnel *t)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;
	int		 found = 0;

	while (!found && engine_show(n->e, n->sim->now, SHOWK_TUNNEL, &cur, r))
		if (strcmp(r->u.tunnel.name, name) == 0) {
			*t = r->u.tunnel;
			found = 1;
		}
	free(r);
	return (found);
}

int
sim_is_up(struct node *n, const char *name)
{
	struct show_tunnel	t;

	return (n->e != NULL && sim_tunnel(n, name, &t) && t.state == SHOW_UP);
}

struct who {
	struct node	*n;
	const char	*name;
};

static int
is_up(void *arg)
{
	struct who	*w = arg;

	return (sim_is_up(w->n, w->name));
}

int
sim_up(struct node *n, const char *tunnel)
{
	struct who	w = { n, tunnel };

	sim_cmd(n, CMD_UP, tunnel);
	return (sim_until(n->sim, 10000, is_up, &w));
}

int
sim_count(struct node *n, enum show_kind k)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;
	int		 c = 0;

	while (engine_show(n->e, n->sim->now, k, &cur, r))
		c++;
	free(r);
	return (c);
}

int
sim_established(struct node *n)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;
	int		 c = 0;

	while (engine_show(n->e, n->sim->now, SHOWK_PEER, &cur, r))
		c += r->u.peer.established;
	free(r);
	return (c);
}

int
sim_natt(struct node *n)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;
	int		 k = 0;

	if (engine_show(n->e, n->sim->now, SHOWK_PEER, &cur, r))
		k = r->u.peer.natt_local | r->u.peer.natt_remote << 1;
	free(r);
	return (k);
}

void
sim_stats(struct node *n, struct show_stats *st)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;

	(void)engine_show(n->e, n->sim->now, SHOWK_STATS, &cur, r);
	*st = r->u.stats;
	free(r);
}

int
sim_kernel_count(struct node *n)
{
	int	i, c = 0;

	for (i = 0; i < n->nsa; i++)
		c += n->sa[i].used;
	return (c);
}

int
sim_log_count(struct node *n, const char *text)
{
	const char	*p = n->log;
	int		 c = 0;

	n->log[n->loglen] = '\0';
	while ((p = strstr(p, text)) != NULL) {
		c++;
		p += strlen(text);
	}
	return (c);
}

int
sim_logged(struct node *n, const char *text)
{
	int	c = sim_log_count(n, text);

	if (c == 0)
		fprintf(stderr, "%s did not say: %s\nbut:\n%s", n->name, text, n->log);
	return (c > 0);
}

static int
known(struct node *n, uint32_t spi, enum kern_dir dir)
{
	struct show_rec	*r = calloc(1, sizeof(*r));
	uint64_t	 cur = 0;
	int		 found = 0;

	while (!found && engine_show(n->e, n->sim->now, SHOWK_SA, &cur, r))
		found = (dir == KERN_IN ? r->u.sa.spi_in : r->u.sa.spi_out) == spi;
	free(r);
	return (found);
}

static int
in_kernel(struct node *n, uint32_t spi, enum kern_dir dir)
{
	int	i;

	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && n->sa[i].sa.dir == dir && n->sa[i].sa.spi == spi)
			return (1);
	return (0);
}

int
sim_agree(struct node *n)
{
	struct show_rec	*r;
	uint64_t	 cur = 0;
	int		 i, ok = 1;

	for (i = 0; i < n->nsa; i++)
		if (n->sa[i].used && !known(n, n->sa[i].sa.spi, n->sa[i].sa.dir)) {
			fprintf(stderr, "%s: kernel SA 0x%08x is nobody's\n", n->name,
			    n->sa[i].sa.spi);
			ok = 0;
		}
	r = calloc(1, sizeof(*r));
	while (engine_show(n->e, n->sim->now, SHOWK_SA, &cur, r)) {
		if (strcmp(r->u.sa.state, "installed") != 0)
			continue;
		if (!in_kernel(n, r->u.sa.spi_in, KERN_IN) ||
		    !in_kernel(n, r->u.sa.spi_out, KERN_OUT)) {
			fprintf(stderr, "%s: Child 0x%08x/0x%08x is not in the kernel\n",
			    n->name, r->u.sa.spi_in, r->u.sa.spi_out);
			ok = 0;
		}
	}
	free(r);
	return (ok);
}

int
sim_mirror(struct node *a, struct node *b, const char *ta, const char *tb)
{
	struct show_tunnel	x, y;

	if (!sim_tunnel(a, ta, &x) || !sim_tunnel(b, tb, &y))
		return (0);
	if (x.spi_in == 0 || x.spi_in != y.spi_out || x.spi_out != y.spi_in) {
		fprintf(stderr, "no mirror: in 0x%08x out 0x%08x and in 0x%08x out "
		    "0x%08x\n", x.spi_in, x.spi_out, y.spi_in, y.spi_out);
		return (0);
	}
	return (1);
}

struct endpoint
sim_ep(const char *addr, uint16_t port)
{
	struct endpoint	e;

	memset(&e, 0, sizeof(e));
	(void)addr_parse(&e.addr, addr);
	e.port = port;
	return (e);
}

struct sim *
sim_pair(uint64_t seed, const char *amode, const char *bmode, const char *extra)
{
	struct sim	*s = sim_new(seed);
	char		 text[2048];

	(void)snprintf(text, sizeof(text), "ikev2 \"b\" %s esp from 10.1.0.0/24 to "
	    "10.2.0.0/24 local 192.0.2.1 peer 198.51.100.1 %s "
	    "psk \"a secret that is long enough\"\n", amode, extra);
	(void)sim_node(s, "a", "192.0.2.1", text);
	(void)snprintf(text, sizeof(text), "ikev2 \"a\" %s esp from 10.2.0.0/24 to "
	    "10.1.0.0/24 local 198.51.100.1 peer 192.0.2.1 %s "
	    "psk \"a secret that is long enough\"\n", bmode, extra);
	(void)sim_node(s, "b", "198.51.100.1", text);
	return (s);
}
