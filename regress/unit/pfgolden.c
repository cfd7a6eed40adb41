/* SPDX-License-Identifier: ISC */
/* See pfgolden.h. */

#include <atf-c.h>
#include <fnmatch.h>
#include <string.h>

#include "pfgolden.h"

static int __attribute__((__format__(printf, 3, 4)))
add(char *out, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, cap - n, fmt, ap);
	va_end(ap);
	return (0);
}

int
golden_next(FILE *f, const char *dir, struct golden *g)
{
	char line[2048], path[512];
	FILE *bin;
	long at;

	memset(g, 0, sizeof(*g));
	do {
		if (fgets(line, sizeof(line), f) == NULL)
			return (0);
	} while (line[0] == '\n');
	ATF_REQUIRE(line[0] != ' ');
	line[strcspn(line, "\n")] = '\0';
	strlcpy(g->file, line, sizeof(g->file));
	for (;;) {
		at = ftell(f);
		if (fgets(line, sizeof(line), f) == NULL)
			break;
		if (line[0] != ' ') {
			fseek(f, at, SEEK_SET);
			break;
		}
		strlcat(g->text, line, sizeof(g->text));
	}
	snprintf(path, sizeof(path), "%s/%s", dir, g->file);
	ATF_REQUIRE_MSG((bin = fopen(path, "rb")) != NULL, "%s", path);
	g->len = fread(g->buf, 1, sizeof(g->buf), bin);
	fclose(bin);
	ATF_REQUIRE(g->len >= 16 && g->len < sizeof(g->buf));
	return (1);
}

/* --- a message in the INDEX's words --- */

static const char *
type_name(uint8_t type, char *num, size_t cap)
{
	static const char *const names[] = {
		NULL, "GETSPI", "UPDATE", "ADD", "DELETE", "GET", "ACQUIRE",
		"REGISTER", "EXPIRE", "FLUSH", "DUMP", NULL, NULL, "SPDUPDATE",
		"SPDADD", "SPDDELETE", "SPDGET", NULL, "SPDDUMP", "SPDFLUSH",
		NULL, "SPDEXPIRE", "SPDDELETE2", "NAT_T_NEW_MAPPING", "MIGRATE"
	};

	if (type < sizeof(names) / sizeof(names[0]) && names[type] != NULL)
		return (names[type]);
	snprintf(num, cap, "%u", type);
	return (num);
}

static const char *
errno_name(uint8_t err)
{
	switch (err) {
	case 0:		return ("-");
	case 2:		return ("ENOENT");
	case 3:		return ("ESRCH");
	case 17:	return ("EEXIST");
	case 22:	return ("EINVAL");
	case 38:	return ("ENOSYS");
	case 95:	return ("ENOTSUP");
	case 111:	return ("ECONNREFUSED");
	default:	return ("?");
	}
}

static void
hex(char *out, size_t cap, const struct span *s)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		add(out, cap, "%02x", s->p[i]);
}

static void
r_life(char *out, size_t cap, const char *name, const struct pfkey_life *l)
{
	add(out, cap, "      %s alloc=%u bytes=%ju add=%ju use=%ju\n", name,
	    l->alloc, (uintmax_t)l->bytes, (uintmax_t)l->add, (uintmax_t)l->use);
}

static void
r_addr(char *out, size_t cap, const char *name, const struct pfkey_addr *a,
    size_t extlen)
{
	char s[ADDR_STRLEN];

	add(out, cap, "      %s proto=%u plen=%u %s[%u] (extlen %zu)\n", name,
	    a->proto, a->plen, addr_str(&a->ep.addr, s), a->ep.port, extlen);
}

static void
r_key(char *out, size_t cap, const char *name, const struct pfkey_key *k,
    const struct pfkey_ext *x)
{
	struct span padded = { x->raw.p + 8, x->raw.len - 8 };

	add(out, cap, "      %s bits=%u ", name, k->bits);
	hex(out, cap, &padded);
	add(out, cap, "\n");
}

static void
r_algs(char *out, size_t cap, const char *name, const struct pfkey_algs *s)
{
	size_t i;

	add(out, cap, "      %s\n", name);
	for (i = 0; i < s->n; i++)
		add(out, cap, "        alg=%u iv=%u min=%u max=%u\n",
		    s->alg[i].id, s->alg[i].ivlen, s->alg[i].minbits,
		    s->alg[i].maxbits);
}

static void
r_policy(char *out, size_t cap, const struct pfkey_msg *m)
{
	const struct pfkey_request *q;
	char s[ADDR_STRLEN];
	size_t i;

	add(out, cap, "      POLICY type=%u dir=%u id=%u prio=%u", m->policy.type,
	    m->policy.dir, m->policy.id, m->policy.prio);
	if (m->policy.scope != 0)
		add(out, cap, " scope=%u", m->policy.scope);
	add(out, cap, "\n");
	for (i = 0; i < m->policy.nreq; i++) {
		q = &m->policy.req[i];
		add(out, cap, "        REQ len=%uB proto=%u mode=%u level=%u "
		    "reqid=%u", q->len, q->proto, q->mode, q->level, q->reqid);
		if (q->has_addr) {
			add(out, cap, " %s[%u]", addr_str(&q->src.addr, s),
			    q->src.port);
			add(out, cap, " -> %s[%u]", addr_str(&q->dst.addr, s),
			    q->dst.port);
		}
		add(out, cap, "\n");
	}
}

static void
r_ext(char *out, size_t cap, const struct pfkey_msg *m, const struct pfkey_ext *x)
{
	switch (x->kind) {
	case PX_SA:
		add(out, cap, "      SA spi=%08x replay=%u state=%u auth=%u enc=%u "
		    "flags=%x\n", m->sa.spi, m->sa.replay, m->sa.state, m->sa.auth,
		    m->sa.encr, m->sa.flags);
		break;
	case PX_LTC:
		r_life(out, cap, "LTC", &m->ltc);
		break;
	case PX_LTH:
		r_life(out, cap, "LTH", &m->lth);
		break;
	case PX_LTS:
		r_life(out, cap, "LTS", &m->lts);
		break;
	case PX_SRC:
		r_addr(out, cap, "SRC", &m->src, x->raw.len);
		break;
	case PX_DST:
		r_addr(out, cap, "DST", &m->dst, x->raw.len);
		break;
	case PX_PROXY:
		r_addr(out, cap, "PROXY", &m->proxy, x->raw.len);
		break;
	case PX_KAUTH:
		r_key(out, cap, "KAUTH", &m->kauth, x);
		break;
	case PX_KENC:
		r_key(out, cap, "KENC", &m->kenc, x);
		break;
	case PX_PROP:
		add(out, cap, "      PROP replay=%u ncombs=%zu first(auth,enc)=[]\n",
		    m->prop.replay, m->prop.ncombs);
		break;
	case PX_SUPA:
		r_algs(out, cap, "SUPA", &m->supa);
		break;
	case PX_SUPE:
		r_algs(out, cap, "SUPE", &m->supe);
		break;
	case PX_POLICY:
		r_policy(out, cap, m);
		break;
	case PX_SA2:
		add(out, cap, "      SA2 mode=%u seq=%u reqid=%u\n", m->sa2.mode,
		    m->sa2.seq, m->sa2.reqid);
		break;
	case PX_NATT_TYPE:
		add(out, cap, "      NATT_TYPE %u\n", m->natt_type);
		break;
	case PX_SPORT:
		add(out, cap, "      SPORT %u\n", m->sport);
		break;
	case PX_DPORT:
		add(out, cap, "      DPORT %u\n", m->dport);
		break;
	case PX_REPLAY:
		add(out, cap, "      REPLAY %u\n", m->replay_window);
		break;
	case PX_SPIRANGE:
		add(out, cap, "      SPIRANGE ");
		hex(out, cap, &x->raw);
		add(out, cap, "\n");
		break;
	default:
		add(out, cap, "      %u ", x->type);
		hex(out, cap, &x->raw);
		add(out, cap, "\n");
		break;
	}
}

void
golden_render(const struct pfkey_msg *m, size_t len, char *out, size_t cap)
{
	char num[8];
	size_t i;

	out[0] = '\0';
	add(out, cap, "   %s satype=%u len=%u(%zuB) errno=%u(%s) seq=%u pid=%u "
	    "rsvd=%u\n", type_name(m->type, num, sizeof(num)), m->satype, m->words,
	    len, m->err, errno_name(m->err), m->seq, m->pid, m->reserved);
	for (i = 0; i < m->next; i++)
		r_ext(out, cap, m, &m->ext[i]);
}

/* --- differences --- */

#define NITEMS	400

struct item {
	char	line[40], key[24], val[200];
};

/* One word: key=value, or a bare value. */
static void
item_word(struct item *it, const char *line, const char *word, size_t len, int nth)
{
	size_t k = strcspn(word, "= \n");

	memset(it, 0, sizeof(*it));
	strlcpy(it->line, line, sizeof(it->line));
	if (k < len)
		snprintf(it->key, sizeof(it->key), "%.*s", (int)k, word);
	else
		snprintf(it->key, sizeof(it->key), "%d", nth);
	snprintf(it->val, sizeof(it->val), "%.*s", (int)len, word);
}

/* Every field of a text; a line's own name is its item "".  The total length
 * follows from the rest and is left out. */
static size_t
items(const char *p, struct item *it)
{
	char line[24];
	size_t n = 0, len, i;
	int nth, same, first = 1;

	while (*p != '\0') {
		p += strspn(p, " ");
		len = strcspn(p, " \n");
		snprintf(line, sizeof(line), "%.*s", (int)len, first ? "MSG" : p);
		if (first) {
			item_word(&it[n], "MSG", p, len, 0);
			strlcpy(it[n++].key, "type", sizeof(it->key));
		} else {
			for (same = 1, i = 0; i < n; i++)
				if (it[i].key[0] == '\0' &&
				    strcmp(it[i].val, line) == 0)
					same++;
			item_word(&it[n], line, "", 0, 0);
			it[n].key[0] = '\0';
			strlcpy(it[n].val, line, sizeof(it->val));
			if (same > 1)
				snprintf(it[n].line, sizeof(it->line), "%.20s%d",
				    line, same);
			strlcpy(line, it[n++].line, sizeof(line));
		}
		for (p += len, nth = 1; *p == ' '; nth++) {
			p += strspn(p, " ");
			len = strcspn(p, " \n");
			if (len > 0 && !(first && strncmp(p, "len=", 4) == 0)) {
				ATF_REQUIRE(n < NITEMS);
				item_word(&it[n++], line, p, len, nth);
			}
			p += len;
		}
		p += *p == '\n';
		first = 0;
	}
	return (n);
}

static const struct item *
item_find(const struct item *it, size_t n, const struct item *what)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(it[i].line, what->line) == 0 &&
		    strcmp(it[i].key, what->key) == 0)
			return (&it[i]);
	return (NULL);
}

/* Those of a that b has not or has otherwise; a whole line counts once. */
static void
differing(const struct item *a, size_t na, const struct item *b, size_t nb,
    int values, char *out, size_t cap)
{
	const struct item *o;
	struct item whole;
	size_t i;

	for (i = 0; i < na; i++) {
		o = item_find(b, nb, &a[i]);
		if (o != NULL && (!values || strcmp(o->val, a[i].val) == 0))
			continue;
		whole = a[i];
		whole.key[0] = '\0';
		if (a[i].key[0] == '\0')
			add(out, cap, "%s\n", a[i].line);
		else if (strcmp(a[i].line, "MSG") == 0 ||
		    item_find(b, nb, &whole) != NULL)
			add(out, cap, "%s.%s\n", a[i].line, a[i].key);
	}
}

void
golden_diff(const char *a, const char *b, char *out, size_t cap)
{
	static struct item ia[NITEMS], ib[NITEMS];
	size_t na = items(a, ia), nb = items(b, ib);

	out[0] = '\0';
	differing(ia, na, ib, nb, 1, out, cap);
	differing(ib, nb, ia, na, 0, out, cap);
}

void
diffs_read(struct diffs *d, const char *path)
{
	char line[512], *tab;
	FILE *f;

	memset(d, 0, sizeof(*d));
	ATF_REQUIRE_MSG((f = fopen(path, "r")) != NULL, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		ATF_REQUIRE(d->n < sizeof(d->row) / sizeof(d->row[0]));
		/* three columns: nobody is excused without a reason */
		ATF_REQUIRE_MSG((tab = strchr(line, '\t')) != NULL, "%s", line);
		*tab++ = '\0';
		tab += strspn(tab, "\t");
		strlcpy(d->row[d->n].pattern, line, sizeof(d->row[0].pattern));
		ATF_REQUIRE_MSG(strlen(tab) > strcspn(tab, "\t") + 10, "%s", tab);
		tab[strcspn(tab, "\t")] = '\0';
		strlcpy(d->row[d->n].field, tab, sizeof(d->row[0].field));
		d->n++;
	}
	fclose(f);
}

void
diffs_apply(struct diffs *d, const char *file, char *fields, size_t cap)
{
	char in[4096], *p, *save = NULL;
	size_t i;
	int excused;

	strlcpy(in, fields, sizeof(in));
	fields[0] = '\0';
	for (p = strtok_r(in, "\n", &save); p != NULL;
	    p = strtok_r(NULL, "\n", &save)) {
		excused = 0;
		for (i = 0; i < d->n; i++)
			if (strcmp(d->row[i].field, p) == 0 &&
			    fnmatch(d->row[i].pattern, file, 0) == 0) {
				d->row[i].used++;
				excused = 1;
				break;
			}
		if (!excused)
			add(fields, cap, "%s\n", p);
	}
}
