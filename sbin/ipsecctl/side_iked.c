/* SPDX-License-Identifier: ISC */
/* iked.conf as a side; the parser is iked's own. */

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "print.h"
#include "side.h"
#include "side_file.h"
#include "side_secret.h"

/* Every file that was read, to find again where an option stands. */
struct source {
	char		*path;
	uint8_t		*text;
	size_t		 len;
	size_t		*bol;		/* where line i + 1 begins */
	unsigned int	 nlines;
};

struct reader {
	struct source	*src;
	unsigned int	 n;
};

static int
index_lines(struct source *s)
{
	size_t i;
	unsigned int n = 1;

	for (i = 0; i < s->len; i++)
		n += s->text[i] == '\n';
	if ((s->bol = reallocarray(NULL, n, sizeof(*s->bol))) == NULL)
		return (-1);
	s->bol[0] = 0;
	s->nlines = n;
	for (n = 1, i = 0; i < s->len; i++)
		if (s->text[i] == '\n')
			s->bol[n++] = i + 1;
	return (0);
}

static int
remember(struct reader *r, const char *path, const uint8_t *text, size_t len)
{
	struct source *s;

	if ((s = reallocarray(r->src, r->n + 1, sizeof(*s))) == NULL)
		return (-1);
	r->src = s;
	s = &r->src[r->n];
	memset(s, 0, sizeof(*s));
	s->path = strdup(path);
	s->text = malloc(len + 1);
	s->len = len;
	if (s->text != NULL)
		memcpy(s->text, text, len);
	r->n++;
	return (s->path == NULL || s->text == NULL ? -1 : index_lines(s));
}

static int
read_io(void *arg, const char *path, uint8_t **data, size_t *len)
{
	if (side_file_read(path, data, len) == -1)
		return (-1);
	secret_admit(*data, *len);
	if (remember(arg, path, *data, *len) == -1) {
		wholefile_free(*data, *len);
		return (-1);
	}
	return (0);
}

static int
blank(uint8_t c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '{' ||
	    c == '}' || c == ',' || c == '(' || c == ')');
}

/*
 * The line in which a keyword of the statement that begins at line stands; the
 * statement's own where it has none.  A macro that holds options is not looked into.
 */
static unsigned int
locate(const struct source *s, unsigned int line, const char *kw)
{
	size_t i, n = strlen(kw), from;
	unsigned int at = line;
	uint8_t c, q;

	if (s == NULL || line == 0 || line > s->nlines)
		return (line);
	for (i = s->bol[line - 1]; i < s->len; ) {
		c = s->text[i];
		if (c == '\n')
			return (line);
		if (c == '\\' && i + 1 < s->len && s->text[i + 1] == '\n') {
			at++;
			i += 2;
		} else if (c == '#') {
			while (i < s->len && s->text[i] != '\n' &&
			    !(s->text[i] == '\\' && i + 1 < s->len &&
			    s->text[i + 1] == '\n'))
				i++;
		} else if (c == '"' || c == '\'') {
			for (q = c, i++; i < s->len && s->text[i] != q &&
			    s->text[i] != '\n'; i++)
				if (s->text[i] == '\\' && i + 1 < s->len) {
					i++;
					at += s->text[i] == '\n';
				}
			i += i < s->len && s->text[i] == q;
		} else if (blank(c))
			i++;
		else {
			for (from = i; i < s->len && !blank(s->text[i]) &&
			    strchr("\"'#\\", s->text[i]) == NULL; )
				i++;
			if (i == from)
				i++;
			else if (i - from == n && memcmp(s->text + from, kw, n) == 0)
				return (at);
		}
	}
	return (line);
}

struct where {
	struct side		*side;
	const struct source	*src;
	const char		*file;
	unsigned int		 line;
};

static struct where
where_of(struct side *s, const struct reader *r, const struct conf_tunnel *t)
{
	struct where w = { s, NULL, side_filename(s, t->file), t->line };
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (strncmp(r->src[i].path, t->file, sizeof(t->file) - 1) == 0)
			w.src = &r->src[i];
	return (w);
}

static struct place
place_of(const struct where *w, const char *kw)
{
	struct place p = { w->file, locate(w->src, w->line, kw) };

	return (p);
}

static void
take_peer(struct side *s, const struct conf *c, const struct conf_tunnel *t,
    const struct conf_peer *pe, const struct where *w)
{
	struct side_peer *p;

	if ((p = side_peer_new(s)) == NULL)
		return;
	side_name(p->name, t->name);
	p->at = place_of(w, "ikev2");
	p->at_local = place_of(w, "local");
	p->at_remote = place_of(w, "peer");
	p->at_my = place_of(w, "srcid");
	p->at_his = place_of(w, "dstid");
	p->at_ike = place_of(w, "ikesa");
	p->at_life = place_of(w, "ikelifetime");
	p->at_natt = place_of(w, "natt");
	p->at_version = p->at;
	p->local = pe->local;
	p->remote = pe->remote;
	p->my = pe->srcid;
	p->his = pe->dstid;
	p->my_unknown = s->form == FORM_OPENBSD && pe->srcid.type == ID_NONE &&
	    p->at_my.line == w->line;
	if (pe->remotename != NULL)
		(void)strlcpy(p->remotename, pe->remotename, sizeof(p->remotename));
	p->his_any = pe->dstid.type == ID_NONE && pe->remote.fam == ADDR_NONE &&
	    pe->remotename == NULL;
	p->version = 2;
	p->passive = t->mode == MODE_PASSIVE || c->passive;
	p->full = pe->full;
	p->natt = pe->natt ? NATT_FORCED : NATT_AUTO;
	(void)strlcpy(p->auth, "psk", sizeof(p->auth));
	side_secret(s, p, pe->psk, pe->psklen, place_of(w, "psk"));
	p->ike = side_props(s, pe->ike);
	p->ikelife = pe->ikelifetime != 0 ? pe->ikelifetime :
	    s->form == FORM_OPENBSD ? 0 : CONF_IKELIFE;
}

static void
take_sels(struct side *s, const struct prefix *nets, const struct tslist *ts, int any,
    struct side_sel **list, unsigned int *n)
{
	struct side_sel sel;
	unsigned int i;

	for (i = 0; i < ts->n; i++) {
		memset(&sel, 0, sizeof(sel));
		sel.net = nets[i];
		sel.proto = ts->t[i].proto;
		sel.port = ts->t[i].sport == ts->t[i].eport ? ts->t[i].sport : 0;
		sel.any = (uint8_t)any;
		(void)side_sel_add(s, list, n, &sel);
	}
}

static void
take_tunnel(struct side *s, const struct conf_tunnel *t, uint32_t peer,
    const struct where *w)
{
	struct side_child *ch;

	if ((ch = side_child_new(s, peer)) == NULL)
		return;
	side_name(ch->name, t->name);
	ch->at = place_of(w, "ikev2");
	ch->at_from = place_of(w, "from");
	ch->at_to = place_of(w, "to");
	ch->at_esp = ch->at_pfs = place_of(w, "childsa");
	ch->at_life = place_of(w, "lifetime");
	ch->at_mode = place_of(w, t->transport ? "transport" : "tunnel");
	ch->transport = t->transport;
	ch->life = t->lifetime;
	ch->esp = side_props(s, t->esp);
	take_sels(s, t->fromnet, &t->from, t->dyn == DYN_FROM, &ch->from, &ch->nfrom);
	take_sels(s, t->tonet, &t->to, t->dyn == DYN_TO, &ch->to, &ch->nto);
}

static int
take(struct side *s, const struct conf *c, const struct reader *r)
{
	uint32_t *map, i;
	const struct conf_tunnel *t;
	struct where w;

	if ((map = reallocarray(NULL, c->npeers + 1, sizeof(*map))) == NULL)
		return (-1);
	memset(map, 0xff, (c->npeers + 1) * sizeof(*map));
	for (i = 0; i < c->ntunnels; i++) {
		t = &c->tunnels[i];
		w = where_of(s, r, t);
		if (map[t->peer] == UINT32_MAX) {
			map[t->peer] = s->npeers;
			take_peer(s, c, t, &c->peers[t->peer], &w);
		} else if (t->mode != MODE_PASSIVE && !c->passive)
			s->peers[map[t->peer]].passive = 0;
		if (!s->nomem)
			take_tunnel(s, t, map[t->peer], &w);
	}
	free(map);
	return (s->nomem ? -1 : 0);
}

static void
complain(const struct conf_errors *e, FILE *err)
{
	unsigned int i;
	char clean[CELL_MAX], file[CELL_MAX];

	for (i = 0; i < e->n && i < sizeof(e->e) / sizeof(e->e[0]); i++)
		if (!e->warn[i])
			(void)fprintf(err, "%s:%u:%u: %s\n",
			    print_clean(file, sizeof(file), e->e[i].file),
			    e->e[i].line, e->e[i].col,
			    print_clean(clean, sizeof(clean), e->e[i].text));
}

int
side_iked(struct side *s, uint8_t *text, size_t len, FILE *err)
{
	struct reader r = { NULL, 0 };
	const struct conf_io io = { read_io, &r };
	struct conf_errors *errs;
	struct conf *c = NULL;
	unsigned int i;
	int rv = -1;

	secret_admit(text, len);
	if ((errs = calloc(1, sizeof(*errs))) == NULL ||
	    remember(&r, s->file, text, len) == -1)
		s->nomem = 1;
	else if ((c = conf_parse(s->file, (const char *)text, len, &io, 0,
	    errs)) == NULL)
		complain(errs, err);
	else
		rv = take(s, c, &r);
	if (s->nomem)
		(void)fprintf(err, "%s: no memory\n", s->file);
	conf_free(c);
	free(errs);
	for (i = 0; i < r.n; i++) {
		wholefile_free(r.src[i].text, r.src[i].len);
		free(r.src[i].bol);
		free(r.src[i].path);
	}
	free(r.src);
	return (rv);
}
