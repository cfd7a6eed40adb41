/* SPDX-License-Identifier: ISC */
/* `ipsecctl mirror': our statement, seen from the other side. */

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror.h"
#include "print.h"
#include "side_file.h"

#define EXIT_USAGE	2

const char *
mirror_end(const char *name, const struct addr *a, char dst[ADDR_STRLEN])
{
	if (name != NULL)
		return (name);
	return (mirror_addr_known(a) ? addr_str(a, dst) : NULL);
}

int
mirror_addr_known(const struct addr *a)
{
	return (a->fam != ADDR_NONE);
}

static void
append(char *dst, size_t cap, const char *sep, const char *word)
{
	if (dst[0] != '\0')
		(void)strlcat(dst, sep, cap);
	(void)strlcat(dst, word, cap);
}

unsigned int
mirror_words(char *dst, size_t cap, const struct proposal *p, uint8_t type, enum form f,
    int esp, const char *sep, char *lost, size_t lostcap)
{
	const struct xform *x;
	const char *w, *name;
	unsigned int i, n = 0;

	for (i = 0; i < p->nxforms; i++) {
		x = &p->xf[i];
		if (x->type != type)
			continue;
		if ((w = word_of(f, esp, type, x->id, x->keybits)) != NULL) {
			append(dst, cap, sep, w);
			n++;
		} else if (lost != NULL) {
			name = word_name(type, x->id, x->keybits);
			if (strstr(lost, name) == NULL)
				append(lost, lostcap, ", ", name);
		}
	}
	return (n);
}

/* What the peer is told becomes what it asks for. */
static void
swap_cp(const struct conf_tunnel *t, struct conf_tunnel *m)
{
	unsigned int i, k;

	memset(&m->give, 0, sizeof(m->give));
	memset(&m->ask, 0, sizeof(m->ask));
	m->iface[0] = '\0';
	m->dyn = t->dyn == DYN_FROM ? DYN_TO : t->dyn == DYN_TO ? DYN_FROM : DYN_NO;
	if (m->dyn != DYN_FROM)
		return;
	for (i = 0; i < t->give.n; i++) {
		for (k = 0; k < m->ask.n; k++)
			if (m->ask.a[k].type == t->give.a[i].type)
				break;
		if (k < m->ask.n)
			continue;
		m->ask.a[m->ask.n].type = t->give.a[i].type;
		m->ask.a[m->ask.n++].empty = 1;
	}
	/* whatever address is given */
	for (i = 0; i < m->from.n; i++) {
		memset(m->fromnet[i].addr.b, 0, sizeof(m->fromnet[i].addr.b));
		m->fromnet[i].len = 0;
		ts_from_prefix(&m->from.t[i], &m->fromnet[i], 0, 0);
	}
}

static void
swap(const struct conf *c, const struct conf_tunnel *t, struct mirror *m)
{
	const struct conf_peer *pe = &c->peers[t->peer];
	char a[ADDR_STRLEN];

	m->tunnel = *t;
	m->tunnel.peer = 0;
	m->tunnel.from = t->to;
	m->tunnel.to = t->from;
	memcpy(m->tunnel.fromnet, t->tonet, sizeof(t->tonet));
	memcpy(m->tunnel.tonet, t->fromnet, sizeof(t->fromnet));
	memset(&m->tunnel.keepalive, 0, sizeof(m->tunnel.keepalive));
	swap_cp(t, &m->tunnel);
	m->ours = t->mode;
	m->peer = *pe;
	m->peer.local = pe->remote;
	m->peer.remote = pe->local;
	m->peer.localname = pe->remotename;
	m->peer.remotename = pe->localname;
	m->peer.srcid = pe->dstid;
	m->peer.dstid = pe->srcid;
	m->peer.psk = NULL;
	m->peer.psklen = 0;
	m->peer.old = NULL;
	m->peer.oldlen = m->peer.has_old = 0;
	/* One side at least has to start. */
	m->tunnel.mode = mirror_end(m->peer.remotename,
	    &m->peer.remote, a) == NULL ? MODE_PASSIVE :
	    t->mode == MODE_PASSIVE ? MODE_ACTIVE : MODE_ONDEMAND;
}

int
mirror_print(FILE *f, const struct conf *c, uint32_t tunnel, enum form form,
    const char *file, const uint8_t salt[SECRET_SALT])
{
	static void (*const printers[])(FILE *, const struct mirror *) = {
		mirror_iked, mirror_openbsd, mirror_routeros, mirror_swanctl };
	const struct conf_tunnel *t = &c->tunnels[tunnel];
	const struct conf_peer *pe = &c->peers[t->peer];
	struct mirror *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (-1);
	m->name = t->name;
	m->file = file;
	if (secret_placeholder(pe->psk, pe->psklen, salt, m->secret) == -1) {
		free(m);
		return (-1);
	}
	swap(c, t, m);
	printers[form](f, m);
	free(m);
	return (0);
}

static int
read_io(void *arg, const char *path, uint8_t **data, size_t *len)
{
	(void)arg;
	return (side_file_read(path, data, len));
}

static void
complain(const struct conf_errors *e)
{
	unsigned int i;
	char clean[CELL_MAX];

	for (i = 0; i < e->n && i < sizeof(e->e) / sizeof(e->e[0]); i++)
		if (!e->warn[i])
			(void)fprintf(stderr, "%s:%u:%u: %s\n", e->e[i].file,
			    e->e[i].line, e->e[i].col,
			    print_clean(clean, sizeof(clean), e->e[i].text));
}

static struct conf *
load(const char *file)
{
	const struct conf_io io = { read_io, NULL };
	struct conf_errors *errs;
	struct conf *c;
	uint8_t *text;
	size_t len;

	if (side_file_read(file, &text, &len) == -1)
		errx(1, "%s: %s", file, conf_io_error(errno));
	if ((errs = calloc(1, sizeof(*errs))) == NULL)
		err(1, NULL);
	c = conf_parse(file, (const char *)text, len, &io, 0, errs);
	wholefile_free(text, len);
	if (c == NULL)
		complain(errs);
	free(errs);
	return (c);
}

/* The names there are, where they are few. */
static void
no_tunnel(const struct conf *c, const char *file, const char *name)
{
	char list[CELL_MAX] = "", clean[CELL_MAX];
	uint32_t i;

	for (i = 0; i < c->ntunnels && i < 8; i++)
		append(list, sizeof(list), ", ", c->tunnels[i].name);
	if (c->ntunnels > 8)
		(void)strlcat(list, ", ...", sizeof(list));
	warnx("%s: there is no tunnel \"%s\"%s%s", file,
	    print_clean(clean, sizeof(clean), name), list[0] != '\0' ? "; there is " :
	    "", list);
}

int
mirror_main(int n, char *const *args, const char *file, const char *formname)
{
	uint8_t salt[SECRET_SALT];
	enum form form = FORM_IKED;
	struct conf *c;
	int32_t i;
	int rv = 1;

	if (n != 1)
		return (-1);
	if (formname != NULL && form_byname(formname, &form) == -1) {
		warnx("-o %s: iked, routeros, swanctl or openbsd is wanted", formname);
		return (EXIT_USAGE);
	}
	if ((c = load(file)) == NULL)
		return (1);
	arc4random_buf(salt, sizeof(salt));
	if ((i = conf_tunnel_byname(c, args[0])) == -1)
		no_tunnel(c, file, args[0]);
	else if (mirror_print(stdout, c, (uint32_t)i, form, file, salt) == -1)
		warnx("%s", strerror(ENOMEM));
	else
		rv = 0;
	conf_free(c);
	return (rv);
}
